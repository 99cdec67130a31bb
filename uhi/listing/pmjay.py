"""PM-JAY hospitals: which hospitals are empanelled, asked and answered.

Pure. What NHA's software writes as numbers is written so here: codes of specialities, telephone numbers, the
pincode of a search. Source: NHA's PM-JAY HEM document.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from uhi.booking.found import read_facility
from uhi.booking.hospital import Facility
from uhi.booking.matching import words_fit
from uhi.listing.areas import ANYWHERE, Area, Reached, read_area, read_contact, write_area, write_location
from uhi.listing.subjects import Subject, code_of, write_intent
from uhi.messages import Intent, OnSearch
from uhi.messages.values import Address, Category, Contact, Descriptor, Fulfillment, Provider, Time, When, tag

DOMAIN = "nic2004:85112"
SUBJECT = Subject(DOMAIN, ("PMJAYHEM",), ("PMJAY",))
ESTABLISHED, EMPANELLED = "Establishment Date", "Empaneled Date"
_NODAL_OFFICER = "nodalOfficerNumber"


@dataclass(frozen=True, slots=True)
class Care:
    """A speciality, with the number it has in PM-JAY."""

    code: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EmpanelledHospital:
    """A hospital of the scheme. `kind` is G or P; `established` a year, `empanelled` a day, as they are told.

    Telephone numbers are digits alone.
    """

    facility: Facility
    phone: str
    kind: str
    cares: tuple[Care, ...]
    established: str
    empanelled: str
    nodal_officer: str
    contact: str = ""
    email: str = ""
    symbol: str = "Hospital"
    is_nabh: bool = False


@dataclass(frozen=True, slots=True)
class HospitalQuery:
    """Which hospitals: a speciality by number or name, an area, a part of the name (in the area)."""

    speciality: str = ""
    speciality_name: str = ""
    area: Area = ANYWHERE

    def wants(self, hospital: EmpanelledHospital) -> bool:
        """Whether the speciality asked for is there: the number decides, and the name where there is none."""
        if self.speciality:
            return any(str(care.code) == self.speciality for care in hospital.cares)
        name = self.speciality_name
        return not name or any(words_fit(name, care.name) for care in hospital.cares)


@dataclass(frozen=True, slots=True)
class FoundHospital:
    """A hospital of an answer; show the number of its nodal officer, and that details may change."""

    facility: Facility
    reached: Reached
    nodal_officer: str
    kind: str
    cares: tuple[str, ...]
    established: str
    empanelled: str


def write_search(query: HospitalQuery, *, now: datetime) -> Intent:
    """Return the search for hospitals, with numbers where the scheme has numbers."""
    about = None
    if query.speciality or query.speciality_name:
        about = Descriptor.model_validate({"name": query.speciality_name or None, "code": _number(query.speciality)})
    item = Descriptor(code="PMJAY", name="PMJAY", flag=False)
    intent = write_area(write_intent(SUBJECT.types[0], now=now, item=item, about=about), query.area)
    if not query.area.pincode:
        return intent
    return intent.model_copy(update={"address": Address.model_validate({"area_code": _number(query.area.pincode)})})


def read_query(intent: Intent) -> HospitalQuery | None:
    """Return what a search asks; None when it can fit nobody."""
    area, about = read_area(intent), intent.category.descriptor if intent.category else None
    return HospitalQuery(code_of(about), (about.name if about else None) or "", area) if area else None


def write_hospital(hospital: EmpanelledHospital) -> Provider:
    """Return a hospital as it is listed."""
    facility = hospital.facility
    described = Descriptor(
        name=facility.name,
        code=hospital.kind,
        short_desc=facility.short_desc or None,
        long_desc=facility.long_desc or None,
        symbol=hospital.symbol or None,
        flag=hospital.is_nabh,
    )
    dates = ((ESTABLISHED, hospital.established), (EMPANELLED, hospital.empanelled))
    return Provider(
        id=facility.id,
        descriptor=described,
        categories=[_category(str(at), care) for at, care in enumerate(hospital.cares, start=1)],
        fulfillments=[
            Fulfillment(id=str(at), type=kind, start=When(time=Time(timestamp=told)))
            for at, (kind, told) in enumerate(dates, start=1)
        ],
        location=write_location(facility),
        contact=_contact(hospital),
    )


def read_hospitals(answer: OnSearch) -> Iterator[FoundHospital]:
    """Yield the hospitals of an answer that have an id, numbers read as text."""
    for provider in answer.catalog.readable:
        facility = read_facility(provider)
        if facility is None:
            continue
        dates = {one.type: one.start.time for one in provider.fulfillments or () if one.start}
        contact, described = provider.contact, provider.descriptor
        yield FoundHospital(
            facility=facility,
            reached=read_contact(contact),
            nodal_officer=tag(contact.tags if contact else None, _NODAL_OFFICER) or "",
            kind=code_of(described),
            cares=tuple(
                one.descriptor.name for one in provider.categories or () if one.descriptor and one.descriptor.name
            ),
            established=_told(dates.get(ESTABLISHED)),
            empanelled=_told(dates.get(EMPANELLED)),
        )


def _category(place: str, care: Care) -> Category:
    return Category(id=place, descriptor=Descriptor.model_validate({"name": care.name, "code": care.code}))


def _contact(hospital: EmpanelledHospital) -> Contact:
    numbers = {"contact": _number(hospital.contact), _NODAL_OFFICER: _number(hospital.nodal_officer)}
    tags = {name: number for name, number in numbers.items() if number is not None}
    told = {"phone": _number(hospital.phone), "email": hospital.email or None, "tags": tags or None}
    return Contact.model_validate(told)


def _number(digits: str) -> int | str | None:
    # A number cannot hold the zero in front.
    is_number = digits.isascii() and digits.isdigit() and not digits.startswith("0")
    return (int(digits) if is_number else digits) or None


def _told(time: Time | None) -> str:
    return (time.timestamp if time else None) or ""
