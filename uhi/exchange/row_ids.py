"""Ids of rows: unique among processes, and in the order in which this process made them."""

from __future__ import annotations

from itertools import count
from random import Random

_MADE = count()
_LATEST = [0]
_RANDOM = Random()  # noqa: S311  # ids are told to nobody who must not guess them


def new_row_id(now: float) -> str:
    """A fresh id of 32 hexadecimal digits that sorts by time; `now` is Unix seconds.

    A clock that is set back does not set the order back.
    """
    _LATEST[0] = latest = max(_LATEST[0], int(now * 1_000))
    return f"{latest:012x}{next(_MADE) & 0xFFFFFF:06x}{_RANDOM.getrandbits(56):014x}"
