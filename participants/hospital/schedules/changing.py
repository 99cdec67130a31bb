"""Changes of schedules, each looked at as it was read: weeks, exceptions, holidays, leave, seats opened again.

Functions on a `Writing`; each returns what is kept now. Above: routes, `loading`; below: rows.
"""

from __future__ import annotations

from dataclasses import asdict, replace

from participants.hospital.schedules import away_rows, rows
from participants.hospital.schedules.records import DayException, Holiday, KeptWeek, Leave, Owned, SeatOff
from participants.hospital.schedules.week import Times, Week
from participants.hospital.schedules.writing import Writing, check_version
from uhi.errors import Refusal
from uhi.exchange.row_ids import new_row_id
from uhi.faults import RECORD_MISSING


def put_week(writing: Writing, practice_id: str, week: Week, *, seen: int) -> KeptWeek:
    """Put a week in the place of the one before; `seen` is its version, 0 for none.

    Raises: Refusal(RECORD_MISSING, STATE_REFUSED).
    """
    practice = _own(writing, practice_id)
    before = rows.week_of(writing.connection, practice.id)
    check_version(before.version if before else 0, seen)
    if before is not None and before.week == week:
        return before
    after = KeptWeek(week, seen + 1)
    rows.put_week(writing.connection, practice.id, after, now=writing.now)
    writing.touch(practice.id)
    writing.note(
        "week", f"practice {practice.id}", before=_week_json(before.week) if before else None, after=_week_json(week)
    )
    return after


def put_exception(writing: Writing, wanted: DayException) -> DayException:
    """Put the exception of a day in the place of the one before, if there is one; its version is the one seen.

    Raises: Refusal(RECORD_MISSING, STATE_REFUSED).
    """
    practice = _own(writing, wanted.practice_id)
    before = rows.exception_of(writing.connection, practice.id, wanted.day)
    check_version(before.version if before else 0, wanted.version)
    if before == wanted:
        return before
    after = replace(wanted, version=wanted.version + 1)
    rows.put_exception(writing.connection, after)
    _note_exception(writing, before, after)
    return after


def drop_exception(writing: Writing, seen: DayException) -> None:
    """Remove the exception of a day.

    Raises: Refusal(RECORD_MISSING, STATE_REFUSED).
    """
    practice = _own(writing, seen.practice_id)
    before = rows.exception_of(writing.connection, practice.id, seen.day)
    if before is None:
        raise Refusal(RECORD_MISSING, "there is no exception on this day")
    check_version(before.version, seen.version)
    rows.drop_exception(writing.connection, before)
    _note_exception(writing, before, None)


def add_holiday(writing: Writing, wanted: Holiday) -> Holiday:
    """Add a holiday; it gets an id.

    Raises: Refusal(RECORD_MISSING, ALREADY_TAKEN).
    """
    writing.permit(wanted.organisation_id)
    after = replace(wanted, id=new_row_id(writing.now), version=1)
    away_rows.put_holiday(writing.connection, after)
    _note_holiday(writing, None, after)
    return after


def change_holiday(writing: Writing, holiday_id: str, *, day: str, name: str, seen: int) -> Holiday:
    """Change the day and the name of a holiday.

    Raises: Refusal(RECORD_MISSING, STATE_REFUSED, ALREADY_TAKEN).
    """
    before = away_rows.holiday(writing.connection, holiday_id)
    writing.permit(before.organisation_id)
    check_version(before.version, seen)
    after = replace(before, day=day, name=name, version=before.version + 1)
    away_rows.put_holiday(writing.connection, after)
    _note_holiday(writing, before, after)
    return after


def drop_holiday(writing: Writing, holiday_id: str, *, seen: int) -> Holiday:
    """Remove a holiday; returns what it was.

    Raises: Refusal(RECORD_MISSING, STATE_REFUSED).
    """
    before = away_rows.holiday(writing.connection, holiday_id)
    writing.permit(before.organisation_id)
    check_version(before.version, seen)
    away_rows.drop_holiday(writing.connection, before)
    _note_holiday(writing, before, None)
    return before


def add_leave(writing: Writing, wanted: Leave) -> Leave:
    """Add a leave; it gets an id.

    Raises: Refusal(RECORD_MISSING).
    """
    writing.permit(wanted.organisation_id)
    after = replace(wanted, id=new_row_id(writing.now), version=1)
    away_rows.put_leave(writing.connection, after)
    _note_leave(writing, None, after)
    return after


def change_leave(writing: Writing, leave_id: str, times: Times, *, seen: int) -> Leave:
    """Change when a leave is.

    Raises: Refusal(RECORD_MISSING, STATE_REFUSED).
    """
    before = away_rows.leave(writing.connection, leave_id)
    writing.permit(before.organisation_id)
    check_version(before.version, seen)
    after = replace(before, times=times, version=before.version + 1)
    away_rows.put_leave(writing.connection, after)
    _note_leave(writing, before, after)
    return after


def drop_leave(writing: Writing, leave_id: str, *, seen: int) -> Leave:
    """Remove a leave; returns what it was.

    Raises: Refusal(RECORD_MISSING, STATE_REFUSED).
    """
    before = away_rows.leave(writing.connection, leave_id)
    writing.permit(before.organisation_id)
    check_version(before.version, seen)
    away_rows.drop_leave(writing.connection, before)
    _note_leave(writing, before, None)
    return before


def call_off(writing: Writing, seat: SeatOff) -> bool:
    """Close the seat of a slot; whether it was open."""
    is_new = rows.put_off(writing.connection, seat)
    if is_new:
        writing.touch(seat.practice_id)
        writing.note("close", f"slot {seat.slot_id}", after={"seat": seat.seat})
    return is_new


def take_back(writing: Writing, seat: SeatOff) -> bool:
    """Open one seat again, whose appointment stands after all; whether it was closed."""
    is_open = rows.open_seat(writing.connection, seat)
    if is_open:
        writing.touch(seat.practice_id)
        writing.note("open", f"slot {seat.slot_id}", before={"seat": seat.seat})
    return is_open


def open_slot(writing: Writing, practice_id: str, slot_id: str) -> None:
    """Offer a slot again whose seats were called off.

    Raises: Refusal(RECORD_MISSING) where none was.
    """
    practice = _own(writing, practice_id)
    if not rows.open_slot(writing.connection, practice.id, slot_id):
        raise Refusal(RECORD_MISSING, "no seat of this slot is closed")
    writing.touch(practice.id)
    writing.note("open", f"slot {slot_id}")


def _own(writing: Writing, practice_id: str) -> Owned:
    practice = rows.owned(writing.connection, practice_id)
    writing.permit(practice.organisation_id)
    return practice


def _note_exception(writing: Writing, before: DayException | None, after: DayException | None) -> None:
    named = after or before
    if named is not None:
        writing.touch(named.practice_id)
        about = f"practice {named.practice_id} {named.day}"
        writing.note("exception", about, before=_exception_json(before), after=_exception_json(after))


def _note_holiday(writing: Writing, before: Holiday | None, after: Holiday | None) -> None:
    named = after or before
    if named is not None:
        writing.touch(organisation_id=named.organisation_id)
        digested = (asdict(before) if before else None), (asdict(after) if after else None)
        writing.note("holiday", f"holiday {named.id}", before=digested[0], after=digested[1])


def _note_leave(writing: Writing, before: Leave | None, after: Leave | None) -> None:
    named = after or before
    if named is None:
        return
    # Of all: whoever is away may take part in what others offer.
    writing.touch(organisation_id=named.organisation_id)
    writing.note("leave", f"leave {named.id}", before=_leave_json(before), after=_leave_json(after))


def _week_json(week: Week) -> object:
    return rows.week_form(week).model_dump(mode="json")


def _exception_json(kept: DayException | None) -> object:
    return None if kept is None else {"hours": [str(span) for span in kept.hours], "note": kept.note}


def _leave_json(kept: Leave | None) -> object:
    return None if kept is None else {"starts_at": kept.times.start, "ends_at": kept.times.end}
