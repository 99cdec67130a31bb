"""Everything messages are made of, to be imported from here: catalogue, order, people, money, places, times, terms.

Catalogue values stand in this module, the others in modules of their own beside it; above it are the messages.
Source: NHA Physical Consultation v2.0 and NHA gateway description v2.0.2.
"""

from __future__ import annotations

from uhi.messages.agreement import Authorization, Term
from uhi.messages.descriptor import Descriptor
from uhi.messages.money import Payment, PaymentParams, Price, Quotation, QuoteLine, rupees
from uhi.messages.people import Agent, Billing, Contact, Customer, Person
from uhi.messages.places import Address, Circle, Location, Place, Point, Radius
from uhi.messages.tags import (
    CANCEL_REASON,
    CANCELLED_BY,
    CARE_CONTEXT_ID,
    OLD_CANCEL_REASON,
    SLOT_ID,
    tag,
    write_tags,
)
from uhi.messages.times import IST, Time, When, parse_date, parse_time, ttl_seconds, utc_time, when, wire_time
from uhi.messages.wire import Flag, Many, Number, Tags, Text, Wire

ONLINE = "Online"
PHYSICAL = "Physical"
_KINDS = {
    "online": ONLINE,
    "teleconsultation": ONLINE,
    "digital-opd": ONLINE,
    "digital-consultation": ONLINE,
    "physical": PHYSICAL,
    "physicalconsultation": PHYSICAL,
    "physical-opd": PHYSICAL,
    "not available": "NotAvailable",
}


class Category(Wire):
    """A speciality or a system of medicine. Ids are local to the provider; the code tells what it is."""

    id: Text | None = None
    parent_category_id: Text | None = None
    descriptor: Descriptor | None = None


class Fulfillment(Wire):
    """How an item is delivered: a doctor or a free slot in a catalogue, the chosen slot in an order."""

    id: Text | None = None
    type: Text | None = None
    agent: Agent | None = None
    start: When | None = None
    end: When | None = None
    tracking: Flag | None = None
    tags: Tags | None = None

    @property
    def kind(self) -> str | None:
        """The type with its synonyms read as `Online`, `Physical`, `NotAvailable`; other types as they came."""
        return _KINDS.get(self.type.lower(), self.type) if self.type else None

    @property
    def slot_id(self) -> str | None:
        """The slot an order is for: its tag, else the fulfilment's own id."""
        return tag(self.tags, SLOT_ID) or self.id

    @property
    def cancelled_by(self) -> str | None:
        """`patient` or `doctor`."""
        return tag(self.tags, CANCELLED_BY)

    @property
    def cancel_reason(self) -> str | None:
        """The reason code of a cancellation, in its present or older spelling."""
        return tag(self.tags, CANCEL_REASON) or tag(self.tags, OLD_CANCEL_REASON)

    @property
    def care_context_id(self) -> str | None:
        """Under which id the consultation's records are kept."""
        return tag(self.tags, CARE_CONTEXT_ID)


class Measure(Wire):
    """A pack size or another physical measure."""

    unit: Text | None = None
    value: Text | None = None


class Quantity(Wire):
    """How many there are."""

    count: Number | None = None
    measure: Measure | None = None


class Item(Wire):
    """What is offered or ordered: a consultation, a blood group, a medicine, a vehicle."""

    id: Text | None = None
    descriptor: Descriptor | None = None
    price: Price | None = None
    category_id: Text | None = None
    fulfillment_id: Text | None = None
    quantity: Quantity | None = None
    flag: Flag | None = None


class Provider(Wire):
    """A facility, with what it offers; in the services for medicines, a medicine."""

    id: Text | None = None
    descriptor: Descriptor | None = None
    categories: Many[Category] | None = None
    fulfillments: Many[Fulfillment] | None = None
    items: Many[Item] | None = None
    location: Location | None = None
    contact: Contact | None = None

    def item_for(self, fulfillment_id: str | None) -> Item | None:
        """Return the first item of a fulfilment: the fee of a doctor or a slot."""
        wanted = (item for item in self.items or [] if item.fulfillment_id == fulfillment_id)
        return next(wanted, None) if fulfillment_id is not None else None


__all__ = [
    "IST",
    "ONLINE",
    "PHYSICAL",
    "Address",
    "Agent",
    "Authorization",
    "Billing",
    "Category",
    "Circle",
    "Contact",
    "Customer",
    "Descriptor",
    "Fulfillment",
    "Item",
    "Location",
    "Measure",
    "Payment",
    "PaymentParams",
    "Person",
    "Place",
    "Point",
    "Price",
    "Provider",
    "Quantity",
    "Quotation",
    "QuoteLine",
    "Radius",
    "Tags",
    "Term",
    "Time",
    "When",
    "parse_date",
    "parse_time",
    "rupees",
    "tag",
    "ttl_seconds",
    "utc_time",
    "when",
    "wire_time",
    "write_tags",
]
