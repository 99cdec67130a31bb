"""A small hospital with two facilities, one doctor who practises at both, and a clock that stands at a Monday morning."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from participants.hospital.data import HospitalData, Practice
from participants.hospital.hospital import DemoHospital
from participants.hospital.schedule import Schedule, read_span
from uhi.booking.hospital import Doctor, Facility, Patient, Speciality
from uhi.booking.quotes import consultation_quote
from uhi.messages.values import IST, ONLINE, PHYSICAL, Address
from uhi.testing import FakeClock

MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=IST)
ASHA = Doctor(
    id="asha.verma@hpr.ndhm",
    name="Dr. Asha Verma",
    facility=Facility(id="north", name="City Hospital North"),
    price=Decimal("500.00"),
    speciality=Speciality("CARDIOLOGY", "Cardiology"),
)
RAVI = replace(ASHA, id="ravi.nair@hpr.ndhm", name="Dr. Ravi Nair", fulfilments=(PHYSICAL, ONLINE))


def practice(doctor: Doctor, hours: str, *, minutes: int = 30) -> Practice:
    """Every day the same hours."""
    schedule = Schedule(hours=((read_span(hours),),) * 7, slot_minutes=minutes)
    return Practice(doctor, schedule, consultation_quote(doctor.price))


@pytest.fixture
def data() -> HospitalData:
    """Asha sees patients in the north from 10:00 and in the south from 10:15; Ravi in the north, and by video."""
    asha_in_the_south = replace(ASHA, facility=Facility(id="south", name="City Hospital South"))
    return HospitalData(
        "City Hospital",
        (
            practice(ASHA, "10:00-12:00"),
            practice(asha_in_the_south, "10:15-11:45"),
            practice(RAVI, "10:00-11:00"),
        ),
        horizon=timedelta(days=30),
    )


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(MONDAY.timestamp(), jumps=False)


@pytest.fixture
def hospital(data, clock) -> DemoHospital:
    return DemoHospital(data, clock=clock)


@pytest.fixture
def patient() -> Patient:
    return Patient(id="someone@abdm", name="Someone", phone="9000000000", address=Address())
