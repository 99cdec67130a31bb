"""What processes tell one another and other systems: `uhi.ports.signals` in memory, on Redis, PostgreSQL and NATS.

An adapter package: above it only composition roots. A module is imported where it is used, since each server's library
is an extra: `uhi-network[redis]`, `[postgres]`, `[events]`.
"""
