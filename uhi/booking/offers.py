"""A consumer's way to an order: the slot asked for, the offer that comes back, and its acceptance.

Pure. Above: `uhi.booking.consumer`. Source: NHA Physical Consultation v2.0, init to confirm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from uhi.booking.catalog import ITEM_CODE, ITEM_NAME
from uhi.booking.found import FoundSlot
from uhi.booking.hospital import Patient
from uhi.booking.patients import write_billing, write_customer
from uhi.booking.quotes import Quote, read_quote
from uhi.booking.telemedicine import needs_guardian
from uhi.booking.terms import agree, check_offered
from uhi.errors import BookingError, IncompleteMessage
from uhi.messages import Order
from uhi.messages.tags import CANCEL_REASON, CANCELLED_BY, SLOT_ID
from uhi.messages.values import (
    Agent,
    Descriptor,
    Fulfillment,
    Item,
    Payment,
    PaymentParams,
    Provider,
    Term,
    rupees,
    when,
    write_tags,
)
from uhi.verified import Thread

_ON_ORDER = "ON-ORDER"
_ACCEPTED = frozenset({_ON_ORDER, "FREE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A held slot: show `quote` and every term (`term.descriptor.long_desc`) before you confirm.

    `until` is when the hold ends at the latest. A storable value: `thread` is enough to go on with it later.
    """

    order_id: str
    found: FoundSlot
    patient: Patient = field(repr=False)
    quote: Quote
    terms: tuple[Term, ...] = field(repr=False)
    until: datetime
    thread: Thread
    received: Order = field(repr=False)


def write_init(found: FoundSlot, patient: Patient) -> Order:
    """Return the order that asks to hold a slot for a patient."""
    return write_select(found).model_copy(
        update={
            "billing": write_billing(patient),
            "customer": write_customer(patient, with_guardian=needs_guardian(patient, found.slot)),
            "payment": Payment(type=_ON_ORDER),
        }
    )


def write_select(found: FoundSlot) -> Order:
    """Return the order that asks what a slot costs, for nobody in particular."""
    return Order(
        provider=Provider(id=found.slot.doctor.facility.id),
        item=_item(found),
        fulfillment=write_visit(found),
    )


def _item(found: FoundSlot) -> Item:
    return found.item.model_copy(
        update={"descriptor": Descriptor(name=ITEM_NAME, code=ITEM_CODE), "fulfillment_id": found.slot.id}
    )


def write_visit(found: FoundSlot) -> Fulfillment:
    """Return the slot as an order names it."""
    slot = found.slot
    return Fulfillment(
        id=slot.id,
        type=slot.fulfilment,
        agent=Agent(id=slot.doctor.id, name=slot.doctor.name),
        start=when(slot.start),
        end=when(slot.end),
        tags=write_tags({SLOT_ID: slot.id}),
    )


def read_offer(order: Order, found: FoundSlot, patient: Patient, *, until: datetime, thread: Thread) -> Offer:
    """Return the offer of an on_init.

    Raises: BookingError when it has no id or price, is for another slot, wants payment in advance, or its terms are
    not all there.
    """
    quote, payment = read_quote(order.quote), order.payment or Payment()
    if not order.id or quote is None:
        raise BookingError("the offer has no order id or no price", next_step="hold the slot again")
    if order.fulfillment is not None and order.fulfillment.slot_id not in {None, found.slot.id}:
        raise BookingError("the offer is for another slot", next_step="search again")
    if payment.type and payment.type not in _ACCEPTED:
        raise BookingError("the offer wants payment in advance", got=payment.type, expected=_ON_ORDER)
    terms = tuple(order.terms or ())
    check_offered(terms)
    return Offer(
        order_id=order.id,
        found=found,
        patient=patient,
        quote=quote,
        terms=terms,
        until=until,
        thread=thread,
        received=order,
    )


def accept(offer: Offer, agreed: Sequence[Term] | Mapping[str, str]) -> Order:
    """Return the order that confirms an offer.

    `agreed` are the offer's terms, those that ask for a reason with `reason` filled in; or a mapping with the type of
    every term that is agreed, and the reason (`""` where none is asked for).
    Raises: IncompleteMessage when a term is left out or lacks its reason.
    """
    if not isinstance(agreed, Mapping):
        agreed = {term.type or "": term.reason or "" for term in agreed}
    left_out = [term.type or "" for term in offer.terms if (term.type or "") not in agreed]
    if left_out:
        raise IncompleteMessage(f"every term must be agreed, also {', '.join(left_out)}")
    return write_init(offer.found, offer.patient).model_copy(
        update={
            "id": offer.order_id,
            "item": offer.received.line or write_init(offer.found, offer.patient).item,
            "quote": offer.received.quote,
            "payment": _payment(offer),
            "terms": list(agree(offer.terms, agreed)),
        }
    )


def write_cancel(
    order_id: str, *, reason: str, text: str = "", text_tag: str = "", further: Mapping[str, str] | None = None
) -> Order:
    """Return the order that cancels for the patient; the text goes into a tag only where one is set. `further` are tags
    by their whole names; one without a name or a value is left out."""
    tags = write_tags({CANCELLED_BY: "patient", CANCEL_REASON: reason})
    if text and text_tag:
        tags[text_tag] = text
    tags.update({name: value for name, value in (further or {}).items() if name and value})
    return Order(id=order_id, state="CANCELLED", fulfillment=Fulfillment(tags=tags))


def _payment(offer: Offer) -> Payment:
    """The payment as received, with what a confirmation must say where the provider left it out."""
    received = offer.received.payment or Payment()
    params = received.params or PaymentParams()
    return received.model_copy(
        update={
            "type": received.type or _ON_ORDER,
            "status": received.state or ("NOT_PAID" if offer.quote.total else "FREE"),
            "params": params.model_copy(update={"amount": params.amount or rupees(offer.quote.total).value}),
        }
    )
