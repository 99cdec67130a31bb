"""Two doctors of a village hospital, and the Monday morning on which its clock stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from participants.demo_hospital.data import Practice
from participants.demo_hospital.schedule import Schedule
from participants.hospital.schedules.hours import read_span
from uhi.booking.hospital import Doctor, Facility, Patient, Speciality
from uhi.booking.quotes import consultation_quote
from uhi.messages.values import IST, ONLINE, PHYSICAL, Address

MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=IST)
ASHA = Doctor(
    id="asha.verma@hpr.ndhm",
    name="Dr. Asha Verma",
    facility=Facility(id="north", name="City Hospital North"),
    price=Decimal("500.00"),
    speciality=Speciality("CARDIOLOGY", "Cardiology"),
)
RAVI = replace(
    ASHA,
    id="ravi.nair@hpr.ndhm",
    name="Dr. Ravi Nair",
    fulfilments=(PHYSICAL, ONLINE),
    registration_number="MMC/EXAMPLE/0301",
    council="Maharashtra Medical Council",
)


def practice(doctor: Doctor, hours: str, *, minutes: int = 30) -> Practice:
    """Every day the same hours."""
    schedule = Schedule(hours=((read_span(hours),),) * 7, slot_minutes=minutes)
    return Practice(doctor, schedule, consultation_quote(doctor.price))


def person(number: int = 1) -> Patient:
    """Somebody who can be booked for."""
    address = Address(street="1 Example Road", city="Pune", state="Maharashtra", area_code="411005")
    return Patient(id=f"someone.{number}@abdm", name="Someone", phone="9000000000", address=address)
