"""What is made from the streams of a provider's orders, made once more; and whether it is what the streams say.

For an operator, while the provider does not serve: rows and claims are put right in batches, each a transaction of its
own, so it may be stopped and begun again. Above: commands; below: `order_rows`, `order_writes`, the tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from sqlalchemy import Connection, insert, select, update

from uhi.booking.events import EventKind, OrderEvent, events_between, first_fault, replay
from uhi.booking.kept import KeptOrder
from uhi.booking.order_json import write_order
from uhi.booking.order_rows import EVENT, EVENT_COLUMNS, KEPT, OrderRows
from uhi.errors import SetupError
from uhi.exchange.row_ids import new_row_id
from uhi.messages.values import IST
from uhi.storage.sql import claim_rows
from uhi.storage.sql.booking_tables import BOOKED, HELD, OVER, hold, order_event, orders
from uhi.storage.sql.invariants import violations
from uhi.storage.sql.many import insert_rows
from uhi.storage.sql.storage import SqlStorage

BATCH = 200
"""How many orders are dealt with in one transaction."""

_SEALED = ("sealed", "pin", "pin_until")


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many orders there are, and how many rows were not as they should have been: `adopted` orders of an earlier
    release, which had no events, got the first of their stream; `conflicts` are orders whose slot another has.
    """

    orders: int = 0
    rows_differed: int = 0
    claims_differed: int = 0
    adopted: int = 0
    conflicts: tuple[str, ...] = ()


@dataclass(slots=True)
class _Found:
    orders: int = 0
    rows: int = 0
    claims: int = 0
    adopted: int = 0
    missing: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)


async def rebuild(storage: SqlStorage, provider_id: str) -> Rebuilt:
    """Make orders and claims of a provider again from the streams. Digits of PINs, which are in no event, stay where
    they are. Nobody else may serve meanwhile.

    Raises: SetupError for a stream that has a gap or cannot be opened; Refusal(OVERLOADED) when the database does not
        answer.
    """
    found = _Found()
    work = _Work(OrderRows(provider_id, storage.ours.sealing), storage.database.clock.now(), found)
    for step in (work.adopt, work.put_right):
        after: str | None = ""
        while after is not None:
            after = await storage.database.apart(partial(step, after=after))
    await storage.database.apart(work.end_claims_of_nobody)
    for start in range(0, len(found.missing), BATCH):
        await storage.database.apart(partial(work.claim, order_ids=found.missing[start : start + BATCH]))
    return Rebuilt(found.orders, found.rows, found.claims, found.adopted, tuple(found.conflicts))


async def check(storage: SqlStorage, provider_id: str, now: float) -> list[str]:
    """Return what is wrong: the invariants of the database (`d 0190…`, see `uhi.storage.sql.invariants`), and each
    order whose stream does not lead to what is kept of it (`replay 0190…: why`). `now` is Unix seconds.

    Raises: Refusal(OVERLOADED) when the database does not answer.
    """
    wrong = await storage.database.read(lambda connection: violations(connection, now))
    rows = OrderRows(provider_id, storage.ours.sealing)
    after: str | None = ""
    while after is not None:
        after, faults = await storage.database.read(partial(_page_of_faults, rows=rows, after=after))
        wrong += faults
    return wrong


@dataclass(frozen=True, slots=True)
class _Work:
    rows: OrderRows
    now: float
    found: _Found

    def adopt(self, connection: Connection, after: str) -> str | None:
        """Give orders that have no stream the first events of one."""
        without = select(*KEPT, orders.c.updated_at).where(
            orders.c.provider_id == self.rows.provider_id,
            orders.c.id > after,
            ~select(order_event.c.order_id).where(order_event.c.order_id == orders.c.id).exists(),
        )
        page = connection.execute(without.order_by(orders.c.id).limit(BATCH)).all()
        events: list[OrderEvent] = []
        for row in page:
            order = self.rows.order_of(row)  # type: ignore[arg-type]
            at = datetime.fromtimestamp(row.updated_at, IST)
            made = events_between(None, replace(order, version=0), at=at, by=f"provider {self.rows.provider_id}")
            connection.execute(update(orders).where(orders.c.id == order.id).values(version=made[-1].version))
            events += made
        if events:
            insert_rows(connection, order_event, EVENT_COLUMNS, [self.rows.event_row(each) for each in events])
        self.found.adopted += len(page)
        return page[-1].id if page else None

    def put_right(self, connection: Connection, after: str) -> str | None:
        """Compare the rows of some orders with their streams, and write those that differ."""
        streams = _streams(connection, self.rows, after)
        for order_id, events in streams.items():
            order = replay(events)
            self._row(connection, order, events)
            self._claims(connection, order)
            self.found.orders += 1
            after = order_id
        return after if streams else None

    def claim(self, connection: Connection, order_ids: Sequence[str]) -> None:
        """Give orders the slots they should have had."""
        for order_id, events in _streams_of(connection, self.rows, order_ids).items():
            order = replay(events)
            claim = {"id": new_row_id(self.now), **self.rows.claim_row(order)}
            if claim_rows.insert_claims(connection, [claim]):
                self.found.conflicts.append(order_id)

    def end_claims_of_nobody(self, connection: Connection) -> None:
        """Take slots from orders that no stream tells of."""
        nobody = ~select(order_event.c.order_id).where(order_event.c.order_id == hold.c.order_id).exists()
        ended = update(hold).where(
            hold.c.provider_id == self.rows.provider_id, hold.c.state.in_((HELD, BOOKED)), nobody
        )
        self.found.claims += connection.execute(ended.values(state=OVER)).rowcount

    def _row(self, connection: Connection, order: KeptOrder, events: Sequence[OrderEvent]) -> None:
        at = events[-1].at.timestamp()
        wanted = {**self.rows.order_row(order, at=at), "confirmed_at": _confirmed_at(events)}
        found = connection.execute(select(orders).where(orders.c.id == order.id)).one_or_none()
        row: dict[str, object] = found._asdict() if found is not None else {}
        if not row:
            connection.execute(insert(orders), wanted)
        elif _plain(row) != _plain(wanted) or _sealed_fault(self.rows, row, order):
            del wanted["pin"], wanted["pin_until"]
            connection.execute(update(orders).where(orders.c.id == order.id).values(wanted))
        else:
            return
        self.found.rows += 1

    def _claims(self, connection: Connection, order: KeptOrder) -> None:
        live = select(hold).where(hold.c.order_id == order.id, hold.c.state.in_((HELD, BOOKED)))
        claims = connection.execute(live).mappings().all()
        wanted = self.rows.claim_row(order) if order.has_slot(datetime.fromtimestamp(self.now, IST)) else None
        right = [each for each in claims if wanted and {name: each[name] for name in wanted} == wanted]
        lapsed = [each for each in claims if not wanted and each["state"] == HELD and each["expires_at"] <= self.now]
        wrong = [each["id"] for each in claims if each not in right[:1] and each not in lapsed]
        if wrong:
            connection.execute(update(hold).where(hold.c.id.in_(wrong)).values(state=OVER))
        if wanted and not right:
            self.found.missing.append(order.id)
        self.found.claims += 1 if wrong or (wanted and not right) else 0


def _page_of_faults(connection: Connection, rows: OrderRows, after: str) -> tuple[str | None, list[str]]:
    """What is wrong with some orders, and the last of their ids."""
    streams = _streams(connection, rows, after)
    kept = select(*KEPT).where(orders.c.id.in_(list(streams)))
    found: dict[str, dict[str, object]] = {row.id: row._asdict() for row in connection.execute(kept)}
    faults = []
    for order_id, events in streams.items():
        if fault := _fault(rows, events, found.get(order_id)):
            faults.append(f"replay {order_id}: {fault}")
    return (next(reversed(streams)) if streams else None), faults


def _fault(rows: OrderRows, events: Sequence[OrderEvent], row: Mapping[str, object] | None) -> str:
    try:
        order = replay(events)
    except SetupError as error:
        return error.what
    forbidden = first_fault(events)
    if forbidden is not None:
        return f"event {forbidden.version}, {forbidden.kind}, may not happen in the state it was in"
    return _sealed_fault(rows, row, order) if row is not None else "the order is not kept"


def _sealed_fault(rows: OrderRows, row: Mapping[str, object], order: KeptOrder) -> str:
    """Why what is sealed in a row is not the order; empty where it is."""
    try:
        kept = rows.order_of(_Kept(str(row["id"]), order.version, row["sealed"]))  # type: ignore[arg-type]
    except SetupError as error:
        return error.what
    return "" if write_order(kept) == write_order(order) else "the events lead to something else than what is kept"


@dataclass(frozen=True, slots=True)
class _Kept:
    id: str
    version: int
    sealed: object
    pin: bytes | None = None


def _streams(connection: Connection, rows: OrderRows, after: str) -> dict[str, list[OrderEvent]]:
    """The streams of the next orders by id."""
    ids = select(order_event.c.order_id).where(order_event.c.provider_id == rows.provider_id)
    page = ids.where(order_event.c.order_id > after).distinct().order_by(order_event.c.order_id).limit(BATCH)
    return _streams_of(connection, rows, connection.execute(page).scalars().all())


def _streams_of(connection: Connection, rows: OrderRows, order_ids: Sequence[str]) -> dict[str, list[OrderEvent]]:
    streams: dict[str, list[OrderEvent]] = {order_id: [] for order_id in order_ids}
    found = select(*EVENT).where(order_event.c.order_id.in_(order_ids))
    for event in rows.events_of(connection.execute(found.order_by(order_event.c.order_id, order_event.c.version))):
        streams[event.order_id].append(event)
    return streams


def _confirmed_at(events: Sequence[OrderEvent]) -> float | None:
    return next((event.at.timestamp() for event in events if event.kind is EventKind.CONFIRMED), None)


def _plain(row: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in row.items() if name not in _SEALED}
