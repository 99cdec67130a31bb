"""The outbox as an operator sees and corrects it: what waits, what failed, sent again or given up. Never a body.

Sync functions on a `Connection`, run through `Database`. Above: the command `uhi outbox`; below: `tables`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Row, Select, func, literal, select, text, update

from uhi.exchange.retry import CRITICAL_LIFE
from uhi.ports import LetterState
from uhi.ports.signals import LETTERS
from uhi.storage.sql.tables import body, outbox

DROPPED = "dropped"
"""The last error of a letter that an operator gave up."""

_READY = LetterState.READY.value


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterFilter:
    """Which letters are looked for; an empty member does not restrict. Without states: all that are not delivered."""

    states: tuple[LetterState, ...] = ()
    to: str = ""
    transaction_id: str = ""
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterRow:
    """A row of the outbox without its body. Times are Unix seconds; `has_body` tells whether it could still be sent."""

    id: str
    state: LetterState
    to: str
    role: str
    url: str
    action: str
    message_id: str
    transaction_id: str
    order_id: str
    cause: str
    digest: str
    size: int
    is_critical: bool
    is_relayed: bool
    priority: int
    line: str
    not_before: float
    deadline: float
    attempts: int
    owner: str
    lease_until: float | None
    last_status: int
    last_error: str
    created_at: float
    ended_at: float | None
    has_body: bool


def find_letters(connection: Connection, wanted: LetterFilter) -> list[LetterRow]:
    """Letters, newest first."""
    rows = connection.execute(_selected().where(*_conditions(wanted)).order_by(outbox.c.id.desc()).limit(wanted.limit))
    return [_letter(row) for row in rows]


def count_letters(connection: Connection, wanted: LetterFilter) -> Mapping[LetterState, int]:
    """How many letters fit, by state, whatever the limit."""
    counted = connection.execute(
        select(outbox.c.state, func.count()).where(*_conditions(wanted)).group_by(outbox.c.state)
    )
    found = {LetterState(state): number for state, number in counted}
    return {state: found[state] for state in LetterState if state in found}


def find_letter(connection: Connection, letter_id: str) -> LetterRow | None:
    """One letter, or None."""
    row = connection.execute(_selected().where(outbox.c.id == letter_id)).first()
    return None if row is None else _letter(row)


def replay(connection: Connection, letter_id: str, *, now: float, force: bool = False) -> str:
    """Make a letter due at once, as if it had not been tried; a critical one gets a new deadline.

    Returns why it was left as it is, or nothing. `force` sends a delivered one again.
    """
    letter = _locked(connection, letter_id)
    if letter is None:
        return "there is no such letter"
    refused = _is_being_sent(letter, now) or _cannot_go_again(letter, now, force)
    if refused:
        return refused
    deadline = max(letter.deadline, now + CRITICAL_LIFE) if letter.is_critical else letter.deadline
    _set(
        connection,
        letter_id,
        {
            "state": _READY,
            "not_before": now,
            "deadline": deadline,
            "attempts": 0,
            "signed_again": 0,
            "owner": None,
            "lease_until": None,
            "ended_at": None,
        },
    )
    _wake(connection)
    return ""


def drop(connection: Connection, letter_id: str, *, now: float) -> str:
    """Give a letter up: it ends as DEAD. Returns why it was left as it is, or nothing."""
    letter = _locked(connection, letter_id)
    if letter is None:
        return "there is no such letter"
    refused = _is_being_sent(letter, now)
    if refused:
        return refused
    if letter.state.is_end:
        return f"it is {letter.state.value} already: nothing more is sent"
    given_up = {
        "state": LetterState.DEAD.value,
        "owner": None,
        "lease_until": None,
        "last_error_code": DROPPED,
        "ended_at": now,
    }
    _set(connection, letter_id, given_up)
    if letter.line:
        _wake(connection)
    return ""


def _wake(connection: Connection) -> None:
    """Tell the processes that letters are due: part of this transaction, so whoever wakes finds them so."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"NOTIFY uhi_{LETTERS}"))


def _is_being_sent(letter: LetterRow, now: float) -> str:
    is_leased = letter.state is LetterState.LEASED and (letter.lease_until or 0.0) > now
    return "a process is sending it at this moment: try again in a minute" if is_leased else ""


def _cannot_go_again(letter: LetterRow, now: float, force: bool) -> str:
    if letter.state is LetterState.DELIVERED and not force:
        return "it is DELIVERED: --force sends it again"
    if not letter.has_body:
        return "its body is not kept any more"
    if not letter.is_critical and letter.deadline <= now:
        return "its time has passed: nobody waits for it any more"
    return ""


def _selected() -> Select[tuple[object, ...]]:
    kept = select(literal(1)).where(body.c.id == outbox.c.body_id).exists()
    return select(outbox, kept.label("has_body"))


def _locked(connection: Connection, letter_id: str) -> LetterRow | None:
    row = connection.execute(_selected().where(outbox.c.id == letter_id).with_for_update(of=outbox)).first()
    return None if row is None else _letter(row)


def _set(connection: Connection, letter_id: str, values: Mapping[str, object]) -> None:
    connection.execute(update(outbox).where(outbox.c.id == letter_id).values(**values))


def _conditions(wanted: LetterFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.states:
        conditions.append(outbox.c.state.in_([state.value for state in wanted.states]))
    else:
        conditions.append(outbox.c.state != LetterState.DELIVERED.value)
    if wanted.to:
        conditions.append(outbox.c.dest_subscriber_id == wanted.to)
    if wanted.transaction_id:
        conditions.append(outbox.c.transaction_id == wanted.transaction_id)
    return conditions


def _letter(row: Row[tuple[object, ...]]) -> LetterRow:
    return LetterRow(
        id=row.id,
        state=LetterState(row.state),
        to=row.dest_subscriber_id,
        role=row.dest_role,
        url=row.dest_url,
        action=row.action,
        message_id=row.message_id,
        transaction_id=row.transaction_id,
        order_id=row.order_id or "",
        cause=row.inbox_id or "",
        digest=row.digest,
        size=row.size,
        is_critical=row.is_critical,
        is_relayed=row.is_relayed,
        priority=row.priority,
        line=row.line or "",
        not_before=row.not_before,
        deadline=row.deadline,
        attempts=row.attempts,
        owner=row.owner or "",
        lease_until=row.lease_until,
        last_status=row.last_status,
        last_error=row.last_error_code,
        created_at=row.created_at,
        ended_at=row.ended_at,
        has_body=bool(row.has_body),
    )
