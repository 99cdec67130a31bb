"""The version of everything here: one row, which every writer locks first and moves on.

Below: `tables`.
"""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from participants.hospital.organisations.tables import head


def version_of(connection: Connection) -> int:
    """How often something changed so far."""
    version: int = connection.execute(select(head.c.version)).scalar_one()
    return version


def lock(connection: Connection) -> None:
    """Until the transaction ends nobody else changes anything."""
    # SQLite has one writer at a time anyhow, and leaves the words out.
    connection.execute(select(head.c.version).with_for_update())


def move_on(connection: Connection) -> None:
    """Count a change."""
    connection.execute(update(head).values(version=head.c.version + 1))
