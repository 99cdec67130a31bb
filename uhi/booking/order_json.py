"""A kept order as JSON and back, value for value: what a store on disk seals, and what events carry of it.

Pure. What came over the wire goes in as it came, numbers as numbers. The PIN's digits are left out: they are kept apart
from the order, and not as long. Above: `uhi.booking.events`, `uhi.booking.order_rows`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from pydantic import TypeAdapter

from uhi.booking.kept import KeptOrder
from uhi.booking.plain_json import read_value, write_value


def write_order(order: KeptOrder) -> bytes:
    """Return the JSON of an order, without the digits of its PIN.

    Raises: TypeError for a value that JSON cannot hold.
    """
    pin = replace(order.pin, token="") if order.pin else None
    return write_value(replace(order, pin=pin))


def read_order(text: bytes, *, token: str, version: int) -> KeptOrder:
    """Return the order that was written, with its PIN (empty: not kept any more) and the version it is kept in.

    Raises: SetupError for what `write_order` did not write.
    """
    order = read_value(_adapter(), text, what="order")
    return replace(order, pin=replace(order.pin, token=token) if order.pin else None, version=version)


@cache
def _adapter() -> TypeAdapter[KeptOrder]:
    return TypeAdapter(KeptOrder)
