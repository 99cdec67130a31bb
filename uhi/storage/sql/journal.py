"""What is read back from the journal on SQL: messages that nobody works on, and answers that others have accepted.

Sync functions on a `Connection`. Above: `storage`; below: `leases`, `bodies`, `many`, `tables`. Source: reliability
rules "Receive side".
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

from sqlalchemy import Connection, Row, select

from uhi.ports import Kept
from uhi.storage.sql.bodies import Ours, open_bodies, opened_body
from uhi.storage.sql.leases import Held, keep_messages
from uhi.storage.sql.many import look_up, run
from uhi.storage.sql.tables import EXPIRED
from uhi.storage.sql.tables import body as body_table
from uhi.storage.sql.tables import inbox as table

MOST_ANSWERS = 100
_MOST_EXPIRED = 500
_MOST_SAID = 20
_UNREADABLE_SECONDS = 120.0
_FREE = "status = 'NEW' AND (owner IS NULL OR lease_until < :now)"
_EXPIRE = f"""
WITH picked AS (
  SELECT id FROM inbox WHERE {_FREE} AND deadline < :now LIMIT {_MOST_EXPIRED} /*pg FOR UPDATE SKIP LOCKED */
)
UPDATE inbox SET status = 'EXPIRED', finished_at = :now, owner = NULL, lease_until = NULL
WHERE id IN (SELECT id FROM picked) RETURNING path_role, message_id, transaction_id
"""  # noqa: S608
_TAKE_UP = f"""
WITH picked AS (
  SELECT id FROM inbox WHERE {_FREE} AND deadline >= :now ORDER BY received_at, id LIMIT :most
  /*pg FOR UPDATE SKIP LOCKED */
)
UPDATE inbox SET owner = :owner, lease_until = :until WHERE id IN (SELECT id FROM picked) RETURNING *
"""  # noqa: S608
_LEAVE = """
UPDATE inbox SET lease_until = :until WHERE status = 'NEW' AND id IN (SELECT a FROM {given})
"""
_ANSWERS = """
SELECT inbox.id FROM inbox JOIN body ON body.id = inbox.body_id
WHERE inbox.receiver_id = :receiver AND inbox.answers = :answers AND inbox.id NOT IN (SELECT a FROM {given})
ORDER BY inbox.id LIMIT :most
"""
_NONE = ("",)

_log = logging.getLogger("uhi.storage")


def take_up(connection: Connection, ours: Ours, held: Held, *, now: float, most: int) -> Sequence[Kept] | None:
    """See `uhi.ports.Journal`; None where others are left, though none of those that were looked at can be read.

    What cannot be read is logged, and left alone for some minutes: its key may be found.
    """
    keep_messages(connection, ours, held, now=now)
    _say(run(connection, _EXPIRE, {"now": now}).all())
    taking = {"now": now, "most": most, "owner": ours.owner, "until": now + ours.lease_seconds}
    rows = run(connection, _TAKE_UP, taking).all()
    bodies = open_bodies(connection, ours, (row.body_id for row in rows))
    unreadable = [(row.id,) for row in rows if row.body_id not in bodies]
    if unreadable:
        look_up(connection, _LEAVE, unreadable, {"until": now + _UNREADABLE_SECONDS})
    oldest_first = sorted(rows, key=lambda row: (row.received_at, row.id))
    kept = [_kept(row, bodies[row.body_id]) for row in oldest_first if row.body_id in bodies]
    return None if unreadable and not kept else kept


def answers_to(connection: Connection, ours: Ours, request: tuple[str, str], known: Collection[str]) -> Sequence[Kept]:
    """See `uhi.ports.Journal`; a request is its owner and its message id. An answer whose body had to be forgotten, or
    cannot be opened, is not among them."""
    receiver, message_id = request
    wanted = {"receiver": receiver, "answers": message_id, "most": MOST_ANSWERS}
    seen = {_NONE, *((each,) for each in known)}
    # Asked again and again by whoever waits: what there is to read is read only once there is something.
    while new := [row.id for row in look_up(connection, _ANSWERS, list(seen), wanted).all()]:
        kept = _answers(connection, ours, new)
        if kept:
            return kept
        seen.update((each,) for each in new)
    return []


def _answers(connection: Connection, ours: Ours, ids: Sequence[str]) -> list[Kept]:
    rows = connection.execute(
        select(table, body_table.c.sealed)
        .join(body_table, body_table.c.id == table.c.body_id)
        .where(table.c.id.in_(ids))
        .order_by(table.c.id)
    )
    opened = ((row, opened_body(ours, row.body_id, row.sealed)) for row in rows)
    return [_kept(row, plain) for row, plain in opened if plain is not None]


def _say(expired: Sequence[Row[tuple[object, ...]]]) -> None:
    """Nothing follows any more from messages that we had acknowledged: that is worth a line each."""
    for row in expired[:_MOST_SAID]:
        _log.warning(
            "a message was not dealt with before its time was over",
            extra={
                "path": row.path_role,
                "message_id": row.message_id,
                "transaction_id": row.transaction_id,
                "outcome": EXPIRED,
            },
        )
    if len(expired) > _MOST_SAID:
        further = len(expired) - _MOST_SAID
        _log.warning("so it was with %d further messages", further, extra={"count": further, "outcome": EXPIRED})


def _kept(row: Row[tuple[object, ...]], plain: bytes) -> Kept:
    return Kept(
        id=row.id,
        path_role=row.path_role,
        message_id=row.message_id,
        received_at=row.received_at,
        deadline=row.deadline,
        digest=row.digest,
        body=plain,
        authorization=row.header,
        facts=row.facts.encode(),
    )
