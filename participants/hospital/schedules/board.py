"""Who has which time of which doctor, and the seat that is left in a slot.

Pure. A doctor is in one place at a time, so a claim at another practice takes every seat; one at the same practice
takes its own. Above: the hospital's port, previews; below: claims as the library keeps them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from participants.hospital.organisations.snapshot import Practice
from participants.hospital.schedules.derive import Timetable
from participants.hospital.schedules.week import Times, day_number
from uhi.booking.hospital import Doctor

PRACTICE_DIGITS = 16


class Taken(NamedTuple):
    """A seat of a doctor that somebody has. `practice_id` is where, empty where the slot's id is not one of ours."""

    times: Times
    seat: int
    practice_id: str
    is_booked: bool = True


@dataclass(slots=True)
class _Day:
    """What of a doctor's day is taken, by start; nothing is longer than `longest` seconds."""

    starts: list[int] = field(default_factory=list)
    taken: list[Taken] = field(default_factory=list)
    longest: int = 0

    def put(self, taken: Taken) -> None:
        at = bisect_right(self.starts, taken.times.start)
        self.starts.insert(at, taken.times.start)
        self.taken.insert(at, taken)
        self.longest = max(self.longest, taken.times.end - taken.times.start)

    def in_the_way(self, times: Times) -> list[Taken]:
        first = bisect_right(self.starts, times.start - self.longest)
        last = bisect_left(self.starts, times.end, first)
        return [taken for taken in self.taken[first:last] if taken.times.end > times.start]


@dataclass(frozen=True, slots=True)
class Board:
    """What is taken, for each doctor (HPR address) and day; no slot crosses midnight."""

    _days: dict[tuple[str, int], _Day] = field(default_factory=dict)

    def put(self, doctors: Iterable[str], taken: Taken) -> None:
        """Put down that somebody has a seat of these doctors' time."""
        number = day_number(taken.times.start)
        for doctor in doctors:
            day = self._days.get((doctor, number))
            if day is None:
                day = self._days[doctor, number] = _Day()
            day.put(taken)

    def in_the_way(self, place: Place, times: Times) -> list[Taken]:
        """Return what is taken of a slot: seats of it, and times its doctors have elsewhere."""
        number, found = day_number(times.start), []
        for doctor in place.doctors:
            day = self._days.get((doctor, number))
            if day is not None:
                found += day.in_the_way(times)
        return found

    def free_seat(self, place: Place, times: Times) -> int | None:
        """Return the first free seat of a slot, None where there is none."""
        taken = self.in_the_way(place, times)
        if not taken and not place.timetable.called_off:
            return 0
        gone = place.timetable.seats_off(times)
        for each in taken:
            if each.practice_id != place.practice.id:
                return None
            gone.add(each.seat)
        return next((seat for seat in range(place.timetable.week.seats) if seat not in gone), None)


@dataclass(frozen=True, slots=True)
class Place:
    """A practice with its timetable and one kind of consultation: where slots of one sort come from. `doctor` is the
    practice's with the price of this kind, `doctors` the HPR addresses of all who take part: the leave of each of them
    is in the timetable."""

    practice: Practice
    timetable: Timetable
    kind: str
    doctor: Doctor
    doctors: tuple[str, ...]

    @classmethod
    def of(cls, practice: Practice, timetable: Timetable, kind: str) -> Place:
        """The place of one kind that a practice offers.

        Raises: KeyError where it does not.
        """
        others = tuple(doctor.id for doctor in practice.groups.get(kind, ()))
        away = tuple(times for each in others for times in timetable.colleagues.get(each, ()))
        if away:
            timetable = replace(timetable, leave=(*timetable.leave, *away))
        return cls(practice, timetable, kind, practice.doctor_for(kind), (practice.doctor.id, *others))

    def works_in(self, span: Times) -> bool:
        """Whether a slot begins in a span, free or not."""
        return any(True for _ in self.timetable.within(span, self.kind))

    def first_free(self, board: Board, span: Times) -> Times | None:
        """Return the first slot with a free seat that begins in a span."""
        found = self.timetable.within(span, self.kind)
        return next((times for times in found if self.has_seat(board, times)), None)

    def has_seat(self, board: Board, times: Times) -> bool:
        """Whether a slot has a free seat."""
        return board.free_seat(self, times) is not None


def practice_of(slot_id: str) -> str:
    """Return the id of the practice that a slot's id names; for an id of another form, no practice's."""
    return slot_id[:PRACTICE_DIGITS]
