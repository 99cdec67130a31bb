"""The contract tells a hospital that keeps its promises from one that does not, whichever promise it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from examples.hospital_in_50_lines.hospital import DictHospital
from participants.demo_hospital.data import HospitalData
from participants.demo_hospital.hospital import DemoHospital
from tests.booking.ward import DAY, slot
from tests.participants.demo_hospital.village import ASHA, MONDAY, practice
from uhi.booking.hospital import Appointment, Hold, Window
from uhi.errors import SlotUnavailable
from uhi.testing import FakeClock
from uhi.testing.hospital_contract import RULES, ContractBroken, Trial


class Time:
    """A hospital's own time, which a trial moves on."""

    def __init__(self, now):
        self.now = now

    async def pass_by(self, length):
        self.now += length


def dict_trial(kind=DictHospital, *, seats=4):
    time = Time(DAY - timedelta(days=1))
    hospital = kind([slot(number) for number in range(seats)], now=lambda: time.now)
    window = Window(DAY - timedelta(days=2), DAY + timedelta(days=2))
    return Trial(
        hospital=hospital, doctor_id=slot(0).doctor.id, window=window, now=lambda: time.now, pass_time=time.pass_by
    )


def demo_trial():
    clock = FakeClock(MONDAY.timestamp(), jumps=False)
    hospital = DemoHospital(HospitalData("City", (practice(ASHA, "10:00-12:00"),)), clock=clock)
    now = lambda: MONDAY + timedelta(seconds=clock.now() - MONDAY.timestamp())  # noqa: E731

    async def pass_time(length):
        await clock.advance(length.total_seconds())

    window = Window(MONDAY, MONDAY + timedelta(days=2))
    return Trial(hospital=hospital, doctor_id=ASHA.id, window=window, now=now, pass_time=pass_time)


@pytest.mark.parametrize("make", [dict_trial, demo_trial])
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
async def test_our_own_hospitals_keep_the_contract(rule, make):
    """The Hospital protocol: the smallest implementation and the demo hospital."""
    await rule(make())


class Oversold(DictHospital):
    """Gives a slot to whoever asks."""

    async def hold(self, slot_id, *, patient, until):
        self.taken.pop(slot_id, None)
        return await super().hold(slot_id, patient=patient, until=until)


class Shortening(DictHospital):
    """Forgets how long a hold was to last."""

    async def hold(self, slot_id, *, patient, until):
        return replace(await super().hold(slot_id, patient=patient, until=until), until=until)


class Restless(DictHospital):
    """Makes an appointment anew each time it is asked."""

    async def book(self, hold):
        booked = await super().book(hold)
        self.count = getattr(self, "count", 0) + 1
        return Appointment(id=f"{booked.id}-{self.count}")


class Unforgiving(DictHospital):
    """Keeps a lapsed hold until somebody releases it."""

    def is_free(self, slot_id):
        return slot_id not in self.taken


class Trusting(DictHospital):
    """Books whatever it is shown."""

    async def book(self, hold):
        booked = self.taken[hold.slot.id] = Appointment(id=hold.id)
        return booked


class Grasping(DictHospital):
    """Gives back what is somebody else's by now."""

    async def release(self, hold):
        if isinstance(self.taken.get(hold.slot.id), Hold):
            del self.taken[hold.slot.id]


class Deaf(DictHospital):
    """Does not call anything off."""

    async def cancel(self, appointment_id, *, by, reason):
        if reason == "A_CODE_OF_NEXT_YEAR":
            raise SlotUnavailable("no such reason")


class Talkative(DictHospital):
    """Shows every doctor to everybody, and slots of anybody."""

    async def find_doctors(self, query):
        return [each.doctor for each in self.slots.values()]

    async def find_slots(self, doctor_id, *, window):
        return list(self.slots.values())


class Walled(DictHospital):
    """Tells the time of its wall, without a zone."""

    async def find_slots(self, doctor_id, *, window):
        found = await super().find_slots(doctor_id, window=window)
        return [
            replace(each, start=each.start.replace(tzinfo=None), end=each.end.replace(tzinfo=None)) for each in found
        ]


@pytest.mark.parametrize(
    ("kind", "broken"),
    [
        (Oversold, {"another_patient_does_not_get_a_held_slot", "of_many_at_once_exactly_one_gets_the_slot"}),
        (Shortening, {"the_same_patient_again_gets_the_same_hold"}),
        (Restless, {"the_same_hold_again_is_the_same_appointment", "an_appointment_is_known_by_its_id"}),
        (Unforgiving, {"a_lapsed_hold_is_free_by_itself"}),
        (Trusting, {"a_hold_that_was_never_made_cannot_be_booked"}),
        (Grasping, {"a_released_slot_is_free_again"}),
        (Deaf, {"a_patient_can_cancel_and_again_without_effect"}),
        (Walled, {"slots_are_of_the_doctor_and_start_in_the_window"}),
        (Talkative, {"a_held_slot_is_not_offered", "nobody_has_slots_of_a_doctor_who_is_not_there"}),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
async def test_a_hospital_that_breaks_a_promise_is_found(kind, broken):
    """Ours: a contract that cannot fail would say nothing; each fault fails the rules that it breaks."""
    failed = set()
    for rule in RULES:
        try:
            await rule(dict_trial(kind))
        except (ContractBroken, SlotUnavailable):
            failed.add(rule.__name__)

    assert broken <= failed
