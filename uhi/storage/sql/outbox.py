"""The outbox on SQL: letters are kept, leased, settled. What waits in a line goes one after the other.

Sync functions on a `Connection`. Above: `storage`, `changes`; below: `bodies`, `many`, `tables`. Source: reliability
rules "Send side".
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from hashlib import blake2b

from sqlalchemy import Connection, Row

from uhi.exchange.row_ids import new_row_id
from uhi.ports import Ending, Event, Leased, Letter, LetterState
from uhi.storage.sql.backlog import earliest
from uhi.storage.sql.bodies import Ours, forget_secrets, open_bodies
from uhi.storage.sql.events import insert_events
from uhi.storage.sql.many import Rows, insert_rows, is_postgres, look_up, run, update_rows
from uhi.storage.sql.tables import outbox as table
from uhi.subscribers import Role, Subscriber

_UNREADABLE_SECONDS = 60.0
_MOST_UNREADABLE = 10
_UNREADABLE = "BODY_UNREADABLE"
# A dead one may be sent again by an operator.
_FORGETS = frozenset({LetterState.DELIVERED, LetterState.REFUSED, LetterState.EXPIRED})
_COLUMNS = (
    *("id", "dest_subscriber_id", "dest_role", "dest_url", "action", "message_id", "transaction_id", "order_id"),
    *("inbox_id", "body_id", "digest", "size", "is_critical", "is_relayed", "is_secret", "priority", "line", "kept"),
    *("not_before", "deadline", "attempts", "signed_again", "owner", "lease_until", "state", "created_at"),
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
_LEASE = """
WITH picked AS (
  SELECT id FROM outbox WHERE state = 'READY' AND not_before <= :now AND (line IS NULL OR NOT EXISTS (
    SELECT 1 FROM outbox AS other WHERE other.line = outbox.line AND other.state IN ('READY', 'LEASED')
    AND other.id <> outbox.id AND (other.state = 'LEASED' OR other.id < outbox.id)))
  AND dest_subscriber_id NOT IN (SELECT a FROM {given})
  ORDER BY priority, not_before, id LIMIT :most /*pg FOR UPDATE OF outbox SKIP LOCKED */
)
UPDATE outbox SET state = 'LEASED', owner = :owner, lease_until = :until WHERE id IN (SELECT id FROM picked) RETURNING *
"""
_NOBODY = ("",)
_WAITING_FOR = "SELECT DISTINCT dest_subscriber_id FROM outbox WHERE state = 'READY' AND attempts > 0"
_HASTEN = """
UPDATE outbox SET not_before = :now
WHERE state = 'READY' AND attempts > 0 AND dest_subscriber_id = :destination AND not_before > :now
"""
_STILL_OURS = """
SELECT id FROM outbox WHERE state = 'LEASED' AND owner = :owner AND id IN (SELECT a FROM {given})
ORDER BY id /*pg FOR UPDATE */
"""

_log = logging.getLogger("uhi.storage")


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
        letter.is_secret,
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


def waiting_for(connection: Connection) -> list[str]:
    """See `uhi.ports.Outbox`."""
    return [row.dest_subscriber_id for row in run(connection, _WAITING_FOR, {})]


def hasten(connection: Connection, destination: str, *, now: float) -> None:
    """See `uhi.ports.Outbox`."""
    run(connection, _HASTEN, {"destination": destination, "now": now})


def lease(connection: Connection, ours: Ours, *, now: float, most: int, without: Collection[str] = ()) -> Leased:
    """See `uhi.ports.Outbox`; what has lapsed was freed before."""
    taking = {"now": now, "most": most, "owner": ours.owner, "until": now + ours.lease_seconds}
    rows = look_up(connection, _LEASE, [(each,) for each in without or _NOBODY], taking).all()
    bodies = open_bodies(connection, ours, (row.body_id for row in rows))
    unreadable = [row for row in rows if row.body_id not in bodies]
    if unreadable:
        _put_off(connection, unreadable, now)
    urgent_first = sorted(rows, key=lambda row: (row.priority, row.not_before, row.id))
    letters = tuple(_letter(row, bodies[row.body_id]) for row in urgent_first if row.body_id in bodies)
    return Leased(letters, earliest(connection, since=now))


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
    ended = [each for each in settled if each.letter.is_secret and each.state in _FORGETS]
    forget_secrets(connection, [each.letter.id for each in ended])
    return [None] * len(endings)


def _number(line: str) -> int:
    """What PostgreSQL can lock in place of a text: 64 bits with a sign."""
    return int.from_bytes(blake2b(line.encode(), digest_size=8).digest(), signed=True)


def _put_off(connection: Connection, rows: Sequence[Row[tuple[object, ...]]], now: float) -> None:
    """A letter whose body cannot be opened waits some minutes for its key; then those behind it in its line go on."""
    update_rows(connection, table, _TAKEN, _SETTLED, [_put_off_row(row, now) for row in rows])


def _put_off_row(row: Row[tuple[object, ...]], now: float) -> tuple[object, ...]:
    code, _, before = row.last_error_code.partition(" ")
    times = int(before) + 1 if code == _UNREADABLE and before.isdigit() else 1
    is_late = row.deadline < now
    is_over = is_late or times > _MOST_UNREADABLE
    state = LetterState.READY
    if is_over:
        state = LetterState.EXPIRED if is_late and not row.is_critical else LetterState.DEAD
        ids = {"transaction_id": row.transaction_id, "message_id": row.message_id, "outcome": state.value}
        _log.error("a letter was given up: its body cannot be read", extra={"path": row.action, **ids})
    return (
        *(row.id, row.owner, row.state),
        *(state.value, row.last_status, _UNREADABLE if is_over else f"{_UNREADABLE} {times}"),
        *(row.attempts, row.signed_again, now + _UNREADABLE_SECONDS, None, None, now if is_over else None),
    )


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
        is_secret=bool(row.is_secret),
        priority=row.priority,
        line=row.line or "",
        cause=row.inbox_id or "",
        order_id=row.order_id or "",
        kept=row.kept,
        attempts=row.attempts,
        signed_again=row.signed_again,
    )
