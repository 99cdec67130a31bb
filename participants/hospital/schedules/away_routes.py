"""Holidays of organisations and leave of practitioners, over HTTP.

Above: `Schedules`; below: `changing`, `ScheduleBook`.
"""

from __future__ import annotations

from participants.hospital.schedules import away_rows, changing, rows
from participants.hospital.schedules.answers import (
    Attention,
    HolidayChanged,
    HolidayList,
    LeaveChanged,
    LeaveList,
    holiday_answer,
    leave_answer,
)
from participants.hospital.schedules.forms import (
    Dropped,
    HolidayChange,
    HolidayQuery,
    HolidayWanted,
    LeaveChange,
    LeaveQuery,
    LeaveWanted,
    read_holiday,
    read_times,
)
from participants.hospital.schedules.program import ScheduleBook
from participants.hospital.schedules.records import Holiday, Leave
from participants.hospital.schedules.week_routes import CHANGES, READS
from uhi.api.routes import Call, Routes
from uhi.faults import ALREADY_TAKEN, RECORD_MISSING, STATE_REFUSED
from uhi.identity.rules import Target

_MISSING = (RECORD_MISSING,)
_KEPT = (RECORD_MISSING, STATE_REFUSED)


class AwayRoutes:
    """When nobody, or one of them, sees patients."""

    def __init__(self, book: ScheduleBook) -> None:
        self._book = book

    def add_to(self, group: Routes) -> None:
        """Put the routes into a group."""
        changed, one, taken = HolidayChanged, "/v1/holidays/{id}", (*_KEPT, ALREADY_TAKEN)
        group.route("GET", "/v1/holidays", READS, body=HolidayQuery, answer=HolidayList, refuses=_MISSING)(
            self.list_holidays
        )
        group.route("POST", "/v1/holidays", CHANGES, body=HolidayWanted, answer=changed, status=201, refuses=taken)(
            self.add_holiday
        )
        group.route("PUT", one, CHANGES, body=HolidayChange, answer=changed, refuses=taken)(self.change_holiday)
        group.route("DELETE", one, CHANGES, body=Dropped, answer=changed, refuses=_KEPT)(self.delete_holiday)
        group.route("GET", "/v1/leave", READS, body=LeaveQuery, answer=LeaveList, refuses=_MISSING)(self.list_leave)
        group.route("POST", "/v1/leave", CHANGES, body=LeaveWanted, answer=LeaveChanged, status=201, refuses=_MISSING)(
            self.add_leave
        )
        group.route("PUT", "/v1/leave/{id}", CHANGES, body=LeaveChange, answer=LeaveChanged, refuses=_KEPT)(
            self.change_leave
        )
        group.route("DELETE", "/v1/leave/{id}", CHANGES, body=Dropped, answer=LeaveChanged, refuses=_KEPT)(
            self.delete_leave
        )

    async def list_holidays(self, call: Call[HolidayQuery]) -> HolidayList:
        """The holidays of an organisation, of one location where it is named."""
        asked = call.body
        call.permit(Target(tenant=asked.organisation_id))
        found = await self._book.read(
            lambda connection: away_rows.holidays(
                connection,
                organisation_id=asked.organisation_id,
                location_id=asked.location_id,
                after=asked.after,
                most=asked.most + 1,
            )
        )
        shown = tuple(map(holiday_answer, found[: asked.most]))
        return HolidayList(holidays=shown, next=shown[-1].id if len(found) > asked.most else "")

    async def add_holiday(self, call: Call[HolidayWanted]) -> HolidayChanged:
        """Add a holiday of one location or of all; says which appointments need attention then."""
        asked = call.body
        call.permit(Target(tenant=asked.organisation_id))
        wanted = Holiday(
            id="",
            organisation_id=asked.organisation_id,
            location_id=asked.location_id,
            day=read_holiday("day", asked.day),
            name=asked.name,
        )
        return await self._holiday(await self._book.change(call, lambda writing: changing.add_holiday(writing, wanted)))

    async def change_holiday(self, call: Call[HolidayChange]) -> HolidayChanged:
        """Change the day or the name of a holiday; says which appointments need attention then."""
        asked, name = call.body, call.path["id"]
        day = read_holiday("day", asked.day)
        kept = await self._book.change(
            call,
            lambda writing: changing.change_holiday(writing, name, day=day, name=asked.name, seen=asked.version),
        )
        return await self._holiday(kept)

    async def delete_holiday(self, call: Call[Dropped]) -> HolidayChanged:
        """Remove a holiday; says which appointments need attention then."""
        name, seen = call.path["id"], call.body.version
        gone = await self._book.change(call, lambda writing: changing.drop_holiday(writing, name, seen=seen))
        return HolidayChanged(holiday=None, attention=await self._after_holiday(gone))

    async def list_leave(self, call: Call[LeaveQuery]) -> LeaveList:
        """The leave of an organisation's practitioners, of one where they are named."""
        asked = call.body
        call.permit(Target(tenant=asked.organisation_id))
        found = await self._book.read(
            lambda connection: away_rows.leaves(
                connection,
                organisation_id=asked.organisation_id,
                practitioner_id=asked.practitioner_id,
                after=asked.after,
                most=asked.most + 1,
            )
        )
        shown = tuple(map(leave_answer, found[: asked.most]))
        return LeaveList(leave=shown, next=shown[-1].id if len(found) > asked.most else "")

    async def add_leave(self, call: Call[LeaveWanted]) -> LeaveChanged:
        """Put down when a practitioner is away; says which appointments need attention then."""
        asked = call.body
        call.permit(Target(tenant=asked.organisation_id))
        wanted = Leave(
            id="",
            organisation_id=asked.organisation_id,
            practitioner_id=asked.practitioner_id,
            times=read_times(asked.starts_at, asked.ends_at),
        )
        return await self._leave(await self._book.change(call, lambda writing: changing.add_leave(writing, wanted)))

    async def change_leave(self, call: Call[LeaveChange]) -> LeaveChanged:
        """Change when a practitioner is away; says which appointments need attention then."""
        asked, name = call.body, call.path["id"]
        times = read_times(asked.starts_at, asked.ends_at)
        kept = await self._book.change(
            call, lambda writing: changing.change_leave(writing, name, times, seen=asked.version)
        )
        return await self._leave(kept)

    async def delete_leave(self, call: Call[Dropped]) -> LeaveChanged:
        """Remove a leave; says which appointments need attention then."""
        name, seen = call.path["id"], call.body.version
        gone = await self._book.change(call, lambda writing: changing.drop_leave(writing, name, seen=seen))
        return LeaveChanged(leave=None, attention=await self._after_leave(gone))

    async def _holiday(self, kept: Holiday) -> HolidayChanged:
        return HolidayChanged(holiday=holiday_answer(kept), attention=await self._after_holiday(kept))

    async def _leave(self, kept: Leave) -> LeaveChanged:
        return LeaveChanged(leave=leave_answer(kept), attention=await self._after_leave(kept))

    async def _after_holiday(self, kept: Holiday) -> Attention:
        return await self._after(kept.organisation_id, location_id=kept.location_id)

    async def _after_leave(self, kept: Leave) -> Attention:
        return await self._after(kept.organisation_id, practitioner_id=kept.practitioner_id)

    async def _after(self, organisation_id: str, *, practitioner_id: str = "", location_id: str = "") -> Attention:
        practices = await self._book.read(
            lambda connection: rows.owned_all(
                connection, organisation_id=organisation_id, practitioner_id=practitioner_id, location_id=location_id
            )
        )
        return await self._book.attention(practices)
