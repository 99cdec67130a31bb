"""Orders on SQL: they outlive the process, and several processes may work on them.

Events are added and what is made from them is changed in one transaction. The constraints of the table `hold` decide
who has a slot, the version of an order who may change it. Everything personal is sealed, the PIN apart from the rest.
Below: `order_writes`, `order_rows`. Source: reliability rules "Slots, holds, bookings", decisions 34 to 37.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import cast

from sqlalchemy import ColumnElement, Connection, and_, exists, or_, select, update

from uhi.booking.events import OrderEvent, events_between
from uhi.booking.hospital import Hold
from uhi.booking.kept import KeptOrder, without_spent_pin
from uhi.booking.order_rows import EVENT, KEPT, KeptRow, OrderRows, as_kept
from uhi.booking.order_writes import Claiming, Refused, Writing, write_orders
from uhi.booking.states import OrderState
from uhi.booking.store import BookingStore, MemoryBookings, Step, Written
from uhi.errors import OrderChanged, SetupError
from uhi.exchange.row_ids import new_row_id
from uhi.ports import Event
from uhi.storage.sql.booking_tables import BOOKED, HELD, hold, order_event, orders
from uhi.storage.sql.many import look_up, run
from uhi.storage.sql.storage import SqlStorage
from uhi.world import World

CHANGED = "appointment.changed"

_LIVE = """
SELECT id, version FROM orders
WHERE provider_id = :provider AND state = 'HELD' AND held_until > :now AND (:consumer = '' OR consumer_id = :consumer)
ORDER BY held_until, id
"""
_NAMED = "SELECT id, version, sealed, pin FROM orders WHERE id IN (SELECT a FROM {given})"
_ONE = "SELECT id, version, sealed, pin FROM orders WHERE id = :id AND provider_id = :provider"

MOST_KNOWN = 4_000
"""How many orders are remembered as they were read or kept last, so that they need not be opened again."""

log = logging.getLogger(__name__)


class SqlBookings:
    """The orders of one provider, on a database that may hold those of others too.

    Where the storage keeps events, other systems are told how far an appointment has got. An order that cannot be
    opened, its key being lost, is left out of lists and logged once; asked for by its id, it is an error.
    """

    def __init__(self, storage: SqlStorage, *, provider_id: str) -> None:
        self._storage = storage
        self._database = storage.database
        self._rows = OrderRows(provider_id, storage.ours.sealing)
        self._provider_id = provider_id
        self._has_events = storage.ours.has_events
        self._unreadable: set[str] = set()
        self._known: OrderedDict[str, KeptOrder] = OrderedDict()

    async def put(self, order: KeptOrder, step: Step) -> Written:
        """Keep an order, what happened to it, its claim of the slot and the letters about it, in one transaction.

        Raises: as `BookingStore.put`; Refusal(OVERLOADED) when the database does not answer; SetupError when the events
            that are kept do not fit.
        """
        before = await self._before(order)
        happened = events_between(before, order, at=step.now, by=step.by)
        kept = as_kept(without_spent_pin(order, now=step.now), happened)
        writing = self._writing(before, kept, happened, step)
        if step.letters:
            mine = await self._storage.together(lambda connection: _write_one(connection, writing), step.letters)
            self._remember(kept)
            return Written(kept, tuple(mine))
        outcome = await self._database.grouped(self._write, writing, size=writing.size)
        if not isinstance(outcome, bool):
            raise outcome
        self._remember(kept)
        return Written(kept, overtook=outcome)

    async def history(self, order_id: str) -> Sequence[OrderEvent]:
        """Return everything that happened to an order.

        Raises: SetupError when an event cannot be opened with the keys there are.
        """
        mine = order_event.c.provider_id == self._provider_id
        found = select(*EVENT).where(order_event.c.order_id == order_id, mine).order_by(order_event.c.version)
        rows = await self._database.read(lambda connection: connection.execute(found).all())
        return self._rows.events_of(rows)

    async def has_slot_by(self, held: Hold, *, now: datetime) -> bool:
        """Whether an order has its slot by this hold; asked in line with the writes, so that it knows of each before
        it, also of one whose caller was cancelled."""
        found = (
            select(orders.c.id)
            .join(hold, hold.c.order_id == orders.c.id)
            .where(hold.c.slot_id == held.slot.id, hold.c.provider_id == self._provider_id, _has_slot(now.timestamp()))
            .where(orders.c.hold_id == held.id)
        )
        return await self._database.write(lambda connection: connection.execute(found).first() is not None)

    async def get(self, order_id: str) -> KeptOrder | None:
        """Return an order by its id.

        Raises: SetupError when it cannot be opened with the keys there are.
        """
        wanted = {"id": order_id, "provider": self._provider_id}
        row = await self._database.read(lambda connection: run(connection, _ONE, wanted).one_or_none())
        return self._open(cast("KeptRow", row)) if row is not None else None

    async def by_appointment(self, appointment_id: str) -> KeptOrder | None:
        """Return the order of an appointment by the hospital's id, of several the one that was booked last."""
        return await self._first(orders.c.appointment_id == appointment_id)

    async def live_holds(self, *, now: datetime, patient_id: str = "", consumer_id: str = "") -> Sequence[KeptOrder]:
        """Return the orders held now, of one patient or through one consumer where named."""
        wanted = {"provider": self._provider_id, "consumer": consumer_id, "now": now.timestamp()}
        found = await self._database.read(lambda connection: run(connection, _LIVE, wanted).all())
        # Whose they are is sealed: those that this process has not in mind are opened.
        known = {row.id: order for row in found if (order := self._in_mind(row.id, row.version)) is not None}
        unknown = [(row.id,) for row in found if row.id not in known]
        for row in await self._database.read(lambda on: look_up(on, _NAMED, unknown).all()) if unknown else ():
            order = self._readable(cast("KeptRow", row))
            if order is not None:
                known[order.id] = order
        held = [known[row.id] for row in found if row.id in known]
        return [order for order in held if patient_id in {"", order.patient.id}]

    async def lapsed(self, *, now: datetime, slot_id: str = "") -> Sequence[KeptOrder]:
        """Return the orders still in state HELD whose hold is over, of one slot where named."""
        over = [orders.c.state == OrderState.HELD.value, orders.c.held_until <= now.timestamp()]
        return await self._all(*over, *([orders.c.slot_id == slot_id] if slot_id else []))

    async def standing(self, *, now: datetime) -> Sequence[KeptOrder]:
        """Return the orders that have a slot which is not over."""
        at = now.timestamp()
        return await self._all(exists().where(hold.c.order_id == orders.c.id, hold.c.ends_at > at, _has_slot(at)))

    async def forget_pins(self, *, now: datetime) -> None:
        """Drop the digits of every PIN whose day is over."""
        over = update(orders).where(orders.c.pin.is_not(None), self._mine(), orders.c.pin_until < now.timestamp())
        await self._database.write(lambda connection: connection.execute(over.values(pin=None)).rowcount)

    async def _before(self, order: KeptOrder) -> KeptOrder | None:
        """The order as it is kept in the version that was changed; None for a new one."""
        if not order.version:
            return None
        known = self._in_mind(order.id, order.version) or await self.get(order.id)
        if known is None or known.version != order.version:
            raise OrderChanged("the order was changed meanwhile", next_step="read it again")
        return known

    def _writing(
        self, before: KeptOrder | None, order: KeptOrder, happened: Sequence[OrderEvent], step: Step
    ) -> Writing:
        at = step.now.timestamp()
        is_news = order.state.travels and order.state is not (before.state if before else None)
        return Writing(
            provider_id=self._provider_id,
            version=before.version if before else 0,
            row=self._rows.order_row(order, at=at),
            events=[self._rows.event_row(each) for each in happened],
            claims=self._claims(order, at) if order.has_slot(step.now) else (),
            claims_before=self._rows.claim_rows(before) if before else (),
            at=at,
            is_confirmed=order.state is OrderState.CONFIRMED,
            told=self._event(order, at) if self._has_events and is_news else None,
        )

    def _claims(self, order: KeptOrder, at: float) -> list[Claiming]:
        return [Claiming(new_row_id(at), claim) for claim in self._rows.claim_rows(order)]

    def _write(self, connection: Connection, writings: Sequence[Writing]) -> Sequence[Refused | bool]:
        return write_orders(connection, writings)

    def _event(self, order: KeptOrder, at: float) -> Event:
        facts = {
            "order_id": order.id,
            "state": order.state.value,
            "consumer_id": order.thread.consumer_id,
            "provider_id": self._provider_id,
        }
        return Event(new_row_id(at), CHANGED, at, facts)

    def _mine(self) -> ColumnElement[bool]:
        return orders.c.provider_id == self._provider_id

    async def _first(self, which: ColumnElement[bool]) -> KeptOrder | None:
        latest = select(*KEPT).where(which, self._mine()).order_by(orders.c.confirmed_at.desc().nulls_last()).limit(1)
        row = await self._database.read(lambda connection: connection.execute(latest).one_or_none())
        return self._open(row) if row is not None else None

    async def _all(self, *which: ColumnElement[bool]) -> list[KeptOrder]:
        found = select(*KEPT).where(*which, self._mine()).order_by(orders.c.held_until, orders.c.id)
        rows = await self._database.read(lambda connection: connection.execute(found).all())
        return [order for order in map(self._readable, rows) if order is not None]

    def _readable(self, row: KeptRow) -> KeptOrder | None:
        try:
            return self._open(row)
        except SetupError as error:
            if row.id not in self._unreadable:
                self._unreadable.add(row.id)
                log.error("order %s is left out: %s", row.id, error)
            return None

    def _open(self, row: KeptRow) -> KeptOrder:
        known = self._in_mind(row.id, row.version)
        if known is None:
            known = self._rows.order_of(row)
            self._remember(known)
        if known.pin is not None and known.pin.token and row.pin is None:
            known = replace(known, pin=replace(known.pin, token=""))
            self._remember(known)
        return known

    def _in_mind(self, order_id: str, version: int) -> KeptOrder | None:
        known = self._known.get(order_id)
        return known if known is not None and known.version == version else None

    def _remember(self, order: KeptOrder) -> None:
        self._known[order.id] = order
        self._known.move_to_end(order.id)
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)


def _write_one(connection: Connection, writing: Writing) -> None:
    (outcome,) = write_orders(connection, [writing])
    if not isinstance(outcome, bool):
        raise outcome


def bookings_of(world: World, *, provider_id: str) -> BookingStore:
    """The orders of a provider, kept where its program keeps its messages: in its database, or in memory."""
    storage = world.storage
    if isinstance(storage, SqlStorage):
        return SqlBookings(storage, provider_id=provider_id)
    return MemoryBookings(outbox=storage)


def _has_slot(at: float) -> ColumnElement[bool]:
    return or_(hold.c.state == BOOKED, and_(hold.c.state == HELD, hold.c.expires_at > at))
