"""The week of a practice, its exceptions, its closed seats, and its slots as they are now, over HTTP.

Above: `Schedules`; below: `changing`, `ScheduleBook`.
"""

from __future__ import annotations

from participants.hospital.schedules import changing, rows
from participants.hospital.schedules.answers import (
    ClosedList,
    ExceptionChanged,
    ExceptionList,
    SlotList,
    WeekAnswer,
    WeekChanged,
    closed_answer,
    exception_answer,
    week_answer,
)
from participants.hospital.schedules.forms import (
    Dropped,
    ExceptionWanted,
    ListQuery,
    SpanQuery,
    WeekWanted,
    read_day,
    read_hours,
    read_times,
    read_week,
)
from participants.hospital.schedules.preview import preview
from participants.hospital.schedules.program import B, ScheduleBook
from participants.hospital.schedules.records import DayException, Owned
from participants.hospital.schedules.week import DAY_SECONDS
from uhi.api.problems import refusal_of
from uhi.api.routes import Call, Nothing, Routes
from uhi.faults import RECORD_MISSING, STATE_REFUSED
from uhi.identity.roles import Permission
from uhi.identity.rules import Relation, Rule, Target

READS = Rule(Permission.ORGANISATION_READ, Relation.OWN_TENANT)
CHANGES = Rule(Permission.SCHEDULES_MANAGE, Relation.OWN_TENANT)

_ONE = "/v1/practices/{id}"
_LONGEST = 31 * DAY_SECONDS
_KEPT = (RECORD_MISSING, STATE_REFUSED)


class WeekRoutes:
    """What belongs to one practice."""

    def __init__(self, book: ScheduleBook) -> None:
        self._book = book

    def add_to(self, group: Routes) -> None:
        """Put the routes into a group."""
        missing = (RECORD_MISSING,)
        group.route("GET", f"{_ONE}/schedule", READS, body=Nothing, answer=WeekAnswer, refuses=missing)(
            self.get_schedule
        )
        group.route("PUT", f"{_ONE}/schedule", CHANGES, body=WeekWanted, answer=WeekChanged, refuses=_KEPT)(
            self.put_schedule
        )
        path = f"{_ONE}/exceptions"
        group.route("GET", path, READS, body=ListQuery, answer=ExceptionList, refuses=missing)(
            self.list_schedule_exceptions
        )
        day = f"{path}/{{day}}"
        group.route("PUT", day, CHANGES, body=ExceptionWanted, answer=ExceptionChanged, refuses=_KEPT)(
            self.put_schedule_exception
        )
        group.route("DELETE", day, CHANGES, body=Dropped, answer=ExceptionChanged, refuses=_KEPT)(
            self.delete_schedule_exception
        )
        group.route("GET", f"{_ONE}/closed", READS, body=ListQuery, answer=ClosedList, refuses=missing)(
            self.list_closed_slots
        )
        group.route("DELETE", f"{_ONE}/closed/{{slot}}", CHANGES, body=Nothing, answer=None, refuses=missing)(
            self.open_closed_slot
        )
        group.route("GET", f"{_ONE}/slots", READS, body=SpanQuery, answer=SlotList, refuses=missing)(self.list_slots)

    async def get_schedule(self, call: Call[Nothing]) -> WeekAnswer:
        """The week of a practice."""
        practice = await self._practice(call)
        kept = await self._book.read(lambda connection: rows.week_of(connection, practice.id))
        return week_answer(practice.id, kept)

    async def put_schedule(self, call: Call[WeekWanted]) -> WeekChanged:
        """Put a whole week in the place of the one before; says which appointments need attention then."""
        practice = await self._practice(call)
        week, seen = read_week(call.body), call.body.version
        kept = await self._book.change(call, lambda writing: changing.put_week(writing, practice.id, week, seen=seen))
        return WeekChanged(schedule=week_answer(practice.id, kept), attention=await self._book.attention([practice]))

    async def list_schedule_exceptions(self, call: Call[ListQuery]) -> ExceptionList:
        """The days on which a practice has other hours or none, by day."""
        practice, asked = await self._practice(call), call.body
        found = await self._book.read(
            lambda connection: rows.exceptions_of(connection, practice.id, after=asked.after, most=asked.most + 1)
        )
        shown = tuple(map(exception_answer, found[: asked.most]))
        return ExceptionList(exceptions=shown, next=shown[-1].day.isoformat() if len(found) > asked.most else "")

    async def put_schedule_exception(self, call: Call[ExceptionWanted]) -> ExceptionChanged:
        """Give one day other hours, or close it; says which appointments need attention then."""
        practice, asked = await self._practice(call), call.body
        wanted = DayException(
            practice_id=practice.id,
            day=read_day("day", call.path["day"]),
            hours=read_hours("hours", asked.hours),
            note=asked.note,
            version=asked.version,
        )
        kept = await self._book.change(call, lambda writing: changing.put_exception(writing, wanted))
        return ExceptionChanged(exception=exception_answer(kept), attention=await self._book.attention([practice]))

    async def delete_schedule_exception(self, call: Call[Dropped]) -> ExceptionChanged:
        """Give one day its usual hours back; says which appointments need attention then."""
        practice = await self._practice(call)
        seen = DayException(practice_id=practice.id, day=read_day("day", call.path["day"]), version=call.body.version)
        await self._book.change(call, lambda writing: changing.drop_exception(writing, seen))
        return ExceptionChanged(exception=None, attention=await self._book.attention([practice]))

    async def list_closed_slots(self, call: Call[ListQuery]) -> ClosedList:
        """The slots of a practice that were called off, by id; they are not offered."""
        practice, asked = await self._practice(call), call.body
        found = await self._book.read(
            lambda connection: rows.off_of(connection, practice.id, after=asked.after, most=asked.most)
        )
        shown = tuple(map(closed_answer, found))
        return ClosedList(closed=shown, next=shown[-1].slot_id if len(found) == asked.most else "")

    async def open_closed_slot(self, call: Call[Nothing]) -> None:
        """Offer a slot again that was called off."""
        practice, slot_id = await self._practice(call), call.path["slot"]
        await self._book.change(call, lambda writing: changing.open_slot(writing, practice.id, slot_id))

    async def list_slots(self, call: Call[SpanQuery]) -> SlotList:
        """The slots of a practice in at most 31 days, and which are free, held, booked or closed."""
        practice, asked = await self._practice(call), call.body
        span = read_times(asked.since, asked.until, names=("from", "to"))
        if span.end - span.start > _LONGEST:
            raise refusal_of(("to", "is to be at most 31 days after from"))
        return SlotList(practice_id=practice.id, slots=await preview(self._book, practice, span, asked.kind))

    async def _practice(self, call: Call[B]) -> Owned:
        practice = await self._book.read(lambda connection: rows.owned(connection, call.path["id"]))
        call.permit(Target(tenant=practice.organisation_id))
        return practice
