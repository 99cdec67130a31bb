"""Conversations of the hospital's staff with patients."""
