"""Pluggable applications, one folder each; `app.py` is where to start reading."""
