"""What the REST interface of schedules gives. Moments carry India's zone; nothing is about patients.

Above: routes; below: records.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Literal

from participants.hospital.schedules.attention import Concern
from participants.hospital.schedules.forms import WeekForm
from participants.hospital.schedules.records import DayException, Holiday, KeptWeek, Leave, SeatOff
from participants.hospital.schedules.rows import week_form
from uhi.api.routes import Answer
from uhi.messages.values import IST

SlotState = Literal["free", "held", "booked", "closed"]


class ConcernAnswer(Answer):
    """A booked appointment that has no slot in the schedule of today. `why`: `holiday`, `exception`, `leave`,
    `called off`, `hours` (no slot of this length begins then), `seats`, or `practice` (the doctor cannot be booked
    there any more). `id` is the order's; `acknowledged_by` is who has seen it, empty for nobody.
    """

    id: str
    appointment_id: str
    state: str
    practice_id: str
    practitioner_id: str
    location_id: str
    slot_id: str
    kind: str
    starts_at: datetime
    ends_at: datetime
    why: str
    acknowledged_by: str
    acknowledged_at: datetime | None


class ConcernList(Answer):
    """A page of them, by their start; `next` is the `after` of what follows, empty where nothing does."""

    appointments: tuple[ConcernAnswer, ...]
    next: str


class Attention(Answer):
    """Booked appointments that a change leaves without a slot, the first hundred; `GET /v1/attention` has all."""

    appointments: tuple[ConcernAnswer, ...]
    is_all: bool


class WeekAnswer(Answer):
    """The week of a practice; null, with version 0, where it has none."""

    practice_id: str
    week: WeekForm | None
    version: int


class WeekChanged(Answer):
    """The week as it is kept now, and the appointments that need attention."""

    schedule: WeekAnswer
    attention: Attention


class ExceptionAnswer(Answer):
    """Other hours of one day; without any, the day is closed."""

    practice_id: str
    day: date
    hours: tuple[str, ...]
    note: str
    version: int


class ExceptionList(Answer):
    """A page of exceptions, by day; `next` is the `after` of what follows, empty where nothing does."""

    exceptions: tuple[ExceptionAnswer, ...]
    next: str


class ExceptionChanged(Answer):
    """The exception as it is kept now, null where it is gone, and the appointments that need attention."""

    exception: ExceptionAnswer | None
    attention: Attention


class HolidayAnswer(Answer):
    """A holiday, of all locations where `location_id` is empty."""

    id: str
    organisation_id: str
    location_id: str
    day: str
    name: str
    version: int


class HolidayList(Answer):
    """A page of holidays; `next` is the `after` of what follows, empty where nothing does."""

    holidays: tuple[HolidayAnswer, ...]
    next: str


class HolidayChanged(Answer):
    """The holiday as it is kept now, null where it is gone, and the appointments that need attention."""

    holiday: HolidayAnswer | None
    attention: Attention


class LeaveAnswer(Answer):
    """When a practitioner is away."""

    id: str
    organisation_id: str
    practitioner_id: str
    starts_at: datetime
    ends_at: datetime
    version: int


class LeaveList(Answer):
    """A page of leave; `next` is the `after` of what follows, empty where nothing does."""

    leave: tuple[LeaveAnswer, ...]
    next: str


class LeaveChanged(Answer):
    """The leave as it is kept now, null where it is gone, and the appointments that need attention."""

    leave: LeaveAnswer | None
    attention: Attention


class ClosedSeat(Answer):
    """A seat of a slot that was called off, and when."""

    slot_id: str
    seat: int
    starts_at: datetime
    ends_at: datetime
    closed_at: datetime


class ClosedList(Answer):
    """A page of closed seats, by slot; `next` is the `after` of what follows, empty where nothing does."""

    closed: tuple[ClosedSeat, ...]
    next: str


class SlotAnswer(Answer):
    """A slot as staff see it: `free` of its `seats`; `why` says why it is closed."""

    slot_id: str
    starts_at: datetime
    ends_at: datetime
    kind: str
    state: SlotState
    seats: int
    free: int
    why: str


class SlotList(Answer):
    """The slots of a practice, in order."""

    practice_id: str
    slots: tuple[SlotAnswer, ...]


def moment_of(seconds: float) -> datetime:
    """A moment in Indian time."""
    return datetime.fromtimestamp(seconds, UTC).astimezone(IST)


def concern_answer(concern: Concern) -> ConcernAnswer:
    """What is shown of an appointment that needs attention."""
    return ConcernAnswer(
        id=concern.order_id,
        appointment_id=concern.appointment_id,
        state=concern.state,
        practice_id=concern.practice.id,
        practitioner_id=concern.practice.practitioner_id,
        location_id=concern.practice.location_id,
        slot_id=concern.slot_id,
        kind=concern.kind,
        starts_at=moment_of(concern.times.start),
        ends_at=moment_of(concern.times.end),
        why=concern.why.value,
        acknowledged_by=concern.seen_by,
        acknowledged_at=None if concern.seen_at is None else moment_of(concern.seen_at),
    )


def week_answer(practice_id: str, kept: KeptWeek | None) -> WeekAnswer:
    """What is shown of a week."""
    if kept is None:
        return WeekAnswer(practice_id=practice_id, week=None, version=0)
    return WeekAnswer(practice_id=practice_id, week=week_form(kept.week), version=kept.version)


def exception_answer(kept: DayException) -> ExceptionAnswer:
    """What is shown of an exception."""
    hours = tuple(str(span) for span in kept.hours)
    return ExceptionAnswer(
        practice_id=kept.practice_id, day=kept.day, hours=hours, note=kept.note, version=kept.version
    )


def holiday_answer(kept: Holiday) -> HolidayAnswer:
    """What is shown of a holiday."""
    return HolidayAnswer(
        id=kept.id,
        organisation_id=kept.organisation_id,
        location_id=kept.location_id,
        day=kept.day,
        name=kept.name,
        version=kept.version,
    )


def leave_answer(kept: Leave) -> LeaveAnswer:
    """What is shown of a leave."""
    return LeaveAnswer(
        id=kept.id,
        organisation_id=kept.organisation_id,
        practitioner_id=kept.practitioner_id,
        starts_at=moment_of(kept.times.start),
        ends_at=moment_of(kept.times.end),
        version=kept.version,
    )


def closed_answer(kept: SeatOff) -> ClosedSeat:
    """What is shown of a closed seat."""
    return ClosedSeat(
        slot_id=kept.slot_id,
        seat=kept.seat,
        starts_at=moment_of(kept.times.start),
        ends_at=moment_of(kept.times.end),
        closed_at=moment_of(kept.at),
    )
