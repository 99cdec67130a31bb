"""The tree of systems of medicine and specialities over HTTP: what ships can be read, what was added also changed.

Above: `program`; below: `specialities`, `ledger`.
"""

from __future__ import annotations

from participants.hospital.organisations import specialities
from participants.hospital.organisations.answers import SpecialityAnswer, SpecialityList, speciality_answer
from participants.hospital.organisations.forms import SpecialityBody, SpecialityPatch, Versioned, given
from participants.hospital.organisations.ledger import Ledger
from participants.hospital.organisations.places import turn
from participants.hospital.organisations.queries import SpecialityQuery
from participants.hospital.organisations.reaching import MANAGES, READS, own, reach, seen
from participants.hospital.organisations.shelf import SPECIALITIES
from uhi.api.routes import Call, Nothing, Routes
from uhi.faults import ALREADY_TAKEN, RECORD_MISSING, STATE_REFUSED

_ALL = "/v1/specialities"
_ONE = f"{_ALL}/{{id}}"
_CHANGE = (RECORD_MISSING, STATE_REFUSED)


class SpecialityPages:
    """What is done with the tree."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def routes(self) -> Routes:
        """The group of routes."""
        group, answer, refuses = (
            Routes("specialities", explains=True),
            SpecialityAnswer,
            (RECORD_MISSING, ALREADY_TAKEN),
        )
        group.route("GET", _ALL, READS, body=SpecialityQuery, answer=SpecialityList)(self.list_specialities)
        group.route("POST", _ALL, MANAGES, body=SpecialityBody, answer=answer, status=201, refuses=refuses)(
            self.add_speciality
        )
        group.route("GET", _ONE, READS, body=Nothing, answer=answer, refuses=(RECORD_MISSING,))(self.get_speciality)
        group.route("PATCH", _ONE, MANAGES, body=SpecialityPatch, answer=answer, refuses=_CHANGE)(
            self.rename_speciality
        )
        group.route("POST", f"{_ONE}/deactivate", MANAGES, body=Versioned, answer=answer, refuses=_CHANGE)(
            self.deactivate_speciality
        )
        group.route("POST", f"{_ONE}/activate", MANAGES, body=Versioned, answer=answer, refuses=_CHANGE)(
            self.activate_speciality
        )
        return group

    async def list_specialities(self, call: Call[SpecialityQuery]) -> SpecialityList:
        """The tree, a page at a time: what ships, and what one's organisation added."""
        asked = call.body
        tenants = reach(call, asked.organisation_id)
        found = await self._ledger.read(
            lambda connection: specialities.list_tree(
                connection, tenants, asked.leaf, system=asked.system, active=asked.active
            )
        )
        return SpecialityList(specialities=tuple(map(speciality_answer, found.records)), next=found.next)

    async def add_speciality(self, call: Call[SpecialityBody]) -> SpecialityAnswer:
        """Add a speciality below a system of medicine, or a system."""
        owner, asked = own(call, call.body.organisation_id), call.body
        made = await self._ledger.write(
            lambda writing: specialities.add_speciality(
                writing, owner, parent_id=asked.parent_id, code=asked.code, name=asked.name
            ),
            acting=call.acting,
        )
        return speciality_answer(made)

    async def get_speciality(self, call: Call[Nothing]) -> SpecialityAnswer:
        """One entry of the tree."""
        tenants = reach(call)
        found = await self._ledger.read(
            lambda connection: specialities.get_speciality(connection, call.path["id"], tenants)
        )
        return speciality_answer(found)

    async def rename_speciality(self, call: Call[SpecialityPatch]) -> SpecialityAnswer:
        """Change the name of an addition."""
        which, columns = seen(call, call.body.version), given(call.body)
        done = await self._ledger.write(
            lambda writing: specialities.rename_speciality(writing, which, columns), acting=call.acting
        )
        return speciality_answer(done)

    async def deactivate_speciality(self, call: Call[Versioned]) -> SpecialityAnswer:
        """Make an addition inactive: no further practice takes it."""
        return await self._turn(call, on=False)

    async def activate_speciality(self, call: Call[Versioned]) -> SpecialityAnswer:
        """Make an addition active again."""
        return await self._turn(call, on=True)

    async def _turn(self, call: Call[Versioned], *, on: bool) -> SpecialityAnswer:
        which = seen(call, call.body.version)
        done = await self._ledger.write(lambda writing: turn(writing, SPECIALITIES, which, on=on), acting=call.acting)
        return speciality_answer(done)
