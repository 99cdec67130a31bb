"""The call log on SQL: one row per hop, written soon after it and never waited for; never a body.

Above: programs, which write, and the command `uhi calls`, which reads; below: `database`, `tables`. Source: FRS BR-008.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Row, and_, func, or_, select

from uhi.exchange.row_ids import new_row_id
from uhi.messages.values import IST
from uhi.ports import Direction, Hop
from uhi.storage.sql.database import Database
from uhi.storage.sql.many import insert_rows
from uhi.storage.sql.tables import hop as table

MOST_OF_A_TRANSACTION = 20_000
"""The most hops of one transaction that are read: a search goes to at most some thousand providers."""

STRANGERS_A_SECOND = 20
"""The most hops of a second that are kept of whom nobody knows: whoever floods us must not fill the disk."""

_COLUMNS = (
    *("id", "at", "direction", "sender", "receiver", "action", "transaction_id", "message_id", "outcome"),
    *("status", "ms", "attempt", "detail", "consumer_url", "category", "stage"),
)
_LONGEST = 255
_LONGEST_DETAIL = 1_000


class SqlCalls:
    """A call log in a database. Hops that find no room while it is away are dropped and counted by `Database.later`.

    `scrub` masks what must not be kept, should it stand in the text of a refusal (`uhi.observability.scrubbing`).
    """

    def __init__(self, database: Database, *, scrub: Callable[[str], str]) -> None:
        self._database = database
        self._scrub = scrub
        self._second = 0
        self._strangers = 0

    def write(self, hop: Hop) -> None:
        """See `uhi.ports.CallLog`. Of hops without a sender some of each second are kept."""
        if not hop.sender and not self._has_room(int(hop.at)):
            return
        self._database.later(insert_hops, replace(hop, detail=self._scrub(hop.detail)) if hop.detail else hop)

    def _has_room(self, second: int) -> bool:
        if second != self._second:
            self._second, self._strangers = second, 0
        self._strangers += 1
        return self._strangers <= STRANGERS_A_SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFilter:
    """Which hops are looked for; an empty member does not restrict.

    `subscriber` sent or received it. `day` is a day in India (00:00 to 24:00 IST). `outcome` is one in any case
    (`ACK`, `no answer`, an error type), `not_outcomes` are those left out. `after` is the `next` of the page before.
    """

    subscriber: str = ""
    day: date | None = None
    outcome: str = ""
    not_outcomes: Collection[str] = ()
    after: str = ""
    limit: int = 50


@dataclass(frozen=True, slots=True)
class CallPage:
    """Hops, newest first, and the mark after which the next page begins: empty on the last one."""

    hops: tuple[Hop, ...]
    next: str = ""


def insert_hops(connection: Connection, hops: Sequence[Hop]) -> Sequence[None]:
    """Write hops; ids sort by time, and among equal times by the order given."""
    if hops:
        insert_rows(connection, table, _COLUMNS, [_values(hop) for hop in hops])
    return [None] * len(hops)


def hops_of(connection: Connection, transaction_id: str) -> list[Hop]:
    """The hops of one transaction, oldest first, at most `MOST_OF_A_TRANSACTION`."""
    rows = connection.execute(
        select(table)
        .where(table.c.transaction_id == transaction_id)
        .order_by(table.c.at, table.c.id)
        .limit(MOST_OF_A_TRANSACTION)
    )
    return [_hop(row) for row in rows]


def find_hops(connection: Connection, wanted: CallFilter) -> CallPage:
    """One page of hops, newest first.

    Raises: LookupError when `wanted.after` is no mark, or its hop is forgotten.
    """
    rows = connection.execute(
        select(table)
        .where(*_conditions(wanted), *_beyond(connection, wanted.after))
        .order_by(table.c.at.desc(), table.c.id.desc())
        .limit(wanted.limit + 1)
    ).all()
    shown = rows[: wanted.limit]
    is_last = len(rows) <= wanted.limit
    return CallPage(tuple(_hop(row) for row in shown), "" if is_last else shown[-1].id)


def _conditions(wanted: CallFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.subscriber:
        conditions.append(or_(table.c.sender == wanted.subscriber, table.c.receiver == wanted.subscriber))
    if wanted.day is not None:
        start = datetime.combine(wanted.day, datetime.min.time(), IST)
        conditions += [table.c.at >= start.timestamp(), table.c.at < (start + timedelta(days=1)).timestamp()]
    if wanted.not_outcomes:
        conditions.append(table.c.outcome.not_in(sorted(wanted.not_outcomes)))
    if wanted.outcome:
        conditions.append(func.lower(table.c.outcome) == wanted.outcome.lower())
    return conditions


def _beyond(connection: Connection, mark: str) -> list[ColumnElement[bool]]:
    """What is older than the hop with this id."""
    if not mark:
        return []
    at = connection.execute(select(table.c.at).where(table.c.id == mark)).scalar()
    if at is None:
        raise LookupError("no hop has this id")
    return [or_(table.c.at < at, and_(table.c.at == at, table.c.id < mark))]


def _values(hop: Hop) -> tuple[object, ...]:
    return (
        new_row_id(hop.at),
        hop.at,
        hop.direction.value,
        _stored(hop.sender),
        _stored(hop.receiver),
        _stored(hop.action),
        _stored(hop.transaction_id),
        _stored(hop.message_id),
        _stored(hop.outcome),
        hop.status,
        hop.ms,
        hop.attempt,
        _stored(hop.detail, _LONGEST_DETAIL),
        _stored(hop.consumer_url),
        _stored(hop.category),
        _stored(hop.stage),
    )


def _stored(text: str, longest: int = _LONGEST) -> str:
    """Text that every database takes: peers choose some of it, and a row that is refused would take others along."""
    cut = text[:longest]
    return cut if cut.isprintable() else "".join(letter if letter.isprintable() else "·" for letter in cut)


def _hop(row: Row[tuple[object, ...]]) -> Hop:
    return Hop(
        at=row.at,
        direction=Direction(row.direction),
        sender=row.sender,
        receiver=row.receiver,
        action=row.action,
        transaction_id=row.transaction_id,
        message_id=row.message_id,
        outcome=row.outcome,
        status=row.status,
        ms=row.ms,
        attempt=row.attempt,
        detail=row.detail,
        consumer_url=row.consumer_url,
        category=row.category,
        stage=row.stage,
    )
