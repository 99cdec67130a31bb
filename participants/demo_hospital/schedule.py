"""Working hours and the slots that follow from them. Pure: `now` is an argument, all times are Indian.

Above: `data` (reads them from a file) and `hospital` (offers them); below: parts of a day.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from participants.hospital.schedules.hours import Span, without
from uhi.booking.hospital import Window
from uhi.booking.intents import LONGEST_WINDOW
from uhi.messages.values import IST


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
            for span in without(sorted(hours), self.breaks)
        )

    def on(self, day: date) -> Iterator[Window]:
        """Yield the slots of a day in order; after a break they begin anew with its end."""
        written = day.isoformat()
        if not self.holidays.isdisjoint({written, written[5:]}):
            return
        midnight = datetime.combine(day, time(), IST)
        length = timedelta(minutes=self.slot_minutes)
        for span in without(sorted(self.hours[day.weekday()]), self.breaks):
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
