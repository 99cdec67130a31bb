"""The steps of the gateway's own tables: the network registry's. See `uhi.storage.migrations`."""
