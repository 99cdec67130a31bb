"""Takes the hours of a YAML hospital into the database, practice by practice.

Doing it again changes what the file has changed; what was added otherwise stays. Above: whoever loads such a file;
below: `participants.demo_hospital.data`, `changing`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import date, timedelta

from participants.demo_hospital.data import Practice as FilePractice
from participants.hospital.schedules import away_rows, changing, rows
from participants.hospital.schedules.records import DayException, Holiday, Owned
from participants.hospital.schedules.week import Break, Rule, Week, day_of
from participants.hospital.schedules.writing import Writing, writes
from uhi.audit import Acting
from uhi.storage.sql.database import Database

_YEARS = 2


async def load_schedules(
    database: Database, practices: Mapping[str, FilePractice], *, horizon: timedelta, acting: Acting
) -> None:
    """Take in hours, breaks and holidays of practices that are there already, by their ids.

    A holiday of all practices at a location becomes the location's; one of a single doctor closes the day there.
    Raises: Refusal(RECORD_MISSING) for a practice that is not there; Refusal(OVERLOADED) when it may not have been
    written.
    """
    work = writes(lambda writing: _load(writing, practices, horizon), now=database.clock.now(), acting=acting)
    await database.apart(work)


def week_of_file(practice: FilePractice, *, horizon: timedelta) -> Week:
    """Return the week that a file describes."""
    schedule = practice.schedule
    return Week(
        rules=tuple(Rule(weekday=day, hours=span) for day, spans in enumerate(schedule.hours) for span in spans),
        slot_minutes=schedule.slot_minutes,
        breaks=tuple(map(Break, schedule.breaks)),
        horizon_days=max(1, horizon.days),
    )


def _load(writing: Writing, practices: Mapping[str, FilePractice], horizon: timedelta) -> None:
    owned = {each: rows.owned(writing.connection, each) for each in practices}
    places: dict[tuple[str, str], list[str]] = defaultdict(list)
    for practice_id, practice in owned.items():
        places[practice.organisation_id, practice.location_id].append(practice_id)
        before = rows.week_of(writing.connection, practice_id)
        week = week_of_file(practices[practice_id], horizon=horizon)
        changing.put_week(writing, practice_id, week, seen=before.version if before else 0)
    for (organisation_id, location_id), there in places.items():
        of_all = frozenset.intersection(*(practices[each].schedule.holidays for each in there))
        _add_holidays(writing, organisation_id, location_id, of_all)
        for practice_id in there:
            _close(writing, owned[practice_id], practices[practice_id].schedule.holidays - of_all)


def _add_holidays(writing: Writing, organisation_id: str, location_id: str, days: Collection[str]) -> None:
    kept = away_rows.holidays(writing.connection, organisation_id=organisation_id, location_id=location_id)
    known = {each.day for each in kept}
    for day in sorted(set(days) - known):
        changing.add_holiday(writing, Holiday(id="", organisation_id=organisation_id, location_id=location_id, day=day))


def _close(writing: Writing, practice: Owned, days: Collection[str]) -> None:
    today = day_of(writing.now)
    for day in sorted(each for text in days for each in _coming(text, today)):
        if rows.exception_of(writing.connection, practice.id, day) is None:
            changing.put_exception(writing, DayException(practice_id=practice.id, day=day))


def _coming(text: str, today: date) -> Iterator[date]:
    """The days of a holiday; of a yearly one those of this year and the next."""
    if len(text) > len("01-26"):
        yield date.fromisoformat(text)
        return
    month, number = map(int, text.split("-"))
    for year in range(today.year, today.year + _YEARS):
        if (month, number) != (2, 29) or date(year, 3, 1) - date(year, 2, 28) > timedelta(days=1):
            yield date(year, month, number)
