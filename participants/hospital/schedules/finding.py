"""Free slots: the first one of each of many doctors, or all of one in a window.

Days are derived one after the other, and claims read for so many days as are needed: what it costs grows with what is
found, and not with how far ahead one can book. Above: `hospital`; below: `boards`, `derive`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from participants.hospital.organisations.snapshot import Practice, Snapshot
from participants.hospital.schedules.answers import moment_of
from participants.hospital.schedules.board import Board, Place
from participants.hospital.schedules.boards import Question, read_board
from participants.hospital.schedules.hours import SlotName
from participants.hospital.schedules.week import DAY_SECONDS, Times, day_of, midnight
from uhi.booking.hospital import Doctor, Slot, Window
from uhi.storage.sql.database import Database

_FIRST_DAYS = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Where claims are read, and as of when (Unix seconds)."""

    database: Database
    provider_id: str
    snapshot: Snapshot
    now: float

    def question(self, practices: Iterable[Practice], span: Times) -> Question:
        """What is to be read about practices in a span."""
        return Question(
            provider_id=self.provider_id,
            doctors={doctor.id for practice in practices for doctor in (practice.doctor, *practice.group)},
            span=span,
            now=self.now,
        )

    async def board(self, practices: Iterable[Practice], span: Times) -> Board:
        """Read what is taken of the time of these practices' doctors in a span."""
        asked = self.question(practices, span)
        return await self.database.read(lambda connection: read_board(connection, asked))

    def offered(self, place: Place, window: Window | None) -> Times:
        """Return what of a window a place offers now; it may be empty."""
        start, end = place.timetable.week.offered(self.now)
        if window is None:
            return Times(start, end)
        return Times(max(start, -int(-window.start.timestamp() // 1)), min(end, -int(-window.end.timestamp() // 1)))


async def first_slots(finding: Finding, places: Sequence[Place], window: Window | None) -> list[Doctor]:
    """Return the doctors of those places that have a free slot in the window, each with the time from the first one to
    the end of what is offered of it; in the places' order.
    """
    spans = [finding.offered(place, window) for place in places]
    waiting = [n for n, span in enumerate(spans) if span.start < span.end]
    found: dict[int, Times] = {}
    since, days = min((spans[n].start for n in waiting), default=0), _FIRST_DAYS
    while waiting:
        # No slot crosses midnight: claims up to one say all about the slots before it.
        reach = midnight(day_of(since)) + days * DAY_SECONDS
        parts = {n: Times(max(spans[n].start, since), min(spans[n].end, reach)) for n in waiting}
        found.update(await _first(finding, places, parts))
        waiting = [n for n in waiting if n not in found and spans[n].end > reach]
        since, days = reach, days * 2
    return [_with_times(places[n], Times(found[n].start, spans[n].end)) for n in sorted(found)]


def slots_of(finding: Finding, places: Sequence[Place], board: Board, window: Window) -> list[Slot]:
    """Return the free slots of places that begin in a window, earliest first."""
    found = [
        slot_of(place, times, seat=seat)
        for place in places
        for times in place.timetable.within(finding.offered(place, window), place.kind)
        if (seat := board.free_seat(place, times)) is not None
    ]
    return sorted(found, key=lambda slot: slot.start)


def slot_of(place: Place, times: Times, *, seat: int) -> Slot:
    """Return a slot of a place as the library knows it."""
    start = moment_of(times.start)
    return Slot(
        id=str(SlotName(place.practice.id, start, place.kind)),
        doctor=place.doctor,
        start=start,
        end=moment_of(times.end),
        quote=place.practice.quotes[place.kind],
        fulfilment=place.kind,
        seat=seat,
        others=place.practice.groups.get(place.kind, ()),
    )


async def _first(finding: Finding, places: Sequence[Place], parts: dict[int, Times]) -> dict[int, Times]:
    """The first free slot of each place in its part, of those that have one."""
    working = {n: part for n, part in parts.items() if places[n].works_in(part)}
    if not working:
        return {}
    span = Times(min(part.start for part in working.values()), max(part.end for part in working.values()))
    board = await finding.board([places[n].practice for n in working], span)
    firsts = {n: places[n].first_free(board, part) for n, part in working.items()}
    return {n: first for n, first in firsts.items() if first is not None}


def _with_times(place: Place, times: Times) -> Doctor:
    return replace(place.doctor, available=Window(moment_of(times.start), moment_of(times.end)))
