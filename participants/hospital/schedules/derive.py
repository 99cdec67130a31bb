"""The slots of a practice, derived: what its week, exceptions, holidays, leave and called-off times leave.

Pure; times are Unix seconds. A holiday closes, whatever else is written; an exception takes the place of the week's
hours; breaks cut every day; leave takes each slot it touches. Above: the hospital's port, attention, previews.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from participants.hospital.schedules.hours import Span, union, without
from participants.hospital.schedules.week import Times, Week, day_of, midnight

_REMEMBERED = 20
"""How many days of each timetable: those that are searched again and again are the next ones."""


class Why(StrEnum):
    """Why there is no slot at a time."""

    HOLIDAY = "holiday"
    EXCEPTION = "exception"
    LEAVE = "leave"
    CALLED_OFF = "called off"
    HOURS = "hours"
    """No slot of this length begins then, by the week or the exception of the day."""
    SEATS = "seats"
    PRACTICE = "practice"
    """The doctor does not practise there any more, or not in this kind."""


@dataclass(frozen=True, slots=True)
class CalledOff:
    """A seat at a time that the facility called off: it stays closed until somebody opens it again."""

    times: Times
    seat: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """Everything that decides about the slots of one practice.

    `exceptions` are the hours of single days, none where the day is closed; `holidays` days of one year (`2027-01-14`)
    or of each (`01-26`). `leave` is the doctor's own, `colleagues` everybody's of the organisation, by HPR address.
    """

    week: Week
    exceptions: Mapping[date, tuple[Span, ...]] = field(default_factory=dict)
    holidays: frozenset[str] = frozenset()
    leave: tuple[Times, ...] = ()
    colleagues: Mapping[str, tuple[Times, ...]] = field(default_factory=dict)
    called_off: tuple[CalledOff, ...] = ()
    _known: dict[tuple[date, str], tuple[Times, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def planned(self, day: date, kind: str) -> Iterator[Times]:
        """Yield the slots of a day as if nothing closed it, in order; after a break they begin anew with its end."""
        hours = self.exceptions.get(day) or [rule.hours for rule in self.week.rules if rule.holds(day, kind)]
        if not hours:
            return
        breaks = [each.hours for each in self.week.breaks if each.weekday in {None, day.weekday()}]
        length, begin = self.week.slot_minutes, midnight(day)
        for span in without(union(hours), breaks):
            for minute in range(span.start, span.end - length + 1, length):
                yield Times(begin + minute * 60, begin + (minute + length) * 60)

    def closed(self, times: Times) -> Why | None:
        """Return why a slot that is planned is not offered, None where it is."""
        away = any(each.overlaps(times) for each in self.leave)
        return self.closed_on(day_of(times.start)) or (Why.LEAVE if away else None)

    def closed_on(self, day: date) -> Why | None:
        """Return why a day has no slots at all, None where it may have some."""
        written = day.isoformat()
        if written in self.holidays or written[5:] in self.holidays:
            return Why.HOLIDAY
        return Why.EXCEPTION if day in self.exceptions and not self.exceptions[day] else None

    def on(self, day: date, kind: str) -> Sequence[Times]:
        """Return the slots of a day, in order; the days asked for last are remembered."""
        slots = self._known.get((day, kind))
        if slots is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            slots = self._known[day, kind] = () if self.closed_on(day) else self._open(day, kind)
        return slots

    def within(self, span: Times, kind: str) -> Iterator[Times]:
        """Yield the slots that begin from the span's start to before its end, in order; one day is derived after the
        other, as far as somebody asks."""
        day, last = day_of(span.start), day_of(span.end)
        while day <= last and span.start < span.end:
            for times in self.on(day, kind):
                if span.start <= times.start < span.end:
                    yield times
            day += timedelta(days=1)

    def at(self, start: int, kind: str) -> Times | None:
        """Return the slot that begins at a moment, None where there is none."""
        return next((times for times in self.on(day_of(start), kind) if times.start == start), None)

    def seats_off(self, times: Times) -> set[int]:
        """Return the seats of a slot that were called off."""
        return {each.seat for each in self.called_off if each.times.overlaps(times)}

    def misfit(self, times: Times, kind: str, seat: int) -> Why | None:
        """Return why what was booked once has no slot now, None where it has."""
        if times not in self.planned(day_of(times.start), kind):
            return self.closed(times) or Why.HOURS
        if seat in self.seats_off(times):
            return Why.CALLED_OFF
        return self.closed(times) or (Why.SEATS if seat >= self.week.seats else None)

    def _open(self, day: date, kind: str) -> tuple[Times, ...]:
        leave = self.leave
        return tuple(times for times in self.planned(day, kind) if not leave or not any(map(times.overlaps, leave)))
