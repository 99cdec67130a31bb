"""Orders on SQL: they outlive the process, and several processes may work on them.

The constraints of the table `hold` decide who has a slot, the version of an order who may change it. Everything
personal is sealed, the PIN apart from the rest. Above: composition roots; below: `uhi.storage.sql`.
Source: reliability rules "Slots, holds, bookings", decisions 34 to 37.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Row, and_, exists, insert, or_, select, text, update
from sqlalchemy.exc import IntegrityError

from uhi.booking.hospital import Hold
from uhi.booking.order_json import read_order, write_order
from uhi.booking.states import OrderState
from uhi.booking.store import BookingStore, KeptOrder, MemoryBookings, Written, without_spent_pin
from uhi.errors import OrderChanged, SetupError, SlotUnavailable
from uhi.exchange.row_ids import new_row_id
from uhi.ports import Event, Letter
from uhi.storage.sql.booking_tables import BOOKED, HELD, OVER, hold, orders
from uhi.storage.sql.events import insert_events
from uhi.storage.sql.storage import SqlStorage
from uhi.world import World

CHANGED = "appointment.changed"

log = logging.getLogger(__name__)

_KEPT = (orders.c.id, orders.c.version, orders.c.sealed, orders.c.pin)
_KeptRow = Row[str, int, bytes, bytes | None]
_LIVE = hold.c.state.in_((HELD, BOOKED))
_CLAIM = text(
    "INSERT INTO hold"
    " (id, order_id, provider_id, slot_id, seat, practitioner_id, starts_at, ends_at, state, expires_at) VALUES"
    " (:id, :order_id, :provider_id, :slot_id, :seat, :practitioner_id, :starts_at, :ends_at, :state, :expires_at)"
    " ON CONFLICT DO NOTHING RETURNING id"
)


class SqlBookings:
    """The orders of one provider, on a database that may hold those of others too.

    Where the storage keeps events, other systems are told how far an appointment has got. An order that cannot be
    opened, its key being lost, is left out of lists and logged once; asked for by its id, it is an error.
    """

    def __init__(self, storage: SqlStorage, *, provider_id: str) -> None:
        self._storage = storage
        self._database = storage.database
        self._sealing = storage.ours.sealing
        self._provider_id = provider_id
        self._has_events = storage.ours.has_events
        self._unreadable: set[str] = set()

    async def put(self, order: KeptOrder, *, now: datetime, letters: Sequence[Letter] = ()) -> Written:
        """Keep an order, its claim of the slot and the letters that announce it, in one transaction.

        Raises: as `BookingStore.put`; Refusal(OVERLOADED) when the database does not answer.
        """
        order = without_spent_pin(order, now=now)
        at = now.timestamp()
        row = self._row(order, at)

        def write(connection: Connection) -> None:
            before = self._keep(connection, order, row)
            try:
                self._claim(connection, order, now)
            except IntegrityError:
                raise SlotUnavailable("another order has a slot that overlaps this one") from None
            if self._has_events and order.state.travels and order.state.value != before:
                insert_events(connection, [self._event(order, at)])

        mine = await self._storage.together(write, letters)
        return Written(replace(order, version=order.version + 1), tuple(mine))

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
        return await self._first(orders.c.id == order_id)

    async def by_appointment(self, appointment_id: str) -> KeptOrder | None:
        """Return the order of an appointment by the hospital's id, of several the one that was booked last."""
        return await self._first(orders.c.appointment_id == appointment_id)

    async def live_holds(self, *, now: datetime, patient_id: str = "", consumer_id: str = "") -> Sequence[KeptOrder]:
        """Return the orders held now, of one patient or through one consumer where named."""
        held = [orders.c.state == OrderState.HELD.value, orders.c.held_until > now.timestamp()]
        if consumer_id:
            held.append(orders.c.consumer_id == consumer_id)
        # Whose they are is sealed: a consumer has few live holds, so they are opened.
        return [order for order in await self._all(*held) if patient_id in {"", order.patient.id}]

    async def lapsed(self, *, now: datetime) -> Sequence[KeptOrder]:
        """Return the orders still in state HELD whose hold is over."""
        return await self._all(orders.c.state == OrderState.HELD.value, orders.c.held_until <= now.timestamp())

    async def standing(self, *, now: datetime) -> Sequence[KeptOrder]:
        """Return the orders that have a slot which is not over."""
        at = now.timestamp()
        return await self._all(exists().where(hold.c.order_id == orders.c.id, hold.c.ends_at > at, _has_slot(at)))

    async def forget_pins(self, *, now: datetime) -> None:
        """Drop the digits of every PIN whose day is over."""
        over = update(orders).where(orders.c.pin.is_not(None), self._mine(), orders.c.pin_until < now.timestamp())
        await self._database.write(lambda connection: connection.execute(over.values(pin=None)).rowcount)

    def _keep(self, connection: Connection, order: KeptOrder, row: dict[str, object]) -> str:
        """Write the row of an order; returns the state it had before, empty for a new one."""
        kept = select(orders.c.version, orders.c.state, orders.c.confirmed_at)
        before = connection.execute(kept.where(orders.c.id == order.id, self._mine())).one_or_none()
        changed = OrderChanged("the order was changed meanwhile", next_step="read it again")
        if order.version != (before.version if before else 0):
            raise changed
        if order.state is OrderState.CONFIRMED:
            row = {**row, "confirmed_at": (before and before.confirmed_at) or row["updated_at"]}
        try:
            if before is None:
                connection.execute(insert(orders), row)
                return ""
            same = update(orders).where(orders.c.id == order.id, self._mine(), orders.c.version == order.version)
            if connection.execute(same.values(row)).rowcount != 1:
                raise changed
        except IntegrityError:
            raise SlotUnavailable("another order has this hold or this appointment") from None
        return str(before.state)

    def _claim(self, connection: Connection, order: KeptOrder, now: datetime) -> None:
        """Give the order its slot, or take from it what it has no right to any more."""
        own = and_(hold.c.order_id == order.id, _LIVE)
        if not order.has_slot(now):
            connection.execute(update(hold).where(own).values(state=OVER))
            return
        claim = self._claim_of(order)
        times = and_(hold.c.starts_at < claim["ends_at"], hold.c.ends_at > claim["starts_at"])
        others_over = and_(
            hold.c.provider_id == self._provider_id,
            hold.c.order_id != order.id,
            hold.c.state == HELD,
            hold.c.expires_at <= now.timestamp(),
            or_(hold.c.slot_id == claim["slot_id"], and_(hold.c.practitioner_id == claim["practitioner_id"], times)),
        )
        connection.execute(update(hold).where(others_over).values(state=OVER))
        if connection.execute(update(hold).where(own).values(claim)).rowcount:
            return
        named = {**claim, "id": new_row_id(now.timestamp())}
        if connection.execute(_CLAIM, named).one_or_none() is None:
            raise SlotUnavailable("the slot is held or booked by another order")

    def _row(self, order: KeptOrder, at: float) -> dict[str, object]:
        token, thread = _token(order), order.thread
        return {
            "id": order.id,
            "state": order.state.value,
            "provider_id": self._provider_id,
            "consumer_id": thread.consumer_id,
            "transaction_id": thread.transaction_id,
            "domain": thread.domain,
            "city": thread.city,
            "hold_id": order.hold.id,
            "appointment_id": order.appointment_id or None,
            "held_until": order.hold.until.timestamp(),
            "updated_at": at,
            "version": order.version + 1,
            "sealed": self._sealing.seal(write_order(order), about=f"order {order.id}"),
            "pin": self._sealing.seal(token.encode(), about=f"pin {order.id}") if token else None,
            "pin_until": order.pin.valid_to.timestamp() if order.pin and token else None,
        }

    def _claim_of(self, order: KeptOrder) -> dict[str, object]:
        slot = order.slot
        return {
            "order_id": order.id,
            "provider_id": self._provider_id,
            "slot_id": slot.id,
            "seat": slot.seat,
            "practitioner_id": slot.doctor.id,
            "starts_at": slot.start.timestamp(),
            "ends_at": slot.end.timestamp(),
            "state": BOOKED if order.state.travels else HELD,
            "expires_at": order.hold.until.timestamp(),
        }

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
        latest = select(*_KEPT).where(which, self._mine()).order_by(orders.c.confirmed_at.desc().nulls_last()).limit(1)
        row = await self._database.read(lambda connection: connection.execute(latest).one_or_none())
        return self._open(row) if row is not None else None

    async def _all(self, *which: ColumnElement[bool]) -> list[KeptOrder]:
        found = select(*_KEPT).where(*which, self._mine()).order_by(orders.c.held_until, orders.c.id)
        rows = await self._database.read(lambda connection: connection.execute(found).all())
        return [order for order in map(self._readable, rows) if order is not None]

    def _readable(self, row: _KeptRow) -> KeptOrder | None:
        try:
            return self._open(row)
        except SetupError as error:
            if row.id not in self._unreadable:
                self._unreadable.add(row.id)
                log.error("order %s is left out: %s", row.id, error)
            return None

    def _open(self, row: _KeptRow) -> KeptOrder:
        sealed_pin = row.pin
        token = self._sealing.open(sealed_pin, about=f"pin {row.id}").decode() if sealed_pin else ""
        return read_order(self._sealing.open(row.sealed, about=f"order {row.id}"), token=token, version=row.version)


def bookings_of(world: World, *, provider_id: str) -> BookingStore:
    """The orders of a provider, kept where its program keeps its messages: in its database, or in memory."""
    storage = world.storage
    if isinstance(storage, SqlStorage):
        return SqlBookings(storage, provider_id=provider_id)
    return MemoryBookings(outbox=storage)


def _has_slot(at: float) -> ColumnElement[bool]:
    return or_(hold.c.state == BOOKED, and_(hold.c.state == HELD, hold.c.expires_at > at))


def _token(order: KeptOrder) -> str:
    return order.pin.token if order.pin else ""
