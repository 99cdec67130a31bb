"""The rows of weeks, exceptions, and seats that are called off; and whose a practice is.

Sync functions on a connection. Above: `changing`, `reading`; below: `tables`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, delete, select

from participants.hospital.organisations.tables import practice, practitioner
from participants.hospital.schedules.forms import WeekForm, read_hours, read_week
from participants.hospital.schedules.hours import WEEKDAYS, Span
from participants.hospital.schedules.records import DayException, KeptWeek, Owned, SeatOff
from participants.hospital.schedules.tables import schedule, schedule_exception, schedule_off
from participants.hospital.schedules.week import Times, Week
from uhi import strict_json
from uhi.errors import Refusal
from uhi.faults import RECORD_MISSING
from uhi.storage.sql.upserts import insert_on


def owned(connection: Connection, practice_id: str) -> Owned:
    """Return a practice, whether or not it can be booked.

    Raises: Refusal(RECORD_MISSING).
    """
    found = connection.execute(_owned.where(practice.c.id == practice_id)).mappings().one_or_none()
    if found is None:
        raise Refusal(RECORD_MISSING, "there is no such practice")
    return Owned(**found)


def owned_all(
    connection: Connection, *, organisation_id: str, practitioner_id: str = "", location_id: str = ""
) -> list[Owned]:
    """Return the practices of an organisation, of one practitioner or at one location where named."""
    query = _owned.where(practice.c.organisation_id == organisation_id)
    if practitioner_id:
        query = query.where(practice.c.practitioner_id == practitioner_id)
    if location_id:
        query = query.where(practice.c.location_id == location_id)
    return [Owned(**row) for row in connection.execute(query.order_by(practice.c.id)).mappings()]


def owned_some(connection: Connection, practice_ids: Iterable[str]) -> dict[str, Owned]:
    """Return those of these practices that there are, by id."""
    found = connection.execute(_owned.where(practice.c.id.in_(sorted(set(practice_ids))))).mappings()
    return {row["id"]: Owned(**row) for row in found}


def week_of(connection: Connection, practice_id: str) -> KeptWeek | None:
    """Return the week of a practice, None where it has none."""
    query = select(schedule.c.week, schedule.c.version).where(schedule.c.practice_id == practice_id)
    row = connection.execute(query).one_or_none()
    return KeptWeek(read_kept_week(row.week), row.version) if row is not None else None


def put_week(connection: Connection, practice_id: str, kept: KeptWeek, *, now: float) -> None:
    """Write the week of a practice, new or in the place of the one before."""
    row = {"week": week_form(kept.week).model_dump_json(), "version": kept.version, "updated_at": now}
    new = insert_on(connection, schedule).values(practice_id=practice_id, **row)
    connection.execute(new.on_conflict_do_update(index_elements=["practice_id"], set_=row))


def read_kept_week(text: str) -> Week:
    """Read a week as it is kept."""
    return read_week(WeekForm.model_validate_json(text))


def week_form(week: Week) -> WeekForm:
    """Return a week in the form in which it is shown and kept."""
    return WeekForm.model_validate(
        {
            "rules": [
                {
                    "weekday": WEEKDAYS[rule.weekday],
                    "hours": str(rule.hours),
                    "valid_from": rule.valid_from and rule.valid_from.isoformat(),
                    "valid_to": rule.valid_to and rule.valid_to.isoformat(),
                    "every_weeks": rule.every_weeks,
                    "kinds": sorted(rule.kinds),
                }
                for rule in week.rules
            ],
            "breaks": [
                {"hours": str(each.hours), "weekday": None if each.weekday is None else WEEKDAYS[each.weekday]}
                for each in week.breaks
            ],
            "slot_minutes": week.slot_minutes,
            "seats": week.seats,
            "lead_minutes": week.lead_minutes,
            "horizon_days": week.horizon_days,
        }
    )


def exceptions_of(
    connection: Connection, practice_id: str, *, after: str = "", most: int = 1_000
) -> list[DayException]:
    """Return the exceptions of a practice on days after one, by day."""
    columns = schedule_exception.c
    query = select(schedule_exception).where(columns.practice_id == practice_id, columns.day > after)
    return [_exception(row) for row in connection.execute(query.order_by(columns.day).limit(most)).all()]


def exception_of(connection: Connection, practice_id: str, day: date) -> DayException | None:
    """Return the exception of a practice on a day."""
    columns = schedule_exception.c
    query = select(schedule_exception).where(columns.practice_id == practice_id, columns.day == day.isoformat())
    row = connection.execute(query).one_or_none()
    return _exception(row) if row is not None else None


def put_exception(connection: Connection, kept: DayException) -> None:
    """Write the exception of a day."""
    row = {"hours": _hours_text(kept.hours), "note": kept.note, "version": kept.version}
    new = insert_on(connection, schedule_exception).values(
        practice_id=kept.practice_id, day=kept.day.isoformat(), **row
    )
    connection.execute(new.on_conflict_do_update(index_elements=["practice_id", "day"], set_=row))


def drop_exception(connection: Connection, kept: DayException) -> None:
    """Remove the exception of a day."""
    columns = schedule_exception.c
    same = (columns.practice_id == kept.practice_id, columns.day == kept.day.isoformat())
    connection.execute(delete(schedule_exception).where(*same))


def hours_of(text: str) -> tuple[Span, ...]:
    """Read the hours of an exception as they are kept."""
    found = strict_json.parse(text.encode())
    return read_hours("hours", [str(each) for each in found] if isinstance(found, list) else [])


def put_off(connection: Connection, seat: SeatOff) -> bool:
    """Close a seat; whether it was open."""
    new = insert_on(connection, schedule_off).values(
        slot_id=seat.slot_id,
        seat=seat.seat,
        practice_id=seat.practice_id,
        starts_at=seat.times.start,
        ends_at=seat.times.end,
        at=seat.at,
    )
    done = connection.execute(new.on_conflict_do_nothing(index_elements=["slot_id", "seat"]))
    return bool(done.rowcount == 1)


def off_of(connection: Connection, practice_id: str, *, after: str = "", most: int = 1_000) -> list[SeatOff]:
    """Return the closed seats of a practice, by slot and seat, those of slots after an id."""
    columns = schedule_off.c
    query = select(schedule_off).where(columns.practice_id == practice_id, columns.slot_id > after)
    rows = connection.execute(query.order_by(columns.slot_id, columns.seat).limit(most)).all()
    return [_seat_off(row) for row in rows]


def open_seat(connection: Connection, seat: SeatOff) -> bool:
    """Open a seat again; whether it was closed."""
    columns = schedule_off.c
    same = (columns.slot_id == seat.slot_id, columns.seat == seat.seat)
    return connection.execute(delete(schedule_off).where(*same)).rowcount == 1


def open_slot(connection: Connection, practice_id: str, slot_id: str) -> int:
    """Open every closed seat of a slot again; how many there were."""
    columns = schedule_off.c
    same = (columns.practice_id == practice_id, columns.slot_id == slot_id)
    return connection.execute(delete(schedule_off).where(*same)).rowcount


_owned = select(
    practice.c.id,
    practice.c.organisation_id,
    practice.c.location_id,
    practice.c.practitioner_id,
    practitioner.c.hpr_address.label("doctor_id"),
).join(practitioner, practitioner.c.id == practice.c.practitioner_id)


def _exception(row: Row[Any]) -> DayException:
    return DayException(
        practice_id=row.practice_id,
        day=date.fromisoformat(row.day),
        hours=hours_of(row.hours),
        note=row.note,
        version=row.version,
    )


def _seat_off(row: Row[Any]) -> SeatOff:
    times = Times(int(row.starts_at), int(row.ends_at))
    return SeatOff(practice_id=row.practice_id, slot_id=row.slot_id, seat=row.seat, times=times, at=row.at)


def _hours_text(hours: tuple[Span, ...]) -> str:
    return strict_json.write([str(span) for span in hours]).decode()
