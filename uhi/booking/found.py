"""What a consumer finds: doctors and slots, read from the catalogues of others.

Pure and lenient: an entry that lacks what a booking needs is left out, the others stay. Above: `uhi.booking.consumer`.
Source: NHA Physical Consultation v2.0, on_search first and second.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from uhi.booking.hospital import Doctor, Facility, Slot, Speciality
from uhi.booking.intents import read_window
from uhi.booking.online_tags import read_others, read_registration
from uhi.booking.quotes import Quote
from uhi.messages import Catalog
from uhi.messages.tags import EDUCATION, EXPERIENCE, LANGUAGES
from uhi.messages.values import PHYSICAL, Agent, Category, Fulfillment, Item, Provider, tag
from uhi.verified import Thread


@dataclass(frozen=True, slots=True)
class FoundDoctor:
    """A doctor of a first search, and what it takes to ask for the slots.

    `thread` names the provider. `late` tells that the answer came after the search had stopped waiting.
    """

    doctor: Doctor
    thread: Thread
    offered: Provider = field(repr=False)
    late: bool = False


@dataclass(frozen=True, slots=True)
class FoundSlot:
    """A free slot of a second search, and what it takes to hold it."""

    slot: Slot
    thread: Thread
    item: Item = field(repr=False)


def read_doctors(catalog: Catalog, thread: Thread, *, late: bool = False) -> Iterator[FoundDoctor]:
    """Yield each doctor of a catalogue once per facility and kind of fulfilment."""
    seen: set[tuple[str, str, str]] = set()
    for provider in catalog.readable:
        for fulfillment in provider.fulfillments or ():
            entry = _entry(provider, fulfillment)
            if entry is None:
                continue
            doctor, item = entry
            key = (doctor.facility.id, doctor.id, fulfillment.kind or PHYSICAL)
            if key not in seen:
                seen.add(key)
                seen_in = replace(doctor, available=read_window(fulfillment))
                yield FoundDoctor(seen_in, thread, _narrowed(provider, fulfillment, item), late)


def read_slots(catalog: Catalog, thread: Thread) -> Iterator[FoundSlot]:
    """Yield each slot of a catalogue that has an id, a start before its end, and a price."""
    for provider in catalog.readable:
        for fulfillment in provider.fulfillments or ():
            entry, window = _entry(provider, fulfillment), read_window(fulfillment)
            if entry is None or window is None or not fulfillment.id:
                continue
            doctor, item = entry
            slot = Slot(
                id=fulfillment.id,
                doctor=doctor,
                start=window.start,
                end=window.end,
                quote=Quote(doctor.price),
                fulfilment=fulfillment.kind or PHYSICAL,
                others=read_others(fulfillment.agent, doctor),
            )
            yield FoundSlot(slot, thread, item)


def read_doctor(agent: Agent, facility: Facility, item: Item) -> Doctor | None:
    """Return the doctor of an agent whose consultation costs what the item says; None without id or price."""
    if not agent.id or item.price is None:
        return None
    number, council = read_registration(agent.tags)
    return Doctor(
        id=agent.id,
        name=agent.name or agent.id,
        facility=replace(facility, hfr_id=agent.hfr_id or "", hip_id=agent.hip_id or ""),
        price=item.price.amount,
        gender=agent.gender or "",
        hpr_id=agent.hpr_id or "",
        education=tag(agent.tags, EDUCATION) or "",
        experience=tag(agent.tags, EXPERIENCE) or "",
        languages=tag(agent.tags, LANGUAGES) or "",
        registration_number=number,
        council=council,
    )


def read_facility(provider: Provider) -> Facility | None:
    """Return the facility of a catalogue entry or an order; None without an id."""
    if not provider.id:
        return None
    described, location = provider.descriptor, provider.location
    return Facility(
        id=provider.id,
        name=(described.name if described else None) or provider.id,
        short_desc=(described.short_desc if described else None) or "",
        long_desc=(described.long_desc if described else None) or "",
        address=(location.address if location else None) or "",
        point=location.point if location else None,
        city=location.city if location else None,
        district=location.district if location else None,
        state=location.state if location else None,
    )


def _entry(provider: Provider, fulfillment: Fulfillment) -> tuple[Doctor, Item] | None:
    facility, item = read_facility(provider), provider.item_for(fulfillment.id)
    if facility is None or item is None or fulfillment.agent is None:
        return None
    doctor = read_doctor(fulfillment.agent, facility, item)
    if doctor is None:
        return None
    speciality = _speciality(provider.categories or [], item.category_id)
    kind = fulfillment.kind or PHYSICAL
    return replace(doctor, speciality=speciality, fulfilments=(kind,)), item


def _speciality(categories: list[Category], wanted: str | None) -> Speciality | None:
    # Items often name no category; a facility with one speciality then has a child and its parent in the list.
    children = [one for one in categories if one.parent_category_id]
    only = children[0] if len(children) == 1 else None
    chosen = next((one for one in categories if wanted and one.id == wanted), only)
    if chosen is None or chosen.descriptor is None:
        return None
    code, name = chosen.descriptor.code, chosen.descriptor.name
    parent = next(
        (one.descriptor for one in categories if one.id == chosen.parent_category_id and one.descriptor), None
    )
    return Speciality(
        code=code or name or "",
        name=name or code or "",
        system_code=(parent.code if parent else None) or "",
        system_name=(parent.name if parent else None) or "",
    )


def _narrowed(provider: Provider, fulfillment: Fulfillment, item: Item) -> Provider:
    wanted = [one for one in provider.categories or [] if one.id == item.category_id]
    return Provider(
        id=provider.id,
        categories=wanted or provider.categories,
        fulfillments=[fulfillment],
        items=[item],
    )
