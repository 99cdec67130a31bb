"""Timetables, put together from rows: of all practices, or of some.

Sync functions on a connection. What is over since yesterday is left out: nobody books it. Above: `timetables`,
`attention`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import date, timedelta
from typing import TypeVar

from sqlalchemy import ColumnElement, Connection, select

from participants.hospital.organisations.tables import practice, practitioner
from participants.hospital.schedules.derive import CalledOff, Timetable
from participants.hospital.schedules.hours import Span
from participants.hospital.schedules.rows import hours_of, read_kept_week
from participants.hospital.schedules.tables import (
    schedule,
    schedule_exception,
    schedule_holiday,
    schedule_leave,
    schedule_off,
)
from participants.hospital.schedules.week import DAY_SECONDS, Times, day_of

T = TypeVar("T")

_AT_ONCE = 500


def all_timetables(connection: Connection, *, now: float) -> dict[str, Timetable]:
    """Return the timetable of each practice that has a week, by the practice's id."""
    return _timetables(connection, None, now)


def timetables_of(connection: Connection, practice_ids: Collection[str], *, now: float) -> dict[str, Timetable]:
    """Return the timetables of these practices, of those that have a week."""
    found: dict[str, Timetable] = {}
    for some in _chunks(sorted(practice_ids)):
        found.update(_timetables(connection, some, now))
    return found


def _timetables(connection: Connection, some: Collection[str] | None, now: float) -> dict[str, Timetable]:
    since = now - DAY_SECONDS
    query = select(
        schedule.c.practice_id,
        schedule.c.week,
        practice.c.organisation_id,
        practice.c.location_id,
        practitioner.c.hpr_address,
    )
    query = query.join(practice, practice.c.id == schedule.c.practice_id)
    query = query.join(practitioner, practitioner.c.id == practice.c.practitioner_id)
    rows = connection.execute(query.where(*_one_of(schedule.c.practice_id, some))).all()
    exceptions = _exceptions(connection, some, day_of(since))
    off = _called_off(connection, some, since)
    organisations = None if some is None else {row.organisation_id for row in rows}
    holidays = _holidays(connection, organisations)
    leave = _leave(connection, organisations, since)
    return {
        row.practice_id: Timetable(
            week=read_kept_week(row.week),
            exceptions=exceptions.get(row.practice_id, {}),
            holidays=frozenset((*holidays[row.organisation_id, ""], *holidays[row.organisation_id, row.location_id])),
            leave=leave[row.organisation_id].get(row.hpr_address, ()),
            colleagues=leave[row.organisation_id],
            called_off=tuple(off[row.practice_id]),
        )
        for row in rows
    }


def _exceptions(
    connection: Connection, some: Collection[str] | None, since: date
) -> dict[str, dict[date, tuple[Span, ...]]]:
    found: dict[str, dict[date, tuple[Span, ...]]] = defaultdict(dict)
    columns = schedule_exception.c
    later = select(columns.practice_id, columns.day, columns.hours).where(
        columns.day >= (since - timedelta(days=1)).isoformat(), *_one_of(columns.practice_id, some)
    )
    for row in connection.execute(later):
        found[row.practice_id][date.fromisoformat(row.day)] = hours_of(row.hours)
    return found


def _called_off(connection: Connection, some: Collection[str] | None, since: float) -> dict[str, list[CalledOff]]:
    found: dict[str, list[CalledOff]] = defaultdict(list)
    columns = schedule_off.c
    later = select(columns.practice_id, columns.starts_at, columns.ends_at, columns.seat).where(
        columns.ends_at > since, *_one_of(columns.practice_id, some)
    )
    for row in connection.execute(later.order_by(columns.starts_at, columns.seat)):
        found[row.practice_id].append(CalledOff(Times(int(row.starts_at), int(row.ends_at)), row.seat))
    return found


def _holidays(connection: Connection, some: Collection[str] | None) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    columns = schedule_holiday.c
    every = select(columns.organisation_id, columns.location_id, columns.day)
    for row in connection.execute(every.where(*_one_of(columns.organisation_id, some))):
        found[row.organisation_id, row.location_id].append(row.day)
    return found


def _leave(
    connection: Connection, some: Collection[str] | None, since: float
) -> dict[str, dict[str, tuple[Times, ...]]]:
    """By organisation and HPR address."""
    found: dict[str, dict[str, tuple[Times, ...]]] = defaultdict(dict)
    columns = schedule_leave.c
    later = (
        select(columns.organisation_id, practitioner.c.hpr_address, columns.starts_at, columns.ends_at)
        .join(practitioner, practitioner.c.id == columns.practitioner_id)
        .where(columns.ends_at > since, *_one_of(columns.organisation_id, some))
    )
    for row in connection.execute(later.order_by(columns.starts_at)):
        theirs, times = found[row.organisation_id], Times(int(row.starts_at), int(row.ends_at))
        theirs[row.hpr_address] = (*theirs.get(row.hpr_address, ()), times)
    return found


def _one_of(column: ColumnElement[str], some: Collection[str] | None) -> Iterable[ColumnElement[bool]]:
    return () if some is None else (column.in_(sorted(some)),)


def _chunks(every: list[T]) -> Iterator[list[T]]:
    return (every[start : start + _AT_ONCE] for start in range(0, len(every), _AT_ONCE))
