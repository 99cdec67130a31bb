"""A consumer's side of ambulances: call for one, read who can come, ask one for a quote.

Pure. Above: applications of patients; below: `ambulances`. Source: NHA's Ambulance document, phase 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from uhi.booking.hospital import Patient, Window
from uhi.booking.intents import read_window, write_point
from uhi.booking.patients import write_billing, write_customer
from uhi.booking.quotes import Quote, read_quote
from uhi.booking.terms import check_offered
from uhi.errors import BookingError
from uhi.listing.ambulances import ALL, DESTINATION, SERVICES, SOURCE, Call
from uhi.listing.subjects import code_of, write_intent
from uhi.messages import Intent, OnSearch, Order
from uhi.messages.values import Descriptor, Fulfillment, Item, Location, Price, Provider, Term, tag
from uhi.messages.wire import truth


@dataclass(frozen=True, slots=True)
class FoundAmbulance:
    """An ambulance of an answer: show operator, arrival and price before it is chosen, never a driver or a vehicle."""

    operator: str
    category: str
    arrival: Window | None
    price: Price | None
    needs_payment: bool
    additional_services: str
    offered: Provider = field(repr=False)
    item: Item = field(repr=False)
    fulfillment: Fulfillment = field(repr=False)


@dataclass(frozen=True, slots=True)
class CallQuote:
    """What a call will cost, and under which terms; the operator calls back, and nothing more is sent."""

    order_id: str
    quote: Quote
    terms: tuple[Term, ...] = field(repr=False)
    pays_before: bool = False


def write_search(call: Call, *, now: datetime) -> Intent:
    """Return the search for an ambulance."""
    category, item = call.category or ALL, Descriptor(code="AMBULANCE", name="AMBULANCE")
    intent = write_intent(call.kind, now=now, item=item, about=Descriptor(code=category, name=category))
    tags: dict[str, object] = {SERVICES: call.additional_services} if call.additional_services else {}
    asked = (intent.fulfillment or Fulfillment()).model_copy(update={"tags": tags or None})
    return intent.model_copy(update={"fulfillment": asked, "locations": write_places(call)})


def write_places(call: Call) -> list[Location]:
    """Return from where to where, as a search and an order tell it."""
    named = ((SOURCE, call.source), (DESTINATION, call.destination))
    return [Location(descriptor=Descriptor(code=code, name=code), gps=write_point(at)) for code, at in named if at]


def read_ambulances(answer: OnSearch) -> Iterator[FoundAmbulance]:
    """Yield the ambulances of an answer; none of a network member that is paused."""
    heading = answer.catalog.descriptor
    if heading is not None and truth(heading.flag) is True:
        return
    for provider in answer.catalog.readable:
        categories = {one.id: one.descriptor for one in provider.categories or ()}
        for fulfillment in provider.fulfillments or ():
            item = provider.item_for(fulfillment.id)
            if item is None or not provider.id or not item.id:
                continue
            yield FoundAmbulance(
                operator=(provider.descriptor.name if provider.descriptor else None) or provider.id,
                category=code_of(categories.get(item.category_id)) or item.category_id or "",
                arrival=read_window(fulfillment),
                price=item.price,
                needs_payment=truth(item.descriptor.flag) is True if item.descriptor else False,
                additional_services=tag(fulfillment.tags, SERVICES) or "",
                offered=provider,
                item=item,
                fulfillment=fulfillment,
            )


def write_init(found: FoundAmbulance, patient: Patient, call: Call) -> Order:
    """Return the order that asks for a quote: item and fulfilment exactly as they were offered."""
    return Order(
        provider=Provider(id=found.offered.id, descriptor=found.offered.descriptor),
        item=found.item,
        fulfillment=found.fulfillment,
        billing=write_billing(patient),
        customer=write_customer(patient),
        locations=write_places(call),
    )


def read_offer(order: Order) -> CallQuote:
    """Return what an on_init brings.

    Raises: BookingError when it has no id or no price, or its terms are not all there.
    """
    quote, terms = read_quote(order.quote), tuple(order.terms or ())
    if not order.id or quote is None:
        raise BookingError("the quote has no order id or no price", next_step="call another ambulance")
    check_offered(terms)
    return CallQuote(order.id, quote, terms, (order.payment.type if order.payment else None) == "PRE-ORDER")
