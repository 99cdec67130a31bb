"""Money: prices, quotes and payments. Amounts stay the text that came; readers get Decimal, never float.

Source: NHA Physical Consultation v2.0, payment and quote. Up to four decimals are read, two are written.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated

from pydantic_core import PydanticCustomError, core_schema

from uhi.messages.wire import Many, NumberText, Reading, Text, Wire

LARGEST_WHOLE_AMOUNT = 999_999_999
_EXPECTED = "up to 9 digits, with at most 4 decimals, as text"
_PATTERN = r"[0-9]{1,9}(\.[0-9]{1,4})?"
_CENT = Decimal("0.01")


def _whole_amount(value: object) -> NumberText:
    # A JSON fraction is binary: 0.1 cannot be told from 0.1000000000000000055.
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_WHOLE_AMOUNT:
        raise PydanticCustomError("amount", _EXPECTED)
    return NumberText.of(value)


def _amount(pattern: str) -> Reading:
    forms = (
        core_schema.str_schema(strict=True, pattern=pattern),
        core_schema.no_info_plain_validator_function(_whole_amount),
    )
    text = {"type": "string", "pattern": pattern}
    whole = {"type": "integer", "minimum": 0, "maximum": LARGEST_WHOLE_AMOUNT}
    return Reading("amount", _EXPECTED, forms, {"anyOf": [text, whole]})


Amount = Annotated[str, _amount(f"^{_PATTERN}$")]
"""A decimal amount as text; a whole JSON number is read as text and remembered, a fraction is refused."""

PerhapsAmount = Annotated[str, _amount(f"^({_PATTERN})?$")]
"""An amount where UHI's own software also writes an empty text."""


class Price(Wire):
    """An amount of money; ambulances tell the least and the most it may come to besides."""

    currency: Text | None = None
    value: Amount
    estimated_Value: Text | None = None
    minimum_Value: Text | None = None
    maximum_Value: Text | None = None

    @property
    def amount(self) -> Decimal:
        """The value, exact."""
        return Decimal(self.value)


def rupees(amount: Decimal) -> Price:
    """Write a price in rupees with two decimals, rounded half up.

    Raises:
        ValueError: the amount is not between zero and 999,999,999.
    """
    if not amount.is_finite() or not 0 <= amount <= LARGEST_WHOLE_AMOUNT:
        raise ValueError("a price must be between 0 and 999,999,999 rupees")
    value = amount.quantize(_CENT, rounding=ROUND_HALF_UP).copy_abs()
    return Price(currency="INR", value=f"{value:f}")


class QuoteLine(Wire):
    """One line of a quote: fee, tax, registration."""

    title: Text | None = None
    price: Price | None = None


class Quotation(Wire):
    """What an order costs. The lines of published examples do not always sum up to the price."""

    price: Price | None = None
    breakup: Many[QuoteLine] | None = None
    ttl: Text | None = None


class PaymentParams(Wire):
    """How much is paid and by which means; members may be empty text."""

    transaction_id: Text | None = None
    amount: PerhapsAmount | None = None
    currency: Text | None = None
    mode: Text | None = None
    vpa: Text | None = None
    redirect_url: Text | None = None

    @property
    def due(self) -> Decimal | None:
        """The amount, exact; None when it is absent or empty."""
        return Decimal(self.amount) if self.amount else None


class Payment(Wire):
    """When and how an order is paid."""

    uri: Text | None = None
    type: Text | None = None
    status: Text | None = None
    tl_method: Text | None = None
    params: PaymentParams | None = None

    @property
    def state(self) -> str | None:
        """The status with `NOT-PAID` read as `NOT_PAID`; other values as they came."""
        return "NOT_PAID" if self.status == "NOT-PAID" else self.status

    @property
    def is_free(self) -> bool:
        """Whether nothing is to be paid; `FREE` is published as a type and as a status."""
        return "FREE" in (self.type, self.status)
