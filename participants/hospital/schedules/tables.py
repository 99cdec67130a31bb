"""The tables of schedules: weeks, exceptions, holidays, leave, seats called off, what was acknowledged, what changed.

Columns as in the library's tables: times are Unix seconds, days are text, JSON is text. Above: the rows of this
package; below: those of practices, practitioners and organisations, which never go away.
"""

from __future__ import annotations

from sqlalchemy import DDL, BigInteger, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, event

from participants.hospital.metadata import metadata
from participants.hospital.organisations import tables as organisations
from uhi.storage.sql.columns import key, time

schedule = Table(
    "schedule",
    metadata,
    Column("practice_id", Text, ForeignKey(organisations.practice.c.id), primary_key=True),
    key("week"),
    Column("version", Integer, nullable=False),
    time("updated_at"),
)
"""The week of each practice, as JSON."""

schedule_exception = Table(
    "schedule_exception",
    metadata,
    Column("practice_id", Text, ForeignKey(organisations.practice.c.id), primary_key=True),
    Column("day", Text, primary_key=True),
    key("hours"),
    key("note"),
    Column("version", Integer, nullable=False),
)
"""Other hours of one day, as a JSON list; an empty one closes the day."""

schedule_holiday = Table(
    "schedule_holiday",
    metadata,
    Column("id", Text, primary_key=True),
    Column("organisation_id", Text, ForeignKey(organisations.organisation.c.id), nullable=False),
    key("location_id"),
    key("day"),
    key("name"),
    Column("version", Integer, nullable=False),
    UniqueConstraint("organisation_id", "location_id", "day", name="schedule_holiday_once"),
)
"""Days without consultations at one location, or at all of an organisation where `location_id` is empty."""

schedule_leave = Table(
    "schedule_leave",
    metadata,
    Column("id", Text, primary_key=True),
    Column("organisation_id", Text, ForeignKey(organisations.organisation.c.id), nullable=False),
    Column("practitioner_id", Text, ForeignKey(organisations.practitioner.c.id), nullable=False),
    time("starts_at"),
    time("ends_at"),
    Column("version", Integer, nullable=False),
    Index("schedule_leave_organisation", "organisation_id", "starts_at"),
    Index("schedule_leave_practitioner", "practitioner_id", "ends_at"),
)
"""When a practitioner is away from one organisation; what others keep of the same person is theirs."""

schedule_off = Table(
    "schedule_off",
    metadata,
    Column("slot_id", Text, primary_key=True),
    Column("seat", Integer, primary_key=True, autoincrement=False),
    Column("practice_id", Text, ForeignKey(organisations.practice.c.id), nullable=False),
    time("starts_at"),
    time("ends_at"),
    time("at"),
    Index("schedule_off_practice", "practice_id", "ends_at"),
)
"""Seats that were called off with the appointment that had them."""

schedule_ack = Table(
    "schedule_ack",
    metadata,
    Column("order_id", Text, primary_key=True),
    Column("slot_id", Text, primary_key=True),
    key("by"),
    time("at"),
)
"""Who has seen that an appointment needs attention; one that is moved since counts anew."""

schedule_change = Table(
    "schedule_change",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("scope_id", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Index("schedule_change_version", "version"),
)
"""The number of the newest change of each practice, practitioner and organisation."""

schedule_head = Table(
    "schedule_head",
    metadata,
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
)
"""One row: the number of the newest change of all. Every writer locks it first."""

FIRST_HEAD = "INSERT INTO schedule_head (place, version) VALUES (1, 0)"

event.listen(schedule_head, "after_create", DDL(FIRST_HEAD))  # type: ignore[no-untyped-call]
