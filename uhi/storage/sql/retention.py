"""Forgets what has been kept long enough, in small steps, so that writers in between never wait long.

Sync functions on a `Connection`. Above: `storage`; below: `tables`. Source: reliability rules "Receive side", decisions
on duplicates and on PINs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection

from uhi.ports import Retention
from uhi.storage.sql.many import run

MOST_AT_ONCE = 500
SINGLE_SHOT_SECONDS = 400 * 86_400.0
CLOSED_SECONDS = 2 * 86_400.0
HEADER_SECONDS = 60.0
"""How much longer than its life a header is remembered, for machines whose clocks differ."""


@dataclass(frozen=True, slots=True)
class Step:
    """Rows of one table that are older than `until` (Unix seconds) and that nothing needs."""

    sql: str
    until: float


def steps(retention: Retention, *, now: float) -> Iterator[Step]:
    """What is to be forgotten by now."""
    identities = now - retention.identities
    yield Step(_delete("body", "id", _BODY), now - retention.bodies)
    yield Step(_delete("inbox", "id", "received_at < :until AND variant <> '' AND status <> 'NEW'"), identities)
    yield Step(
        _delete("inbox", "id", "received_at < :until AND variant = '' AND status <> 'NEW'"), now - SINGLE_SHOT_SECONDS
    )
    yield Step(_delete("used_header", "key", "expires < :until"), now - HEADER_SECONDS)
    yield Step(_delete("outbox", "id", "created_at < :until AND ended_at < :until"), identities)
    yield Step(_delete("hop", "id", "at < :until"), now - retention.calls)
    yield Step(_delete_requests("counterpart <> '' AND opened_at < :until"), now - SINGLE_SHOT_SECONDS)
    yield Step(_delete_requests("counterpart = '' AND until < :until"), now - CLOSED_SECONDS)


def forget(connection: Connection, step: Step) -> int:
    """Take a step; returns how many rows went."""
    return run(connection, step.sql, {"until": step.until, "most": MOST_AT_ONCE}).rowcount


_BODY = """created_at < :until
AND id NOT IN (SELECT body_id FROM inbox WHERE status = 'NEW' AND body_id IS NOT NULL)
AND id NOT IN (SELECT body_id FROM outbox WHERE state = 'READY' AND body_id IS NOT NULL)
AND id NOT IN (SELECT body_id FROM outbox WHERE state = 'LEASED' AND body_id IS NOT NULL)"""


def _delete(table: str, key: str, condition: str) -> str:
    picked = f"SELECT {key} FROM {table} WHERE {condition} LIMIT :most"  # noqa: S608
    return f"DELETE FROM {table} WHERE {key} IN ({picked})"  # noqa: S608


def _delete_requests(condition: str) -> str:
    picked = f"SELECT owner, leg, message_id FROM request WHERE {condition} LIMIT :most"  # noqa: S608
    return f"DELETE FROM request WHERE (owner, leg, message_id) IN ({picked})"  # noqa: S608
