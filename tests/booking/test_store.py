"""Who has a slot."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.booking.ward import ASHA, DAY, MEENA, RAVI, THREAD, a_letter, slot
from uhi.booking.hospital import Hold, Patient, Slot
from uhi.booking.kept import KeptOrder
from uhi.booking.pin import PinStatus, new_pin, verify
from uhi.booking.states import OrderState
from uhi.booking.store import Step
from uhi.errors import OrderChanged, SlotUnavailable

NOW = DAY - timedelta(days=1)
UNTIL = NOW + timedelta(minutes=15)


def an_order(name: str, one: Slot | None = None, patient: Patient = RAVI, **changes: object) -> KeptOrder:
    hold = Hold(id=f"hold-{name}", slot=one or slot(), patient=patient, until=UNTIL)
    return replace(KeptOrder(id=name, state=OrderState.HELD, thread=THREAD, hold=hold, terms=()), **changes)


async def test_one_slot_goes_to_one_order(shelf):
    """Reliability, slots: the store decides, in one step."""
    store = shelf.store()
    await store.put(an_order("a"), Step(NOW, "desk"))

    with pytest.raises(SlotUnavailable):
        await store.put(an_order("b"), Step(NOW, "desk"))

    assert await store.get("b") is None


@pytest.mark.case("BK-05")
async def test_overlapping_slots_of_one_doctor_are_in_each_others_way(shelf):
    """Reliability, slots: 10:00 to 10:30 and 10:15 to 10:45, two slot ids, two facilities."""
    store = shelf.store()
    other_place = replace(ASHA, facility=replace(ASHA.facility, id="2"))
    early = replace(slot(0), end=DAY + timedelta(minutes=30))
    late = replace(slot(9, doctor=other_place), start=DAY + timedelta(minutes=15), end=DAY + timedelta(minutes=45))
    await store.put(an_order("a", early), Step(NOW, "desk"))

    with pytest.raises(SlotUnavailable):
        await store.put(an_order("b", late), Step(NOW, "desk"))


@pytest.mark.case("BK-05")
async def test_doctor_is_at_one_place_at_a_time_however_many_seats_there_are(shelf):
    """Issue: overlapping slots of one doctor are not sold; a second seat at one place is in the way of all others."""
    store = shelf.store()
    there = replace(ASHA, facility=replace(ASHA.facility, id="2"))
    elsewhere = replace(slot(9, doctor=there), start=DAY, end=DAY + timedelta(minutes=30))
    await store.put(an_order("a", replace(slot(0), seat=1)), Step(NOW, "desk"))

    with pytest.raises(SlotUnavailable):
        await store.put(an_order("b", elsewhere), Step(NOW, "desk"))

    await store.put(an_order("c", replace(elsewhere, start=DAY + timedelta(minutes=40), seat=2)), Step(NOW, "desk"))


@pytest.mark.parametrize(
    "other", [slot(1), replace(slot(0), seat=1), replace(slot(0, doctor=replace(ASHA, id="b")), id="s")]
)
async def test_slots_beside_each_other_are_not_in_the_way(shelf, other):
    """Reliability, slots: the next time, another seat, another doctor."""
    store = shelf.store()
    await store.put(an_order("a"), Step(NOW, "desk"))

    await store.put(an_order("b", other), Step(NOW, "desk"))

    assert await store.get("b") is not None


@pytest.mark.parametrize(
    ("state", "has_it"),
    [
        (OrderState.CONFIRMED, True),
        (OrderState.APPOINTMENT_STARTED, True),
        (OrderState.COMPLETED, True),
        (OrderState.HELD, False),
        (OrderState.EXPIRED, False),
        (OrderState.FAILED, False),
        (OrderState.CANCELLED, False),
        (OrderState.NO_SHOW, False),
        (OrderState.DOCTOR_NO_SHOW, False),
    ],
)
async def test_after_its_hold_an_order_has_the_slot_only_if_booked(shelf, state, has_it):
    """UHI slots and hold: at 15:00 a hold is over, whoever sweeps when."""
    store = shelf.store()
    await store.put(an_order("a"), Step(NOW, "desk"))
    await store.put(an_order("a", state=state, version=1), Step(UNTIL, "desk"))

    assert (await store.get("a")).has_slot(UNTIL) is has_it
    if not has_it:
        await store.put(an_order("b"), Step(UNTIL, "desk"))


async def test_holds_are_counted_by_patient_and_by_consumer(shelf):
    """Reliability, hold limits."""
    store = shelf.store()
    other = replace(THREAD, consumer_id="other.example")
    await store.put(an_order("a"), Step(NOW, "desk"))
    await store.put(an_order("b", slot(1), MEENA), Step(NOW, "desk"))
    await store.put(an_order("c", slot(2), MEENA, thread=other), Step(NOW, "desk"))

    async def held(**of: str) -> list[str]:
        return [order.id for order in await store.live_holds(now=NOW, **of)]

    assert await held() == ["a", "b", "c"]
    assert await held(patient_id=MEENA.id) == ["b", "c"]
    assert await held(consumer_id="app.example") == ["a", "b"]
    assert await store.live_holds(now=UNTIL) == []


async def test_lapsed_holds_are_found_until_they_are_dealt_with(shelf):
    """UHI slots and hold: no confirm, released."""
    store = shelf.store()
    await store.put(an_order("a"), Step(NOW, "desk"))

    before, after = await store.lapsed(now=NOW), await store.lapsed(now=UNTIL)
    await store.put(an_order("a", state=OrderState.EXPIRED, version=1), Step(UNTIL, "desk"))

    assert (len(before), len(after), len(await store.lapsed(now=UNTIL))) == (0, 1, 0)


async def test_an_order_is_found_by_its_appointment(shelf):
    """Decision 31: news comes by the hospital's own id."""
    store = shelf.store()
    await store.put(an_order("a", state=OrderState.CONFIRMED, appointment_id="visit-1"), Step(NOW, "desk"))

    found = await store.by_appointment("visit-1")

    assert found is not None
    assert found.id == "a"
    assert await store.by_appointment("") is None


@pytest.mark.parametrize(
    ("state", "name", "now", "has_it"),
    [
        (OrderState.HELD, "hold-a", NOW, True),
        (OrderState.HELD, "hold-a", UNTIL, False),
        (OrderState.HELD, "hold-b", NOW, False),
        (OrderState.CONFIRMED, "hold-a", UNTIL, True),
        (OrderState.CANCELLED, "hold-a", NOW, False),
    ],
)
async def test_a_hold_is_some_orders_while_that_has_its_slot_by_it(shelf, state, name, now, has_it):
    """The Hospital protocol: one hold may be given twice, so it is not released while an order stands on it."""
    store = shelf.store()
    order = an_order("a", state=state)
    await store.put(order, Step(NOW, "desk"))

    assert await store.has_slot_by(replace(order.hold, id=name), now=now) is has_it


async def test_a_slot_that_was_moved_is_still_one_slot(shelf):
    """Reliability, slots: one claim for a slot id and seat, whatever its times say by now."""
    store = shelf.store()
    await store.put(an_order("a"), Step(NOW, "desk"))

    with pytest.raises(SlotUnavailable):
        await store.put(an_order("b", replace(slot(5), id=slot(0).id)), Step(NOW, "desk"))


async def test_an_appointment_that_was_booked_again_is_the_later_orders(shelf):
    """Ours: a hospital may name appointments for their slots; what was cancelled does not come back."""
    store = shelf.store()
    booked = an_order("a", state=OrderState.CONFIRMED, appointment_id="visit-1")
    first = (await store.put(booked, Step(NOW, "desk"))).order
    first = (await store.put(replace(first, state=OrderState.CANCELLED), Step(NOW, "desk"))).order
    await store.put(replace(an_order("b"), state=OrderState.CONFIRMED, appointment_id="visit-1"), Step(UNTIL, "desk"))
    await store.put(replace(first, care_context_id="care-1"), Step(UNTIL, "desk"))

    assert (await store.by_appointment("visit-1")).id == "b"


async def test_an_order_that_was_changed_since_it_was_read_is_not_changed_again(shelf):
    """Reliability, slots: version; the second of two processes has to read again."""
    one, other = shelf.store(), shelf.store()
    kept = (await one.put(an_order("a"), Step(NOW, "desk"))).order
    await one.put(replace(kept, state=OrderState.EXPIRED), Step(UNTIL, "desk"))

    with pytest.raises(OrderChanged):
        await other.put(replace(kept, state=OrderState.CONFIRMED), Step(UNTIL, "desk"))
    with pytest.raises(OrderChanged):
        await other.put(an_order("a"), Step(UNTIL, "desk"))

    assert (await other.get("a")).state is OrderState.EXPIRED


async def test_an_order_that_is_not_kept_announces_nothing(shelf):
    """Reliability, outbox: a letter is written with its cause, or not at all."""
    store = shelf.store()
    written = await store.put(an_order("a"), Step(NOW, "desk", [a_letter("1")]))

    with pytest.raises(SlotUnavailable):
        await store.put(an_order("b"), Step(NOW, "desk", [a_letter("2")]))
    with pytest.raises(OrderChanged):
        await store.put(an_order("a"), Step(NOW, "desk", [a_letter("3")]))

    assert {letter.id for letter in written.mine} <= {"1"}
    assert await shelf.letters() == ["1"]


async def test_a_pin_is_kept_while_it_may_be_shown(shelf):
    """Decision 37: until it is used, or its day is over; its status stays."""
    store, pin = shelf.store(), new_pin(DAY)
    booked = an_order("a", state=OrderState.CONFIRMED, pin=pin)
    kept = (await store.put(booked, Step(NOW, "desk"))).order
    shown = replace(kept, pin=verify(kept.pin, pin.token, now=DAY))
    verified = (await store.put(shown, Step(DAY, "desk"))).order
    started = (await store.put(replace(verified, state=OrderState.APPOINTMENT_STARTED), Step(DAY, "desk"))).order

    assert kept.pin == pin
    assert verified.pin.token == pin.token
    assert (started.pin.token, started.pin.status) == ("", PinStatus.VERIFIED)
    assert await store.get("a") == started


async def test_a_pin_of_yesterday_is_forgotten(shelf):
    """Decision 37: past its validity nobody has to do anything for it to go."""
    store, pin = shelf.store(), new_pin(DAY)
    await store.put(an_order("a", state=OrderState.CONFIRMED, pin=pin), Step(NOW, "desk"))
    await store.forget_pins(now=pin.valid_to)
    before = await store.get("a")

    await store.forget_pins(now=pin.valid_to + timedelta(seconds=1))

    assert before.pin == pin
    assert (await store.get("a")).pin == replace(pin, token="")


async def test_what_stands_is_what_a_hospital_takes_over(shelf):
    """Ours: live holds and booked appointments that are not over."""
    store = shelf.store()
    states = (OrderState.HELD, OrderState.CONFIRMED, OrderState.CANCELLED)
    for number, state in enumerate(states):
        await store.put(an_order(f"{number}", slot(number), state=state), Step(NOW, "desk"))

    async def standing(now: datetime) -> list[str]:
        return sorted([order.id for order in await store.standing(now=now)])

    assert await standing(NOW) == ["0", "1"]
    assert await standing(UNTIL) == ["1"]
    assert await standing(slot(1).end) == []


def test_an_order_does_not_show_its_patient():
    """Privacy: nothing about a patient in a repr."""
    shown = repr(an_order("a"))

    assert RAVI.name not in shown
    assert RAVI.id not in shown
