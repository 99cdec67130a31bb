"""The rows of the numbered changes, and the one row that says how far they have got.

Sync functions on a connection. Above: `writing`, `register`; below: `tables`.
"""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from gateway.network_registry.json_text import read_list, write_json
from gateway.network_registry.standing import Change
from gateway.network_registry.tables import registry_change, registry_head
from uhi.subscribers import Role


def head(connection: Connection) -> int:
    """The number of the newest change; 0 before the first."""
    return int(connection.execute(select(registry_head.c.seq)).scalar_one())


def lock(connection: Connection) -> None:
    """Keep every other writer of the register waiting until this transaction ends."""
    # SQLite has one writer at a time anyhow, and leaves the words out.
    connection.execute(select(registry_head.c.seq).with_for_update()).scalar_one()


def next_seq(connection: Connection) -> int:
    """The number of a change to be made now."""
    following = update(registry_head).values(seq=registry_head.c.seq + 1).returning(registry_head.c.seq)
    return int(connection.execute(following).scalar_one())


def insert_change(connection: Connection, change: Change) -> None:
    """Keep a change."""
    connection.execute(
        insert(registry_change).values(
            seq=change.seq,
            at=change.at,
            subscriber_id=change.subscriber_id,
            role=change.role.value,
            status=change.status,
            keys=write_json(list(change.keys)),
            action=change.action,
        )
    )


def changes(connection: Connection, *, after: int, most: int) -> tuple[Change, ...]:
    """The changes after a number, in order."""
    query = select(registry_change).where(registry_change.c.seq > after).order_by(registry_change.c.seq).limit(most)
    return tuple(
        Change(
            seq=row["seq"],
            at=row["at"],
            subscriber_id=row["subscriber_id"],
            role=Role(row["role"]),
            status=row["status"],
            keys=tuple(map(str, read_list(row["keys"]))),
            action=row["action"],
        )
        for row in connection.execute(query).mappings()
    )
