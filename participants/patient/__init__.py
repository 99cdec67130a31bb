"""A patient's application: finds doctors, books slots, and hears what becomes of them."""
