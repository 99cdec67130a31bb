"""Catalogues of doctors and of slots, written by a provider from its own values.

Pure; `uhi.booking.found` reads them back. Source: NHA Physical Consultation v2.0, on_search first and second.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from uhi.booking.hospital import Doctor, Facility, Slot, Window
from uhi.booking.intents import write_point
from uhi.booking.online_tags import write_online_tags
from uhi.messages import Catalog
from uhi.messages.tags import EDUCATION, EXPERIENCE, HFR_ID, HIP_ID, HPR_ID, LANGUAGES
from uhi.messages.values import (
    ONLINE,
    Agent,
    Category,
    Descriptor,
    Fulfillment,
    Item,
    Location,
    Provider,
    Tags,
    rupees,
    when,
    write_tags,
)

ITEM_CODE = "CONSULTATION"
ITEM_NAME = "Consultation"


def write_doctors(name: str, doctors: Sequence[Doctor], *, fulfilment: str, window: Window) -> Catalog:
    """Return the answer to a first search: one entry per facility, one fulfilment and one item per doctor.

    `window` is the time searched for, told for a doctor of whom no times are known. Without doctors the list is empty.
    """
    return Catalog(
        descriptor=Descriptor(name=name),
        providers=[_facility_of_doctors(found, fulfilment, window) for found in _by_facility(doctors)],
    )


def write_slots(name: str, slots: Sequence[Slot]) -> Catalog:
    """Return the answer to a second search: one fulfilment and one item per free slot, joined by the slot's id."""
    by_facility: dict[str, list[Slot]] = {}
    for slot in slots:
        by_facility.setdefault(slot.doctor.facility.id, []).append(slot)
    return Catalog(
        descriptor=Descriptor(name=name), providers=[_facility_of_slots(found) for found in by_facility.values()]
    )


def write_agent(doctor: Doctor) -> Agent:
    """Return a doctor as agent, with every tag that is known."""
    return Agent(id=doctor.id, name=doctor.name, gender=doctor.gender or None, tags=_doctor_tags(doctor))


def write_item(slot: Slot) -> Item:
    """Return what is ordered with a slot: the consultation at its price, named after the slot."""
    return _item(slot.id, slot.price, slot.doctor)


def write_slot(slot: Slot, tags: Tags | None = None) -> Fulfillment:
    """Return a slot as fulfilment."""
    return Fulfillment(
        id=slot.id,
        type=slot.fulfilment,
        agent=_agent(slot.doctor, slot.fulfilment, slot.others),
        start=when(slot.start),
        end=when(slot.end),
        tags=tags,
    )


def write_facility(facility: Facility, doctors: Iterable[Doctor]) -> Provider:
    """Return a facility with its place and the specialities of these doctors, without fulfilments and items."""
    return Provider(
        id=facility.id,
        descriptor=Descriptor(
            name=facility.name, short_desc=facility.short_desc or None, long_desc=facility.long_desc or None
        ),
        categories=_categories(doctors),
        location=_location(facility),
    )


def _facility_of_doctors(doctors: Sequence[Doctor], fulfilment: str, window: Window) -> Provider:
    entries = list(enumerate(doctors))
    return write_facility(doctors[0].facility, doctors).model_copy(
        update={
            "fulfillments": [_doctor_entry(str(n), doctor, fulfilment, window) for n, doctor in entries],
            "items": [_item(str(n), doctor.price, doctor) for n, doctor in entries],
        }
    )


def _facility_of_slots(slots: Sequence[Slot]) -> Provider:
    return write_facility(slots[0].doctor.facility, [slot.doctor for slot in slots]).model_copy(
        update={"fulfillments": [write_slot(slot) for slot in slots], "items": [write_item(slot) for slot in slots]}
    )


def _by_facility(doctors: Sequence[Doctor]) -> Iterator[list[Doctor]]:
    found: dict[str, list[Doctor]] = {}
    for doctor in doctors:
        found.setdefault(doctor.facility.id, []).append(doctor)
    yield from found.values()


def _doctor_entry(entry_id: str, doctor: Doctor, fulfilment: str, window: Window) -> Fulfillment:
    told = doctor.available or window
    return Fulfillment(
        id=entry_id, type=fulfilment, agent=_agent(doctor, fulfilment), start=when(told.start), end=when(told.end)
    )


def _agent(doctor: Doctor, fulfilment: str, others: Sequence[Doctor] = ()) -> Agent:
    agent = write_agent(doctor)
    if fulfilment != ONLINE:
        return agent
    return agent.model_copy(update={"tags": {**(agent.tags or {}), **write_online_tags(doctor, others)}})


def _item(entry_id: str, price: Decimal, doctor: Doctor) -> Item:
    return Item(
        id=entry_id,
        descriptor=Descriptor(name=ITEM_NAME, code=ITEM_CODE),
        price=rupees(price),
        category_id=doctor.speciality.code if doctor.speciality else None,
        fulfillment_id=entry_id,
    )


def _categories(doctors: Iterable[Doctor]) -> list[Category] | None:
    found: dict[str, Category] = {}
    for speciality in (doctor.speciality for doctor in doctors if doctor.speciality):
        system, code = speciality.system_code, speciality.code
        found[code] = Category(
            id=code, parent_category_id=system, descriptor=Descriptor(name=speciality.name, code=code)
        )
        found[system] = Category(id=system, descriptor=Descriptor(name=speciality.system_name, code=system))
    return list(found.values()) or None


def _location(facility: Facility) -> Location:
    return Location(
        id=facility.id,
        gps=write_point(facility.point) if facility.point else None,
        address=facility.address or None,
        city=facility.city,
        district=facility.district,
        state=facility.state,
    )


def _doctor_tags(doctor: Doctor) -> Tags:
    facility = doctor.facility
    values = {
        EXPERIENCE: doctor.experience,
        LANGUAGES: doctor.languages,
        EDUCATION: doctor.education,
        HPR_ID: doctor.hpr_id,
        HFR_ID: facility.hfr_id,
        HIP_ID: facility.hip_id,
    }
    return write_tags({name: value or None for name, value in values.items()})
