"""The hospital as a participant; start reading here."""
