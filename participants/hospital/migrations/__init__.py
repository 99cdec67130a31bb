"""The steps of the hospital's own tables. See `uhi.storage.migrations`."""
