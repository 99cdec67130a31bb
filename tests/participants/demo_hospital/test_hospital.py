"""The demo hospital: who gets a slot, for how long, and what becomes of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from participants.demo_hospital.hospital import DemoHospital
from tests.participants.demo_hospital.village import ASHA, MONDAY, RAVI, person
from uhi.booking.hospital import Appointment, DoctorQuery, Hold, Hospital, Slot, Window
from uhi.booking.kept import KeptOrder
from uhi.booking.reasons import CancelledBy
from uhi.booking.states import OrderState
from uhi.errors import SlotUnavailable, StateConflict
from uhi.messages.values import ONLINE, PHYSICAL
from uhi.verified import Thread

TODAY = Window(MONDAY, MONDAY + timedelta(hours=12))
UNTIL = MONDAY + timedelta(minutes=15)
REASON = "PATIENT_PERSONAL_EMERGENCY"
KEPT = {"patient": person(), "until": UNTIL}


def at(slots: list[Slot], time: str, *, facility: str = "north") -> Slot:
    [slot] = [each for each in slots if f"{each.start:%H:%M}" == time and each.doctor.facility.id == facility]
    return slot


async def starts(hospital: Hospital, window: Window = TODAY, *, doctor: str = ASHA.id) -> list[str]:
    return [
        f"{slot.start:%H:%M} {slot.doctor.facility.id}" for slot in await hospital.find_slots(doctor, window=window)
    ]


@pytest.fixture
async def slots(hospital) -> list[Slot]:
    """The free slots of Dr. Verma today."""
    return list(await hospital.find_slots(ASHA.id, window=TODAY))


async def test_free_slots_of_every_facility_come_in_order(hospital):
    """Ours: a doctor's day is one list, whatever the building."""
    assert await starts(hospital) == [
        *("10:00 north", "10:15 south", "10:30 north", "10:45 south"),
        *("11:00 north", "11:15 south", "11:30 north"),
    ]


async def test_past_slots_are_not_offered(hospital, clock):
    """Ours: a slot that begins now is past."""
    await clock.advance(timedelta(hours=2, minutes=30).total_seconds())

    assert await starts(hospital) == ["10:45 south", "11:00 north", "11:15 south", "11:30 north"]


async def test_window_is_cut_to_fourteen_days_and_to_the_horizon(hospital):
    """Decision on limits: a hospital pages its own second search by window, at most 14 days each."""
    first = await hospital.find_slots(RAVI.id, window=Window(MONDAY, MONDAY + timedelta(days=300)))
    last = await hospital.find_slots(RAVI.id, window=Window(MONDAY + timedelta(days=28), MONDAY + timedelta(days=300)))

    assert len({slot.start.date() for slot in first}) == 14
    assert len({slot.start.date() for slot in last}) == 2


async def test_unknown_doctor_has_no_slots(hospital):
    """The Hospital protocol: none for an unknown doctor."""
    assert await hospital.find_slots("nobody@hpr.ndhm", window=TODAY) == []


async def test_slot_is_offered_for_each_kind_of_consultation(hospital, patient):
    """Ours: the same half hour, here or by video; whoever takes one takes the other."""
    here, online, *_ = await hospital.find_slots(RAVI.id, window=TODAY)
    await hospital.hold(online.id, patient=patient, until=UNTIL)

    left = await hospital.find_slots(RAVI.id, window=TODAY)

    assert (here.fulfilment, online.fulfilment, here.start) == (PHYSICAL, ONLINE, online.start)
    assert {slot.start for slot in left} == {here.end}


async def test_doctors_that_fit_are_found_with_their_times(hospital):
    """NHA, search filters; ours: a doctor is told from the first free slot on, up to the horizon."""
    found = await hospital.find_doctors(DoctorQuery(doctor="verma", speciality="cardiology"))

    assert [(doctor.id, doctor.facility.id) for doctor in found] == [(ASHA.id, "north"), (ASHA.id, "south")]
    assert found[0].available == Window(MONDAY.replace(hour=10), MONDAY + timedelta(days=30))


async def test_doctor_without_a_free_slot_in_time_is_not_found(hospital):
    """Ours: a patient who can come only before the first free slot is not sent there."""
    early = Window(MONDAY, MONDAY.replace(hour=10))

    assert await hospital.find_doctors(DoctorQuery(window=early)) == []


@pytest.mark.case("BK-02")
async def test_hundred_at_once_for_one_slot_leave_one_hold(hospital, slots):
    """Given by the project's owner: two people cannot get one slot."""
    asked = [hospital.hold(slots[0].id, patient=person(number), until=UNTIL) for number in range(100)]

    outcomes = await asyncio.gather(*asked, return_exceptions=True)

    refused = [outcome for outcome in outcomes if isinstance(outcome, SlotUnavailable)]
    assert len(refused) == 99


@pytest.mark.case("BK-05")
async def test_slot_that_overlaps_one_at_another_facility_cannot_be_had(hospital, slots, patient):
    """A doctor is at one place at a time: 10:00 in the north, 10:15 in the south."""
    await hospital.hold(at(slots, "10:00").id, patient=patient, until=UNTIL)

    with pytest.raises(SlotUnavailable):
        await hospital.hold(at(slots, "10:15", facility="south").id, patient=patient, until=UNTIL)

    assert "10:15 south" not in await starts(hospital)
    await hospital.hold(at(slots, "10:30").id, patient=patient, until=UNTIL)


async def test_hold_ends_by_the_clock(hospital, slots, patient, clock):
    """NHA, slots and hold: no confirm within 15 minutes, and the slot is free."""
    held = await hospital.hold(slots[0].id, patient=patient, until=UNTIL)
    await clock.advance(15 * 60)

    with pytest.raises(SlotUnavailable):
        await hospital.book(held)

    assert "10:00 north" in await starts(hospital)
    await hospital.hold(slots[0].id, patient=patient, until=UNTIL + timedelta(minutes=15))


async def test_lapsed_hold_does_not_give_back_its_successor(hospital, slots, patient, clock):
    """Ours: a slot is given back by whoever has it."""
    lapsed = await hospital.hold(slots[0].id, patient=patient, until=UNTIL)
    await clock.advance(15 * 60)
    await hospital.hold(slots[0].id, patient=patient, until=UNTIL + timedelta(minutes=15))

    await hospital.release(lapsed)

    assert "10:00 north" not in await starts(hospital)


async def test_the_same_patient_again_gets_the_hold_there_is_prolonged(hospital, slots, patient, clock):
    """The Hospital protocol: who asks again has not learnt of it; nobody else gets it, and it is never shortened."""
    first = await hospital.hold(slots[0].id, patient=patient, until=UNTIL)

    longer = await hospital.hold(slots[0].id, patient=patient, until=UNTIL + timedelta(minutes=5))
    again = await hospital.hold(slots[0].id, patient=patient, until=MONDAY + timedelta(minutes=1))
    await clock.advance(15 * 60)

    assert first.id == longer.id == again.id
    with pytest.raises(SlotUnavailable):
        await hospital.hold(slots[0].id, patient=person(2), until=UNTIL + timedelta(minutes=15))
    await clock.advance(5 * 60)
    assert "10:00 north" in await starts(hospital)


async def test_a_slot_that_overlaps_is_not_the_hold_there_is(hospital, slots, patient):
    """The Hospital protocol: the same slot, and a hold; a booked one is refused whoever asks."""
    held = await hospital.hold(at(slots, "10:00").id, patient=patient, until=UNTIL)

    with pytest.raises(SlotUnavailable):
        await hospital.hold(at(slots, "10:15", facility="south").id, patient=patient, until=UNTIL)
    await hospital.book(held)
    with pytest.raises(SlotUnavailable):
        await hospital.hold(held.slot.id, patient=patient, until=UNTIL)


async def test_released_slot_is_free_again(hospital, slots, patient):
    """The Hospital protocol: release frees, and a hold that is gone is no error."""
    held = await hospital.hold(slots[0].id, patient=patient, until=UNTIL)

    await hospital.release(held)
    await hospital.release(held)

    assert "10:00 north" in await starts(hospital)


async def test_hold_is_booked_once(hospital, slots, patient, clock):
    """The Hospital protocol: one hold, one appointment, also for a hundred at once and after the hold is over."""
    held = await hospital.hold(slots[0].id, patient=patient, until=UNTIL)

    first, *more = await asyncio.gather(*(hospital.book(held) for _ in range(100)))
    await clock.advance(15 * 60)

    assert more == [first] * 99
    assert await hospital.book(held) == await hospital.appointment(first.id) == first


async def test_hold_whose_appointment_was_called_off_is_not_booked_again(hospital, slots, patient):
    """Ours: the slot may be another's by now."""
    held = await hospital.hold(slots[0].id, patient=patient, until=UNTIL)
    await hospital.cancel((await hospital.book(held)).id, by=CancelledBy.PATIENT, reason=REASON)

    with pytest.raises(SlotUnavailable):
        await hospital.book(held)


async def test_booked_slot_stays_taken(hospital, slots, patient, clock):
    """Ours: an appointment outlives its hold, and releasing the hold does not undo it."""
    held = await hospital.hold(slots[0].id, patient=patient, until=UNTIL)
    await hospital.book(held)
    await clock.advance(15 * 60)

    await hospital.release(held)

    assert "10:00 north" not in await starts(hospital)


@pytest.mark.parametrize(("by", "free"), [(CancelledBy.PATIENT, True), (CancelledBy.DOCTOR, False)])
async def test_slot_of_a_cancelled_appointment_is_free_unless_the_doctor_called_off(hospital, slots, patient, by, free):
    """NHA, slots and hold: on cancel the provider frees or closes the slot by its own rules."""
    appointment = await hospital.book(await hospital.hold(slots[0].id, patient=patient, until=UNTIL))

    await hospital.cancel(appointment.id, by=by, reason=REASON)
    await hospital.cancel(appointment.id, by=CancelledBy.DOCTOR, reason="again")

    known = await hospital.appointment(appointment.id)
    assert (known.cancelled.by, known.cancelled.reason) == (by, REASON)
    assert ("10:00 north" in await starts(hospital)) is free


async def test_appointment_that_has_begun_cannot_be_cancelled(hospital, slots, patient, clock):
    """The Hospital protocol: StateConflict when it cannot be called off any more."""
    appointment = await hospital.book(await hospital.hold(slots[0].id, patient=patient, until=UNTIL))
    await clock.advance(timedelta(hours=2).total_seconds())

    with pytest.raises(StateConflict, match="has begun"):
        await hospital.cancel(appointment.id, by=CancelledBy.PATIENT, reason=REASON)


async def test_unknown_appointment_is_none_and_cannot_be_cancelled(hospital):
    """The Hospital protocol: nothing is known of an id that was never given."""
    assert await hospital.appointment("none") is None

    with pytest.raises(StateConflict, match="no such appointment"):
        await hospital.cancel("none", by=CancelledBy.PATIENT, reason=REASON)


async def test_id_of_no_slot_is_not_held(hospital, slots, patient):
    """Ours: an id is a claim; practice, kind, minute and horizon are looked up."""
    ref = slots[0].id.split("-")[0]
    claims = [
        "slot-1",
        f"{'0' * 16}-20261123T1000-physical",
        f"{ref}-20261123T1000-online",
        f"{ref}-20261123T1010-physical",
        f"{ref}-20261122T1000-physical",
        f"{ref}-20261223T1000-physical",
    ]

    outcomes = await asyncio.gather(
        *(hospital.hold(claim, patient=patient, until=UNTIL) for claim in claims), return_exceptions=True
    )

    assert [type(outcome) for outcome in outcomes] == [SlotUnavailable] * len(claims)


async def restored(data, clock, **changes: object) -> DemoHospital:
    """A hospital that starts again, with one order of its earlier life."""
    hospital = DemoHospital(data, clock=clock)
    held = Hold(id="hold-1", slot=at(list(await hospital.find_slots(ASHA.id, window=TODAY)), "10:00"), **KEPT)
    thread = Thread("nic2004:85111", "t-1", "app.example", "clinic.example")
    order = KeptOrder(id="a", state=OrderState.HELD, thread=thread, hold=held, terms=())
    hospital.restore([replace(order, **changes)])
    return hospital


async def test_a_hold_of_an_earlier_life_keeps_its_slot_until_its_time_is_over(data, clock):
    """Ours: a restart takes nobody's slot, and gives nobody more time."""
    hospital = await restored(data, clock)
    before = await starts(hospital)

    await clock.advance((UNTIL - MONDAY).total_seconds())

    assert "10:00 north" not in before
    assert "10:15 south" not in before
    assert "10:00 north" in await starts(hospital)


async def test_a_hold_of_an_earlier_life_is_booked_once(data, clock, patient):
    """The Hospital protocol: the same hold again is the same appointment."""
    hospital = await restored(data, clock)
    hold = Hold(id="hold-1", slot=at(list(await new_slots(data, clock)), "10:00"), patient=patient, until=UNTIL)

    first, again = await hospital.book(hold), await hospital.book(hold)

    assert first == again
    assert "10:00 north" not in await starts(hospital)


async def test_a_hold_of_an_earlier_life_is_its_patients_to_have_again(data, clock, patient):
    """The Hospital protocol: the same patient's again gives the hold there is."""
    hospital = await restored(data, clock)
    slot = at(list(await new_slots(data, clock)), "10:00")

    again = await hospital.hold(slot.id, patient=patient, until=UNTIL)

    assert again.id == "hold-1"


async def test_an_appointment_of_an_earlier_life_is_known_and_can_be_called_off(data, clock, patient):
    """Ours: the order tells which appointment belongs to which hold."""
    booked = {"state": OrderState.CONFIRMED, "appointment_id": "visit-1", "care_context_id": "care-1"}
    hospital = await restored(data, clock, **booked)
    hold = Hold(id="hold-1", slot=at(list(await new_slots(data, clock)), "10:00"), patient=patient, until=UNTIL)
    await clock.advance((UNTIL - MONDAY).total_seconds())

    known = [await hospital.book(hold), await hospital.appointment("visit-1")]
    before = await starts(hospital)
    await hospital.cancel("visit-1", by=CancelledBy.PATIENT, reason=REASON)

    assert known == [Appointment(id="visit-1", care_context_id="care-1")] * 2
    assert "10:00 north" not in before
    assert "10:00 north" in await starts(hospital)


async def new_slots(data, clock) -> list[Slot]:
    """The slots of Dr. Verma as if nothing were taken."""
    return list(await DemoHospital(data, clock=clock).find_slots(ASHA.id, window=TODAY))
