"""Other times: a patient's reschedule, a slot that the facility offers instead, and the notice that is asked for."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.booking.shelf import SqlShelf
from tests.booking.ward import MEENA, RAVI, THREAD, Front, slot
from uhi.actions import Decline
from uhi.booking.holds import HoldLimits
from uhi.booking.offers import write_cancel
from uhi.booking.policy import Policy
from uhi.booking.speaker import moment
from uhi.booking.states import OrderState
from uhi.errors import SlotUnavailable, StateConflict
from uhi.messages import OnCancel, OnConfirm, OnInit, Order
from uhi.messages.values import Fulfillment, tag

INSTEAD, OFFERED = "@example/rescheduled_to", "@example/offered_slot"
POLICY = Policy(holds=HoldLimits(per_consumer=None), rescheduled_to_tag=INSTEAD, offered_slot_tag=OFFERED)
NEW = replace(THREAD, transaction_id="t-2")


@pytest.fixture
def front() -> Front:
    front = Front(policy=POLICY)
    front.ward.offer(*(slot(number) for number in range(5)))
    return front


def instead_of(order_id: str, other_id: str) -> Order:
    """A cancellation that names the order booked instead."""
    order = write_cancel(order_id, reason="PATIENT_PERSONAL_EMERGENCY")
    tags = {**((order.fulfillment and order.fulfillment.tags) or {}), INSTEAD: other_id}
    fulfillment = (order.fulfillment or Fulfillment()).model_copy(update={"tags": tags})
    return order.model_copy(update={"fulfillment": fulfillment})


async def kinds(front: Front, order_id: str) -> list[str]:
    return [event.kind.value for event in await front.store.history(order_id)]


async def test_a_patient_who_reschedules_gives_the_old_slot_up_last(front):
    """Decision 38: hold new, confirm new, cancel old; the old order tells which one came instead."""
    old, new = await front.booked(slot(0)), await front.booked(slot(1))

    answer = await front.attending.cancel(instead_of(old.id, new.id), THREAD)

    assert answer.order.state == "CANCELLED"
    assert (await front.store.get(old.id)).rescheduled_to == new.id
    assert await kinds(front, old.id) == ["HELD", "TERMS_AGREED", "CONFIRMED", "CANCELLED", "RESCHEDULED"]
    assert (await front.store.get(new.id)).state is OrderState.CONFIRMED


async def test_a_reschedule_without_another_appointment_leaves_the_old_one(front):
    """Decision 38: a reschedule never leaves the patient with nothing: unknown, another's, not confirmed, itself."""
    old, another = await front.booked(slot(0)), await front.booked(slot(1), MEENA)
    held = await front.offered(slot(2))

    for other in ("nothing", another.id, held.order_id, old.id):
        answer = await front.attending.cancel(instead_of(old.id, other), THREAD)

        assert isinstance(answer, Decline)
        assert answer.outcome.code == "50001"
    assert (await front.store.get(old.id)).state is OrderState.CONFIRMED


@pytest.mark.case("BK-08")
async def test_of_a_reschedule_and_a_cancel_at_once_one_wins(sql_shelf: SqlShelf):
    """Reliability, slots: a hundred times at once, two processes: one cancellation each, and the new slots stand."""
    fronts = [Front(policy=POLICY, store=sql_shelf.store())]
    fronts.append(Front(policy=POLICY, store=sql_shelf.store(), ward=fronts[0].ward, clock=fronts[0].clock))
    fronts[0].ward.offer(*(slot(number) for number in range(100)))
    for number in range(0, 100, 2):
        patient = replace(RAVI, id=f"p{number}@sbx")
        old, new = [await fronts[0].booked(slot(number + each), patient) for each in range(2)]
        asked = instead_of(old.id, new.id), write_cancel(old.id, reason="PATIENT_HEALTH_IMPROVED")
        answers = await asyncio.gather(*(fronts[each].attending.cancel(asked[each], THREAD) for each in range(2)))

        events = await kinds(fronts[0], old.id)
        assert events.count("CANCELLED") == 1
        assert answers[0] == answers[1]
        assert (await fronts[0].store.get(new.id)).state is OrderState.CONFIRMED
    assert await sql_shelf.rows("SELECT count(*) FROM hold WHERE state <> 'EXPIRED'") == [(50,)]
    assert [each for each in await sql_shelf.wrong(fronts[0].clock.now()) if each[0] != "e"] == []


async def moved(front: Front, *, patient=RAVI) -> Order:
    """An appointment that the facility called off, with slot 1 instead of slot 0."""
    order = await front.booked(slot(0), patient)
    await front.provider.move("appointment-slot-0", "DOCTOR_SCHEDULE_CHANGE", "slot-1", by="person 7")
    return order


async def test_a_slot_offered_instead_is_kept_for_its_patient_alone(front):
    """Decision 38: a hospital's move is on_cancel with an offer; longer than any hold, and nobody else's."""
    old = await moved(front)
    await front.clock.advance(3_600)

    refused = await front.init(slot(1), MEENA, replace(THREAD, transaction_id="t-3"))
    elsewhere = await front.init(slot(1), RAVI, replace(NEW, consumer_id="other.example"))
    offer = await front.offered(slot(1), RAVI, NEW)
    answer = await front.confirm(offer)

    assert [type(each) for each in (refused, elsewhere)] == [Decline, Decline]
    assert isinstance(answer, OnConfirm)
    assert (answer.order.id != old.id, answer.order.state) == (True, "CONFIRMED")
    assert (await front.store.get(offer.order_id)).offer_for == old.id
    assert await kinds(front, offer.order_id) == ["HELD", "HELD_AGAIN", "TERMS_AGREED", "CONFIRMED"]


async def test_the_patient_is_told_of_the_slot_that_is_kept(front):
    """Decision 38: on_cancel by the doctor names it, where the policy has a name for the tag."""
    await moved(front)

    name, order, _ = front.voice.told[-1]

    assert (name, order.state) == ("cancelled", "CANCELLED")
    assert tag(order.fulfillment.tags, OFFERED) == "slot-1"
    assert (await front.store.history(order.id))[-1].by == "person 7"


async def test_an_offered_slot_is_free_again_a_day_later_or_when_it_begins(front):
    """Ours: `Policy.offer_hold`, never past the slot."""
    began = moment(front.clock)
    await moved(front)
    until = [order.hold.until for order in await front.store.live_holds(now=slot(0).start - timedelta(days=1))]
    await front.clock.advance(24 * 3_600)
    await front.holding.release_lapsed()

    assert [each - began for each in until] == [timedelta(hours=24)]
    assert isinstance(await front.init(slot(1), MEENA, NEW), OnInit)


async def test_an_offer_does_not_count_among_the_holds_of_a_patient(front):
    """Reliability, hold limits: who is moved may still look for something better."""
    await moved(front)

    answers = [await front.init(slot(number), RAVI, NEW) for number in (2, 3, 4)]

    assert [type(answer) for answer in answers] == [OnInit, OnInit, Decline]


async def test_a_move_to_a_slot_that_is_gone_leaves_the_appointment(front):
    """Decision 38: never with nothing; and a move of what is over is none."""
    order, _ = await front.booked(slot(0)), await front.booked(slot(1), MEENA)
    with pytest.raises(SlotUnavailable):
        await front.provider.move("appointment-slot-0", "DOCTOR_UNAVAILABLE", "slot-1")

    assert (await front.store.get(order.id)).state is OrderState.CONFIRMED
    await front.provider.cancelled("appointment-slot-0", "DOCTOR_UNAVAILABLE")
    with pytest.raises(StateConflict):
        await front.provider.move("appointment-slot-0", "DOCTOR_UNAVAILABLE", "slot-2")


@pytest.mark.case("BK-08")
async def test_a_slot_that_is_offered_too_late_is_given_back(sql_shelf: SqlShelf):
    """Ours: the patient cancels at another process while the slot instead is being held; another's offer stays."""
    front = Front(policy=POLICY, store=sql_shelf.store())
    other = Front(policy=POLICY, store=sql_shelf.store(), ward=front.ward, clock=front.clock)
    front.ward.offer(*(slot(number) for number in range(4)))
    lost, won = await front.booked(slot(0)), await front.booked(slot(2), MEENA)
    races = [other.attending.cancel(write_cancel(lost.id, reason="PATIENT_OTHER"), THREAD)]
    races.append(other.provider.move("appointment-slot-2", "DOCTOR_UNAVAILABLE", "slot-3"))
    live_holds = front.store.live_holds

    async def raced(**asked: object) -> object:
        await races.pop(0)
        return await live_holds(**asked)

    front.store.live_holds = raced
    for visit, offered in (("appointment-slot-0", "slot-1"), ("appointment-slot-2", "slot-3")):
        with pytest.raises(StateConflict):
            await front.provider.move(visit, "DOCTOR_UNAVAILABLE", offered)

    front.store.live_holds = live_holds
    assert {"slot-1", "slot-3"} & set(front.ward.taken) == {"slot-3"}
    assert (await front.store.get(won.id)).cancellation.offered_slot_id == "slot-3"
    assert isinstance(await front.init(slot(1), MEENA, NEW), OnInit)
    assert [each for each in await sql_shelf.wrong(front.clock.now()) if each[0] != "e"] == []


async def test_one_slot_is_not_offered_for_two_appointments(front):
    """Decision 38: nobody is left with less than they had; a slot that is kept for a patient already is no other's."""
    first, second = await front.booked(slot(0)), await front.booked(slot(1))
    await front.provider.move("appointment-slot-0", "DOCTOR_UNAVAILABLE", "slot-2")

    with pytest.raises(SlotUnavailable):
        await front.provider.move("appointment-slot-1", "DOCTOR_UNAVAILABLE", "slot-2")

    states = [(await front.store.get(order.id)).state for order in (first, second)]
    assert states == [OrderState.CANCELLED, OrderState.CONFIRMED]


@pytest.mark.parametrize(("notice", "hours", "is_late"), [(2, 3, False), (2, 2, False), (2, 1, True), (0, 0, False)])
async def test_a_late_cancellation_by_the_facility_is_recorded_as_late(notice, hours, is_late):
    """UHI terms, cancellation: at least 2 hours before; later it is possible and can be counted."""
    front = Front(policy=Policy(facility_notice=timedelta(hours=notice)))
    front.ward.offer(slot(0))
    order = await front.booked(slot(0))
    await front.clock.advance(slot(0).start.timestamp() - front.clock.now() - hours * 3_600)

    await front.provider.cancelled("appointment-slot-0", "DOCTOR_PERSONAL_EMERGENCY")

    kept = await front.store.get(order.id)
    assert kept.cancellation.is_late is is_late
    assert (await front.store.history(order.id))[-1].facts["cancellation"]["is_late"] is is_late


@pytest.mark.parametrize(
    ("notice", "hours", "answer"), [(0, 0.1, OnCancel), (0, 0, Decline), (4, 4, OnCancel), (4, 3, Decline)]
)
async def test_a_patient_cancels_until_the_notice_is_over(notice, hours, answer):
    """UHI terms, cancellation: until the start, or with at least the notice that a facility asks for."""
    front = Front(policy=Policy(patient_notice=timedelta(hours=notice)))
    front.ward.offer(slot(0))
    order = await front.booked(slot(0))
    await front.clock.advance(slot(0).start.timestamp() - front.clock.now() - hours * 3_600)

    told = await front.attending.cancel(write_cancel(order.id, reason="PATIENT_OTHER"), THREAD)

    assert isinstance(told, answer)
