"""An order as its provider keeps it: what the stores keep, events tell of, and messages are written from.

Pure. Above: `uhi.booking.store`, `uhi.booking.orders`. Source: decision 37 (PIN).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from uhi.booking.holds import is_live
from uhi.booking.hospital import Hold, Patient, Slot
from uhi.booking.pin import Pin
from uhi.booking.quotes import Quote
from uhi.booking.reasons import Cancellation
from uhi.booking.states import OrderState
from uhi.booking.telemedicine import Consent, Mode, Presence
from uhi.faults import Outcome
from uhi.messages.values import Billing, Customer, Term
from uhi.verified import Thread

_BOOKED = frozenset({OrderState.CONFIRMED, OrderState.APPOINTMENT_STARTED, OrderState.COMPLETED})


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptOrder:
    """An order as its provider keeps it, from the hold on.

    `billing` and `customer` are echoed as they came. `appointment_id` is the hospital's name for it once booked,
    `failure` why it could not be. `offer_for` is the order that the hospital called off when it kept this slot for the
    patient instead, `rescheduled_to` the one that the patient booked instead. `version` counts its events, 0 for a new
    one. Online only: `room` is what links to the call are made of, `mode` how it is held, `consents` and `presences`
    the log of the interaction.
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
    offer_for: str = ""
    rescheduled_to: str = ""
    room: str = field(default="", repr=False)
    mode: Mode | None = None
    consents: tuple[Consent, ...] = ()
    presences: tuple[Presence, ...] = ()
    version: int = 0

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


def without_spent_pin(order: KeptOrder, *, now: datetime) -> KeptOrder:
    """Return the order without the digits of a PIN that nobody has to show any more: its day is over, or the order is
    past CONFIRMED. Status and misses stay."""
    pin = order.pin
    if pin is None or not pin.token or (order.state is OrderState.CONFIRMED and now <= pin.valid_to):
        return order
    return replace(order, pin=replace(pin, token=""))
