"""The rows of holidays and of leave.

Sync functions on a connection. Above: `changing`; below: `tables`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from participants.hospital.organisations.tables import location, organisation, practice
from participants.hospital.schedules.records import Holiday, Leave
from participants.hospital.schedules.tables import schedule_holiday, schedule_leave
from participants.hospital.schedules.week import Times
from uhi.errors import Refusal
from uhi.faults import ALREADY_TAKEN, RECORD_MISSING


def holiday(connection: Connection, holiday_id: str) -> Holiday:
    """Return a holiday.

    Raises: Refusal(RECORD_MISSING).
    """
    query = select(schedule_holiday).where(schedule_holiday.c.id == holiday_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise Refusal(RECORD_MISSING, "there is no such holiday")
    return Holiday(**row)


def holidays(
    connection: Connection, *, organisation_id: str, location_id: str = "", after: str = "", most: int = 1_000
) -> list[Holiday]:
    """Return the holidays of an organisation, of one location where named, by id."""
    columns = schedule_holiday.c
    query = select(schedule_holiday).where(columns.organisation_id == organisation_id, columns.id > after)
    if location_id:
        query = query.where(columns.location_id == location_id)
    return [Holiday(**row) for row in connection.execute(query.order_by(columns.id).limit(most)).mappings()]


def put_holiday(connection: Connection, kept: Holiday) -> None:
    """Write a holiday, a new one where its version is 1.

    Raises: Refusal(ALREADY_TAKEN) for the same day at the same place as another; Refusal(RECORD_MISSING) for an
    organisation or location that is not there.
    """
    check_place(connection, kept.organisation_id, kept.location_id)
    columns = schedule_holiday.c
    row = {name: getattr(kept, name) for name in ("id", "organisation_id", "location_id", "day", "name", "version")}
    same = (columns.organisation_id == kept.organisation_id, columns.location_id == kept.location_id)
    other = select(columns.id).where(*same, columns.day == kept.day, columns.id != kept.id)
    taken = Refusal(
        ALREADY_TAKEN,
        "this day is a holiday there already",
        path="day",
        expected="another day",
        next_step="change that one: GET /v1/holidays shows it",
    )
    if connection.execute(other).first() is not None:
        raise taken
    try:
        if kept.version == 1:
            connection.execute(insert(schedule_holiday).values(row))
        else:
            connection.execute(update(schedule_holiday).where(columns.id == kept.id).values(row))
    except IntegrityError:
        raise taken from None


def drop_holiday(connection: Connection, kept: Holiday) -> None:
    """Remove a holiday."""
    connection.execute(delete(schedule_holiday).where(schedule_holiday.c.id == kept.id))


def leave(connection: Connection, leave_id: str) -> Leave:
    """Return a leave.

    Raises: Refusal(RECORD_MISSING).
    """
    row = connection.execute(select(schedule_leave).where(schedule_leave.c.id == leave_id)).one_or_none()
    if row is None:
        raise Refusal(RECORD_MISSING, "there is no such leave")
    return _leave(row)


def leaves(
    connection: Connection, *, organisation_id: str, practitioner_id: str = "", after: str = "", most: int = 1_000
) -> list[Leave]:
    """Return the leave of an organisation's practitioners, of one where named, by id."""
    columns = schedule_leave.c
    query = select(schedule_leave).where(columns.organisation_id == organisation_id, columns.id > after)
    if practitioner_id:
        query = query.where(columns.practitioner_id == practitioner_id)
    return [_leave(row) for row in connection.execute(query.order_by(columns.id).limit(most))]


def put_leave(connection: Connection, kept: Leave) -> None:
    """Write a leave, a new one where its version is 1.

    Raises: Refusal(RECORD_MISSING) for a practitioner who does not practise in the organisation.
    """
    practises = select(practice.c.id).where(
        practice.c.organisation_id == kept.organisation_id, practice.c.practitioner_id == kept.practitioner_id
    )
    if connection.execute(practises).first() is None:
        raise Refusal(
            RECORD_MISSING,
            "nobody of this id practises in the organisation",
            path="practitioner_id",
            expected="the id of a practitioner's record",
            next_step="GET /v1/practitioners shows them",
        )
    columns = schedule_leave.c
    row = {
        "id": kept.id,
        "organisation_id": kept.organisation_id,
        "practitioner_id": kept.practitioner_id,
        "starts_at": kept.times.start,
        "ends_at": kept.times.end,
        "version": kept.version,
    }
    if kept.version == 1:
        connection.execute(insert(schedule_leave).values(row))
    else:
        connection.execute(update(schedule_leave).where(columns.id == kept.id).values(row))


def drop_leave(connection: Connection, kept: Leave) -> None:
    """Remove a leave."""
    connection.execute(delete(schedule_leave).where(schedule_leave.c.id == kept.id))


def check_place(connection: Connection, organisation_id: str, location_id: str) -> None:
    """See that an organisation is there, and has this location where one is named.

    Raises: Refusal(RECORD_MISSING).
    """
    query = select(organisation.c.id).where(organisation.c.id == organisation_id)
    if location_id:
        query = select(location.c.id).where(location.c.organisation_id == organisation_id, location.c.id == location_id)
    if connection.execute(query).first() is None:
        raise Refusal(
            RECORD_MISSING,
            "there is no such organisation or location",
            path="location_id",
            expected="the id of one of its locations, or none for all of them",
            next_step="GET /v1/locations shows them",
        )


def _leave(row: Row[Any]) -> Leave:
    return Leave(
        id=row.id,
        organisation_id=row.organisation_id,
        practitioner_id=row.practitioner_id,
        times=Times(int(row.starts_at), int(row.ends_at)),
        version=row.version,
    )
