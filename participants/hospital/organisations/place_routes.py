"""Departments and locations over HTTP.

Above: `program`; below: `places`, `ledger`.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement

from participants.hospital.organisations import places
from participants.hospital.organisations.answers import (
    DepartmentAnswer,
    DepartmentList,
    LocationAnswer,
    LocationList,
    department_answer,
    location_answer,
)
from participants.hospital.organisations.forms import (
    DepartmentBody,
    DepartmentPatch,
    LocationBody,
    LocationPatch,
    Versioned,
    given,
)
from participants.hospital.organisations.ledger import Ledger
from participants.hospital.organisations.queries import ListQuery, LocationQuery
from participants.hospital.organisations.reaching import MANAGES, READS, own, reach, seen
from participants.hospital.organisations.shelf import DEPARTMENTS, LOCATIONS
from uhi.api.routes import Call, Nothing, Routes
from uhi.faults import ALREADY_TAKEN, RECORD_MISSING, STATE_REFUSED

_NEW = (RECORD_MISSING, ALREADY_TAKEN)
_CHANGE = (RECORD_MISSING, STATE_REFUSED, ALREADY_TAKEN)
_TURN = (RECORD_MISSING, STATE_REFUSED)


class DepartmentPages:
    """What is done with departments."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def routes(self) -> Routes:
        """The group of routes."""
        group, every, one, answer = (
            Routes("departments", explains=True),
            "/v1/departments",
            "/v1/departments/{id}",
            DepartmentAnswer,
        )
        group.route("GET", every, READS, body=ListQuery, answer=DepartmentList)(self.list_departments)
        group.route("POST", every, MANAGES, body=DepartmentBody, answer=answer, status=201, refuses=_NEW)(
            self.add_department
        )
        group.route("GET", one, READS, body=Nothing, answer=answer, refuses=(RECORD_MISSING,))(self.get_department)
        group.route("PATCH", one, MANAGES, body=DepartmentPatch, answer=answer, refuses=_CHANGE)(self.change_department)
        group.route("POST", f"{one}/deactivate", MANAGES, body=Versioned, answer=answer, refuses=_TURN)(
            self.deactivate_department
        )
        group.route("POST", f"{one}/activate", MANAGES, body=Versioned, answer=answer, refuses=_TURN)(
            self.activate_department
        )
        return group

    async def list_departments(self, call: Call[ListQuery]) -> DepartmentList:
        """Departments, a page at a time."""
        asked = call.body
        conditions = [*DEPARTMENTS.within(reach(call, asked.organisation_id)), *DEPARTMENTS.active(asked.active)]
        found = await self._ledger.read(lambda connection: DEPARTMENTS.page(connection, asked.leaf, *conditions))
        return DepartmentList(departments=tuple(map(department_answer, found.records)), next=found.next)

    async def add_department(self, call: Call[DepartmentBody]) -> DepartmentAnswer:
        """Add a department."""
        owner, name = own(call, call.body.organisation_id), call.body.name
        made = await self._ledger.write(lambda writing: places.add_department(writing, owner, name), acting=call.acting)
        return department_answer(made)

    async def get_department(self, call: Call[Nothing]) -> DepartmentAnswer:
        """One department."""
        tenants = reach(call)
        found = await self._ledger.read(lambda connection: DEPARTMENTS.get(connection, call.path["id"], tenants))
        return department_answer(found)

    async def change_department(self, call: Call[DepartmentPatch]) -> DepartmentAnswer:
        """Change a department's name."""
        which, columns = seen(call, call.body.version), given(call.body)
        done = await self._ledger.write(
            lambda writing: places.change_department(writing, which, columns), acting=call.acting
        )
        return department_answer(done)

    async def deactivate_department(self, call: Call[Versioned]) -> DepartmentAnswer:
        """Make a department inactive; its practices stay."""
        return await self._turn(call, on=False)

    async def activate_department(self, call: Call[Versioned]) -> DepartmentAnswer:
        """Make a department active again."""
        return await self._turn(call, on=True)

    async def _turn(self, call: Call[Versioned], *, on: bool) -> DepartmentAnswer:
        which = seen(call, call.body.version)
        done = await self._ledger.write(
            lambda writing: places.turn(writing, DEPARTMENTS, which, on=on), acting=call.acting
        )
        return department_answer(done)


class LocationPages:
    """What is done with locations."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def routes(self) -> Routes:
        """The group of routes."""
        group, every, one, answer = (
            Routes("locations", explains=True),
            "/v1/locations",
            "/v1/locations/{id}",
            LocationAnswer,
        )
        group.route("GET", every, READS, body=LocationQuery, answer=LocationList)(self.list_locations)
        group.route("POST", every, MANAGES, body=LocationBody, answer=answer, status=201, refuses=_CHANGE)(
            self.add_location
        )
        group.route("GET", one, READS, body=Nothing, answer=answer, refuses=(RECORD_MISSING,))(self.get_location)
        group.route("PATCH", one, MANAGES, body=LocationPatch, answer=answer, refuses=_CHANGE)(self.change_location)
        group.route("POST", f"{one}/deactivate", MANAGES, body=Versioned, answer=answer, refuses=_TURN)(
            self.deactivate_location
        )
        group.route("POST", f"{one}/activate", MANAGES, body=Versioned, answer=answer, refuses=_CHANGE)(
            self.activate_location
        )
        return group

    async def list_locations(self, call: Call[LocationQuery]) -> LocationList:
        """Locations, a page at a time."""
        asked, table = call.body, LOCATIONS.table
        conditions: list[ColumnElement[bool]] = [
            *LOCATIONS.within(reach(call, asked.organisation_id)),
            *LOCATIONS.active(asked.active),
        ]
        for level, code in (("city", asked.city), ("district", asked.district), ("state", asked.state)):
            if code:
                conditions.append(table.c[f"{level}_code"] == code)
        if asked.pincode:
            conditions.append(table.c.pincode == asked.pincode)
        found = await self._ledger.read(lambda connection: LOCATIONS.page(connection, asked.leaf, *conditions))
        return LocationList(locations=tuple(map(location_answer, found.records)), next=found.next)

    async def add_location(self, call: Call[LocationBody]) -> LocationAnswer:
        """Add a location."""
        owner, columns = own(call, call.body.organisation_id), given(call.body)
        made = await self._ledger.write(
            lambda writing: places.add_location(writing, owner, columns), acting=call.acting
        )
        return location_answer(made)

    async def get_location(self, call: Call[Nothing]) -> LocationAnswer:
        """One location."""
        tenants = reach(call)
        found = await self._ledger.read(lambda connection: LOCATIONS.get(connection, call.path["id"], tenants))
        return location_answer(found)

    async def change_location(self, call: Call[LocationPatch]) -> LocationAnswer:
        """Change a location."""
        which, columns = seen(call, call.body.version), given(call.body)
        done = await self._ledger.write(
            lambda writing: places.change_location(writing, which, columns), acting=call.acting
        )
        return location_answer(done)

    async def deactivate_location(self, call: Call[Versioned]) -> LocationAnswer:
        """Make a location inactive: nobody is booked there any more; appointments stay."""
        return await self._turn(call, on=False)

    async def activate_location(self, call: Call[Versioned]) -> LocationAnswer:
        """Make a location active again."""
        return await self._turn(call, on=True)

    async def _turn(self, call: Call[Versioned], *, on: bool) -> LocationAnswer:
        which = seen(call, call.body.version)
        done = await self._ledger.write(
            lambda writing: places.turn(writing, LOCATIONS, which, on=on), acting=call.acting
        )
        return location_answer(done)
