"""The two searches as they travel, and what they ask: written by a consumer, read by a provider.

Pure. Source: NHA Physical Consultation v2.0, search first and second.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from uhi.booking.hospital import DoctorQuery, Window
from uhi.messages import Intent, Search, Slots
from uhi.messages.values import (
    PHYSICAL,
    Address,
    Agent,
    Category,
    Descriptor,
    Fulfillment,
    Item,
    Location,
    Point,
    Provider,
    Radius,
    when,
)

LONGEST_WINDOW = timedelta(days=14)
"""A second search is answered for at most this long; the consumer asks again for what follows."""

LONGEST_TEXT = 200
"""A filter of more characters fits nobody: no name of a doctor, a facility or a place is that long."""

_ITEM = Item(descriptor=Descriptor(code="Consultation", name="Consultation"))
_ITEM_CODE = "consultation"


@dataclass(frozen=True, slots=True)
class SlotsQuery:
    """What a second search asks: the free slots of one doctor at one facility, empty where it is not named."""

    doctor_id: str
    facility_id: str
    fulfilment: str
    window: Window


def write_search(query: DoctorQuery, window: Window) -> Search:
    """Return the first search for a query, in the time the patient can come."""
    agent = Agent(name=query.doctor or None, id=query.hpr or None)
    return Search(
        intent=Intent(
            fulfillment=Fulfillment(type=query.fulfilment, agent=agent, start=when(window.start), end=when(window.end)),
            item=_ITEM,
            category=_category(query.speciality),
            provider=Provider(descriptor=Descriptor(name=query.facility)) if query.facility else None,
            location=_location(query),
            address=Address(area_code=query.pincode) if query.pincode else None,
        )
    )


def read_search(intent: Intent) -> DoctorQuery | None:
    """Return what a first search asks; None when it is for something else than a consultation, or can fit nobody.

    A circle without position, radius, type or unit is ignored, as UHI has it.
    """
    fulfillment = intent.fulfillment
    if fulfillment is None or fulfillment.kind is None or not _is_consultation(intent.item):
        return None
    agent, location = fulfillment.agent, intent.location
    speciality = intent.category.descriptor if intent.category else None
    facility = intent.provider.descriptor if intent.provider else None
    query = DoctorQuery(
        doctor=(agent.name if agent else None) or "",
        hpr=(agent.id if agent else None) or "",
        speciality=(speciality.code or speciality.name if speciality else None) or "",
        facility=(facility.name if facility else None) or "",
        city=location.city if location else None,
        district=location.district if location else None,
        state=location.state if location else None,
        near=location.area if location else None,
        pincode=(intent.address.area_code if intent.address else None) or "",
        fulfilment=fulfillment.kind,
        window=read_window(fulfillment),
    )
    return query if all(len(text) <= LONGEST_TEXT for text in _texts(query)) else None


def write_slots(offered: Provider, window: Window) -> Slots:
    """Return the second search for the one doctor of a catalogue entry, as the first search brought it."""
    doctor = (offered.fulfillments or [Fulfillment()])[0]
    agent = Agent(id=doctor.agent.id, name=doctor.agent.name) if doctor.agent else None
    asked = Fulfillment(type=doctor.type, agent=agent, start=when(window.start), end=when(window.end))
    echoed = Provider(id=offered.id, categories=offered.categories, fulfillments=[asked], items=offered.items)
    return Slots(intent=Intent(provider=echoed, fulfillment=asked, item=_ITEM))


def read_slots(intent: Intent, *, now: datetime) -> SlotsQuery | None:
    """Return what a second search asks; None when it names no doctor or is for something else.

    The window stands in the intent's fulfilment or only in the echoed one. It never starts before `now`, is cut to 14
    days, and is the next 14 days where none is given.
    """
    echoed = (intent.provider.fulfillments or []) if intent.provider else []
    asked = next((one for one in (intent.fulfillment, *echoed) if one and one.agent and one.agent.id), None)
    if asked is None or asked.agent is None or not asked.agent.id or not _is_consultation(intent.item):
        return None
    window = read_window(asked) or Window(now, now + LONGEST_WINDOW)
    start = max(window.start, now)
    return SlotsQuery(
        doctor_id=asked.agent.id,
        facility_id=(intent.provider.id if intent.provider else None) or "",
        fulfilment=asked.kind or PHYSICAL,
        window=Window(start, min(window.end, start + LONGEST_WINDOW)),
    )


def _texts(query: DoctorQuery) -> Iterator[str]:
    yield from (query.doctor, query.hpr, query.speciality, query.facility, query.pincode)
    for place in (query.city, query.district, query.state):
        yield from (place.name or "", place.code or "") if place else ()


def _category(speciality: str) -> Category | None:
    # Codes are upper case by the catalogue's rule; a name spelled by a person is told as it was typed.
    code = speciality.strip().upper().replace(" ", "_")
    return Category(descriptor=Descriptor(code=code, name=speciality)) if speciality else None


def read_window(fulfillment: Fulfillment) -> Window | None:
    """Return the time of a fulfilment; None unless it has a start before its end."""
    start = fulfillment.start.at if fulfillment.start else None
    end = fulfillment.end.at if fulfillment.end else None
    return Window(start, end) if start and end and start < end else None


def write_point(point: Point) -> str:
    """Return a position as `lat,long`, to some ten centimetres."""
    return f"{point.latitude:.6f},{point.longitude:.6f}"


def _location(query: DoctorQuery) -> Location:
    near = query.near
    return Location(
        city=query.city,
        district=query.district,
        state=query.state,
        gps=write_point(near.centre) if near else None,
        radius=Radius(type="CONSTANT", value=f"{near.kilometres:g}", unit="km") if near else None,
    )


def _is_consultation(item: Item | None) -> bool:
    code = item.descriptor.code if item and item.descriptor else None
    return not code or code.casefold() == _ITEM_CODE
