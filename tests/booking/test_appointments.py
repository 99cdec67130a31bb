"""What news does to a booking at its consumer."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.booking.ward import THREAD, found, slot
from uhi.booking.appointments import Booking, heard, unheard_of
from uhi.booking.quotes import Quote
from uhi.booking.states import OrderState
from uhi.messages import Order
from uhi.messages.values import Authorization, Fulfillment, Item, Payment, PaymentParams, Price, Quotation

SAMPLES = Path(__file__).parents[1] / "conformance" / "samples" / "uhi-current"
HELD = Booking(order_id="a1", thread=THREAD, found=found(slot()), quote=Quote(Decimal("500.00")))
TOLD = ["CONFIRMED", "FAILED", "APPOINTMENT_STARTED", "COMPLETED", "NO_SHOW", "CANCELLED", "SOMETHING_ELSE"]


def told(state: str, price: str = "500.0", **more: object) -> Order:
    return Order(id="a1", state=state, quote=Quotation(price=Price(value=price)), **more)


def sample(name: str) -> Order:
    return Order.model_validate(json.loads((SAMPLES / name).read_text("utf-8"))["message"]["order"])


def test_a_confirmation_brings_the_pin_and_how_to_reach_the_facility():
    """UHI on_confirm: CONFIRMED with authorization and tags."""
    tags = {"@abdm/gov.in/helpline_number": "1800", "@abdm/gov/in/messaging_support": "true"}
    shown = Authorization(
        token="0042", status="GENERATED", valid_from="2026-09-23T00:00:00", valid_to="2026-09-23T23:59:00"
    )

    booking = heard(HELD, told("CONFIRMED", fulfillment=Fulfillment(tags=tags), authorization=shown))

    assert booking.is_confirmed
    assert (booking.pin, booking.pin_status, booking.pin_valid.end.hour) == ("0042", "GENERATED", 23)
    assert (booking.reach.helpline_number, booking.reach.messaging) == ("1800", True)
    assert "0042" not in repr(booking)


@pytest.mark.case("CB-06")
def test_a_late_older_confirmation_changes_nothing():
    """UHI order states: on_cancel, then a delayed on_confirm: stays CANCELLED."""
    cancelled = heard(HELD, told("CANCELLED"))

    again = heard(cancelled, told("CONFIRMED", authorization=Authorization(token="0042")))

    assert again is cancelled
    assert again.state is OrderState.CANCELLED


@pytest.mark.parametrize("order", list(permutations(["CONFIRMED", "APPOINTMENT_STARTED", "COMPLETED"])))
def test_news_in_any_order_ends_in_the_same_state(order):
    """Ours: what comes late is older than what is known."""
    booking = HELD
    for state in order:
        booking = heard(booking, told(state))

    assert booking.state is OrderState.COMPLETED


@given(st.lists(st.sampled_from(TOLD), max_size=6))
def test_news_heard_twice_counts_once(states):
    """UHI: every callback handler is idempotent."""
    once = twice = HELD
    for state in states:
        once = heard(once, told(state))
        twice = heard(heard(twice, told(state)), told(state))

    assert once == twice


@pytest.mark.case("CB-07")
@pytest.mark.parametrize("state", ["CONFIRMED", "APPOINTMENT_STARTED", "COMPLETED"])
def test_another_price_is_not_shown_as_confirmed(state):
    """Security T30: on_confirm's price differs from on_init's."""
    booking = heard(HELD, told(state, price="499.99"))

    assert booking.price_mismatch
    assert booking.state is OrderState.HELD
    assert not booking.is_confirmed


@pytest.mark.parametrize(
    "change",
    [
        {"item": Item(price=Price(value="9000"))},
        {"payment": Payment(params=PaymentParams(amount="9000"))},
        {"payment": Payment(status="FREE", params=PaymentParams(amount="9000"))},
    ],
)
def test_every_amount_counts(change):
    """Security T30: the right quote does not hide another price beside it."""
    booking = heard(HELD, told("CONFIRMED", **change))

    assert booking.price_mismatch
    assert not booking.is_confirmed


@pytest.mark.parametrize(("total", "confirmed"), [("500.00", False), ("0", True)])
def test_a_confirmation_without_any_price_confirms_only_what_is_free(total, confirmed):
    """Security T30: no price is not the price that was quoted; FREE is, where nothing was."""
    offered = replace(HELD, quote=Quote(Decimal(total)))
    payment = Payment(status="FREE", params=PaymentParams(amount="0.0"))

    booking = heard(offered, Order(id="a1", state="CONFIRMED", payment=payment))

    assert (booking.is_confirmed, booking.price_mismatch) == (confirmed, False)
    assert not heard(offered, Order(id="a1", state="CONFIRMED")).is_confirmed


def test_news_without_a_price_does_not_settle_a_wrong_one():
    """Security T30: the mark goes with the right price only."""
    wrong = heard(heard(HELD, told("CONFIRMED")), told("CONFIRMED", price="900"))

    assert heard(wrong, Order(id="a1", state="CONFIRMED")).price_mismatch


@pytest.mark.parametrize("state", ["CANCELLED", "FAILED"])
def test_an_order_that_ended_may_tell_any_price(state):
    """Ours: nothing is owed for it."""
    booking = heard(heard(HELD, told("CONFIRMED", price="1")), told(state, price="0"))

    assert booking.state.value == state


def test_the_right_price_later_settles_it():
    """Ours: the mark goes when the provider's word fits again."""
    booking = heard(heard(HELD, told("CONFIRMED", price="1")), told("CONFIRMED"))

    assert booking.is_confirmed


def test_an_unknown_state_is_shown_and_moves_nothing():
    """UHI order states: keep, show as is, no transition."""
    booking = heard(heard(HELD, told("CONFIRMED")), told("PATIENT_IS_ON_THE_WAY"))

    assert (booking.state, booking.told) == (OrderState.CONFIRMED, "PATIENT_IS_ON_THE_WAY")
    assert heard(booking, told("CONFIRMED")).told == ""


def test_a_completed_order_brings_its_records_id_even_the_second_time():
    """UHI on_update: care_context_id in a further COMPLETED."""
    tags = {"@abdm/gov.in/care_context_id": "care-1"}
    completed = heard(HELD, told("COMPLETED"))

    booking = heard(heard(completed, told("COMPLETED", fulfillment=Fulfillment(tags=tags))), told("COMPLETED"))

    assert booking.care_context_id == "care-1"


def test_a_cancellation_tells_who_and_why():
    """UHI on_cancel: cancelledby, and the code as it came."""
    tags = {"@abdm/gov.in/cancelledby": "doctor", "@abdm/gov.in/cancel_reason": "NEW_CODE"}

    booking = heard(HELD, told("CANCELLED", fulfillment=Fulfillment(tags=tags)))

    assert (booking.cancellation.by.value, booking.cancellation.reason) == ("doctor", "NEW_CODE")


def test_a_number_as_pin_keeps_its_zeros():
    """UHI PIN: published examples send a number."""
    shown = Authorization.model_validate({"token": 42})

    assert heard(HELD, told("CONFIRMED", authorization=shown)).pin == "0042"


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("physical-08-on_confirm.confirmed.json", "CONFIRMED"),
        ("physical-24-on_update.to-eua.completed.care-context.json", "COMPLETED"),
        ("physical-25-on_update.to-eua.no-show.json", "NO_SHOW"),
        ("physical-27-on_cancel.by-doctor.json", "CANCELLED"),
    ],
)
def test_a_booking_is_made_again_of_a_published_full_order(name, state):
    """Decision 37: after a restart the PIN comes back with the order."""
    order = sample(name)

    booking = heard(unheard_of(order, THREAD), order)

    assert (booking.order_id, booking.state.value, booking.price_mismatch) == (order.id, state, False)
    assert booking.pin == "4821"


@pytest.mark.parametrize("lost", ["id", "fulfillment", "provider"])
def test_an_order_that_tells_too_little_makes_no_booking(lost):
    """Ours: nothing is invented."""
    order = sample("physical-08-on_confirm.confirmed.json").model_copy(update={lost: None})

    assert unheard_of(order, THREAD) is None


def test_other_providers_have_other_orders():
    """Security: an order id means something with its provider only."""
    assert replace(HELD, thread=replace(THREAD, provider_id="other.example")) != HELD
