"""Hospitals empanelled under PM-JAY, for a network member that may publish them."""
