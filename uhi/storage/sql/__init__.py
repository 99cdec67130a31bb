"""Storage on SQL: SQLite (one machine, one file) and PostgreSQL 15 or newer (any number of processes), one schema."""
