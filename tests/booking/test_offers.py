"""A consumer's way to an order."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from tests.booking.ward import DAY, RAVI, THREAD, found, slot
from uhi.booking.offers import Offer, accept, read_offer, write_cancel, write_init
from uhi.booking.quotes import consultation_quote, write_quote
from uhi.booking.terms import KINDS, check_agreed, default_terms
from uhi.errors import BookingError, IncompleteMessage
from uhi.messages import Order
from uhi.messages.required import missing
from uhi.messages.values import Fulfillment, Payment
from uhi.messages.wire import emit

SAMPLES = Path(__file__).parents[1] / "conformance" / "samples" / "uhi-current"


def lacks(action: str, order: Order) -> list[str]:
    body = {"context": {"domain": "nic2004:85111"}, "message": {"order": emit(order)}}
    return [path for path in missing(action, body) if path.startswith("$.message")]


def on_init(**changes: object) -> Order:
    order = write_init(found(slot()), RAVI).model_copy(
        update={
            "id": "a1",
            "quote": write_quote(consultation_quote(Decimal(500))),
            "payment": Payment(type="ON-ORDER", status="NOT_PAID"),
            "terms": list(default_terms(slot())),
        }
    )
    return order.model_copy(update=changes)


def offer_of(order: Order, **changes: object) -> Offer:
    return read_offer(order, replace(found(slot()), **changes), RAVI, until=DAY, thread=THREAD)


def test_an_init_lacks_nothing():
    """UHI init: slot, doctor, billing, customer, ON-ORDER, slot_id; no order id."""
    order = write_init(found(slot()), RAVI)

    assert lacks("init", order) == []
    assert order.id is None
    assert (order.item.descriptor.code, order.item.fulfillment_id, order.fulfillment.slot_id) == (
        "CONSULTATION",
        "slot-0",
        "slot-0",
    )
    assert order.customer.person.abha_number == "91-0000-0000-0001"


def test_an_offer_shows_quote_and_terms():
    """UHI on_init: price and terms before anything is agreed."""
    offer = offer_of(on_init())

    assert (offer.order_id, offer.quote.total, len(offer.terms)) == ("a1", Decimal(500), 5)
    assert RAVI.name not in repr(offer)


@pytest.mark.parametrize(
    "change",
    [
        {"id": None},
        {"quote": None},
        {"terms": None},
        {"terms": list(default_terms(slot()))[:3]},
        {"payment": Payment(type="PRE-ORDER")},
        {"fulfillment": Fulfillment(id="slot-1")},
    ],
    ids=["no id", "no price", "no terms", "three terms", "in advance", "another slot"],
)
def test_an_offer_that_cannot_be_accepted_is_an_error(change):
    """UHI on_init: no order id, no confirm; payment in advance is not offered to a patient."""
    with pytest.raises(BookingError):
        offer_of(on_init(**change))


def test_a_confirm_returns_what_was_offered():
    """UHI confirm: quote, payment and terms as received, terms AGREED."""
    offer = offer_of(on_init())

    order = accept(offer, offer.terms)

    assert lacks("confirm", order) == []
    assert order.quote == offer.received.quote
    check_agreed(offer.terms, order.terms)


@pytest.mark.parametrize(
    "agreed",
    [(), default_terms(slot())[1:], {}, dict.fromkeys(KINDS[1:], "")],
    ids=["none", "four of five", "no kind", "four kinds of five"],
)
def test_a_term_left_out_is_not_agreed(agreed):
    """UHI go-live checklist 15: all AGREED before confirm."""
    with pytest.raises(IncompleteMessage):
        accept(offer_of(on_init()), agreed)


def test_a_reason_is_asked_for_where_the_term_asks():
    """UHI terms: reason is mandatory where reasonRequired."""
    terms = list(default_terms(slot()))
    terms[2] = terms[2].model_copy(update={"reasonRequired": True})
    offer = offer_of(on_init(terms=terms))

    with pytest.raises(IncompleteMessage):
        accept(offer, offer.terms)
    agreed = dict.fromkeys(KINDS, "") | {"Cancellation": "I read it"}
    assert accept(offer, agreed).terms[2].reason == "I read it"


def test_nhas_own_offer_is_accepted():
    """NHA's sample of on_init: no billing, no customer, no amount, a term that asks for a reason."""
    raw = json.loads((SAMPLES / "physical-06-on_init.json").read_text("utf-8"))["message"]["order"]
    order = Order.model_validate(raw)
    offer = offer_of(order, slot=replace(slot(), id=order.fulfillment.id))

    confirm = accept(offer, {term.type: "agreed" if term.needs_reason else "" for term in offer.terms})

    assert lacks("confirm", confirm) == []
    assert confirm.payment.params.amount == "500.00"
    assert emit(confirm)["quote"] == raw["quote"]
    check_agreed(offer.terms, confirm.terms)


def test_a_cancellation_says_who_and_why_and_the_words_only_where_there_is_a_tag():
    """UHI cancel: cancelledby patient, cancel_reason always."""
    plain = write_cancel("a1", reason="PATIENT_OTHER", text="moved away")
    spoken = write_cancel("a1", reason="PATIENT_OTHER", text="moved away", text_tag="@abdm/gov.in/text")

    assert lacks("cancel", plain) == []
    assert "moved away" not in str(emit(plain))
    assert spoken.fulfillment.tags["@abdm/gov.in/text"] == "moved away"
