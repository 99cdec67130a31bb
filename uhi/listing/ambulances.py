"""Ambulances: who can be where soon and at what price, and the quote that a call brings.

Pure. Nothing here names a driver, a vehicle's number or somebody to phone: the provider calls back. Confirming,
following and cancelling are not published yet. Source: NHA's Ambulance document, phase 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from uhi.booking.quotes import Line, Quote, write_quote
from uhi.listing.subjects import Subject, code_of
from uhi.messages import Intent, Order
from uhi.messages.values import (
    Category,
    Descriptor,
    Fulfillment,
    Item,
    Location,
    Payment,
    Point,
    Price,
    Provider,
    rupees,
    tag,
    when,
)

DOMAIN = "nic2008:86909"
EMERGENCY, NON_EMERGENCY = "EMERGENCY", "NON_EMERGENCY"
SUBJECT = Subject(DOMAIN, (EMERGENCY, NON_EMERGENCY), ("AMBULANCE",))
ALL = "ALL"
SOURCE, DESTINATION = "SOURCE", "DESTINATION"
CATEGORIES = {
    "ALS": "Advanced Life Support (ALS)",
    "BLS": "Basic Life Support (BLS)",
    "PTA": "Patient Transport Ambulance (PTA)",
    "MVA": "Mortuary Van (MVA)",
}
SERVICES, _DEEP_LINK, _TERMS = "additional_services", "deeplink_url", "terms_reference"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vehicle:
    """An ambulance as it is offered. `kind` is a code of `CATEGORIES`; it serves what lies within `reach_km` of `post`.

    It arrives `earliest` to `latest` after the call. `quote` is what a ride is likely to cost, from `least` to `most`;
    `is_paid_before` asks for the least in advance. `planned` rides are taken besides emergencies where it says so.
    """

    id: str
    kind: str
    post: Point
    reach_km: float
    earliest: timedelta
    latest: timedelta
    quote: Quote
    least: Decimal | None = None
    most: Decimal | None = None
    is_paid_before: bool = False
    takes_planned: bool = False
    is_tracked: bool = False
    additional_services: str = ""
    deep_link: str = ""

    @property
    def price(self) -> Price:
        """What a ride costs, as it travels."""
        price = rupees(self.quote.total)
        amounts = {"estimated_Value": self.quote.total, "minimum_Value": self.least, "maximum_Value": self.most}
        told = {name: rupees(amount).value for name, amount in amounts.items() if amount is not None}
        return price.model_copy(update=told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """Who runs ambulances; one that `is_paused` takes no calls. `terms_url` is where its terms stand."""

    id: str
    name: str
    short_desc: str = ""
    long_desc: str = ""
    terms_url: str = ""
    is_paused: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """What a search asks: from where, to where, which category (empty for all), when."""

    kind: str
    source: Point | None
    destination: Point | None
    category: str = ""
    additional_services: str = ""


def read_call(intent: Intent) -> Call:
    """Return what a search asks, as far as it can be read."""
    asked = intent.fulfillment or Fulfillment()
    category = code_of(intent.category.descriptor if intent.category else None)
    return Call(
        kind=asked.type or "",
        source=read_place(intent.locations, SOURCE),
        destination=read_place(intent.locations, DESTINATION),
        category="" if category == ALL else category,
        additional_services=tag(asked.tags, SERVICES) or "",
    )


def read_place(locations: Sequence[Location] | None, code: str) -> Point | None:
    """Return the position of a place by its code; None when it is not there or has none."""
    named = (one for one in locations or () if code_of(one.descriptor).upper() == code)
    return next((one.point for one in named if one.point), None)


def write_operator(operator: Operator, vehicles: Sequence[Vehicle], *, kind: str, now: datetime) -> Provider:
    """Return an operator with those of its ambulances that can come, each at its price."""
    kinds = list(dict.fromkeys(vehicle.kind for vehicle in vehicles))
    return Provider(
        id=operator.id,
        descriptor=_described(operator),
        categories=[
            Category(id=code, descriptor=Descriptor(code=code, name=CATEGORIES.get(code, code))) for code in kinds
        ],
        fulfillments=[write_ride(vehicle, kind=kind, now=now) for vehicle in vehicles],
        items=[write_item(vehicle) for vehicle in vehicles],
    )


def write_ride(vehicle: Vehicle, *, kind: str, now: datetime, terms_url: str = "") -> Fulfillment:
    """Return when an ambulance can be there, called `now`; it has no agent."""
    named = {SERVICES: vehicle.additional_services, _DEEP_LINK: vehicle.deep_link, _TERMS: terms_url}
    tags: dict[str, object] = {name: text for name, text in named.items() if text}
    return Fulfillment(
        id=vehicle.id,
        type=kind,
        tracking=vehicle.is_tracked,
        start=when(now + vehicle.earliest),
        end=when(now + vehicle.latest),
        tags=tags or None,
    )


def write_item(vehicle: Vehicle) -> Item:
    """Return what an ambulance costs; the flag tells that something is paid before."""
    described = Descriptor(name="Charges", flag=vehicle.is_paid_before)
    return Item(
        id=vehicle.id,
        descriptor=described,
        price=vehicle.price,
        category_id=vehicle.kind,
        fulfillment_id=vehicle.id,
    )


def write_offer(order: Order, vehicle: Vehicle, operator: Operator, ride: Fulfillment) -> Order:
    """Return the quote for a call: everything of the order that came, with what the ambulance costs; id and terms are
    still to be added."""
    payment = Payment(type="PRE-ORDER" if vehicle.is_paid_before else "ON-ORDER", status="NOT_PAID")
    return Order(
        provider=Provider(id=operator.id, descriptor=_described(operator)),
        item=write_item(vehicle),
        fulfillment=ride,
        billing=order.billing,
        customer=order.customer,
        quote=write_quote(vehicle.quote),
        payment=payment,
        locations=order.locations,
    )


def terms_texts(operator: Operator, vehicle: Vehicle) -> Mapping[str, tuple[str, str]]:
    """Return what the five terms of a call say, short and long, without the part every service has."""
    before = f"{vehicle.least or vehicle.quote.total:.2f} rupees are paid before" if vehicle.is_paid_before else ""
    return {
        "Commercial": (
            "UHI connects you with the operator and is no party to it.",
            f"The ride is a matter between the patient and {operator.name}, who decides on the ambulance that comes.",
        ),
        "Settlement": ("You pay the operator directly.", "Nothing is settled through UHI or the network."),
        "Cancellation": (
            "Cancel with the operator.",
            "A call is cancelled with the operator directly, when it calls back.",
        ),
        "Refund": ("By the operator's own policy.", "What was paid is refunded by the operator, by its own policy."),
        "Payment": (
            before or "You pay after the ride.",
            f"The estimate is {vehicle.quote.total:.2f} rupees. {before or 'Nothing is paid before the ride'}.",
        ),
    }


def charges(base: Decimal, more: Mapping[str, Decimal]) -> Quote:
    """Return the quote of a ride from its base charge and what is added to it."""
    lines = (Line("Ambulance base charge", base), *(Line(title, amount) for title, amount in more.items() if amount))
    return Quote(sum((line.amount for line in lines), Decimal("0.00")), lines)


def _described(operator: Operator) -> Descriptor:
    return Descriptor(
        name=operator.name,
        short_desc=operator.short_desc or None,
        long_desc=operator.long_desc or None,
        flag=operator.is_paused,
    )
