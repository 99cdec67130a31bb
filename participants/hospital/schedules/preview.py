"""The slots of a practice as its staff see them: those that are offered, and those that something takes.

Above: routes; below: `derive`, `boards`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import Connection

from participants.hospital.organisations.snapshot import Practice
from participants.hospital.schedules.answers import SlotAnswer, SlotState, moment_of
from participants.hospital.schedules.board import Board, Place
from participants.hospital.schedules.boards import Question, read_board
from participants.hospital.schedules.derive import Timetable, Why
from participants.hospital.schedules.hours import SlotName
from participants.hospital.schedules.program import ScheduleBook
from participants.hospital.schedules.reading import timetables_of
from participants.hospital.schedules.records import Owned
from participants.hospital.schedules.week import Times, day_of


async def preview(book: ScheduleBook, owned: Owned, span: Times, kind: str) -> tuple[SlotAnswer, ...]:
    """Return the slots of one kind that begin in a span; of days before yesterday, what is not kept any more is not
    looked at. A practice that cannot be booked has none.
    """
    snapshot = await book.directory.refresh()
    practice = snapshot.practices.get(owned.id)
    if practice is None or kind not in practice.quotes:
        return ()
    now, doctors = book.clock.now(), _doctors(practice, kind)
    asked = Question(provider_id=book.provider_id, doctors=doctors, span=span, now=now)

    def query(connection: Connection) -> tuple[Timetable | None, Board]:
        timetable = timetables_of(connection, [owned.id], now=now).get(owned.id)
        return timetable, read_board(connection, asked)

    timetable, board = await book.read(query)
    if timetable is None:
        return ()
    place = Place.of(practice, timetable, kind)
    return tuple(_shown(place, board, times) for times in _planned(timetable, span, kind))


def _doctors(practice: Practice, kind: str) -> tuple[str, ...]:
    return (practice.doctor.id, *(doctor.id for doctor in practice.groups.get(kind, ())))


def _planned(timetable: Timetable, span: Times, kind: str) -> Iterator[Times]:
    day, last = day_of(span.start), day_of(span.end)
    while day <= last:
        yield from (times for times in timetable.planned(day, kind) if span.start <= times.start < span.end)
        day += timedelta(days=1)


def _shown(place: Place, board: Board, times: Times) -> SlotAnswer:
    state, free, why = _state(place, board, times)
    start = moment_of(times.start)
    return SlotAnswer(
        slot_id=str(SlotName(place.practice.id, start, place.kind)),
        starts_at=start,
        ends_at=moment_of(times.end),
        kind=place.kind,
        state=state,
        seats=place.timetable.week.seats,
        free=free,
        why=why.value if why else "",
    )


def _state(place: Place, board: Board, times: Times) -> tuple[SlotState, int, Why | None]:
    timetable, taken = place.timetable, board.in_the_way(place, times)
    closed = timetable.closed(times)
    if closed is not None:
        return "closed", 0, closed
    off = timetable.seats_off(times)
    if board.free_seat(place, times) is not None:
        # Somebody may still have a seat beyond those that there are now.
        return "free", len(set(range(timetable.week.seats)) - off - {each.seat for each in taken}), None
    if not taken:
        return "closed", 0, Why.CALLED_OFF
    return ("booked" if all(each.is_booked for each in taken) else "held"), 0, None
