"""Blood banks: which bank has which group and component, asked and answered.

Pure. A provider writes its stock with it, a consumer asks and reads. Counts are indicative and nothing can be reserved.
Source: NHA's Blood Bank document.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

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
from uhi.listing.subjects import Subject, code_of, write_intent
from uhi.messages import Intent, OnSearch
from uhi.messages.tags import FAX
from uhi.messages.values import Category, Descriptor, Fulfillment, Item, Provider, Quantity, when, write_tags

DOMAIN = "nic2008:86906"
SUBJECT = Subject(DOMAIN, ("BloodStock",))
ALL = "-1"
AVAILABLE = "Available"
NOT_AVAILABLE = "NotAvailable"

GROUPS = {
    "11": "A+Ve",
    "12": "A-Ve",
    "13": "B+Ve",
    "14": "B-Ve",
    "15": "O+Ve",
    "16": "O-Ve",
    "17": "AB+Ve",
    "18": "AB-Ve",
    "22": "Oh+Ve",
    "23": "Oh-Ve",
}
COMPONENTS = {
    "11": "Whole Blood",
    "12": "Packed Red Blood Cells",
    "13": "Fresh Frozen Plasma",
    "14": "Single Donor Platelet",
    "16": "Platelet Rich Plasma",
    "17": "Cryoprecipitate",
    "18": "Single Donor Plasma",
    "19": "Plasma",
    "20": "Platelet Concentrate",
    "21": "Cryo Poor Plasma",
    "23": "Random Donor Platelets",
    "24": "Platelets Additive Solutions",
    "28": "SAGM Packed Red Blood Cells",
    "29": "Irradiated RBC",
    "30": "Leukoreduced RBC",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BloodBank:
    """A blood bank and how to reach it; its facility's `short_desc` tells who runs it: `Govt.`, `Charitable/Vol`."""

    facility: Facility
    reached: Reached
    fax: str = ""


@dataclass(frozen=True, slots=True)
class Units:
    """How many units of a group and component a bank has; `is_available` may be no although there are some."""

    bank_id: str
    group: str
    component: str
    count: int
    is_available: bool


@dataclass(frozen=True, slots=True)
class StockQuery:
    """Which group and component, by code; empty for all."""

    group: str = ""
    component: str = ""
    area: Area = ANYWHERE

    def wants(self, units: Units) -> bool:
        """Whether these units are asked for."""
        return self.group in {"", units.group} and self.component in {"", units.component}


@dataclass(frozen=True, slots=True)
class FoundBlood:
    """What one bank of an answer has of one group and component; codes may be others than ours, names are shown."""

    bank: Facility
    reached: Reached
    group: str
    group_name: str
    component: str
    component_name: str
    count: int | None
    is_available: bool


def write_search(query: StockQuery, *, now: datetime) -> Intent:
    """Return the search for blood."""
    group, component = query.group or ALL, query.component or ALL
    item = Descriptor(code=group, name=GROUPS.get(group, "All"))
    about = Descriptor(code=component, name=COMPONENTS.get(component, "All"))
    return write_area(write_intent(SUBJECT.types[0], now=now, item=item, about=about), query.area)


def read_query(intent: Intent) -> StockQuery | None:
    """Return what a search asks; None when it can fit nobody. -1 and nothing at all both mean all."""
    area = read_area(intent)
    if area is None:
        return None
    group = code_of(intent.item.descriptor if intent.item else None)
    component = code_of(intent.category.descriptor if intent.category else None)
    return StockQuery("" if group == ALL else group, "" if component == ALL else component, area)


def write_bank(bank: BloodBank, stock: Sequence[Units], *, now: datetime) -> Provider:
    """Return a bank with its stock as it is `now`: items joined to a component and to what is available or not."""
    facility = bank.facility
    components = list(dict.fromkeys(units.component for units in stock))
    kinds = (NOT_AVAILABLE, AVAILABLE)
    return Provider(
        id=facility.id,
        descriptor=Descriptor(
            name=facility.name, short_desc=facility.short_desc or None, long_desc=facility.long_desc or None
        ),
        categories=[
            Category(id=str(at), descriptor=Descriptor(name=COMPONENTS.get(code, code), code=code))
            for at, code in enumerate(components)
        ],
        fulfillments=[Fulfillment(id=str(at), type=kind, start=when(now)) for at, kind in enumerate(kinds)],
        items=[
            Item(
                id=str(at),
                descriptor=Descriptor(name=GROUPS.get(units.group, units.group), code=units.group),
                quantity=Quantity(count=units.count),
                category_id=str(components.index(units.component)),
                fulfillment_id=str(kinds.index(AVAILABLE if units.is_available else NOT_AVAILABLE)),
            )
            for at, units in enumerate(stock)
        ],
        location=write_location(facility),
        contact=write_contact(bank.reached, write_tags({FAX: bank.fax or None})),
    )


def read_stock(answer: OnSearch) -> Iterator[FoundBlood]:
    """Yield what each bank of an answer has; whether it is available tells the fulfilment of the item, not the count.

    An entry that lacks its id or an item's group is left out, the others stay.
    """
    for provider in answer.catalog.readable:
        facility = read_facility(provider)
        if facility is None:
            continue
        reached = read_contact(provider.contact)
        available = {one.id for one in provider.fulfillments or () if one.kind == AVAILABLE}
        categories = {one.id: one.descriptor for one in provider.categories or ()}
        for item in provider.items or ():
            component, group = categories.get(item.category_id), item.descriptor
            if group is None:
                continue
            yield FoundBlood(
                bank=facility,
                reached=reached,
                group=code_of(group),
                group_name=group.name or code_of(group),
                component=code_of(component),
                component_name=(component.name if component else None) or code_of(component),
                count=_count(item),
                is_available=item.fulfillment_id in available,
            )


def of_bank(stock: Iterable[Units]) -> dict[str, list[Units]]:
    """Return the units of each bank, by its id."""
    found: dict[str, list[Units]] = {}
    for units in stock:
        found.setdefault(units.bank_id, []).append(units)
    return found


def _count(item: Item) -> int | None:
    count = item.quantity.count if item.quantity else None
    if isinstance(count, str):
        return int(count) if count.isascii() and count.isdigit() and len(count) <= len("999999999") else None
    return count
