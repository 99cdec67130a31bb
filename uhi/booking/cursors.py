"""Where a page of bookings ended, as a URL may have it: by when the last one begins, and its id.

Pure. Above: `agenda`, whatever else lists bookings by their start.
"""

from __future__ import annotations

from math import isfinite

from uhi.errors import Refusal
from uhi.faults import REQUEST_INVALID


def write_cursor(starts_at: float, row_id: str) -> str:
    """Where a page ended."""
    return f"{starts_at!r}~{row_id}"


def read_cursor(text: str) -> tuple[float, str]:
    """Where the next page begins.

    Raises: Refusal(REQUEST_INVALID) for what no page gave.
    """
    starts_at, _, row_id = text.partition("~")
    try:
        place = float(starts_at), row_id
    except ValueError:
        place = float("nan"), ""
    # Neither can be compared by a database: what is no number, and a sign that does not print.
    if isfinite(place[0]) and row_id.isprintable():
        return place
    raise Refusal(
        REQUEST_INVALID,
        "no page gave this place to go on after",
        path="after",
        expected="the `next` of a page",
        next_step="begin anew without it",
    )
