"""What a consultation costs."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uhi.booking.quotes import Quote, consultation_quote, read_quote, write_quote
from uhi.messages.values import Price, Quotation, QuoteLine

FEES = st.decimals(Decimal(0), Decimal(1_000_000), places=4)


@given(FEES, FEES, st.booleans())
def test_the_lines_sum_up_to_the_total(fee, registration, taxed):
    """Ours: published examples do not always agree; what we write does, to the paisa."""
    quote = consultation_quote(fee, registration=registration, taxed=taxed)

    assert sum(line.amount for line in quote.lines) == quote.total
    assert all(line.amount == line.amount.quantize(Decimal("0.01")) for line in quote.lines)


def test_a_taxed_consultation_has_five_per_cent_twice():
    """UHI quote: Consultation, CGST @ 5%, SGST @ 5%, Registration."""
    quote = consultation_quote(Decimal("499.50"), registration=Decimal(50), taxed=True)

    assert [(line.title, str(line.amount)) for line in quote.lines] == [
        ("Consultation", "499.50"),
        ("CGST @ 5%", "24.98"),
        ("SGST @ 5%", "24.98"),
        ("Registration", "50.00"),
    ]
    assert quote.total == Decimal("599.46")


@pytest.mark.parametrize("fee", ["-0.01", "NaN", "Infinity"])
def test_a_fee_that_is_no_price_is_refused(fee):
    """Security T30: no negative prices."""
    with pytest.raises(ValueError, match="fee"):
        consultation_quote(Decimal(fee))


@given(FEES, FEES)
def test_a_quote_survives_the_wire(fee, registration):
    """Ours: what is written is read back the same."""
    quote = consultation_quote(fee, registration=registration)

    assert read_quote(write_quote(quote)) == quote


def test_a_peers_total_counts_even_where_its_lines_do_not_agree():
    """UHI quote: an ambulance's example quotes 100 for an item of 500."""
    line = QuoteLine(title="Base", price=Price(value="500"))

    quote = read_quote(Quotation(price=Price(value="100.0"), breakup=[line, QuoteLine(title="Free")]))

    assert quote is not None
    assert (quote.total, len(quote.lines)) == (Decimal(100), 1)


def test_a_quotation_without_a_price_is_none():
    """Ours: nothing to compare, nothing to show."""
    assert read_quote(Quotation()) is None
    assert read_quote(None) is None
    assert write_quote(Quote(Decimal(0))).breakup is None
