"""What somebody puts down about a practice: weekly hours, breaks, how long a slot is and how far ahead it is offered.

Pure. Above: `derive`, `forms`; below: parts of a day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from participants.hospital.schedules.hours import Span

ZONE = "Asia/Kolkata"
"""The one zone there is: messages of the network carry Indian times without naming a zone."""

DAY_SECONDS = 86_400
_OFFSET = 19_800
_EPOCH = date(1970, 1, 1).toordinal()


class Times(NamedTuple):
    """From a moment to another, in Unix seconds."""

    start: int
    end: int

    def overlaps(self, other: Times) -> bool:
        """Whether the two have a moment in common."""
        return self.start < other.end and other.start < self.end


def midnight(day: date) -> int:
    """When a day begins in India, in Unix seconds; there is no summer time."""
    return (day.toordinal() - _EPOCH) * DAY_SECONDS - _OFFSET


def day_of(moment: float) -> date:
    """The day in India at a moment."""
    return date.fromordinal(_EPOCH + day_number(moment))


def day_number(moment: float) -> int:
    """The number of the day in India at a moment, counted from 1970-01-01."""
    return int((moment + _OFFSET) // DAY_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Hours of one weekday (0 is Monday), from a day to another one, both included, where they are given.

    `every_weeks` 2 is every second week, the first that of `valid_from`. `kinds` are the kinds of consultation they are
    for, all of the practice where there are none.
    """

    weekday: int
    hours: Span
    valid_from: date | None = None
    valid_to: date | None = None
    every_weeks: int = 1
    kinds: frozenset[str] = frozenset()

    def holds(self, day: date, kind: str) -> bool:
        """Whether these hours are kept on a day, for a kind of consultation."""
        if day.weekday() != self.weekday or (self.kinds and kind not in self.kinds):
            return False
        if self.valid_from is not None and day < self.valid_from:
            return False
        if self.valid_to is not None and day > self.valid_to:
            return False
        return self.every_weeks == 1 or self.valid_from is None or self._weeks_since(day) % self.every_weeks == 0

    def _weeks_since(self, day: date) -> int:
        first = self.valid_from or day
        return (day - (first - timedelta(days=first.weekday()))).days // 7


@dataclass(frozen=True, slots=True)
class Break:
    """Part of a day without consultations, of one weekday or of all."""

    hours: Span
    weekday: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """The schedule of a practice. Each slot has so many `seats`: patients who are seen side by side.

    A slot is offered from `horizon_days` before it until `lead_minutes` before it.
    """

    rules: tuple[Rule, ...]
    slot_minutes: int
    seats: int = 1
    breaks: tuple[Break, ...] = ()
    lead_minutes: int = 0
    horizon_days: int = 30

    def offered(self, now: float) -> Times:
        """Between which moments a slot that is offered now begins; the second is not included."""
        soonest = max(int(now) + 1, -int(-(now + self.lead_minutes * 60) // 1))
        return Times(soonest, int(now) + self.horizon_days * DAY_SECONDS)
