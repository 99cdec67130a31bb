"""A kept order as JSON and back, value for value: what a store on disk seals.

Pure. What came over the wire goes in as it came, numbers as numbers. The PIN's digits are left out: they are kept apart
from the order, and not as long. Above: `uhi.booking.sql_bookings`.
"""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass, replace
from datetime import date
from decimal import Decimal
from enum import Enum
from functools import cache

from pydantic import TypeAdapter, ValidationError

from uhi.booking.store import KeptOrder
from uhi.errors import SetupError
from uhi.messages.wire import Wire, dump


def write_order(order: KeptOrder) -> bytes:
    """Return the JSON of an order, without the digits of its PIN.

    Raises: TypeError for a value that JSON cannot hold.
    """
    pin = replace(order.pin, token="") if order.pin else None
    return json.dumps(_plain(replace(order, pin=pin)), separators=(",", ":")).encode()


def read_order(text: bytes, *, token: str, version: int) -> KeptOrder:
    """Return the order that was written, with its PIN (empty: not kept any more) and the version it is kept in.

    Raises: SetupError for what `write_order` did not write.
    """
    order = _read(json.loads(text))
    if order is None:
        # Raised here, so that the reader's error, which quotes what it read, does not hang on ours as its context.
        raise SetupError(
            "a kept order cannot be read", expected="one of this release or an earlier one", next_step="upgrade"
        )
    return replace(order, pin=replace(order.pin, token=token) if order.pin else None, version=version)


def _read(value: object) -> KeptOrder | None:
    try:
        return _adapter().validate_python(value)
    except ValidationError:
        return None


@cache
def _adapter() -> TypeAdapter[KeptOrder]:
    return TypeAdapter(KeptOrder)


def _plain(value: object) -> object:
    if isinstance(value, Wire):
        return dump(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, (tuple, list)):
        return [_plain(entry) for entry in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value
