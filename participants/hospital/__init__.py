"""A hospital's appointment system on the network: organisations, schedules, appointments, and its staff's interface."""
