"""The outbox on SQL: letters are kept, leased, settled. What waits in a line goes one after the other.

Sync functions on a `Connection`. Above: `storage`, `changes`; below: `bodies`, `many`, `tables`. Source: reliability
rules "Send side".
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from hashlib import blake2b

from sqlalchemy import Connection, Row

from uhi.exchange.row_ids import new_row_id
from uhi.ports import Backlog, Ending, Event, Leased, Letter, LetterState
from uhi.storage.sql.bodies import Ours, open_bodies
from uhi.storage.sql.events import insert_events
from uhi.storage.sql.many import Rows, insert_rows, is_postgres, look_up, run, update_rows
from uhi.storage.sql.tables import outbox as table
from uhi.subscribers import Role, Subscriber

_UNREADABLE_SECONDS = 60.0
_UNREADABLE = "BODY_UNREADABLE"
_COLUMNS = (
    *("id", "dest_subscriber_id", "dest_role", "dest_url", "action", "message_id", "transaction_id", "order_id"),
    *("inbox_id", "body_id", "digest", "size", "is_critical", "is_relayed", "priority", "line", "kept", "not_before"),
    *("deadline", "attempts", "signed_again", "owner", "lease_until", "state", "created_at"),
)
_TAKEN = ("id", "owner", "state")
_SETTLED = (
    *("state", "last_status", "last_error_code", "attempts", "signed_again", "not_before", "owner", "lease_until"),
    "ended_at",
)
_LOCK_LINES = "SELECT pg_advisory_xact_lock(given.line) FROM unnest(CAST(:lines AS bigint[])) AS given(line)"
_BUSY_LINES = """
SELECT DISTINCT line FROM outbox WHERE line IN (SELECT a FROM {given}) AND state IN ('READY', 'LEASED')
"""
_LAPSED = """
UPDATE outbox SET state = 'READY', owner = NULL, lease_until = NULL WHERE state = 'LEASED' AND lease_until < :now
"""
_LEASE = """
WITH picked AS (
  SELECT id FROM outbox WHERE state = 'READY' AND not_before <= :now AND (line IS NULL OR NOT EXISTS (
    SELECT 1 FROM outbox AS other WHERE other.line = outbox.line AND other.state IN ('READY', 'LEASED')
    AND other.id <> outbox.id AND (other.state = 'LEASED' OR other.id < outbox.id)))
  ORDER BY priority, not_before, id LIMIT :most /*pg FOR UPDATE OF outbox SKIP LOCKED */
)
UPDATE outbox SET state = 'LEASED', owner = :owner, lease_until = :until WHERE id IN (SELECT id FROM picked) RETURNING *
"""
_NEXT_DUE = "SELECT min(not_before) AS next_due FROM outbox WHERE state = 'READY' AND not_before > :now"
_STILL_OURS = """
SELECT id FROM outbox WHERE state = 'LEASED' AND owner = :owner AND id IN (SELECT a FROM {given})
ORDER BY id /*pg FOR UPDATE */
"""
_BACKLOG = """
WITH waiting AS (
  SELECT size, digest FROM outbox WHERE state = 'READY' UNION ALL SELECT size, digest FROM outbox WHERE state = 'LEASED'
)
SELECT (SELECT count(*) FROM waiting) AS letters,
  (SELECT coalesce(sum(size), 0) FROM (SELECT max(size) AS size FROM waiting GROUP BY digest) AS bodies) AS size,
  (SELECT min(not_before) FROM outbox WHERE state = 'READY' AND not_before <= :now) AS oldest_due,
  (SELECT count(*) FROM inbox WHERE status = 'NEW') AS unfinished
"""


def busy_lines(connection: Connection, lines: Collection[str]) -> set[str]:
    """Those of the lines in which a letter waits or is on its way; nobody else adds to a line until we commit."""
    if not lines:
        return set()
    if is_postgres(connection):
        run(connection, _LOCK_LINES, {"lines": sorted(map(_number, lines))}).all()
    return {row.line for row in look_up(connection, _BUSY_LINES, [(line,) for line in lines])}


def letter_row(letter: Letter, *, body_id: str, leased_by: Ours | None, now: float) -> tuple[object, ...]:
    """A letter as `insert_letters` takes it: where its body is, and whose it is to send at once, if anybody's."""
    return (
        letter.id,
        letter.to.id,
        letter.to.role.value,
        letter.to.url,
        letter.path,
        letter.message_id,
        letter.transaction_id,
        letter.order_id or None,
        letter.cause or None,
        body_id,
        letter.digest,
        len(letter.body),
        letter.is_critical,
        letter.is_relayed,
        letter.priority,
        letter.line or None,
        letter.kept,
        letter.not_before,
        letter.deadline,
        letter.attempts,
        letter.signed_again,
        leased_by.owner if leased_by else None,
        now + leased_by.lease_seconds if leased_by else None,
        LetterState.LEASED.value if leased_by else LetterState.READY.value,
        now,
    )


def insert_letters(connection: Connection, rows: Rows) -> frozenset[object] | None:
    """Keep letters; returns the ids of those that were not there yet, None for all of them."""
    return insert_rows(connection, table, _COLUMNS, rows) if rows else None


def lease(connection: Connection, ours: Ours, *, now: float, most: int) -> Leased:
    """See `uhi.ports.Outbox`."""
    # A lease that ran out is freed apart, so that the index of what is due gives its order to the rest.
    run(connection, _LAPSED, {"now": now})
    taking = {"now": now, "most": most, "owner": ours.owner, "until": now + ours.lease_seconds}
    rows = run(connection, _LEASE, taking).all()
    bodies = open_bodies(connection, ours, (row.body_id for row in rows))
    unreadable = [row for row in rows if row.body_id not in bodies]
    if unreadable:
        _put_off(connection, unreadable, now)
    urgent_first = sorted(rows, key=lambda row: (row.priority, row.not_before, row.id))
    letters = tuple(_letter(row, bodies[row.body_id]) for row in urgent_first if row.body_id in bodies)
    return Leased(letters, run(connection, _NEXT_DUE, {"now": now}).one().next_due)


def settle(connection: Connection, ours: Ours, endings: Sequence[Ending]) -> Sequence[None]:
    """See `uhi.ports.Outbox`; of several endings of one letter the first counts."""
    first = {ending.letter.id: ending for ending in reversed(endings)}
    settled = [first[each] for each in sorted(first)]
    if ours.has_events:
        given = [(ending.letter.id,) for ending in settled]
        taken = {row.id for row in look_up(connection, _STILL_OURS, given, {"owner": ours.owner})}
        settled = [ending for ending in settled if ending.letter.id in taken]
        insert_events(connection, [_delivered(each) for each in settled if each.state is LetterState.DELIVERED])
    if settled:
        update_rows(connection, table, _TAKEN, _SETTLED, [_ending_row(each, ours.owner) for each in settled])
    return [None] * len(endings)


def backlog(connection: Connection, *, now: float) -> Backlog:
    """See `uhi.ports.Outbox`; equal bodies count once."""
    row = run(connection, _BACKLOG, {"now": now}).one()
    return Backlog(row.letters, int(row.size), row.oldest_due, row.unfinished)


def _number(line: str) -> int:
    """What PostgreSQL can lock in place of a text: 64 bits with a sign."""
    return int.from_bytes(blake2b(line.encode(), digest_size=8).digest(), signed=True)


def _put_off(connection: Connection, rows: Sequence[Row[tuple[object, ...]]], now: float) -> None:
    """A letter whose body cannot be opened waits for its key, until nothing needs to come of it any more."""
    over, later = LetterState.EXPIRED.value, LetterState.READY.value
    changes = [
        (
            *(row.id, row.owner, row.state),
            *(over if row.deadline < now else later, row.last_status, _UNREADABLE, row.attempts, row.signed_again),
            *(now + _UNREADABLE_SECONDS, None, None, now if row.deadline < now else None),
        )
        for row in rows
    ]
    update_rows(connection, table, _TAKEN, _SETTLED, changes)


def _ending_row(ending: Ending, owner: str) -> tuple[object, ...]:
    letter, state = ending.letter, ending.state
    return (
        *(letter.id, owner, LetterState.LEASED.value),
        *(state.value, ending.status, ending.outcome, ending.attempts, ending.signed_again),
        letter.not_before if state.is_end else ending.not_before,
        *(None, None, ending.at if state.is_end else None),
    )


def _delivered(ending: Ending) -> Event:
    letter = ending.letter
    facts = {
        "action": letter.path,
        "message_id": letter.message_id,
        "transaction_id": letter.transaction_id,
        "receiver": letter.to.id,
    }
    return Event(new_row_id(ending.at), "message.delivered", ending.at, facts)


def _letter(row: Row[tuple[object, ...]], plain: bytes) -> Letter:
    return Letter(
        id=row.id,
        to=Subscriber(row.dest_subscriber_id, Role(row.dest_role), row.dest_url),
        path=row.action,
        digest=row.digest,
        transaction_id=row.transaction_id,
        message_id=row.message_id,
        deadline=row.deadline,
        body=plain,
        not_before=row.not_before,
        is_critical=bool(row.is_critical),
        is_relayed=bool(row.is_relayed),
        priority=row.priority,
        line=row.line or "",
        cause=row.inbox_id or "",
        order_id=row.order_id or "",
        kept=row.kept,
        attempts=row.attempts,
        signed_again=row.signed_again,
    )
