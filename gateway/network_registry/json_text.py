"""JSON in a text column: lists and objects that are never searched.

Below: `uhi.strict_json`; above: the rows of this package.
"""

from __future__ import annotations

from uhi import strict_json


def write_json(value: object) -> str:
    """A JSON value as the text of a column."""
    return strict_json.write(value).decode()


def read_object(text: str) -> dict[str, object]:
    """The object in a column; empty when another value stands there."""
    value = strict_json.parse(text.encode())
    return value if isinstance(value, dict) else {}


def read_list(text: str) -> list[object]:
    """The list in a column; empty when another value stands there."""
    value = strict_json.parse(text.encode())
    return value if isinstance(value, list) else []
