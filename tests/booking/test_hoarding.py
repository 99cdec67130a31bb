"""What one consumer may keep from the others, and slots with several seats."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from tests.booking.shelf import SqlShelf
from tests.booking.ward import ASHA, MEENA, RAVI, THREAD, Front, Ward, slot
from uhi.actions import Decline
from uhi.booking.holds import HoldLimits, check_day
from uhi.booking.hospital import Hold, Patient
from uhi.booking.policy import Policy
from uhi.errors import SlotUnavailable
from uhi.messages import OnConfirm, OnInit
from uhi.testing import FakeClock

QUARTER = 15 * 60


@pytest.mark.parametrize(
    ("of_day", "capacity", "fits"),
    [
        *((0, 1, True), (0, 10, True), (1, 10, False), (1, 39, False), (1, 40, True), (2, 40, False)),
        *((4, 100, True), (5, 100, False), (99, 0, True)),
    ],
)
def test_a_consumer_holds_a_twentieth_of_a_day_or_one_slot(of_day, capacity, fits):
    """Reliability, hold limits: at most 5 % of a practitioner's day; not known, not limited."""
    if fits:
        check_day(HoldLimits(), of_day=of_day, capacity=capacity)
        return
    with pytest.raises(SlotUnavailable):
        check_day(HoldLimits(), of_day=of_day, capacity=capacity)


def test_a_share_is_counted_in_whole_slots():
    """Ours: 29 % of 100 slots are 29, also for a computer."""
    check_day(HoldLimits(day_share=0.29), of_day=28, capacity=100)
    with pytest.raises(SlotUnavailable, match="fewer than 29 of the day's 100 slots"):
        check_day(HoldLimits(day_share=0.29), of_day=29, capacity=100)


@pytest.mark.case("BK-10")
async def test_a_consumer_that_never_pays_leaves_nearly_all_slots_to_others(shelf):
    """Reliability, hold limits: 500 inits at once for twenty doctors; 95 % stay bookable, the rest again in time."""
    front = Front(store=shelf.store(), policy=Policy(holds=HoldLimits(per_consumer=None)))
    doctors = [replace(ASHA, id=f"d{number}@hpr.ndhm") for number in range(20)]
    slots = [
        replace(slot(number, doctor=doctor), id=f"{doctor.id} {number}", day_capacity=25)
        for doctor in doctors
        for number in range(25)
    ]
    front.ward.offer(*slots)
    patients = [replace(RAVI, id=f"p{number}@sbx") for number in range(500)]

    answers = await asyncio.gather(*(front.init(one, who) for one, who in zip(slots, patients, strict=True)))
    other = replace(THREAD, consumer_id="other.example")
    taken = [one for one, answer in zip(slots, answers, strict=True) if isinstance(answer, OnInit)]
    await front.clock.advance(QUARTER)
    again = await front.init(taken[0], MEENA, other)

    assert {one.doctor.id for one in taken} == {doctor.id for doctor in doctors}
    assert len(taken) == 20
    assert isinstance(again, OnInit)


async def test_what_is_booked_does_not_count_and_another_consumer_has_its_own_share(front):
    """Reliability, hold limits: live holds only, per consumer."""
    front.ward.slots = {name: replace(one, day_capacity=20) for name, one in front.ward.slots.items()}
    await front.booked(slot(0))
    other = replace(THREAD, consumer_id="other.example")

    answers = [
        await front.init(slot(1), MEENA),
        await front.init(slot(2), replace(RAVI, id="third@sbx")),
        await front.init(slot(2), RAVI, other),
    ]

    assert [type(answer) for answer in answers] == [OnInit, Decline, OnInit]


@dataclass
class Group(Ward):
    """A hospital whose slots are for three patients each, and which knows what is taken only a moment later."""

    seen: int = 0
    asked: list[int] = field(default_factory=list)

    async def hold(self, slot_id: str, *, patient: Patient, until: datetime) -> Hold:
        seat = len(self.asked) // 2
        if seat > 2:
            raise SlotUnavailable("all seats are taken")
        self.asked.append(seat)
        one = replace(self.slots[slot_id], seat=seat, seats=3)
        return Hold(id=f"hold-{len(self.asked)}", slot=one, patient=patient, until=until)


async def test_where_another_order_got_the_seat_the_hospital_is_asked_for_one_more(sql_shelf: SqlShelf):
    """Reliability, slots: capacity above one is a row per seat; who loses a seat asks again, not for ever."""
    clock = FakeClock(jumps=False)
    ward = Group(clock)
    ward.offer(slot(0))
    fronts = [Front(store=sql_shelf.store(), ward=ward, clock=clock) for _ in range(3)]
    patients = [replace(RAVI, id=f"p{number}@sbx") for number in range(3)]

    answers = [await front.init(slot(0), who) for front, who in zip(fronts, patients, strict=True)]

    assert [type(answer) for answer in answers] == [OnInit, OnInit, OnInit]
    assert await sql_shelf.rows("SELECT seat FROM hold ORDER BY seat") == [(0,), (1,), (2,)]
    assert len(ward.asked) == 5


async def test_a_hold_is_as_long_as_the_policy_says(front):
    """UHI slots and hold: 15 minutes, a setting of the provider."""
    brief = Front(policy=Policy(hold=timedelta(minutes=5)), ward=front.ward, clock=front.clock)
    offer = await brief.offered(slot(0))
    await brief.clock.advance(5 * 60)

    assert isinstance(await brief.init(slot(0), MEENA), OnInit)
    assert not isinstance(await brief.confirm(offer), OnConfirm)
