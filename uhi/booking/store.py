"""What a provider keeps of its orders, and the rule that a slot belongs to one of them.

The store decides who has a slot, in one atomic step; `MemoryBookings` ships with the library and forgets with the
process. Above: `uhi.booking.desk`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from uhi.booking.holds import is_live
from uhi.booking.hospital import Hold, Patient, Slot
from uhi.booking.pin import Pin
from uhi.booking.quotes import Quote
from uhi.booking.reasons import Cancellation
from uhi.booking.states import OrderState
from uhi.errors import Outcome, SlotUnavailable
from uhi.messages.values import Billing, Customer, Term
from uhi.verified import Thread

_BOOKED = frozenset({OrderState.CONFIRMED, OrderState.APPOINTMENT_STARTED, OrderState.COMPLETED})


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptOrder:
    """An order as its provider keeps it, from the hold on.

    `billing` and `customer` are echoed as they came. `appointment_id` is the hospital's name for it once booked,
    `failure` why it could not be.
    """

    id: str
    state: OrderState
    thread: Thread
    hold: Hold
    terms: tuple[Term, ...] = field(repr=False)
    billing: Billing | None = field(default=None, repr=False)
    customer: Customer | None = field(default=None, repr=False)
    appointment_id: str = ""
    pin: Pin | None = None
    failure: Outcome | None = None
    cancellation: Cancellation | None = None
    care_context_id: str = ""

    @property
    def slot(self) -> Slot:
        """The slot it is for."""
        return self.hold.slot

    @property
    def quote(self) -> Quote:
        """What it costs."""
        return self.hold.slot.quote

    @property
    def patient(self) -> Patient:
        """Who comes."""
        return self.hold.patient

    def has_slot(self, now: datetime) -> bool:
        """Whether it keeps others from its slot: booked, or not answered yet and its hold not over."""
        return self.state in _BOOKED or (not self.state.travels and is_live(self.hold.until, now=now))


class BookingStore(Protocol):
    """Orders by their id and by the hospital's id."""

    async def put(self, order: KeptOrder, *, now: datetime) -> None:
        """Keep an order, new or changed, in one atomic step with the check that nobody else has its slot.

        Two slots are in each other's way when one doctor would see two patients on one seat at one time.
        Raises: SlotUnavailable when another order has the slot, or one that overlaps it; then nothing is kept.
        """

    async def get(self, order_id: str) -> KeptOrder | None:
        """Return an order by its id."""

    async def by_appointment(self, appointment_id: str) -> KeptOrder | None:
        """Return the order of an appointment by the hospital's id."""

    async def live_holds(self, *, now: datetime, patient_id: str = "", consumer_id: str = "") -> Sequence[KeptOrder]:
        """Return the orders held now, of one patient or through one consumer where named."""

    async def lapsed(self, *, now: datetime) -> Sequence[KeptOrder]:
        """Return the orders still in state HELD whose hold is over."""


class MemoryBookings:
    """Orders in memory: they live as long as the process."""

    def __init__(self) -> None:
        self._orders: dict[str, KeptOrder] = {}
        self._held: dict[str, KeptOrder] = {}
        self._appointments: dict[str, str] = {}
        self._of_seat: dict[tuple[str, int], dict[str, KeptOrder]] = {}

    async def put(self, order: KeptOrder, *, now: datetime) -> None:
        """Keep an order; there is no await between check and change, so the step is atomic."""
        if order.has_slot(now) and any(self._in_the_way(order, now)):
            raise SlotUnavailable("the slot is held or booked by another order")
        self._orders[order.id] = order
        self._held.pop(order.id, None)
        if order.state is OrderState.HELD:
            self._held[order.id] = order
        if order.appointment_id:
            self._appointments[order.appointment_id] = order.id
        seat = self._of_seat.setdefault(_seat(order.slot), {})
        seat.pop(order.id, None)
        if order.has_slot(now):
            seat[order.id] = order

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

    async def lapsed(self, *, now: datetime) -> Sequence[KeptOrder]:
        """Return the orders still in state HELD whose hold is over."""
        return [order for order in self._held.values() if not is_live(order.hold.until, now=now)]

    def _in_the_way(self, order: KeptOrder, now: datetime) -> Iterator[KeptOrder]:
        for other in self._of_seat.get(_seat(order.slot), {}).values():
            if other.id != order.id and other.has_slot(now) and other.slot.window.overlaps(order.slot.window):
                yield other


def _seat(slot: Slot) -> tuple[str, int]:
    return slot.doctor.id, slot.seat
