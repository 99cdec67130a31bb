"""What a provider keeps of its orders, and the rule that a slot belongs to one of them.

The store decides who has a slot, in one atomic step, and keeps what happened; `MemoryBookings` forgets with the
process, `uhi.booking.sql_bookings` does not. Above: `uhi.booking.desk`. Source: decision 37 (PIN).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from uhi.booking.events import OrderEvent, events_between
from uhi.booking.holds import is_live
from uhi.booking.hospital import Hold, Slot
from uhi.booking.kept import KeptOrder, without_spent_pin
from uhi.booking.states import OrderState
from uhi.errors import OrderChanged, SlotUnavailable
from uhi.ports import Change, Letter, Storage

__all__ = ["BookingStore", "KeptOrder", "MemoryBookings", "Step", "Written"]

_Place = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Step:
    """What a change of an order is kept with: the time, who made it, and the letters that announce it."""

    now: datetime
    by: str
    letters: Sequence[Letter] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """An order as it is kept now, and `mine`: those of the letters kept with it that this process has taken to send.

    `overtook` tells whether another order, whose hold was over, may have had its slot until now.
    """

    order: KeptOrder
    mine: tuple[Letter, ...] = ()
    overtook: bool = True


class BookingStore(Protocol):
    """One provider's orders, by their id and by the hospital's id."""

    async def put(self, order: KeptOrder, step: Step) -> Written:
        """Keep an order, new or changed, in one atomic step with the check that nobody else has its slot, with the
        events that tell what happened, and with the letters that announce it.

        Two slots are in each other's way when they are one and the same, or one doctor would see two patients on one
        seat, or at two places, at one time. The digits of a PIN that nobody has to show any more are dropped.
        Raises: SlotUnavailable when another order has the slot, or one that overlaps it; OrderChanged when the order
            was kept by somebody else since it was read; StateConflict for a change that no event stands for. Then
            nothing is kept.
        """

    async def history(self, order_id: str) -> Sequence[OrderEvent]:
        """Return everything that happened to an order, the first event first; nothing for an unknown one."""

    async def has_slot_by(self, held: Hold, *, now: datetime) -> bool:
        """Whether an order has its slot by this hold, after all that was put so far, by a cancelled caller too."""

    async def get(self, order_id: str) -> KeptOrder | None:
        """Return an order by its id."""

    async def by_appointment(self, appointment_id: str) -> KeptOrder | None:
        """Return the order of an appointment by the hospital's id, of several the one that was booked last."""

    async def live_holds(self, *, now: datetime, patient_id: str = "", consumer_id: str = "") -> Sequence[KeptOrder]:
        """Return the orders held now, of one patient or through one consumer where named."""

    async def lapsed(self, *, now: datetime, slot_id: str = "") -> Sequence[KeptOrder]:
        """Return the orders still in state HELD whose hold is over, of one slot where named."""

    async def standing(self, *, now: datetime) -> Sequence[KeptOrder]:
        """Return the orders that have a slot which is not over: what a hospital takes over when it starts again."""

    async def forget_pins(self, *, now: datetime) -> None:
        """Drop the digits of every PIN whose day is over."""


class MemoryBookings:
    """Orders in memory: they live as long as the process. `outbox` keeps the letters that announce them."""

    def __init__(self, outbox: Storage | None = None) -> None:
        self._outbox = outbox
        self._orders: dict[str, KeptOrder] = {}
        self._events: dict[str, tuple[OrderEvent, ...]] = {}
        self._held: dict[str, KeptOrder] = {}
        self._appointments: dict[str, str] = {}
        self._at: dict[_Place, set[str]] = {}

    async def put(self, order: KeptOrder, step: Step) -> Written:
        """Keep an order; there is no await between check and change, so the step is atomic.

        Raises: as `BookingStore.put`; Refusal(OVERLOADED) when the letters cannot be kept.
        """
        kept = self._keep(order, step)
        letters: Sequence[Letter] = step.letters
        if self._outbox is not None and letters:
            letters = await self._outbox.commit(Change(letters=tuple(letters)))
        return Written(kept, tuple(letters))

    async def history(self, order_id: str) -> Sequence[OrderEvent]:
        """Return everything that happened to an order."""
        return self._events.get(order_id, ())

    async def has_slot_by(self, held: Hold, *, now: datetime) -> bool:
        """Whether an order has its slot by this hold."""
        at = self._at.get(_places(held.slot)[0], ())
        return any(order.hold.id == held.id and order.has_slot(now) for order in map(self._orders.__getitem__, at))

    async def get(self, order_id: str) -> KeptOrder | None:
        """Return an order by its id."""
        return self._orders.get(order_id)

    async def by_appointment(self, appointment_id: str) -> KeptOrder | None:
        """Return the order of an appointment by the hospital's id."""
        return self._orders.get(self._appointments.get(appointment_id, ""))

    async def live_holds(self, *, now: datetime, patient_id: str = "", consumer_id: str = "") -> Sequence[KeptOrder]:
        """Return the orders held now, of one patient or through one consumer where named."""
        return [
            order
            for order in self._held.values()
            if is_live(order.hold.until, now=now)
            and patient_id in {"", order.patient.id}
            and consumer_id in {"", order.thread.consumer_id}
        ]

    async def lapsed(self, *, now: datetime, slot_id: str = "") -> Sequence[KeptOrder]:
        """Return the orders still in state HELD whose hold is over, of one slot where named."""
        return [
            order
            for order in self._held.values()
            if not is_live(order.hold.until, now=now) and slot_id in {"", order.slot.id}
        ]

    async def standing(self, *, now: datetime) -> Sequence[KeptOrder]:
        """Return the orders that have a slot which is not over."""
        return [order for order in self._orders.values() if order.has_slot(now) and now < order.slot.end]

    async def forget_pins(self, *, now: datetime) -> None:
        """Drop the digits of every PIN whose day is over."""
        for order in self._orders.values():
            self._orders[order.id] = without_spent_pin(order, now=now)

    def _keep(self, order: KeptOrder, step: Step) -> KeptOrder:
        now = step.now
        known = self._orders.get(order.id)
        if order.version != (known.version if known else 0):
            raise OrderChanged("the order was changed meanwhile", next_step="read it again")
        if order.has_slot(now) and any(self._in_the_way(order, now)):
            raise SlotUnavailable("the slot is held or booked by another order")
        happened = events_between(known, order, at=now, by=step.by)
        order = replace(without_spent_pin(order, now=now), version=order.version + len(happened))
        self._orders[order.id] = order
        self._events[order.id] = (*self._events.get(order.id, ()), *happened)
        self._held.pop(order.id, None)
        if order.state is OrderState.HELD:
            self._held[order.id] = order
        if order.appointment_id and (order.state is OrderState.CONFIRMED or known is None):
            self._appointments[order.appointment_id] = order.id
        for place in _places(order.slot):
            if order.has_slot(now):
                self._at.setdefault(place, set()).add(order.id)
            else:
                self._at.get(place, set()).discard(order.id)
        return order

    def _in_the_way(self, order: KeptOrder, now: datetime) -> Iterator[KeptOrder]:
        others = {order_id for place in _places(order.slot) for order_id in self._at.get(place, ())} - {order.id}
        for other in (self._orders[order_id] for order_id in others):
            if other.has_slot(now) and _overlap(other.slot, order.slot):
                yield other


def _places(slot: Slot) -> tuple[_Place, ...]:
    return ("slot", slot.id, slot.seat), *(("doctor", doctor.id, 0) for doctor in slot.doctors)


def _overlap(one: Slot, other: Slot) -> bool:
    is_side_by_side = (one.doctor.id, one.doctor.facility.id) == (other.doctor.id, other.doctor.facility.id)
    if one.seat != other.seat and is_side_by_side:
        return False
    return one.id == other.id or one.window.overlaps(other.window)
