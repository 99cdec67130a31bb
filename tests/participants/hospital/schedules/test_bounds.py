"""What a search costs grows with what it finds, and not with how far ahead one can book."""

from __future__ import annotations

import shutil
from collections import Counter
from datetime import timedelta

import pytest

from participants.hospital.schedules import boards
from participants.hospital.schedules.derive import Timetable
from tests.participants.hospital.schedules.clinic import MONDAY, Clinic
from tests.participants.hospital.schedules.crowd import gather
from uhi.booking.hospital import DoctorQuery, Window

DOCTORS = 12


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many days are derived, how many claims and timetables read."""
    seen: Counter[str] = Counter()
    planned, claims_within = Timetable.planned, boards.claims_within

    def planning(self, day, kind):
        seen["days"] += 1
        return planned(self, day, kind)

    def reading(connection, **asked):
        found = claims_within(connection, **asked)
        seen["claims"] += len(found)
        seen["readings"] += 1
        return found

    monkeypatch.setattr(Timetable, "planned", planning)
    monkeypatch.setattr(boards, "claims_within", reading)
    return seen


async def searched(url: str, counted: Counter[str], *, days: int) -> list[Counter[str]]:
    """What both searches cost in a hospital that is booked for so many days."""
    async with Clinic.open(url) as clinic:
        people = await gather(clinic, doctors=DOCTORS, days=days)
        window = Window(MONDAY, MONDAY + timedelta(days=days))
        assert len(await clinic.hospital.find_doctors(DoctorQuery(window=window))) == DOCTORS
        first = Counter(counted)
        counted.clear()
        assert await clinic.hospital.find_slots(people[0].id, window=Window(MONDAY, MONDAY + timedelta(days=2)))
        second = Counter(counted)
        counted.clear()
        return [first, second]


async def test_a_search_costs_the_same_where_the_horizon_is_twice_as_far(sqlite_template, tmp_path, counted):
    """Issue, numbers: the cost grows with the answer, not with the calendar."""
    files = [shutil.copy(sqlite_template, tmp_path / name) for name in ("near.db", "far.db")]

    near = await searched(f"sqlite:///{files[0]}", counted, days=20)
    far = await searched(f"sqlite:///{files[1]}", counted, days=40)

    assert near == far
    assert near[0]["claims"] <= DOCTORS * 2 * 24
    assert (near[0]["readings"], near[1]["readings"]) == (2, 1)


async def test_only_doctors_without_a_free_slot_are_looked_at_further(sqlite_url, counted):
    """Ours: a doctor who is fully booked for three weeks costs their own bookings, and nobody else's."""
    async with Clinic.open(sqlite_url) as clinic:
        await gather(clinic, doctors=DOCTORS, days=25, full_days=1)
        await gather(clinic, doctors=1, days=25, full_days=20, mark=2)

        found = await clinic.hospital.find_doctors(DoctorQuery(facility="City North"))

    assert len(found) == DOCTORS + 1
    assert counted["claims"] <= DOCTORS * 2 * 24 + 30 * 24
