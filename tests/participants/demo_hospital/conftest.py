"""A small hospital with two facilities, one doctor who practises at both, and a clock that stands still."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from participants.demo_hospital.data import HospitalData
from participants.demo_hospital.hospital import DemoHospital
from tests.participants.demo_hospital.village import ASHA, MONDAY, RAVI, person, practice
from uhi.booking.hospital import Facility, Patient
from uhi.testing import FakeClock


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
    return person()
