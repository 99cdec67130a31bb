"""Where what was accepted is remembered: in memory, for tests, development and one process."""
