"""The people of an application: family members, consents, and what becomes of their data."""
