"""Values of a booking as plain JSON and back: dataclasses, money, times, and what came over the wire as it came.

Pure. Above: `order_json`, `booking_json`, and whoever keeps an offer.
"""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from uhi.errors import SetupError
from uhi.messages.wire import Wire, dump

V = TypeVar("V")


def write_value(value: object) -> bytes:
    """Return the JSON of a value.

    Raises: TypeError for what JSON cannot hold.
    """
    return json.dumps(plain(value), separators=(",", ":")).encode()


def read_value(adapter: TypeAdapter[V], text: bytes, *, what: str) -> V:
    """Return the value that was written; `what` names its kind in the error.

    Raises: SetupError for what `write_value` did not write.
    """
    try:
        return adapter.validate_python(json.loads(text))
    except ValidationError:
        # Its text quotes what it read.
        error = SetupError(
            f"a kept {what} cannot be read", expected="one of this release or an earlier one", next_step="upgrade"
        )
    raise error


def plain(value: object) -> object:
    """Return what JSON holds of a value."""
    if isinstance(value, Wire):
        return dump(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, (tuple, list)):
        return [plain(entry) for entry in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value
