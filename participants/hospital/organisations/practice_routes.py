"""Practices and the consultations they offer over HTTP.

Above: `program`; below: `practising`, `ledger`.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement

from participants.hospital.organisations import practising
from participants.hospital.organisations.answers import (
    ConsultationAnswer,
    ConsultationList,
    PracticeAnswer,
    PracticeList,
    consultation_answer,
    practice_answer,
)
from participants.hospital.organisations.forms import (
    ConsultationBody,
    ConsultationPatch,
    PracticeBody,
    PracticePatch,
    Versioned,
    given,
    paise,
    priced,
)
from participants.hospital.organisations.ledger import Ledger
from participants.hospital.organisations.places import turn
from participants.hospital.organisations.queries import ConsultationQuery, PracticeQuery
from participants.hospital.organisations.reaching import MANAGES, READS, own, reach, seen
from participants.hospital.organisations.shelf import CONSULTATIONS, PRACTICES
from uhi.api.routes import Call, Nothing, Routes
from uhi.faults import ALREADY_TAKEN, RECORD_MISSING, STATE_REFUSED

_NEW = (RECORD_MISSING, ALREADY_TAKEN)
_CHANGE = (RECORD_MISSING, STATE_REFUSED)
_FILTERS = ("practitioner_id", "location_id", "speciality_id", "department_id")


class PracticePages:
    """What is done with practices."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def routes(self) -> Routes:
        """The group of routes."""
        group, every, one, answer = (
            Routes("practices", explains=True),
            "/v1/practices",
            "/v1/practices/{id}",
            PracticeAnswer,
        )
        group.route("GET", every, READS, body=PracticeQuery, answer=PracticeList)(self.list_practices)
        group.route("POST", every, MANAGES, body=PracticeBody, answer=answer, status=201, refuses=_NEW)(
            self.add_practice
        )
        group.route("GET", one, READS, body=Nothing, answer=answer, refuses=(RECORD_MISSING,))(self.get_practice)
        group.route("PATCH", one, MANAGES, body=PracticePatch, answer=answer, refuses=_CHANGE)(self.change_practice)
        group.route("POST", f"{one}/deactivate", MANAGES, body=Versioned, answer=answer, refuses=_CHANGE)(
            self.deactivate_practice
        )
        group.route("POST", f"{one}/activate", MANAGES, body=Versioned, answer=answer, refuses=_CHANGE)(
            self.activate_practice
        )
        return group

    async def list_practices(self, call: Call[PracticeQuery]) -> PracticeList:
        """Who practises where, a page at a time."""
        asked, table = call.body, PRACTICES.table
        conditions: list[ColumnElement[bool]] = [
            *PRACTICES.within(reach(call, asked.organisation_id)),
            *PRACTICES.active(asked.active),
        ]
        conditions += [table.c[name] == getattr(asked, name) for name in _FILTERS if getattr(asked, name)]
        found = await self._ledger.read(lambda connection: PRACTICES.page(connection, asked.leaf, *conditions))
        return PracticeList(practices=tuple(map(practice_answer, found.records)), next=found.next)

    async def add_practice(self, call: Call[PracticeBody]) -> PracticeAnswer:
        """Have a practitioner, known by HPR address, practise at a location."""
        owner, asked = own(call, call.body.organisation_id), call.body
        wanted = practising.WantedPractice(
            hpr_address=asked.hpr_address,
            location_id=asked.location_id,
            department_id=asked.department_id,
            speciality_id=asked.speciality_id,
        )
        made = await self._ledger.write(
            lambda writing: practising.add_practice(writing, owner, wanted), acting=call.acting
        )
        return practice_answer(made)

    async def get_practice(self, call: Call[Nothing]) -> PracticeAnswer:
        """One practice."""
        tenants = reach(call)
        found = await self._ledger.read(lambda connection: PRACTICES.get(connection, call.path["id"], tenants))
        return practice_answer(found)

    async def change_practice(self, call: Call[PracticePatch]) -> PracticeAnswer:
        """Change department or speciality of a practice."""
        which, columns = seen(call, call.body.version), given(call.body)
        done = await self._ledger.write(
            lambda writing: practising.change_practice(writing, which, columns), acting=call.acting
        )
        return practice_answer(done)

    async def deactivate_practice(self, call: Call[Versioned]) -> PracticeAnswer:
        """Make a practice inactive: nobody is booked there any more; appointments stay."""
        return await self._turn(call, on=False)

    async def activate_practice(self, call: Call[Versioned]) -> PracticeAnswer:
        """Make a practice active again."""
        return await self._turn(call, on=True)

    async def _turn(self, call: Call[Versioned], *, on: bool) -> PracticeAnswer:
        which = seen(call, call.body.version)
        done = await self._ledger.write(lambda writing: turn(writing, PRACTICES, which, on=on), acting=call.acting)
        return practice_answer(done)


class ConsultationPages:
    """What is done with the consultations that practices offer."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def routes(self) -> Routes:
        """The group of routes."""
        group, every, one, answer = (
            Routes("services", explains=True),
            "/v1/services",
            "/v1/services/{id}",
            ConsultationAnswer,
        )
        group.route("GET", every, READS, body=ConsultationQuery, answer=ConsultationList)(self.list_services)
        refuses = (*_NEW, STATE_REFUSED)
        group.route("POST", every, MANAGES, body=ConsultationBody, answer=answer, status=201, refuses=refuses)(
            self.add_service
        )
        group.route("GET", one, READS, body=Nothing, answer=answer, refuses=(RECORD_MISSING,))(self.get_service)
        group.route("PATCH", one, MANAGES, body=ConsultationPatch, answer=answer, refuses=_CHANGE)(self.change_service)
        group.route("POST", f"{one}/deactivate", MANAGES, body=Versioned, answer=answer, refuses=_CHANGE)(
            self.deactivate_service
        )
        group.route("POST", f"{one}/activate", MANAGES, body=Versioned, answer=answer, refuses=_CHANGE)(
            self.activate_service
        )
        return group

    async def list_services(self, call: Call[ConsultationQuery]) -> ConsultationList:
        """What can be booked at which price, a page at a time."""
        asked, table, practices = call.body, CONSULTATIONS.table, PRACTICES.table
        conditions: list[ColumnElement[bool]] = [
            *CONSULTATIONS.within(reach(call, asked.organisation_id)),
            *CONSULTATIONS.active(asked.active),
        ]
        if asked.practice_id:
            conditions.append(table.c.practice_id == asked.practice_id)
        if asked.kind:
            conditions.append(table.c.kind == asked.kind)
        if asked.practitioner_id:
            theirs = (practices.c.id == table.c.practice_id, practices.c.practitioner_id == asked.practitioner_id)
            conditions.append(practices.select().where(*theirs).exists())
        found = await self._ledger.read(lambda connection: CONSULTATIONS.page(connection, asked.leaf, *conditions))
        return ConsultationList(services=tuple(map(consultation_answer, found.records)), next=found.next)

    async def add_service(self, call: Call[ConsultationBody]) -> ConsultationAnswer:
        """Have a practice offer a kind of consultation; online takes registration number and council."""
        owner, asked = own(call, call.body.organisation_id), call.body
        wanted = practising.WantedConsultation(
            practice_id=asked.practice_id,
            kind=asked.kind,
            fee_paise=paise(asked.fee),
            registration_paise=paise(asked.registration_fee),
            is_taxed=asked.taxed,
            group=tuple(asked.group),
        )
        made = await self._ledger.write(
            lambda writing: practising.add_consultation(writing, owner, wanted), acting=call.acting
        )
        return consultation_answer(made)

    async def get_service(self, call: Call[Nothing]) -> ConsultationAnswer:
        """One consultation."""
        tenants = reach(call)
        found = await self._ledger.read(lambda connection: CONSULTATIONS.get(connection, call.path["id"], tenants))
        return consultation_answer(found)

    async def change_service(self, call: Call[ConsultationPatch]) -> ConsultationAnswer:
        """Change what a consultation costs, or who takes part besides; quotes that were given stay."""
        return await self._change(call, call.body.version, priced(call.body), "change")

    async def deactivate_service(self, call: Call[Versioned]) -> ConsultationAnswer:
        """Stop offering a consultation; appointments stay."""
        return await self._change(call, call.body.version, {"is_active": False}, "deactivate")

    async def activate_service(self, call: Call[Versioned]) -> ConsultationAnswer:
        """Offer a consultation again."""
        return await self._change(call, call.body.version, {"is_active": True}, "activate")

    async def _change(
        self, call: Call[ConsultationPatch] | Call[Versioned], version: int, columns: dict[str, object], action: str
    ) -> ConsultationAnswer:
        which = seen(call, version)
        done = await self._ledger.write(
            lambda writing: practising.change_consultation(writing, which, columns, action=action), acting=call.acting
        )
        return consultation_answer(done)
