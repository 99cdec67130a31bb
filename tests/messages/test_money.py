"""Money: exact, bounded, never a binary fraction."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from uhi.errors import Refusal
from uhi.faults import MESSAGE_INVALID
from uhi.messages import Envelope, Init
from uhi.messages.envelope import read
from uhi.messages.values import Payment, PaymentParams, Price, Quotation, rupees
from uhi.messages.wire import dump

HOSTILE = ["-500", "abc1", "1e5", "٥٠٠", "1_000", "999999999999", 0.1, "", " 5", "5\n", "1.", ".5", "1.12345"]
HOSTILE += [500.0, True, -1, 10**9, "NaN", "Infinity", "+5", [], {}]


@pytest.mark.parametrize(("value", "amount"), [("10.320", "10.320"), ("0", "0"), ("999999999.9999", "999999999.9999")])
def test_an_amount_is_exactly_what_the_text_says(value, amount):
    """Decision 8: Decimal, up to four decimals, kept as text."""
    price = Price.model_validate({"currency": "INR", "value": value})

    assert price.amount == Decimal(amount)
    assert dump(price) == {"currency": "INR", "value": value}


def test_a_whole_number_is_an_amount_and_stays_a_number():
    """Irregularities: amounts come as JSON numbers too."""
    price = Price.model_validate({"value": 500})

    assert price.amount == Decimal(500)
    assert dump(price) == {"value": 500}


@pytest.mark.case("BODY-13")
@pytest.mark.parametrize("value", [*HOSTILE, None])
def test_what_is_no_amount_is_refused(value):
    """BODY-13: signs, exponents, other scripts' digits, separators, overlong and binary fractions."""
    with pytest.raises(ValidationError):
        Price.model_validate({"value": value})


@pytest.mark.case("BODY-13")
@pytest.mark.parametrize("value", HOSTILE)
def test_a_message_with_a_bad_price_is_refused_naming_the_place(value):
    """BODY-13: UHI-1404, with the path of the price."""
    context = {"domain": "nic2004:85111", "action": "init", "message_id": "m1"}
    body = {"context": context, "message": {"order": {"item": {"price": {"value": value}}}}}

    with pytest.raises(Refusal) as refused:
        read(body, Envelope[Init])

    assert refused.value.fault is MESSAGE_INVALID
    assert refused.value.path == "$.message.order.item.price.value"


def test_a_refused_amount_is_not_quoted():
    """Ours: a refusal quotes nothing of a body."""
    with pytest.raises(ValidationError) as refused:
        Price.model_validate({"value": "-4711"})

    assert "4711" not in str(refused.value)


def test_a_price_without_a_value_is_no_price():
    """Ours: an amount that is absent must not be taken for nothing to pay."""
    with pytest.raises(ValidationError):
        Price.model_validate({"currency": "INR"})


@pytest.mark.parametrize(
    ("amount", "text"), [("500", "500.00"), ("0", "0.00"), ("-0", "0.00"), ("16.665", "16.67"), ("10.3204", "10.32")]
)
def test_prices_are_written_with_two_decimals(amount, text):
    """Decision 8: two decimals written, rounded half up."""
    assert dump(rupees(Decimal(amount))) == {"currency": "INR", "value": text}


@pytest.mark.parametrize("amount", ["-0.01", "1000000000", "NaN", "Infinity", "1e30", "999999999.01"])
def test_a_price_we_could_not_read_back_is_not_written(amount):
    """Ours: what we write we accept."""
    with pytest.raises(ValueError, match="between 0 and"):
        rupees(Decimal(amount))


@given(st.decimals(0, 999_999_999, allow_nan=False, places=2))
def test_a_written_price_reads_back_exactly(amount):
    """Decision 8: round trip."""
    assert rupees(amount).amount == amount


@pytest.mark.parametrize(
    ("came", "state"),
    [("NOT-PAID", "NOT_PAID"), ("NOT_PAID", "NOT_PAID"), ("PAID", "PAID"), ("odd", "odd"), (None, None)],
)
def test_unpaid_has_two_spellings(came, state):
    """Irregularities: older messages write NOT-PAID; unknown states stay."""
    payment = Payment.model_validate({"status": came})

    assert payment.state == state
    assert dump(payment) == {"status": came}


def test_free_is_a_type_or_a_status():
    """UHI: published as both."""
    assert Payment(type="FREE").is_free
    assert Payment(type="ON-ORDER", status="FREE").is_free
    assert not Payment(type="ON-ORDER", status="NOT_PAID").is_free


def test_the_amount_of_a_payment_may_be_empty():
    """UHI: members of the parameters may be empty text."""
    assert PaymentParams(amount="").due is None
    assert PaymentParams(amount="100.0").due == Decimal(100)
    with pytest.raises(ValidationError):
        PaymentParams(amount="-1")


def test_an_older_quote_keeps_its_lines_inside_the_price():
    """Irregularities: `breakup` inside `price` in two published files."""
    value = {"price": {"value": "110", "breakup": [{"./dhp-0_7_1.consultation": "100"}]}}

    quote = Quotation.model_validate(value)

    assert quote.breakup is None
    assert dump(quote) == value
