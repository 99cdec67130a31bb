"""Reads everything that can be booked out of the rows: seven questions, however many doctors there are.

Above: `directory`; below: `shelf`, `tree`, the library's quotes.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from sqlalchemy import Connection, func, select

from participants.hospital.organisations.head_rows import version_of
from participants.hospital.organisations.records import (
    Consultation,
    Location,
    Organisation,
    PracticeRecord,
    Practitioner,
    SpecialityRecord,
)
from participants.hospital.organisations.shelf import (
    CONSULTATIONS,
    LOCATIONS,
    ORGANISATIONS,
    PRACTICES,
    PRACTITIONERS,
    SPECIALITIES,
)
from participants.hospital.organisations.snapshot import Practice, Site, Snapshot
from participants.hospital.organisations.states import VERIFIED
from participants.hospital.organisations.tables import photo
from participants.hospital.organisations.tree import as_booked, tree_with
from uhi.booking.hospital import Doctor, Facility
from uhi.booking.quotes import Quote, consultation_quote
from uhi.messages.values import ONLINE, PHYSICAL, Place
from uhi.messages.values import Location as WirePlace

MOST_PICTURE = 8 * 1_024
"""The largest picture in bytes that goes into a catalogue, which has to hold those of all doctors in 4 MiB."""

_KINDS = (PHYSICAL, ONLINE)


@dataclass(frozen=True, slots=True)
class _Rows:
    organisations: Mapping[str, Organisation]
    locations: Mapping[str, Location]
    practitioners: Mapping[str, Practitioner]
    tree: Mapping[str, SpecialityRecord]
    pictures: Mapping[str, str]
    sites: dict[str, Site] = field(default_factory=dict)


def read_snapshot(connection: Connection) -> Snapshot:
    """Everything that can be booked. Where something changes meanwhile it has the version before, and is read again."""
    version = version_of(connection)
    rows = _Rows(
        organisations={each.id: each for each in ORGANISATIONS.all(connection)},
        locations={each.id: each for each in LOCATIONS.all(connection)},
        practitioners={each.id: each for each in PRACTITIONERS.all(connection)},
        tree=tree_with(SPECIALITIES.all(connection)),
        pictures=_pictures(connection),
    )
    rows.sites.update(_sites(rows))
    offers = _by_practice(CONSULTATIONS.all(connection, CONSULTATIONS.table.c.is_active))
    practices = {
        each.id: each
        for record in PRACTICES.all(connection, PRACTICES.table.c.is_active)
        for each in _practice(record, offers.get(record.id, []), rows)
    }
    return Snapshot(
        version=version,
        practices=practices,
        by_doctor=_by_doctor(practices.values()),
        locations={each: rows.sites[each].facility for each in rows.locations if _is_open(each, rows)},
        sites=rows.sites,
        practitioner_ids={each.hpr_address: each.id for each in rows.practitioners.values()},
    )


def facility_of(location: Location, organisation: Organisation) -> Facility:
    """A location as patients are shown it."""
    return Facility(
        id=location.id,
        name=location.name,
        short_desc=location.short_desc,
        long_desc=location.long_desc,
        address=location.address,
        pincode=location.pincode,
        point=WirePlace(gps=location.gps).point,
        city=_place(location.city_name, location.city_code),
        district=_place(location.district_name, location.district_code),
        state=_place(location.state_name, location.state_code),
        hfr_id=location.hfr_id or organisation.hfr_id,
        hip_id=organisation.hip_id,
        helpline_number=location.helpline,
    )


def quote_of(offer: Consultation) -> Quote:
    """What a consultation costs."""
    return consultation_quote(
        Decimal(offer.fee_paise).scaleb(-2),
        registration=Decimal(offer.registration_paise).scaleb(-2),
        taxed=offer.is_taxed,
    )


def _practice(record: PracticeRecord, offers: list[Consultation], rows: _Rows) -> Iterator[Practice]:
    """The practice, if it can be booked."""
    practitioner = rows.practitioners.get(record.practitioner_id)
    if practitioner is None or not practitioner.is_active or not _is_open(record.location_id, rows):
        return
    bookable = [each for each in offers if each.kind == PHYSICAL or _may_all(each, practitioner, rows)]
    if not bookable:
        return
    bookable.sort(key=lambda each: _KINDS.index(each.kind))
    quotes = {each.kind: quote_of(each) for each in bookable}
    facility = rows.sites[record.location_id].facility
    price = min(quote.total for quote in quotes.values())
    yield Practice(
        id=record.id,
        organisation_id=record.organisation_id,
        practitioner_id=record.practitioner_id,
        location_id=record.location_id,
        department_id=record.department_id,
        doctor=_doctor(practitioner, facility, record.speciality_id, rows, _Shown(quotes, price)),
        services={each.kind: each.id for each in bookable},
        quotes=quotes,
        groups={each.kind: group for each in bookable if (group := _group(each, facility, rows, quotes))},
    )


@dataclass(frozen=True, slots=True)
class _Shown:
    """What somebody offers, by kind, and the price they are shown with."""

    by_kind: Mapping[str, Quote]
    price: Decimal


def _doctor(practitioner: Practitioner, facility: Facility, speciality_id: str, rows: _Rows, shown: _Shown) -> Doctor:
    return Doctor(
        id=practitioner.hpr_address,
        name=practitioner.name,
        facility=facility,
        price=shown.price,
        speciality=as_booked(speciality_id, rows.tree),
        gender=practitioner.gender,
        hpr_id=practitioner.hpr_id,
        education=practitioner.education,
        experience=practitioner.experience,
        languages=practitioner.languages,
        registration_number=practitioner.registration_number,
        council=practitioner.council,
        image=rows.pictures.get(practitioner.id, ""),
        fulfilments=tuple(shown.by_kind),
    )


def _group(offer: Consultation, facility: Facility, rows: _Rows, quotes: Mapping[str, Quote]) -> tuple[Doctor, ...]:
    """Those who take part besides; what they cost is in the price already."""
    quoted = _Shown({offer.kind: quotes[offer.kind]}, quotes[offer.kind].total)
    found = (rows.practitioners.get(each) for each in offer.group)
    return tuple(_doctor(each, facility, "", rows, quoted) for each in found if each is not None and each.is_active)


def _may_all(offer: Consultation, practitioner: Practitioner, rows: _Rows) -> bool:
    found = (rows.practitioners.get(each) for each in offer.group)
    return practitioner.may_consult_online and all(
        each is not None and each.is_active and each.may_consult_online for each in found
    )


def _is_open(location_id: str, rows: _Rows) -> bool:
    location = rows.locations.get(location_id)
    owner = rows.organisations.get(location.organisation_id) if location is not None else None
    return location is not None and location.is_active and owner is not None and owner.state == VERIFIED


def _sites(rows: _Rows) -> Iterator[tuple[str, Site]]:
    for location in rows.locations.values():
        owner = rows.organisations.get(location.organisation_id)
        if owner is not None:
            yield location.id, Site(organisation_id=owner.id, facility=facility_of(location, owner))


def _by_practice(offers: Iterable[Consultation]) -> dict[str, list[Consultation]]:
    found: dict[str, list[Consultation]] = {}
    for offer in offers:
        found.setdefault(offer.practice_id, []).append(offer)
    return found


def _by_doctor(practices: Iterable[Practice]) -> dict[str, tuple[Practice, ...]]:
    found: dict[str, list[Practice]] = {}
    for practice in practices:
        found.setdefault(practice.doctor.id, []).append(practice)
    return {hpr_address: tuple(each) for hpr_address, each in found.items()}


def _pictures(connection: Connection) -> dict[str, str]:
    query = select(photo.c.practitioner_id, photo.c.data).where(func.length(photo.c.data) <= MOST_PICTURE)
    return {row.practitioner_id: base64.b64encode(row.data).decode() for row in connection.execute(query)}


def _place(name: str, code: str) -> Place | None:
    given = {"name": name, "code": code}
    return Place(**{each: value for each, value in given.items() if value}) if name or code else None
