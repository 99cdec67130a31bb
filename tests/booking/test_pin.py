"""The PIN of an appointment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.booking.ward import DAY
from uhi.booking.pin import Pin, PinStatus, missed, new_pin, set_aside, verify, write_pin
from uhi.errors import IncompleteMessage, PinInvalid, StateConflict
from uhi.messages.values import IST
from uhi.messages.wire import emit

NOON = DAY.replace(hour=12)


def a_pin(token: str = "0042") -> Pin:
    pin = new_pin(DAY)
    return Pin(token, pin.valid_from, pin.valid_to)


@given(st.integers(1_767_225_600, 1_893_456_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)))
def test_a_pin_has_four_digits_and_the_indian_day_of_the_appointment(start):
    """UHI PIN: appointment day, 00:00:00 to 23:59:00."""
    pin = new_pin(start)

    day = start.astimezone(IST).date()
    assert len(pin.token) == 4
    assert pin.token.isdigit()
    assert (pin.valid_from.isoformat(), pin.valid_to.isoformat()) == (f"{day}T00:00:00+05:30", f"{day}T23:59:00+05:30")


def test_the_right_pin_is_verified():
    """UHI PIN: a match makes it VERIFIED."""
    assert verify(a_pin(), " 0042 ", now=NOON).status is PinStatus.VERIFIED


@pytest.mark.parametrize("entered", ["42", "0043", "", "00420", "\ud800", "००४२"])
def test_a_wrong_pin_is_refused(entered):
    """UHI PIN: four digits, leading zeros counted."""
    with pytest.raises(PinInvalid) as caught:
        verify(a_pin(), entered, now=NOON)

    assert caught.value.attempts_left == 2


def test_after_three_misses_even_the_right_pin_is_refused():
    """UHI PIN: three mismatches, then an override."""
    pin = missed(missed(missed(a_pin())))

    with pytest.raises(PinInvalid) as caught:
        verify(pin, "0042", now=NOON)

    assert caught.value.attempts_left == 0
    assert missed(pin).misses == 3


@pytest.mark.parametrize("now", [DAY - timedelta(days=1), DAY.replace(hour=23, minute=59, second=1)])
def test_a_pin_of_another_day_is_refused(now):
    """UHI PIN: expired at the end of valid_to; no try is lost by it."""
    with pytest.raises(PinInvalid) as caught:
        verify(a_pin(), "0042", now=now)

    assert caught.value.attempts_left == 3


def test_the_staff_may_set_a_pin_aside_with_a_reason():
    """UHI PIN override codes: HSPAOVERRIDE."""
    pin = set_aside(a_pin(), "OVERRIDE_EMERGENCY_CONSULTATION")

    assert pin.status is PinStatus.HSPAOVERRIDE
    assert pin.is_settled
    assert pin.override.reason == "OVERRIDE_EMERGENCY_CONSULTATION"


@pytest.mark.parametrize("code", ["OVERRIDE_OTHER", "DOCTOR_OTHER", ""])
def test_an_override_without_its_reason_is_refused(code):
    """UHI PIN override codes: fixed, OTHER with free text."""
    with pytest.raises(IncompleteMessage):
        set_aside(a_pin(), code)


def test_a_mismatch_counts_as_reason_after_three_tries_only():
    """UHI PIN override codes: O6, no match after 3 attempts."""
    pin = missed(missed(a_pin()))

    with pytest.raises(StateConflict):
        set_aside(pin, "OVERRIDE_MISMATCH")

    assert set_aside(missed(pin), "OVERRIDE_MISMATCH").is_settled


def test_a_verified_pin_stays_verified():
    """Ours: what was shown need not be shown again, nor set aside."""
    pin = verify(a_pin(), "0042", now=NOON)

    assert verify(pin, "0042", now=NOON) is pin
    assert set_aside(pin, "OVERRIDE_EUA_OUTAGE") is pin


def test_a_wrong_pin_after_the_right_one_is_refused():
    """Security: nobody is let in on the PIN that another has shown."""
    pin = verify(a_pin(), "0042", now=NOON)

    with pytest.raises(PinInvalid):
        verify(pin, "0043", now=NOON)


def test_a_pin_travels_as_text_in_indian_time():
    """UHI authorization: token of four digits as text, local times without zone."""
    written = write_pin(a_pin())

    assert (written.type, written.token, written.status) == ("PIN", "0042", "GENERATED")
    assert (written.valid_from, written.valid_to) == ("2026-09-23T00:00:00", "2026-09-23T23:59:00")


def test_a_pin_that_nobody_has_to_show_any_more_opens_nothing_and_goes_without_digits():
    """Decision 37: what is not kept is neither compared nor sent."""
    spent = verify(a_pin(), "0042", now=NOON)
    spent = Pin("", spent.valid_from, spent.valid_to, spent.status)

    with pytest.raises(PinInvalid):
        verify(spent, "", now=NOON)

    assert write_pin(spent).status == "VERIFIED"
    assert "token" not in emit(write_pin(spent))


def test_a_pin_does_not_show():
    """Privacy: never in a log."""
    assert "0042" not in repr(a_pin())
    assert "0042" not in repr(write_pin(a_pin()))
