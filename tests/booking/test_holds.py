"""How long a slot is kept, and for how many."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.booking.ward import DAY
from uhi.booking.holds import Finding, HoldLimits, check_limits, find, hold_until, is_bookable, is_live
from uhi.booking.states import OrderState
from uhi.errors import SlotUnavailable
from uhi.messages.values import IST

MOMENTS = st.integers(1_767_225_600, 1_893_456_000).map(lambda seconds: datetime.fromtimestamp(seconds, IST))
STEP = timedelta(microseconds=1)


@given(MOMENTS)
def test_a_hold_ends_after_fifteen_minutes_exactly(now):
    """UHI slots and hold: 15 minutes from init; at 15:00 it is over."""
    until = hold_until(now)

    assert until - now == timedelta(minutes=15)
    assert is_live(until, now=until - STEP)
    assert not is_live(until, now=until)


@given(MOMENTS, st.timedeltas(timedelta(0), timedelta(days=2)))
def test_a_confirmation_finds_the_hold_or_its_end(start, later):
    """Decision 34: before the end it books, after it looks again."""
    until = hold_until(start)

    finding = find(OrderState.HELD, until, now=start + later)

    assert finding is (Finding.HELD if later < timedelta(minutes=15) else Finding.LAPSED)


@given(st.sampled_from([state for state in OrderState if state.travels]), MOMENTS, MOMENTS)
def test_an_answered_order_is_answered_the_same(state, until, now):
    """Decision 35: the same confirm again has no second effect, whatever the clock says."""
    assert find(state, until, now=now) is Finding.ANSWERED


def test_an_expired_order_does_not_come_back_to_life():
    """UHI slots and hold: no extension, even if the clock steps back."""
    assert find(OrderState.EXPIRED, DAY, now=DAY - timedelta(minutes=5)) is Finding.LAPSED


@pytest.mark.parametrize(("held", "more"), [(0, True), (1, True), (2, False), (3, False)])
def test_a_patient_may_hold_two_slots(held, more):
    """Reliability, hold limits: at most 2 live ones per patient."""
    if more:
        check_limits(HoldLimits(), of_patient=held, of_consumer=held)
    else:
        with pytest.raises(SlotUnavailable):
            check_limits(HoldLimits(), of_patient=held, of_consumer=0)


@pytest.mark.parametrize(("limits", "held"), [(HoldLimits(), 20), (HoldLimits(per_consumer=5), 5)])
def test_a_consumer_is_limited(limits, held):
    """Reliability, hold limits: one consumer must not hold everything."""
    check_limits(limits, of_patient=0, of_consumer=held - 1)

    with pytest.raises(SlotUnavailable):
        check_limits(limits, of_patient=0, of_consumer=held)


@pytest.mark.case("BK-09")
@pytest.mark.parametrize(("days", "bookable"), [(-1, False), (0, False), (1, True), (366, True), (730, False)])
def test_a_slot_is_bookable_from_now_for_a_year(days, bookable):
    """Reliability, times: reject past and more than a year ahead."""
    assert is_bookable(DAY + timedelta(days=days), now=DAY) is bookable
