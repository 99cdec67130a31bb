"""Forgets what has been kept long enough, in small steps, so that writers in between never wait long.

Sync functions on a `Connection`. Above: `storage`; below: `tables`. Source: reliability rules "Receive side", decisions
on duplicates and on PINs.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from uhi.ports import Retention
from uhi.storage.sql.many import look_up, run

MOST_AT_ONCE = 500
SINGLE_SHOT_SECONDS = 400 * 86_400.0
CLOSED_SECONDS = 2 * 86_400.0
EVENT_SECONDS = 7 * 86_400.0
BREAKER_SECONDS = 86_400.0
HEADER_SECONDS = 60.0
"""How much longer than its life a header is remembered, for machines whose clocks differ."""

_log = logging.getLogger("uhi.storage")


@dataclass(frozen=True, slots=True)
class Step:
    """Rows of one table that are older than `until` (Unix seconds) and that nothing needs, `gone` of them by now.

    Without `sql` it is about bodies, those behind the one at `after`. `lost` says what went without having been used.
    """

    sql: str
    until: float
    lost: str = ""
    gone: int = 0
    after: tuple[float, str] = (-1.0, "")


def steps(retention: Retention, *, now: float) -> Iterator[Step]:
    """What is to be forgotten by now."""
    identities = now - retention.identities
    yield Step("", now - retention.bodies)
    yield Step(_delete("inbox", "id", "received_at < :until AND variant <> '' AND status <> 'NEW'"), identities)
    yield Step(
        _delete("inbox", "id", "received_at < :until AND variant = '' AND status <> 'NEW'"), now - SINGLE_SHOT_SECONDS
    )
    yield Step(_delete("used_header", "key", "expires < :until"), now - HEADER_SECONDS)
    yield Step(_delete("outbox", "id", "created_at < :until AND ended_at < :until"), identities)
    yield Step(_delete("hop", "id", "at < :until"), now - retention.calls)
    yield Step(_delete_requests("counterpart <> '' AND opened_at < :until"), now - SINGLE_SHOT_SECONDS)
    yield Step(_delete_requests("counterpart = '' AND until < :until"), now - CLOSED_SECONDS)
    yield Step(_EVENTS, now - EVENT_SECONDS, lost="events that nobody fetched for a week")
    yield Step(_delete("breaker", "destination", "until < :until"), now - BREAKER_SECONDS)


def forget(connection: Connection, step: Step) -> Step | None:
    """Take a step; returns the one after it, if there is more to forget."""
    if not step.sql:
        return _forget_bodies(connection, step)
    rows = run(connection, step.sql, {"until": step.until, "most": MOST_AT_ONCE}).rowcount
    gone = step.gone + rows
    if rows == MOST_AT_ONCE:
        return replace(step, gone=gone)
    if step.lost and gone:
        _log.warning("%d %s are forgotten", gone, step.lost, extra={"count": gone})
    return None


def _forget_bodies(connection: Connection, step: Step) -> Step | None:
    """Of the next bodies that are old enough those that nothing needs; the others are passed over."""
    at, row = step.after
    look = {"until": step.until, "at": at, "id": row, "most": MOST_AT_ONCE}
    rows = run(connection, _OLD_BODIES, look).all()
    if rows:
        look_up(connection, _FORGET_BODIES, [(each.id,) for each in rows])
    return replace(step, after=(rows[-1].created_at, rows[-1].id)) if len(rows) == MOST_AT_ONCE else None


_OLD_BODIES = """
SELECT id, created_at FROM body WHERE created_at < :until AND (created_at, id) > (:at, :id)
ORDER BY created_at, id LIMIT :most
"""
# Whatever a group has in hand at the moment is left to the next time: so this waits for nobody.
_FORGET_BODIES = """
DELETE FROM body WHERE id IN (
  SELECT id FROM body WHERE id IN (SELECT a FROM {given})
  AND NOT EXISTS (SELECT 1 FROM inbox WHERE inbox.id = body.id AND status = 'NEW')
  AND NOT EXISTS (SELECT 1 FROM outbox WHERE body_id = body.id AND state IN ('READY', 'LEASED', 'DEAD')
    AND state <> 'DEAD') /*pg FOR UPDATE SKIP LOCKED */)
"""
_EVENTS = """
DELETE FROM event WHERE id IN (
  SELECT id FROM (SELECT id, at FROM event ORDER BY id LIMIT :most) AS oldest WHERE at < :until)
"""


def _delete(table: str, key: str, condition: str) -> str:
    picked = f"SELECT {key} FROM {table} WHERE {condition} LIMIT :most /*pg FOR UPDATE SKIP LOCKED */"  # noqa: S608
    return f"DELETE FROM {table} WHERE {key} IN ({picked})"  # noqa: S608


def _delete_requests(condition: str) -> str:
    picked = (
        "SELECT owner, leg, message_id FROM request"  # noqa: S608
        f" WHERE {condition} LIMIT :most /*pg FOR UPDATE SKIP LOCKED */"
    )
    return f"DELETE FROM request WHERE (owner, leg, message_id) IN ({picked})"  # noqa: S608
