"""A booking as its consumer knows it, and how news changes it: never backwards, never to another price.

Pure. Above: `uhi.booking.consumer`. Source: NHA Physical Consultation v2.0, order states and PIN; decision 37.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from uhi.booking.found import FoundSlot, read_doctor, read_facility
from uhi.booking.hospital import Slot, Window
from uhi.booking.intents import read_window
from uhi.booking.join_links import is_open
from uhi.booking.offers import Offer
from uhi.booking.online_tags import read_others
from uhi.booking.quotes import Quote, read_quote
from uhi.booking.reasons import Cancellation, CancelledBy
from uhi.booking.states import OrderState, follow, is_known
from uhi.messages import Order
from uhi.messages.tags import (
    CARE_CONTEXT_ID,
    CHATBOT_LINK,
    DEEP_LINK,
    GRIEVANCE_CONTACT,
    HELPLINE_NUMBER,
    MESSAGING_SUPPORT,
    TELECONSULTATION_URI,
    our_tag,
)
from uhi.messages.values import ONLINE, PHYSICAL, Fulfillment, tag
from uhi.verified import Thread

OFFERED_SLOT = "@uhi-network/offered_slot"
"""Our own tag beside UHI's, in what a hospital calls off: the id of the slot it keeps for the patient instead."""

_LINK = re.compile(r"https://[A-Za-z0-9][A-Za-z0-9.-]{0,252}(:[0-9]{1,5})?(/[!-~]{0,1800})?")
_ENDED = frozenset({OrderState.FAILED, OrderState.CANCELLED})


@dataclass(frozen=True, slots=True)
class Reach:
    """How the patient reaches the facility; empty where the provider does not say.

    Online only: `join_url` is the link to the call, while there is one to join, and `grievance_contact` who hears
    complaints.
    """

    helpline_number: str = ""
    deep_link: str = ""
    chatbot_link: str = ""
    messaging: bool = False
    join_url: str = field(default="", repr=False)
    grievance_contact: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """An order from the hold on. `state` is HELD until the provider confirms or fails it.

    `told` is the provider's own word for the state where it is none of UHI's. `pin` is what the patient shows; keep it
    in memory only, status brings it back. `price_mismatch`: confirmed at another price than quoted, so not confirmed.
    `offered_slot` is the slot that a hospital offers in the place of one it called off, by its id.
    """

    order_id: str
    thread: Thread
    found: FoundSlot
    quote: Quote
    held_until: datetime | None = None
    state: OrderState = OrderState.HELD
    told: str = ""
    price_mismatch: bool = False
    pin: str = field(default="", repr=False)
    pin_status: str = ""
    pin_valid: Window | None = None
    cancellation: Cancellation | None = None
    offered_slot: str = ""
    care_context_id: str = ""
    reach: Reach = field(default_factory=Reach)

    @property
    def slot(self) -> Slot:
        """The slot it is for."""
        return self.found.slot

    @property
    def is_confirmed(self) -> bool:
        """Whether the slot is booked, at the price that was quoted."""
        return self.state is OrderState.CONFIRMED and not self.price_mismatch


def held(offer: Offer) -> Booking:
    """Return the booking that an offer opens."""
    return Booking(
        order_id=offer.order_id, thread=offer.thread, found=offer.found, quote=offer.quote, held_until=offer.until
    )


def unheard_of(order: Order, thread: Thread) -> Booking | None:
    """Return a booking made of a provider's word alone, after a restart; None where the order does not tell enough."""
    fulfillment, item, provider = order.fulfillment, order.line, order.provider
    quote = read_quote(order.quote) or (Quote(item.price.amount) if item and item.price else None)
    window = read_window(fulfillment) if fulfillment else None
    facility = read_facility(provider) if provider else None
    if not (order.id and item and quote and window and facility and fulfillment and fulfillment.agent):
        return None
    priced = item if item.price else item.model_copy(update={"price": order.quote.price if order.quote else None})
    doctor = read_doctor(fulfillment.agent, facility, priced)
    if doctor is None or not fulfillment.id:
        return None
    slot = Slot(
        id=fulfillment.id,
        doctor=doctor,
        start=window.start,
        end=window.end,
        quote=quote,
        fulfilment=fulfillment.kind or PHYSICAL,
        others=read_others(fulfillment.agent, doctor),
    )
    return Booking(order_id=order.id, thread=thread, found=FoundSlot(slot, thread, priced), quote=quote)


def heard(booking: Booking, order: Order) -> Booking:
    """Return the booking after a provider's word about it.

    A state that lies behind or beside changes nothing at all; the same state is a refresh; an unknown one is shown and
    moves nothing. An order that goes on at another price than quoted, in any of its amounts, is marked and keeps its
    state; one that is confirmed without any price stays unconfirmed.
    """
    told = order.state or ""
    state, known = follow(booking.state, told), is_known(told)
    amounts = _amounts(order, booking.quote.total)
    if known:
        if state.value != told:
            return booking
        if state not in _ENDED and amounts - {booking.quote.total}:
            return replace(booking, price_mismatch=True)
        if state not in _ENDED and not amounts and not booking.state.travels:
            return booking
    moved = replace(
        booking,
        state=state,
        told="" if known else told,
        price_mismatch=booking.price_mismatch and not (known and amounts and state not in _ENDED),
    )
    return _with_pin(_with_tags(moved, order.fulfillment), order)


def _with_pin(booking: Booking, order: Order) -> Booking:
    shown = order.authorization
    if shown is None:
        return booking
    start, end = shown.starts_at, shown.ends_at
    return replace(
        booking,
        pin=shown.pin or booking.pin,
        pin_status=shown.state or booking.pin_status,
        pin_valid=Window(start, end) if start and end else booking.pin_valid,
    )


def _with_tags(booking: Booking, fulfillment: Fulfillment | None) -> Booking:
    if fulfillment is None:
        return booking
    tags, known = fulfillment.tags, booking.reach
    by = fulfillment.cancelled_by
    cancellation = booking.cancellation
    if booking.state is OrderState.CANCELLED and by in set(CancelledBy):
        cancellation = Cancellation(CancelledBy(by), fulfillment.cancel_reason or "")
    is_moved = booking.state is OrderState.CANCELLED and by == CancelledBy.DOCTOR
    return replace(
        booking,
        cancellation=cancellation,
        offered_slot=(_text(tags, OFFERED_SLOT) if is_moved else "") or booking.offered_slot,
        care_context_id=tag(tags, CARE_CONTEXT_ID) or booking.care_context_id,
        reach=Reach(
            helpline_number=tag(tags, HELPLINE_NUMBER) or known.helpline_number,
            deep_link=tag(tags, DEEP_LINK) or known.deep_link,
            chatbot_link=tag(tags, CHATBOT_LINK) or known.chatbot_link,
            messaging=(tag(tags, MESSAGING_SUPPORT) or str(known.messaging)).lower() == "true",
            join_url=_join_url(booking, tags),
            grievance_contact=our_tag(tags, GRIEVANCE_CONTACT) or known.grievance_contact,
        ),
    )


def _join_url(booking: Booking, tags: Mapping[str, object] | None) -> str:
    """The link to the call while there is one: of another scheme than https none is taken, without one it is https."""
    if booking.slot.fulfilment != ONLINE or not is_open(booking.state):
        return ""
    told = tag(tags, TELECONSULTATION_URI) or ""
    if not told:
        return booking.reach.join_url
    link = told if "://" in told else f"https://{told}"
    return link if _LINK.fullmatch(link) else ""


def _text(tags: Mapping[str, object] | None, name: str) -> str:
    value = (tags or {}).get(name)
    return value if isinstance(value, str) else ""


def _amounts(order: Order, quoted: Decimal) -> set[Decimal]:
    """Every amount by which a message names the price: quote, item, payment."""
    item, quote, payment = order.line, order.quote, order.payment
    due = payment.params.due if payment and payment.params else None
    if payment and payment.is_free and not due:
        # NHA's own confirmation of an order with a price has FREE and 0.0 for what was paid so far.
        due = None if quoted else quoted
    named = (
        quote.price.amount if quote and quote.price else None,
        item.price.amount if item and item.price else None,
        due,
    )
    return {amount for amount in named if amount is not None}
