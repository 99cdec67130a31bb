"""Orders as a provider writes them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.booking.ward import ASHA, DAY, FACILITY, RAVI, THREAD, found, slot
from uhi.booking.hospital import Hold, Slot
from uhi.booking.kept import KeptOrder
from uhi.booking.offers import write_init
from uhi.booking.orders import (
    agreed_terms,
    demand_offered,
    demand_one_slot,
    demand_payment,
    write_full,
    write_offer,
    write_quoted,
)
from uhi.booking.pin import new_pin
from uhi.booking.policy import Policy
from uhi.booking.reasons import Cancellation, CancelledBy
from uhi.booking.states import OrderState
from uhi.booking.terms import agree, default_terms
from uhi.faults import PAYMENT_UNSUPPORTED, QUOTE_UNAVAILABLE, SLOT_UNAVAILABLE
from uhi.messages import Order
from uhi.messages.required import missing
from uhi.messages.values import Agent, Fulfillment, Item, Payment, Provider, rupees
from uhi.messages.wire import emit

TAGS = "@abdm/gov.in/"


def kept(state: OrderState = OrderState.HELD, one: Slot | None = None, **changes: object) -> KeptOrder:
    asked = write_init(found(one or slot()), RAVI)
    order = KeptOrder(
        id="a1b2",
        state=state,
        thread=THREAD,
        hold=Hold(id="h", slot=one or slot(), patient=RAVI, until=DAY),
        terms=default_terms(one or slot()),
        billing=asked.billing,
        customer=asked.customer,
    )
    return replace(order, **changes)


def lacks(action: str, order: Order) -> list[str]:
    body = {"context": {"domain": "nic2004:85111"}, "message": {"order": emit(order)}}
    return [path for path in missing(action, body) if path.startswith("$.message")]


def test_an_offer_lacks_nothing_and_says_no_state_and_no_pin():
    """UHI on_init: order id, five terms, quote, payment, slot_id; no order.state, no authorization."""
    offer = write_offer(kept())

    assert lacks("on_init", offer) == []
    assert (offer.state, offer.authorization) == (None, None)
    assert (offer.payment.type, offer.payment.status, offer.payment.params.amount) == ("ON-ORDER", "NOT_PAID", "500.00")


@pytest.mark.parametrize("action", ["on_confirm", "on_status", "on_update"])
def test_a_full_order_lacks_nothing(action):
    """UHI on_confirm, on_status, on_update: the full order, PIN included."""
    order = kept(OrderState.CONFIRMED, terms=agree(default_terms(slot())), pin=new_pin(DAY))

    assert lacks(action, write_full(order, Policy())) == []


def test_a_confirmed_order_tells_how_to_reach_the_facility():
    """UHI on_confirm: slot_id, messaging_support, helpline_number, deep_link, chatbot_link."""
    policy = Policy(messaging_support=True, deep_link="https://clinic.example/chat")

    tags = write_full(kept(OrderState.CONFIRMED), policy).fulfillment.tags

    assert tags == {
        f"{TAGS}slot_id": "slot-0",
        f"{TAGS}messaging_support": "true",
        f"{TAGS}helpline_number": "1800000001",
        f"{TAGS}deep_link": "https://clinic.example/chat",
        f"{TAGS}chatbot_link": "",
    }


@pytest.mark.parametrize(
    ("reason", "written"),
    [("DOCTOR_UNAVAILABLE", "DOCTOR_UNAVAILABLE"), ("whatever", "whatever"), ("", "PATIENT_OTHER")],
)
def test_a_cancelled_order_tells_who_and_why(reason, written):
    """UHI on_cancel: cancelledby and cancel_reason are sent always; an unknown code as it came."""
    order = kept(OrderState.CANCELLED, cancellation=Cancellation(CancelledBy.DOCTOR, reason, "flu"))

    full = write_full(order, Policy())

    assert lacks("on_cancel", full) == []
    assert full.fulfillment.cancelled_by == "doctor"
    assert full.fulfillment.cancel_reason == written
    assert "flu" not in str(emit(full))


def test_a_reason_in_somebodys_words_travels_in_the_tag_that_is_set():
    """UHI reason codes: no field is published for the free text."""
    order = kept(OrderState.CANCELLED, cancellation=Cancellation(CancelledBy.DOCTOR, "DOCTOR_OTHER", "flu"))

    tags = write_full(order, Policy(free_text_tag="@abdm/gov.in/cancel_text")).fulfillment.tags

    assert tags["@abdm/gov.in/cancel_text"] == "flu"


def test_what_costs_nothing_is_free():
    """UHI payment: FREE is sent as status."""
    assert (write_quoted(slot(price="0")).payment.type, write_quoted(slot(price="0")).payment.status) == (
        "ON-ORDER",
        "FREE",
    )


@pytest.mark.parametrize(
    ("payment", "price", "taken"),
    [
        (None, "500", True),
        (Payment(type="ON-ORDER"), "500", True),
        (Payment(type="ON-ORDER", status="NOT-PAID"), "500", True),
        (Payment(type="FREE"), "0", True),
        (Payment(type="ON-ORDER", status="FREE"), "0", True),
        (Payment(type="FREE"), "500", False),
        (Payment(type="PRE-ORDER", status="PAID"), "500", False),
        (Payment(type="POST-FULFILLMENT"), "500", False),
        (Payment(type="ON-ORDER", status="PAID"), "500", False),
    ],
)
def test_only_payment_at_the_facility_is_taken(payment, price, taken):
    """UHI payment: for Physical every other type is refused; FREE where nothing is to pay."""
    refused = demand_payment(Order(payment=payment), slot(price=price))

    assert (refused is None) is taken
    assert taken or refused.outcome is PAYMENT_UNSUPPORTED


@pytest.mark.parametrize(
    "change",
    [
        {"fulfillment": None},
        {"fulfillment": Fulfillment(type="Physical")},
        {"item": None},
        {"item": Item(id="slot-0", fulfillment_id="slot-1")},
        {"fulfillment": Fulfillment(id="slot-0", tags={f"{TAGS}slot_id": "slot-1"})},
    ],
)
def test_an_order_that_names_two_slots_or_none_is_declined(change):
    """UHI slots and hold: a mismatch is rejected, not silently not held."""
    order = write_init(found(slot()), RAVI).model_copy(update=change)

    assert demand_one_slot(order).outcome is SLOT_UNAVAILABLE


@pytest.mark.parametrize(
    "change",
    [
        {"provider": Provider(id="2")},
        {"item": Item(id="another", fulfillment_id="slot-0")},
        {"item": Item(id="slot-0", price=rupees(Decimal(1)))},
        {"fulfillment": Fulfillment(id="slot-0", type="Online")},
        {"fulfillment": Fulfillment(id="slot-0", agent=Agent(id="b@hpr.ndhm"))},
    ],
)
def test_an_order_for_something_else_is_declined(change):
    """Decision 10: other doctor, facility, item, kind or price is an outcome, not a NACK."""
    order = write_init(found(slot()), RAVI)

    assert demand_offered(order, slot()) is None
    assert demand_offered(order.model_copy(update=change), slot()).outcome is QUOTE_UNAVAILABLE


def test_agreed_terms_are_our_own_with_the_patients_reasons():
    """UHI terms: on_confirm shows them AGREED."""
    terms = [term.model_copy(update={"reason": "yes"}) for term in agree(default_terms(slot()))]

    agreed = agreed_terms(Order(terms=terms), kept())

    assert {(term.termsState, term.reason) for term in agreed.terms} == {("AGREED", "yes")}
    assert [term.descriptor for term in agreed.terms] == [term.descriptor for term in kept().terms]


def test_the_facility_is_shown_with_its_place():
    """UHI on_confirm: provider with descriptor, categories and location."""
    shown = write_full(kept(OrderState.CONFIRMED), Policy()).provider

    assert (shown.descriptor.name, shown.location.gps) == (FACILITY.name, "28.600000,77.200000")
    assert [one.id for one in shown.categories] == [ASHA.speciality.code, "ALLOPATHY"]
    assert timedelta(minutes=20) == slot().end - slot().start
