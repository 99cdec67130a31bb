"""The library's own steps."""
