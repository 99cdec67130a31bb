"""What a hospital is made of, read from a YAML file: facilities, doctors, hours, prices.

Every mistake is a SetupError that names file, line and place. Above: `hospital`; below: `fields`. The files in `demo/`
show the form.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from importlib import resources
from pathlib import Path

from participants.demo_hospital.fields import (
    Fields,
    read_code,
    read_experience,
    read_fulfilments,
    read_gender,
    read_helpline,
    read_holidays,
    read_hours,
    read_id,
    read_list,
    read_part_of_day,
    read_pincode,
    read_place,
    read_point,
    read_rupees,
    read_whole,
    read_yes,
    refuse_repeats,
    text,
)
from participants.demo_hospital.schedule import Schedule
from participants.hospital.schedules.hours import WEEKDAYS
from uhi.booking.hospital import Doctor, Facility, Speciality
from uhi.booking.quotes import Quote, consultation_quote
from uhi.errors import SetupError
from uhi.registry.yaml_nodes import Field, read_file

DEMOS = ("city-hospital", "lakeside-clinic")
HORIZON = timedelta(days=30)

_FACILITY = ("id", "name", "doctors")
_FACILITY_MAY = (
    *("short_desc", "long_desc", "address", "pincode", "gps", "city", "district", "state"),
    *("hfr_id", "hip_id", "helpline_number", "holidays"),
)
_DOCTOR = ("id", "name", "speciality", "fee", "slot_minutes", "hours")
_DOCTOR_MAY = (
    *("hpr_id", "gender", "education", "experience", "languages", "fulfilments"),
    *("registration_fee", "taxed", "breaks", "holidays", "registration_number", "council"),
)


@dataclass(frozen=True, slots=True)
class Practice:
    """A doctor at one facility: when there are consultations, and what one costs."""

    doctor: Doctor
    schedule: Schedule
    quote: Quote

    @property
    def ref(self) -> str:
        """Sixteen hex digits that name facility and doctor inside the ids of slots, the same in every process."""
        named = f"{self.doctor.facility.id} {self.doctor.id}"
        return blake2b(named.encode(), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class HospitalData:
    """A hospital: the name over its catalogues, who practises where, and how far ahead one can book."""

    name: str
    practices: tuple[Practice, ...]
    horizon: timedelta = HORIZON


def load_hospital(path: Path) -> HospitalData:
    """Return the hospital that a file describes.

    Raises: SetupError naming file, line and place of the first mistake.
    """
    fields = read_file(path).fields(required=("name", "facilities"), optional=("horizon_days",))
    facilities = [entry.fields(required=_FACILITY, optional=_FACILITY_MAY) for entry in read_list(fields["facilities"])]
    refuse_repeats(facility["id"] for facility in facilities)
    return HospitalData(
        name=fields["name"].text(),
        practices=tuple(practice for facility in facilities for practice in _practices(facility)),
        horizon=_days(fields["horizon_days"]) if "horizon_days" in fields else HORIZON,
    )


def demo_hospital(name: str) -> HospitalData:
    """Return one of the hospitals that ship with the package, `city-hospital` or `lakeside-clinic`.

    Raises: SetupError when there is no such one.
    """
    if name not in DEMOS:
        raise SetupError("there is no such demo hospital", got=ascii(name)[:60], expected=" or ".join(DEMOS))
    with resources.as_file(resources.files("participants.demo_hospital") / "demo" / f"{name}.yaml") as path:
        return load_hospital(path)


def _practices(facility: Fields) -> Iterator[Practice]:
    place, holidays = _facility(facility), read_holidays(facility)
    doctors = [entry.fields(required=_DOCTOR, optional=_DOCTOR_MAY) for entry in read_list(facility["doctors"])]
    refuse_repeats(doctor["id"] for doctor in doctors)
    for doctor in doctors:
        yield _practice(doctor, place, holidays)


def _facility(fields: Fields) -> Facility:
    return Facility(
        id=read_id(fields["id"]),
        name=fields["name"].text(),
        short_desc=text(fields, "short_desc"),
        long_desc=text(fields, "long_desc"),
        address=text(fields, "address"),
        pincode=read_pincode(fields),
        point=read_point(fields),
        city=read_place(fields, "city"),
        district=read_place(fields, "district"),
        state=read_place(fields, "state"),
        hfr_id=text(fields, "hfr_id"),
        hip_id=text(fields, "hip_id"),
        helpline_number=read_helpline(fields),
    )


def _practice(fields: Fields, facility: Facility, holidays: frozenset[str]) -> Practice:
    quote = consultation_quote(
        read_rupees(fields, "fee"),
        registration=read_rupees(fields, "registration_fee"),
        taxed=read_yes(fields, "taxed"),
    )
    doctor = Doctor(
        id=read_id(fields["id"]),
        name=fields["name"].text(),
        facility=facility,
        price=quote.total,
        speciality=_speciality(fields["speciality"]),
        gender=read_gender(fields),
        hpr_id=text(fields, "hpr_id"),
        education=text(fields, "education"),
        experience=read_experience(fields),
        registration_number=text(fields, "registration_number"),
        council=text(fields, "council"),
        languages=text(fields, "languages"),
        fulfilments=read_fulfilments(fields),
    )
    return Practice(doctor, _schedule(fields, holidays), quote)


def _speciality(field: Field) -> Speciality:
    fields = field.fields(required=("code", "name"), optional=("system",))
    code, name = read_code(fields["code"]), fields["name"].text()
    if "system" not in fields:
        return Speciality(code, name)
    system = fields["system"].fields(required=("code", "name"), optional=())
    return Speciality(code, name, read_code(system["code"]), system["name"].text())


def _schedule(fields: Fields, holidays: frozenset[str]) -> Schedule:
    week = fields["hours"].fields(required=(), optional=WEEKDAYS)
    schedule = Schedule(
        hours=tuple(read_hours(week[day]) if day in week else () for day in WEEKDAYS),
        slot_minutes=read_whole(fields["slot_minutes"], least=5, most=240),
        breaks=tuple(read_part_of_day(entry) for entry in fields["breaks"].entries("")) if "breaks" in fields else (),
        holidays=holidays | read_holidays(fields),
    )
    if not schedule.has_slots:
        fields["hours"].fail("no slot fits into these hours", expected=f"{schedule.slot_minutes} minutes or more")
    return schedule


def _days(field: Field) -> timedelta:
    return timedelta(days=read_whole(field, least=1, most=365))
