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

import orjson
from pydantic import TypeAdapter, ValidationError

from uhi.errors import SetupError
from uhi.messages.wire import Wire, dump

V = TypeVar("V")

_ATOMS = frozenset({str, int, float, bool})


def write_value(value: object) -> bytes:
    """Return the JSON of a value.

    Raises: TypeError for what JSON cannot hold.
    """
    try:
        return orjson.dumps(value, default=_plain)
    except TypeError:
        # What it cannot hold JSON can: whole numbers beyond 64 bits, half a surrogate pair.
        return json.dumps(_spelled(value), separators=(",", ":")).encode()


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
    """Return what JSON holds of a value, made anew.

    Raises: TypeError for what JSON cannot hold.
    """
    if value is None or type(value) in _ATOMS:
        return value
    return json.loads(write_value(value))


def _plain(value: object) -> object:
    """What is no dataclass, list, enumeration or time of day and date."""
    if isinstance(value, Wire):
        return dump(value)
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"JSON holds no {type(value).__name__}")


def _spelled(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _spelled(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, (tuple, list)):
        return [_spelled(entry) for entry in value]
    if isinstance(value, dict):
        return {name: _spelled(entry) for name, entry in value.items()}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    return value if value is None or isinstance(value, (str, int, float)) else _plain(value)
