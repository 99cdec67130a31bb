"""A hospital run from a YAML file: doctors, hours and prices as written there, appointments in memory."""
