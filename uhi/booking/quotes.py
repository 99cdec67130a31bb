"""Quotes: what a consultation costs, line by line, exact.

Pure. Amounts are Decimal rupees with two decimals. Source: NHA Physical Consultation v2.0, payment and quote.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from uhi.messages.values import Quotation, QuoteLine, rupees

CONSULTATION = "Consultation"
CGST = "CGST @ 5%"
SGST = "SGST @ 5%"
REGISTRATION = "Registration"

_PAISA = Decimal("0.01")
_GST = Decimal("0.05")
_NOTHING = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a quote, in rupees."""

    title: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Quote:
    """The total payable in rupees, and how it comes about.

    Our own lines sum up to the total. A quote read from a peer may have lines that do not, or none: the total counts.
    """

    total: Decimal
    lines: tuple[Line, ...] = ()


def consultation_quote(fee: Decimal, *, registration: Decimal = _NOTHING, taxed: bool = False) -> Quote:
    """Return the quote for a consultation: fee, 5 % CGST and 5 % SGST where it is taxed, registration.

    Each line is rounded half up to two decimals, and the total is their sum.
    Raises: ValueError for an amount that is negative or no number.
    """
    for amount in (fee, registration):
        if not amount.is_finite() or amount < 0:
            raise ValueError("a fee must be zero or more rupees")
    tax = fee * _GST if taxed else _NOTHING
    amounts = ((CONSULTATION, fee), (CGST, tax), (SGST, tax), (REGISTRATION, registration))
    lines = tuple(Line(title, amount.quantize(_PAISA, rounding=ROUND_HALF_UP)) for title, amount in amounts)
    return Quote(sum((line.amount for line in lines), _NOTHING), lines)


def write_quote(quote: Quote) -> Quotation:
    """Return the quote as it travels."""
    breakup = [QuoteLine(title=line.title, price=rupees(line.amount)) for line in quote.lines]
    price = rupees(quote.total)
    return Quotation(price=price, breakup=breakup) if breakup else Quotation(price=price)


def read_quote(quotation: Quotation | None) -> Quote | None:
    """Return a peer's quote; None where it names no price."""
    if quotation is None or quotation.price is None:
        return None
    lines = tuple(Line(line.title or "", line.price.amount) for line in quotation.breakup or () if line.price)
    return Quote(quotation.price.amount, lines)
