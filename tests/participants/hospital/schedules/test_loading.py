"""Hours out of a YAML hospital: as the file says, and again without effect."""

from __future__ import annotations

from dataclasses import replace

from participants.demo_hospital.data import demo_hospital
from participants.demo_hospital.schedule import Schedule
from participants.hospital.schedules import head_rows
from participants.hospital.schedules.hours import read_span
from participants.hospital.schedules.rows import exceptions_of, week_of
from tests.participants.hospital.schedules.clinic import ASHA, CITY_PRACTICES, NAIR, Clinic

WEEK = ((read_span("10:00-12:00"),),) * 7


async def test_every_slot_of_a_demo_hospital_is_a_slot_here(clinic: Clinic):
    """Issue: `uhi hospital load`; the demo's schedule and the product's offer the same times."""
    data = demo_hospital("lakeside-clinic")
    await clinic.load(data.name, data.practices, horizon=data.horizon)

    for file in data.practices:
        found = await clinic.slots(file.doctor, days=14)
        here = sorted({slot.start for slot in found if slot.doctor.facility.name == file.doctor.facility.name})
        now = clinic.clock.now()
        days = {slot.start.date() for slot in found}
        meant = [time.start for day in sorted(days) for time in file.schedule.on(day) if time.start.timestamp() > now]
        assert here == [start for start in meant if start <= max(here)]


async def test_loading_again_changes_nothing(clinic: Clinic):
    """Ours: whoever loads a file twice has what they had."""
    before = await clinic.database.read(lambda connection: week_of(connection, clinic.practice_id()))

    await clinic.load("City Hospital", CITY_PRACTICES)

    assert await clinic.database.read(lambda connection: week_of(connection, clinic.practice_id())) == before
    assert before is not None
    assert before.version == 1


async def test_a_holiday_of_all_is_the_location_s_and_one_doctor_s_closes_the_day(clinic: Clinic):
    """Ours: the file's holidays of a facility, and of a doctor."""
    asha, south, nair = CITY_PRACTICES
    feast = Schedule(hours=WEEK, slot_minutes=30, holidays=frozenset({"11-23"}))
    away = replace(feast, holidays=frozenset({"11-23", "2026-11-24", "02-29"}))

    await clinic.load("City Hospital", (replace(asha, schedule=feast), south, replace(nair, schedule=away)))

    off = await clinic.database.read(lambda connection: exceptions_of(connection, clinic.practice_id(NAIR)))
    assert [(each.day.isoformat(), each.hours) for each in off] == [("2026-11-24", ())]
    assert {slot.doctor.facility.name for slot in await clinic.slots(ASHA)} == {"City South"}
    assert await clinic.slots(NAIR, days=2) == []


async def test_each_transaction_has_one_number(clinic: Clinic):
    """Ours: whoever reads a number has everything up to it."""
    before = await clinic.database.read(head_rows.version_of)

    await clinic.load("City Hospital", CITY_PRACTICES)

    assert await clinic.database.read(head_rows.version_of) == before + 1
    assert await clinic.database.read(lambda connection: head_rows.changed_since(connection, before)) == []
