"""The steps of the patient's own tables. See `uhi.storage.migrations`."""
