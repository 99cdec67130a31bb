"""Jan Aushadhi: find a Kendra, find a medicine, see which Kendra has it.

Pure. Three kinds of search on one path; a medicine found leads to its stock by its id, in a search of its own. Source:
NHA's Jan Aushadhi requirements.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from uhi.booking.found import read_facility
from uhi.booking.hospital import Facility
from uhi.listing.areas import (
    ANYWHERE,
    Area,
    Reached,
    read_area,
    read_contact,
    write_area,
    write_contact,
    write_location,
)
from uhi.listing.subjects import Subject, said_by, write_intent
from uhi.messages import Intent, OnSearch
from uhi.messages.values import (
    Agent,
    Descriptor,
    Fulfillment,
    Item,
    Measure,
    Price,
    Provider,
    Quantity,
    when,
)
from uhi.messages.wire import truth

DOMAIN = "nic2008:47721"
KENDRA, MEDICINE, STOCK = "JANAUSHADHI", "JANAUSHADHI_MEDICINE", "JANAUSHADHI_KENDRA"
SUBJECT = Subject(DOMAIN, (KENDRA, MEDICINE, STOCK))
_CONTACT = "contact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kendra:
    """A Jan Aushadhi shop. `kind` is `PP`, `PG`, `GG` or another code, `person` who is in charge."""

    facility: Facility
    reached: Reached
    kind: str = ""
    serial: str = ""
    person: str = ""
    enrolled: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Medicine:
    """A medicine at its highest retail price in rupees. `unit` is how many are in a pack (`10's`)."""

    id: str
    name: str
    code: str = ""
    price: Decimal | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Shelf:
    """Whether a Kendra has a medicine."""

    kendra_id: str
    medicine_id: str
    is_in_stock: bool


@dataclass(frozen=True, slots=True)
class KendraQuery:
    """Which Kendras: by code, by area."""

    code: str = ""
    area: Area = ANYWHERE


@dataclass(frozen=True, slots=True)
class FoundKendra:
    """A Kendra of an answer; `is_in_stock` tells of the medicine that was asked for, None where none was."""

    kendra: Facility
    reached: Reached
    person: str
    medicine_id: str = ""
    is_in_stock: bool | None = None


def search_kendras(query: KendraQuery, *, now: datetime) -> Intent:
    """Return the search for Kendras."""
    return _search(KENDRA, Descriptor(code=KENDRA, name=KENDRA), query, now)


def search_medicines(name: str, *, now: datetime) -> Intent:
    """Return the search for a medicine by a part of its name."""
    return write_intent(MEDICINE, now=now, item=Descriptor(code="".join(name.split()), name=name))


def search_stock(medicine_id: str, query: KendraQuery, *, now: datetime) -> Intent:
    """Return the search for Kendras that tell whether they have a medicine."""
    return _search(STOCK, Descriptor(code=medicine_id, name=medicine_id), query, now)


def read_query(intent: Intent) -> KendraQuery | None:
    """Return which Kendras a search asks for; None when it can fit nobody."""
    area = read_area(intent)
    return KendraQuery(said_by(intent.category.descriptor if intent.category else None), area) if area else None


def write_kendra(kendra: Kendra, area: Area) -> Provider:
    """Return a Kendra, with how far away it is where the search told from where."""
    facility = kendra.facility
    in_charge = Fulfillment(
        id="0",
        type=_CONTACT,
        agent=Agent(name=kendra.person) if kendra.person else None,
        start=when(kendra.enrolled) if kendra.enrolled else None,
    )
    return Provider(
        id=facility.id,
        descriptor=Descriptor(name=facility.name, code=kendra.kind or None, symbol=kendra.serial or None),
        fulfillments=[in_charge],
        location=write_location(facility, seen_from=area.near.centre if area.near else None),
        contact=write_contact(kendra.reached),
    )


def write_shelf(kendra: Provider, medicine: Medicine, *, is_in_stock: bool) -> Provider:
    """Return a Kendra with whether it has a medicine: told where the description has it and where the list does."""
    described = Descriptor(name=medicine.name, code=medicine.code or None, flag=is_in_stock)
    return kendra.model_copy(update={"items": [Item(id=medicine.id, descriptor=described, flag=is_in_stock)]})


def write_medicine(medicine: Medicine) -> Provider:
    """Return a medicine as the entry it is."""
    price = Price(currency="INR", value=f"{medicine.price:.3f}") if medicine.price is not None else None
    pack = Quantity(measure=Measure(unit=medicine.unit)) if medicine.unit else None
    return Provider(
        id=medicine.id,
        descriptor=Descriptor(name=medicine.name, code=medicine.code or None),
        items=[Item(id="0", price=price, quantity=pack)],
    )


def read_kendras(answer: OnSearch) -> Iterator[FoundKendra]:
    """Yield the Kendras of an answer, with the stock of the medicine where one was asked for."""
    for provider in answer.catalog.readable:
        facility = read_facility(provider)
        if facility is None:
            continue
        item = next(iter(provider.items or ()), None)
        agents = (one.agent for one in provider.fulfillments or () if one.type == _CONTACT and one.agent)
        person = next((agent.name for agent in agents if agent.name), "")
        yield FoundKendra(
            kendra=facility,
            reached=read_contact(provider.contact),
            person=person,
            medicine_id=(item.id if item else None) or "",
            is_in_stock=_in_stock(item) if item else None,
        )


def read_medicines(answer: OnSearch) -> Iterator[Medicine]:
    """Yield the medicines of an answer."""
    for provider in answer.catalog.readable:
        described, item = provider.descriptor, next(iter(provider.items or ()), None)
        measure = item.quantity.measure if item and item.quantity else None
        if provider.id and described and described.name:
            yield Medicine(
                id=provider.id,
                name=described.name,
                code=described.code or "",
                price=item.price.amount if item and item.price else None,
                unit=(measure.unit if measure else None) or "",
            )


def _search(kind: str, item: Descriptor, query: KendraQuery, now: datetime) -> Intent:
    about = Descriptor(code=query.code, name=query.code) if query.code else None
    return write_area(write_intent(kind, now=now, item=item, about=about), query.area)


def _in_stock(item: Item) -> bool | None:
    told = truth(item.descriptor.flag) if item.descriptor else None
    return truth(item.flag) if told is None else told
