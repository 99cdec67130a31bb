"""Parts of a day, and the names of slots.

Pure; all times are Indian. Above: whoever derives slots, the demo hospital too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from uhi.messages.values import IST, ONLINE, PHYSICAL

DAY_MINUTES = 24 * 60
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_SPAN = re.compile(r"([0-9]{2}):([0-5][0-9]) ?- ?([0-9]{2}):([0-5][0-9])")
_SLOT_ID = re.compile(r"([0-9a-f]{16})-(20[0-9]{6}T[0-9]{4})-([a-z]+)")
_START = "%Y%m%dT%H%M"
_FULFILMENTS = {"physical": PHYSICAL, "online": ONLINE}


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A part of a day, in minutes since midnight; 1440 is the day's end."""

    start: int
    end: int

    def overlaps(self, other: Span) -> bool:
        """Whether the two have a moment in common."""
        return self.start < other.end and other.start < self.end

    def __str__(self) -> str:
        return f"{_clock(self.start)}-{_clock(self.end)}"


def read_span(text: str) -> Span:
    """Read `10:00-13:00`; `24:00` is the end of the day.

    Raises: ValueError when it is no such span, or ends before it begins. The text is not quoted.
    """
    found = _SPAN.fullmatch(text)
    if not found:
        raise ValueError("not of the form 10:00-13:00")
    start, end = (int(hours) * 60 + int(minutes) for hours, minutes in (found.group(1, 2), found.group(3, 4)))
    if not start < end <= DAY_MINUTES:
        raise ValueError("the end is not after the start, or not on the same day")
    return Span(start, end)


def union(spans: Iterable[Span]) -> list[Span]:
    """Return the same time as spans in order that do not overlap; those that only touch stay two."""
    joined: list[Span] = []
    for span in sorted(spans):
        if joined and span.start < joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined


def without(spans: Iterable[Span], breaks: Iterable[Span]) -> Iterator[Span]:
    """Yield what of the spans no break takes, in order."""
    pauses = sorted(breaks)
    for span in spans:
        start = span.start
        for pause in pauses:
            if not pause.overlaps(span):
                continue
            if start < pause.start:
                yield Span(start, pause.start)
            start = max(start, pause.end)
        if start < span.end:
            yield Span(start, span.end)


@dataclass(frozen=True, slots=True)
class SlotName:
    """What a slot's id says: the practice (sixteen hex digits), the start to the minute, the kind of consultation.

    A claim and no more: whether there is such a slot, only the schedule tells.
    """

    practice: str
    start: datetime
    fulfilment: str = PHYSICAL

    def __str__(self) -> str:
        return f"{self.practice}-{self.start.astimezone(IST).strftime(_START)}-{self.fulfilment.lower()}"


def read_slot_id(text: str) -> SlotName | None:
    """Return what a slot's id says, None when it is not one of ours."""
    found = _SLOT_ID.fullmatch(text)
    if not found or found[3] not in _FULFILMENTS:
        return None
    try:
        start = datetime.strptime(found[2], _START).replace(tzinfo=IST)
    except ValueError:
        return None
    return SlotName(found[1], start, _FULFILMENTS[found[3]])


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
