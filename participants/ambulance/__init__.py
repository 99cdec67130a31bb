"""Ambulances of one network member: who can come, and the quote for a call."""
