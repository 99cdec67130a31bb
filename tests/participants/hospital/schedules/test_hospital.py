"""The hospital's port on its own database: what is free, who gets which seat, what a cancellation leaves."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from participants.hospital.schedules.hours import Span
from participants.hospital.schedules.rows import off_of
from participants.hospital.schedules.week import Rule, Week
from tests.booking.ward import MEENA, RAVI
from tests.participants.hospital.schedules.clinic import ASHA, JOSHI, MONDAY, NAIR, SOUTH, Clinic
from uhi.booking.hospital import DoctorQuery, Window
from uhi.booking.reasons import CancelledBy
from uhi.errors import SlotUnavailable, StateConflict

TEN = "20261123T1000"
LATER = MONDAY + timedelta(minutes=15)
EVERY_DAY = tuple(Rule(weekday=day, hours=Span(600, 720)) for day in range(7))


async def test_free_slots_of_every_location_come_in_order(clinic: Clinic):
    """Issue "schedules and slots": several locations; slots are derived."""
    found = await clinic.slots()

    assert [(f"{slot.start:%H:%M}", slot.doctor.facility.name) for slot in found][:3] == [
        ("10:00", "City North"),
        ("10:15", "City South"),
        ("10:30", "City North"),
    ]
    assert found[0].id == clinic.slot_id(TEN)
    assert len(found) == 4 + 3


@pytest.mark.case("BK-05")
async def test_a_booking_takes_the_doctor_away_from_overlapping_slots_elsewhere(clinic: Clinic):
    """Acceptance BK-05: the same doctor, two locations."""
    await clinic.book(clinic.slot_id(TEN))

    assert [f"{slot.start:%H:%M}" for slot in await clinic.slots()] == ["10:30", "10:45", "11:00", "11:15", "11:30"]
    with pytest.raises(SlotUnavailable):
        await clinic.hospital.hold(clinic.slot_id("20261123T1015", place=SOUTH), patient=MEENA, until=LATER)


async def test_doctors_are_found_with_the_time_from_their_first_free_slot(clinic: Clinic):
    """Uhi.booking.hospital: `available` is the time in which there may be slots."""
    await clinic.book(clinic.slot_id(TEN))

    found = await clinic.hospital.find_doctors(DoctorQuery(facility="City North"))

    starts = {doctor.id: doctor.available.start for doctor in found if doctor.available}
    assert len(found) == 2
    assert starts == {ASHA.id: MONDAY.replace(hour=10, minute=30), NAIR.id: MONDAY.replace(hour=10)}


async def test_a_doctor_who_is_fully_booked_in_the_time_asked_for_is_not_found(clinic: Clinic):
    """NHA Physical Consultation v2.0, search: the time the patient can come."""
    for time in (TEN, "20261123T1030"):
        await clinic.book(clinic.slot_id(time, NAIR))

    today = Window(MONDAY, MONDAY + timedelta(hours=12))
    tomorrow = Window(today.start + timedelta(days=1), today.end + timedelta(days=1))

    assert await clinic.hospital.find_doctors(DoctorQuery(hpr=NAIR.id, window=today)) == []
    assert len(await clinic.hospital.find_doctors(DoctorQuery(hpr=NAIR.id, window=tomorrow))) == 1


@pytest.mark.case("BK-09")
@pytest.mark.parametrize(
    "time", ["20261123T0730", "20261123T1005", "20261122T1000", "20281123T1000", "20260231T1000", "20261224T1000"]
)
async def test_a_time_that_is_no_slot_or_not_offered_cannot_be_held(clinic: Clinic, time: str):
    """Acceptance BK-09: in the past, two years ahead, 31 February; beyond the horizon."""
    with pytest.raises(SlotUnavailable):
        await clinic.hospital.hold(clinic.slot_id(time), patient=RAVI, until=LATER)


async def test_askers_at_one_time_get_different_seats(clinic: Clinic):
    """Issue "schedules and slots": capacity; the constraint would refuse two of one seat."""
    await clinic.put_week(Week(rules=EVERY_DAY, slot_minutes=30, seats=3))
    patients = [replace(RAVI, id=f"p{number}@sbx") for number in range(4)]

    held = await asyncio.gather(
        *(clinic.hospital.hold(clinic.slot_id(TEN), patient=each, until=LATER) for each in patients),
        return_exceptions=True,
    )

    assert sorted(hold.slot.seat for hold in held if not isinstance(hold, BaseException)) == [0, 1, 2]
    assert [type(each) for each in held if isinstance(each, BaseException)] == [SlotUnavailable]


async def test_the_same_patient_gets_the_hold_there_is_and_a_released_seat_is_free(clinic: Clinic):
    """Uhi.booking.hospital: the same patient's again gives the hold there is."""
    first = await clinic.hospital.hold(clinic.slot_id(TEN), patient=RAVI, until=LATER)
    again = await clinic.hospital.hold(clinic.slot_id(TEN), patient=RAVI, until=LATER)

    await clinic.hospital.release(again)
    other = await clinic.hospital.hold(clinic.slot_id(TEN), patient=MEENA, until=LATER)

    assert first.id == again.id != other.id


async def test_a_seat_given_out_is_forgotten_within_seconds_unless_an_order_is_kept_with_it(clinic: Clinic):
    """Ours: a process that died between holding and keeping blocks nobody."""
    await clinic.hospital.hold(clinic.slot_id(TEN), patient=RAVI, until=LATER)

    await clinic.clock.advance(6)

    assert (await clinic.hospital.hold(clinic.slot_id(TEN), patient=MEENA, until=LATER)).slot.seat == 0


async def test_what_the_patient_calls_off_is_free_again(clinic: Clinic):
    """NHA Physical Consultation v2.0, cancel by the patient."""
    visit = await clinic.book(clinic.slot_id(TEN))

    await clinic.cancelled(visit, by=CancelledBy.PATIENT)

    assert await clinic.book(clinic.slot_id(TEN), MEENA)


async def test_what_the_doctor_calls_off_stays_closed_and_again_has_no_effect(clinic: Clinic):
    """Issue "schedules and slots": a slot closed because the doctor called it off."""
    visit = await clinic.book(clinic.slot_id(TEN))

    await clinic.cancelled(visit, by=CancelledBy.DOCTOR)
    await clinic.hospital.cancel(visit, by=CancelledBy.DOCTOR, reason="R")

    off = await clinic.database.read(lambda connection: off_of(connection, clinic.practice_id()))
    assert [(each.slot_id, each.seat) for each in off] == [(clinic.slot_id(TEN), 0)]
    assert clinic.slot_id(TEN) not in {slot.id for slot in await clinic.slots()}
    with pytest.raises(SlotUnavailable):
        await clinic.hospital.hold(clinic.slot_id(TEN), patient=MEENA, until=LATER)


async def test_a_patient_cannot_call_off_what_should_have_begun(clinic: Clinic):
    """Uhi.booking.hospital: StateConflict when it cannot be called off any more; the doctor still can."""
    visit = await clinic.book(clinic.slot_id(TEN))
    clinic.clock.time = MONDAY.replace(hour=10).timestamp()

    with pytest.raises(StateConflict):
        await clinic.hospital.cancel(visit, by=CancelledBy.PATIENT, reason="R")
    await clinic.hospital.cancel(visit, by=CancelledBy.DOCTOR, reason="R")


async def test_an_appointment_is_known_once_an_order_has_it(clinic: Clinic):
    """Uhi.booking.hospital: None if nothing is known; a cancellation of no order's is left alone."""
    visit = await clinic.book(clinic.slot_id(TEN))

    known = await clinic.hospital.appointment(visit)
    await clinic.hospital.cancel("none", by=CancelledBy.DOCTOR, reason="R")

    assert known is not None
    assert known.id == visit
    assert await clinic.hospital.appointment("none") is None


async def test_a_change_of_another_process_counts_at_the_next_question(clinic: Clinic, database_url: str):
    """Issue "schedules and slots"; several processes on one database."""
    before = await clinic.slots(JOSHI)
    async with Clinic.open(database_url, clock=clinic.clock) as other:
        other.practices = clinic.practices
        await other.put_week(Week(rules=EVERY_DAY[:0], slot_minutes=30), JOSHI)

    assert (len(before), await clinic.slots(JOSHI)) == (4, [])
    assert await clinic.slots() != []


async def test_askers_at_two_processes_get_different_seats(clinic: Clinic, database_url: str):
    """Issue "schedules and slots": neither knows what the other gave out; whom the database refuses gets the next."""
    await clinic.put_week(Week(rules=EVERY_DAY, slot_minutes=30, seats=2))
    async with Clinic.open(database_url, clock=clinic.clock) as other:
        other.practices = clinic.practices
        await other.directory.refresh()

        visits = await asyncio.gather(
            clinic.book(clinic.slot_id(TEN)), other.book(clinic.slot_id(TEN), replace(MEENA, id="m@sbx"))
        )
        stores = (clinic.front.store, other.front.store)
        booked = [await store.by_appointment(visit) for store, visit in zip(stores, visits, strict=True)]

    assert sorted(order.slot.seat for order in booked) == [0, 1]


async def test_lead_time_and_horizon_bound_what_is_offered(clinic: Clinic):
    """Issue "schedules and slots": booking horizon, lead time."""
    await clinic.put_week(Week(rules=EVERY_DAY, slot_minutes=30, lead_minutes=150, horizon_days=1), NAIR)

    starts = [slot.start for slot in await clinic.slots(NAIR, days=14)]

    assert starts == [
        datetime(2026, 11, 23, 10, 30, tzinfo=MONDAY.tzinfo) + timedelta(minutes=30 * n) for n in range(3)
    ]
