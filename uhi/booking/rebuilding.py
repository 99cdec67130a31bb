"""What is made from the streams of a provider's orders, made once more; and whether it is what the streams say.

For an operator, while the provider does not serve: rows and claims are put right in batches, each a transaction of its
own, so it may be stopped and begun again. Above: commands; below: `order_rows`, `order_writes`, the tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from sqlalchemy import Connection, RowMapping, Select, insert, select, update

from uhi.booking.events import EventKind, OrderEvent, events_up_to, first_fault, replay
from uhi.booking.kept import KeptOrder
from uhi.booking.order_json import write_order
from uhi.booking.order_rows import EVENT, EVENT_COLUMNS, KEPT, OrderRows
from uhi.booking.states import OrderState
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


@dataclass(slots=True)
class Rebuilt:
    """How many orders were made again, and how many rows were not as they should have been: `adopted` orders of an
    earlier release, which had no events, got the first of their stream; `conflicts` are orders whose slot another has,
    `broken` those whose stream has a gap: they are left as they are.
    """

    orders: int = 0
    rows_differed: int = 0
    claims_differed: int = 0
    adopted: int = 0
    conflicts: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()


async def rebuild(storage: SqlStorage, provider_id: str) -> Rebuilt:
    """Make orders and claims of a provider again from the streams. Digits of PINs, which are in no event, stay where
    they are. Nobody else may serve meanwhile.

    Raises: SetupError for a stream that cannot be opened; Refusal(OVERLOADED) when the database does not answer.
    """
    work = _Work(OrderRows(provider_id, storage.ours.sealing), storage.database.clock.now())
    for step in (work.adopt, work.put_right):
        after: str | None = ""
        while after is not None:
            after = await storage.database.apart(partial(step, after=after))
    await storage.database.apart(work.end_claims_of_nobody)
    for start in range(0, len(work.missing), BATCH):
        await storage.database.apart(partial(work.claim, order_ids=work.missing[start : start + BATCH]))
    return work.found


async def check(storage: SqlStorage, provider_id: str, now: float) -> list[str]:
    """Return what is wrong: the invariants of the database (`d 0190…`, see `uhi.storage.sql.invariants`), and each
    order whose row or claim is not what its stream leads to (`replay 0190…: why`). `now` is Unix seconds.

    The provider may serve meanwhile: what looks wrong is looked at twice.
    Raises: Refusal(OVERLOADED) when the database does not answer.
    """
    database, look = storage.database, _Look(OrderRows(provider_id, storage.ours.sealing), now)
    wrong = await database.read(lambda connection: violations(connection, now))
    after: str | None = ""
    while after is not None:
        order_ids = await database.read(partial(_next_ids, rows=look.rows, after=after))
        suspect = list(await database.read(partial(look.faults, order_ids=order_ids)))
        found = await database.read(partial(look.faults, order_ids=suspect)) if suspect else {}
        wrong += [f"replay {order_id}: {fault}" for order_id, fault in found.items()]
        after = order_ids[-1] if order_ids else None
    return wrong


@dataclass(frozen=True, slots=True)
class _Work:
    rows: OrderRows
    now: float
    found: Rebuilt = field(default_factory=Rebuilt)
    missing: list[str] = field(default_factory=list)

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
            made = events_up_to(order, at=at, by=f"provider {self.rows.provider_id}")
            connection.execute(update(orders).where(orders.c.id == order.id).values(version=made[-1].version))
            events += made
        if events:
            insert_rows(connection, order_event, EVENT_COLUMNS, [self.rows.event_row(each) for each in events])
        self.found.adopted += len(page)
        return page[-1].id if page else None

    def put_right(self, connection: Connection, after: str) -> str | None:
        """Compare the rows of some orders with their streams, and write those that differ."""
        order_ids = _next_ids(connection, self.rows, after)
        for order_id, events in _streams_of(connection, self.rows, order_ids).items():
            try:
                order = replay(events)
            except SetupError:
                self.found.broken += (order_id,)
                continue
            self._row(connection, order, events)
            self._claims(connection, order)
            self.found.orders += 1
        return order_ids[-1] if order_ids else None

    def claim(self, connection: Connection, order_ids: Sequence[str]) -> None:
        """Give orders the slots they should have had."""
        for order_id, events in _streams_of(connection, self.rows, order_ids).items():
            order = replay(events)
            claim_rows.end_claims_of(connection, [order_id])
            claims = [{"id": new_row_id(self.now), **claim} for claim in self.rows.claim_rows(order)]
            if claim_rows.insert_claims(connection, claims):
                claim_rows.end_claims_of(connection, [order_id])
                self.found.conflicts += (order_id,)

    def end_claims_of_nobody(self, connection: Connection) -> None:
        """Take slots from orders that no stream tells of."""
        nobody = ~select(order_event.c.order_id).where(order_event.c.order_id == hold.c.order_id).exists()
        ended = update(hold).where(
            hold.c.provider_id == self.rows.provider_id, hold.c.state.in_((HELD, BOOKED)), nobody
        )
        self.found.claims_differed += connection.execute(ended.values(state=OVER)).rowcount

    def _row(self, connection: Connection, order: KeptOrder, events: Sequence[OrderEvent]) -> None:
        found = connection.execute(select(orders).where(orders.c.id == order.id)).one_or_none()
        row: dict[str, object] = found._asdict() if found is not None else {}
        if row and not _row_fault(self.rows, row, events):
            return
        wanted = _row_of(self.rows, order, events)
        if not row:
            connection.execute(insert(orders), wanted)
        else:
            if not _pin_fault(self.rows, row, order):
                del wanted["pin"], wanted["pin_until"]
            connection.execute(update(orders).where(orders.c.id == order.id).values(wanted))
        self.found.rows_differed += 1

    def _claims(self, connection: Connection, order: KeptOrder) -> None:
        live = connection.execute(_live_claims([order.id])).mappings().all()
        wanted = _claims_wanted(self.rows, order, self.now)
        wrong, is_missing = _claim_faults(live, wanted, self.now)
        if wrong:
            connection.execute(update(hold).where(hold.c.id.in_(wrong)).values(state=OVER))
        if is_missing:
            self.missing.append(order.id)
        self.found.claims_differed += 1 if wrong or is_missing else 0


@dataclass(frozen=True, slots=True)
class _Look:
    """A look at orders beside their streams; `now` is Unix seconds."""

    rows: OrderRows
    now: float

    def faults(self, connection: Connection, order_ids: Sequence[str]) -> dict[str, str]:
        """What is wrong, by the ids of the orders at fault."""
        streams = _streams_of(connection, self.rows, order_ids)
        found = connection.execute(select(orders).where(orders.c.id.in_(order_ids)))
        kept = {row.id: row._asdict() for row in found}
        claims: dict[str, list[RowMapping]] = {}
        for claim in connection.execute(_live_claims(order_ids)).mappings():
            claims.setdefault(claim["order_id"], []).append(claim)
        looked = {
            order_id: self._fault(events, kept.get(order_id), claims.get(order_id, []))
            for order_id, events in streams.items()
        }
        return {order_id: fault for order_id, fault in looked.items() if fault}

    def _fault(
        self, events: Sequence[OrderEvent], row: Mapping[str, object] | None, claims: Sequence[RowMapping]
    ) -> str:
        try:
            order = replay(events)
        except SetupError as error:
            return error.what
        forbidden = first_fault(events)
        if forbidden is not None:
            return f"event {forbidden.version}, {forbidden.kind}, may not happen in the state it was in"
        if row is None:
            return "the order is not kept"
        if fault := _row_fault(self.rows, row, events):
            return fault
        wrong, is_missing = _claim_faults(claims, _claims_wanted(self.rows, order, self.now), self.now)
        return "its claim of the slot is not the one it should have" if wrong or is_missing else ""


def _row_of(rows: OrderRows, order: KeptOrder, events: Sequence[OrderEvent]) -> dict[str, object]:
    """The row that an order should have, but for the digits of its PIN."""
    return {**rows.order_row(order, at=events[-1].at.timestamp()), "confirmed_at": _confirmed_at(events)}


def _row_fault(rows: OrderRows, row: Mapping[str, object], events: Sequence[OrderEvent]) -> str:
    """Why a row is not what its stream leads to; empty where it is."""
    order = replay(events)
    wanted = _row_of(rows, order, events)
    differing = sorted(name for name in wanted if name not in _SEALED and row[name] != wanted[name])
    if differing:
        return f"not what the events lead to: {', '.join(differing)}"
    return _sealed_fault(rows, row, order) or _pin_fault(rows, row, order)


def _sealed_fault(rows: OrderRows, row: Mapping[str, object], order: KeptOrder) -> str:
    try:
        kept = rows.order_of(_Kept(order.id, order.version, row["sealed"]))  # type: ignore[arg-type]
    except SetupError as error:
        return error.what
    return "" if write_order(kept) == write_order(order) else "the events lead to something else than what is kept"


def _pin_fault(rows: OrderRows, row: Mapping[str, object], order: KeptOrder) -> str:
    """Why the digits that are kept of a PIN may not be, or are not the order's."""
    pin = row["pin"]
    if not isinstance(pin, bytes):
        return ""
    if order.pin is None or order.state is not OrderState.CONFIRMED:
        return "the digits of a PIN are kept that nobody has to show"
    try:
        rows.digits_of(pin, order_id=order.id)
    except SetupError as error:
        return error.what
    return ""


@dataclass(frozen=True, slots=True)
class _Kept:
    id: str
    version: int
    sealed: object
    pin: bytes | None = None


def _claims_wanted(rows: OrderRows, order: KeptOrder, now: float) -> list[dict[str, object]]:
    return rows.claim_rows(order) if order.has_slot(datetime.fromtimestamp(now, IST)) else []


def _claim_faults(
    live: Sequence[RowMapping], wanted: Sequence[Mapping[str, object]], now: float
) -> tuple[list[object], bool]:
    """The ids of an order's live claims that are wrong, and whether one that it should have is missing."""
    missing, wrong = list(wanted), []
    for each in live:
        right = next((claim for claim in missing if {name: each[name] for name in claim} == claim), None)
        if right is not None:
            missing.remove(right)
        elif wanted or each["state"] != HELD or each["expires_at"] > now:
            wrong.append(each["id"])
    return wrong, bool(missing)


def _live_claims(order_ids: Sequence[str]) -> Select[tuple[object, ...]]:
    return select(hold).where(hold.c.order_id.in_(order_ids), hold.c.state.in_((HELD, BOOKED)))


def _next_ids(connection: Connection, rows: OrderRows, after: str) -> Sequence[str]:
    """The ids of the next orders that have streams."""
    ids = select(order_event.c.order_id).where(order_event.c.provider_id == rows.provider_id)
    page = ids.where(order_event.c.order_id > after).distinct().order_by(order_event.c.order_id).limit(BATCH)
    return connection.execute(page).scalars().all()


def _streams_of(connection: Connection, rows: OrderRows, order_ids: Sequence[str]) -> dict[str, list[OrderEvent]]:
    streams: dict[str, list[OrderEvent]] = {order_id: [] for order_id in order_ids}
    found = select(*EVENT).where(order_event.c.order_id.in_(order_ids))
    for event in rows.events_of(connection.execute(found.order_by(order_event.c.order_id, order_event.c.version))):
        streams[event.order_id].append(event)
    return streams


def _confirmed_at(events: Sequence[OrderEvent]) -> float | None:
    return next((event.at.timestamp() for event in events if event.kind is EventKind.CONFIRMED), None)
