"""A consultation of two doctors takes the time of both, whatever is asked for at one moment."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.booking.shelf import SqlShelf
from tests.booking.test_store import NOW, an_order
from tests.booking.ward import ASHA, MEENA, REGISTERED, slot
from uhi.booking.hospital import Slot
from uhi.booking.rebuilding import check, rebuild
from uhi.booking.states import OrderState
from uhi.booking.store import Step
from uhi.errors import SlotUnavailable
from uhi.storage.sql.storage import SqlStorage

SECOND = replace(REGISTERED, id="nair@hpr.ndhm", name="Dr. Nair")
PAIR = replace(slot(0, doctor=REGISTERED), id="pair-0", fulfilment="Online", others=(SECOND,))
"""With Dr. Verma and Dr. Nair from ten o'clock on."""
ALONE = slot(1, doctor=SECOND)
"""Dr. Nair's own, twenty minutes later."""


def shifted(one: Slot, minutes: int, **changes: object) -> Slot:
    """A slot, some minutes later."""
    later = timedelta(minutes=minutes)
    return replace(one, start=one.start + later, end=one.end + later, **changes)


OVERLAPS = [shifted(ALONE, -10), shifted(ALONE, -10, seat=1), shifted(slot(1, doctor=ASHA), -10)]


@pytest.mark.parametrize("other", OVERLAPS, ids=["second doctor", "second doctor, other seat", "first doctor"])
@pytest.mark.parametrize("is_first", [True, False])
async def test_slot_that_overlaps_that_of_either_doctor_is_refused(shelf, other, is_first):
    """Issue: overlapping slots of one doctor are not sold, of whoever takes part besides neither."""
    store = shelf.store()
    first, second = (PAIR, other) if is_first else (other, PAIR)
    await store.put(an_order("a", first), Step(NOW, "desk"))

    with pytest.raises(SlotUnavailable):
        await store.put(an_order("b", second, MEENA), Step(NOW, "desk"))

    assert await store.get("b") is None


async def test_slot_that_is_refused_leaves_neither_doctor_taken(shelf):
    """Issue: an order that does not get both doctors has none of them."""
    store = shelf.store()
    await store.put(an_order("a", shifted(ALONE, -10)), Step(NOW, "desk"))
    with pytest.raises(SlotUnavailable):
        await store.put(an_order("b", PAIR), Step(NOW, "desk"))

    await store.put(an_order("c", slot(0, doctor=ASHA), MEENA), Step(NOW, "desk"))

    assert await store.get("c")


async def test_both_are_free_again_when_it_is_called_off(shelf):
    """Issue: a cancellation gives back all that the order had."""
    store = shelf.store()
    order = (await store.put(an_order("a", PAIR), Step(NOW, "desk"))).order
    order = (await store.put(replace(order, state=OrderState.CONFIRMED, appointment_id="v"), Step(NOW, "x"))).order

    await store.put(replace(order, state=OrderState.CANCELLED), Step(NOW, "desk"))

    for name, one in (("b", shifted(ALONE, -10)), ("c", slot(0, doctor=ASHA))):
        await store.put(an_order(name, one, MEENA), Step(NOW, "desk"))


async def test_lapsed_hold_of_two_comes_back_whole_or_not_at_all(shelf):
    """Decision 34: after the hold the slot is confirmed if it is still free, of both doctors."""
    store, later = shelf.store(), NOW + timedelta(hours=1)
    order = (await store.put(an_order("a", PAIR), Step(NOW, "desk"))).order
    await store.put(
        replace(an_order("b", shifted(ALONE, -10)), hold=_until(an_order("b", shifted(ALONE, -10)), later)),
        Step(later, "desk"),
    )
    order = (await store.put(replace(order, state=OrderState.EXPIRED), Step(later, "time"))).order

    with pytest.raises(SlotUnavailable):
        await store.put(replace(order, hold=_until(order, later)), Step(later, "consumer"))

    await store.put(
        replace(an_order("c", slot(0, doctor=ASHA)), hold=_until(an_order("c"), later)), Step(later, "desk")
    )


def _until(order, at):
    return replace(order.hold, until=at + timedelta(minutes=15))


async def test_of_many_at_one_moment_either_the_two_or_single_ones_win(sql_shelf: SqlShelf):
    """Issue: no slot is sold twice, by constraints on both databases, whichever process asks."""
    stores = [sql_shelf.store() for _ in range(4)]
    wanted = [
        PAIR,
        shifted(ALONE, -10),
        slot(0, doctor=ASHA),
        replace(PAIR, id="pair-x", doctor=SECOND, others=(ASHA,)),
    ]
    orders = [an_order(f"o-{n}", wanted[n % 4]) for n in range(32)]

    outcomes = await asyncio.gather(
        *(stores[n // 4 % 4].put(order, Step(NOW, "desk")) for n, order in enumerate(orders)), return_exceptions=True
    )

    assert {type(each) for each in outcomes if isinstance(each, Exception)} <= {SlotUnavailable}
    won = [order.slot for order, each in zip(orders, outcomes, strict=True) if not isinstance(each, Exception)]
    doctors = [doctor.id for one in won for doctor in one.doctors]
    assert won
    assert len(doctors) == len(set(doctors))
    live = await sql_shelf.rows("SELECT practitioner_id FROM hold WHERE state = 'HELD'")
    assert sorted(row[0] for row in live) == sorted(doctors)
    assert await sql_shelf.wrong(NOW.timestamp()) == []


async def test_claims_of_both_are_rebuilt_and_checked(sql_shelf: SqlShelf):
    """Issue: projections can be rebuilt from the streams, and checked: the time of each doctor is one."""
    store = sql_shelf.store()
    order = (await store.put(an_order("a", PAIR), Step(NOW, "desk"))).order
    await store.put(replace(order, state=OrderState.CONFIRMED, appointment_id="v"), Step(NOW, "x"))
    storage = SqlStorage(sql_shelf.database, sql_shelf.sealing, owner="rebuild")
    await sql_shelf.run(f"UPDATE hold SET state = 'EXPIRED' WHERE practitioner_id = '{SECOND.id}'")
    wrong = await check(storage, "clinic.example", NOW.timestamp())

    done = await rebuild(storage, "clinic.example")

    assert [each.split(":")[0] for each in wrong] == ["replay a"]
    assert (done.claims_differed, done.conflicts) == (1, ())
    assert await check(storage, "clinic.example", NOW.timestamp()) == []
