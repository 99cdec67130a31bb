"""Working hours and the slots that follow from them. Pure: `now` is an argument, all times are Indian.

Above: `data` (reads them from a file) and `hospital` (offers them).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from uhi.booking.hospital import Window
from uhi.booking.intents import LONGEST_WINDOW
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a doctor sees patients.

    `hours` are the spans of each day of the week, Monday first, none overlapping another. `breaks` cut every day.
    `holidays` are days without consultations: `2027-01-14`, or `01-26` for every year.
    """

    hours: tuple[tuple[Span, ...], ...]
    slot_minutes: int
    breaks: tuple[Span, ...] = ()
    holidays: frozenset[str] = frozenset()

    @property
    def has_slots(self) -> bool:
        """Whether there is a slot on any day of an ordinary week."""
        return any(
            span.end - span.start >= self.slot_minutes
            for hours in self.hours
            for span in _without(sorted(hours), sorted(self.breaks))
        )

    def on(self, day: date) -> Iterator[Window]:
        """Yield the slots of a day in order; after a break they begin anew with its end."""
        written = day.isoformat()
        if not self.holidays.isdisjoint({written, written[5:]}):
            return
        midnight = datetime.combine(day, time(), IST)
        length = timedelta(minutes=self.slot_minutes)
        for span in _without(sorted(self.hours[day.weekday()]), sorted(self.breaks)):
            for minute in range(span.start, span.end - self.slot_minutes + 1, self.slot_minutes):
                start = midnight + timedelta(minutes=minute)
                yield Window(start, start + length)

    def at(self, start: datetime) -> Window | None:
        """Return the slot that starts at a moment, None if there is none."""
        return next((slot for slot in self.on(start.astimezone(IST).date()) if slot.start == start), None)

    def within(self, window: Window) -> Iterator[Window]:
        """Yield the slots that start in a window, in order."""
        day, last = (moment.astimezone(IST).date() for moment in (window.start, window.end))
        while day <= last:
            yield from (slot for slot in self.on(day) if window.start <= slot.start < window.end)
            day += timedelta(days=1)


def offered(window: Window, *, now: datetime, horizon: timedelta) -> Window:
    """Return what of a window is offered: from now on, at most 14 days of it, and nothing beyond the horizon.

    What is left may be empty, its end then not after its start.
    """
    start = max(window.start, now)
    return Window(start, min(window.end, start + LONGEST_WINDOW, now + horizon))


@dataclass(frozen=True, slots=True)
class SlotName:
    """What a slot's id says: the practice (`Practice.ref`), the start to the minute, and the kind of consultation.

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


def _without(spans: Iterable[Span], breaks: list[Span]) -> Iterator[Span]:
    for span in spans:
        start = span.start
        for pause in breaks:
            if not pause.overlaps(span):
                continue
            if start < pause.start:
                yield Span(start, pause.start)
            start = max(start, pause.end)
        if start < span.end:
            yield Span(start, span.end)
