"""Who has a slot."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.booking.ward import ASHA, DAY, MEENA, RAVI, THREAD, slot
from uhi.booking.hospital import Hold, Patient, Slot
from uhi.booking.states import OrderState
from uhi.booking.store import KeptOrder, MemoryBookings
from uhi.errors import SlotUnavailable

NOW = DAY - timedelta(days=1)
UNTIL = NOW + timedelta(minutes=15)


def an_order(name: str, one: Slot | None = None, patient: Patient = RAVI, **changes: object) -> KeptOrder:
    hold = Hold(id=f"hold-{name}", slot=one or slot(), patient=patient, until=UNTIL)
    return replace(KeptOrder(id=name, state=OrderState.HELD, thread=THREAD, hold=hold, terms=()), **changes)


async def test_one_slot_goes_to_one_order():
    """Reliability, slots: the store decides, in one step."""
    store = MemoryBookings()
    await store.put(an_order("a"), now=NOW)

    with pytest.raises(SlotUnavailable):
        await store.put(an_order("b"), now=NOW)

    assert await store.get("b") is None


@pytest.mark.case("BK-05")
async def test_overlapping_slots_of_one_doctor_are_in_each_others_way():
    """Reliability, slots: 10:00 to 10:30 and 10:15 to 10:45, two slot ids, two facilities."""
    store = MemoryBookings()
    other_place = replace(ASHA, facility=replace(ASHA.facility, id="2"))
    early = replace(slot(0), end=DAY + timedelta(minutes=30))
    late = replace(slot(9, doctor=other_place), start=DAY + timedelta(minutes=15), end=DAY + timedelta(minutes=45))
    await store.put(an_order("a", early), now=NOW)

    with pytest.raises(SlotUnavailable):
        await store.put(an_order("b", late), now=NOW)


@pytest.mark.parametrize("other", [slot(1), replace(slot(0), id="s", seat=1), slot(0, doctor=replace(ASHA, id="b"))])
async def test_slots_beside_each_other_are_not_in_the_way(other):
    """Reliability, slots: the next time, another seat, another doctor."""
    store = MemoryBookings()
    await store.put(an_order("a"), now=NOW)

    await store.put(an_order("b", other), now=NOW)

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
async def test_after_its_hold_an_order_has_the_slot_only_if_booked(state, has_it):
    """UHI slots and hold: at 15:00 a hold is over, whoever sweeps when."""
    store = MemoryBookings()
    await store.put(an_order("a"), now=NOW)
    await store.put(an_order("a", state=state), now=UNTIL)

    assert (await store.get("a")).has_slot(UNTIL) is has_it
    if not has_it:
        await store.put(an_order("b"), now=UNTIL)


async def test_holds_are_counted_by_patient_and_by_consumer():
    """Reliability, hold limits."""
    store = MemoryBookings()
    other = replace(THREAD, consumer_id="other.example")
    await store.put(an_order("a"), now=NOW)
    await store.put(an_order("b", slot(1), MEENA), now=NOW)
    await store.put(an_order("c", slot(2), MEENA, thread=other), now=NOW)

    async def held(**of: str) -> list[str]:
        return [order.id for order in await store.live_holds(now=NOW, **of)]

    assert await held() == ["a", "b", "c"]
    assert await held(patient_id=MEENA.id) == ["b", "c"]
    assert await held(consumer_id="app.example") == ["a", "b"]
    assert await store.live_holds(now=UNTIL) == []


async def test_lapsed_holds_are_found_until_they_are_dealt_with():
    """UHI slots and hold: no confirm, released."""
    store = MemoryBookings()
    await store.put(an_order("a"), now=NOW)

    before, after = await store.lapsed(now=NOW), await store.lapsed(now=UNTIL)
    await store.put(an_order("a", state=OrderState.EXPIRED), now=UNTIL)

    assert (len(before), len(after), len(await store.lapsed(now=UNTIL))) == (0, 1, 0)


async def test_an_order_is_found_by_its_appointment():
    """Decision 31: news comes by the hospital's own id."""
    store = MemoryBookings()
    await store.put(an_order("a", state=OrderState.CONFIRMED, appointment_id="visit-1"), now=NOW)

    found = await store.by_appointment("visit-1")

    assert found is not None
    assert found.id == "a"
    assert await store.by_appointment("") is None


def test_an_order_does_not_show_its_patient():
    """Privacy: nothing about a patient in a repr."""
    shown = repr(an_order("a"))

    assert RAVI.name not in shown
    assert RAVI.id not in shown
