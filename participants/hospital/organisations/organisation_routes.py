"""Organisations over HTTP: taken in and verified by the program's operators, described by their own administrators.

Above: `program`; below: `organising`, `ledger`. Source: security rules "IAM" (hospital.operator, hospital.admin).
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol

from sqlalchemy import ColumnElement

from participants.hospital.organisations import organising
from participants.hospital.organisations.answers import OrganisationAnswer, OrganisationList, organisation_answer
from participants.hospital.organisations.forms import (
    AdminBody,
    OrganisationBody,
    OrganisationPatch,
    Reasoned,
    Versioned,
    given,
)
from participants.hospital.organisations.ledger import Ledger
from participants.hospital.organisations.queries import OrganisationQuery
from participants.hospital.organisations.reaching import MANAGES, OPERATES, READS, reach, seen
from participants.hospital.organisations.shelf import ORGANISATIONS
from participants.hospital.organisations.states import VERIFIED, Step
from uhi.api.routes import Body, Call, Nothing, Routes
from uhi.audit import Acting
from uhi.faults import ALREADY_TAKEN, ANOTHER_PERSON_REQUIRED, RECORD_MISSING, STATE_REFUSED
from uhi.identity.joining import Invitation
from uhi.identity.principals import Grant
from uhi.identity.roles import AccessRole

_ALL = "/v1/organisations"
_ONE = f"{_ALL}/{{id}}"
_CHANGE = (RECORD_MISSING, STATE_REFUSED)
_DECISION = (*_CHANGE, ANOTHER_PERSON_REQUIRED, ALREADY_TAKEN)


class Invite(Protocol):
    """How somebody is asked to join an organisation."""

    def __call__(self, invitation: Invitation, *, acting: Acting) -> Awaitable[object]:
        """Write to them; raises what `uhi.identity.joining` does."""


class OrganisationPages:
    """What is done with organisations. `invite` asks their first administrators to join."""

    def __init__(self, ledger: Ledger, invite: Invite | None) -> None:
        self._ledger = ledger
        self._invite = invite

    def routes(self) -> Routes:
        """The group of routes."""
        group = Routes("organisations", explains=True)
        answer = OrganisationAnswer
        group.route("GET", _ALL, READS, body=OrganisationQuery, answer=OrganisationList)(self.list_organisations)
        group.route("POST", _ALL, OPERATES, body=OrganisationBody, answer=answer, status=201)(self.create_organisation)
        group.route("GET", _ONE, READS, body=Nothing, answer=answer, refuses=(RECORD_MISSING,))(self.get_organisation)
        group.route("PATCH", _ONE, MANAGES, body=OrganisationPatch, answer=answer, refuses=_CHANGE)(
            self.change_organisation
        )
        path = f"{_ONE}/submit"
        group.route("POST", path, MANAGES, body=Versioned, answer=answer, refuses=(*_CHANGE, ALREADY_TAKEN))(
            self.submit_organisation
        )
        self._add_decisions(group)
        if self._invite is not None:
            refuses = (RECORD_MISSING, ALREADY_TAKEN, STATE_REFUSED)
            group.route("POST", f"{_ONE}/admins", OPERATES, body=AdminBody, answer=None, refuses=refuses)(
                self.invite_admin
            )
        return group

    def _add_decisions(self, group: Routes) -> None:
        answer = OrganisationAnswer
        group.route("POST", f"{_ONE}/verify", OPERATES, body=Versioned, answer=answer, refuses=_DECISION)(
            self.verify_organisation
        )
        group.route("POST", f"{_ONE}/return", OPERATES, body=Reasoned, answer=answer, refuses=_CHANGE)(
            self.return_organisation
        )
        group.route("POST", f"{_ONE}/suspend", OPERATES, body=Reasoned, answer=answer, refuses=_CHANGE)(
            self.suspend_organisation
        )
        group.route("POST", f"{_ONE}/resume", OPERATES, body=Versioned, answer=answer, refuses=_DECISION)(
            self.resume_organisation
        )

    async def list_organisations(self, call: Call[OrganisationQuery]) -> OrganisationList:
        """Organisations, a page at a time: all for the program's operators, one's own for everybody else."""
        asked, table = call.body, ORGANISATIONS.table
        conditions: list[ColumnElement[bool]] = [*ORGANISATIONS.within(reach(call, asked.organisation_id))]
        if asked.kind:
            conditions.append(table.c.kind == asked.kind)
        if asked.state:
            conditions.append(table.c.state == asked.state)
        if asked.active:
            conditions.append((table.c.state == VERIFIED) == (asked.active == "yes"))
        found = await self._ledger.read(lambda connection: ORGANISATIONS.page(connection, asked.leaf, *conditions))
        return OrganisationList(organisations=tuple(map(organisation_answer, found.records)), next=found.next)

    async def create_organisation(self, call: Call[OrganisationBody]) -> OrganisationAnswer:
        """Take an organisation in, as a draft that its own administrators complete."""
        reach(call)
        columns = given(call.body)
        made = await self._ledger.write(
            lambda writing: organising.create(writing, {"kind": call.body.kind, **columns}), acting=call.acting
        )
        return organisation_answer(made)

    async def get_organisation(self, call: Call[Nothing]) -> OrganisationAnswer:
        """One organisation."""
        tenants = reach(call)
        found = await self._ledger.read(lambda connection: ORGANISATIONS.get(connection, call.path["id"], tenants))
        return organisation_answer(found)

    async def change_organisation(self, call: Call[OrganisationPatch]) -> OrganisationAnswer:
        """Change what an organisation says of itself; kind, legal name, HFR and HIP id take another verification."""
        which, columns = seen(call, call.body.version), given(call.body)
        done = await self._ledger.write(lambda writing: organising.amend(writing, which, columns), acting=call.acting)
        return organisation_answer(done)

    async def submit_organisation(self, call: Call[Versioned]) -> OrganisationAnswer:
        """Ask for verification; an HFR id, a legal name, a location and helplines are needed."""
        return await self._take(call, call.body.version, Step.SUBMIT)

    async def verify_organisation(self, call: Call[Versioned]) -> OrganisationAnswer:
        """Vouch for an organisation: from now on its doctors are found. Not for who submitted it."""
        return await self._take(call, call.body.version, Step.VERIFY)

    async def return_organisation(self, call: Call[Reasoned]) -> OrganisationAnswer:
        """Send an organisation back to its administrators, with the reason."""
        return await self._take(call, call.body.version, Step.RETURN, call.body.reason)

    async def suspend_organisation(self, call: Call[Reasoned]) -> OrganisationAnswer:
        """Take a verified organisation off the network until it is resumed; appointments stay."""
        return await self._take(call, call.body.version, Step.SUSPEND, call.body.reason)

    async def resume_organisation(self, call: Call[Versioned]) -> OrganisationAnswer:
        """Put a suspended organisation back on the network."""
        return await self._take(call, call.body.version, Step.RESUME)

    async def invite_admin(self, call: Call[AdminBody]) -> None:
        """Ask somebody to be an administrator of an organisation; they get a letter."""
        tenants, invite = reach(call), self._invite
        found = await self._ledger.read(lambda connection: ORGANISATIONS.get(connection, call.path["id"], tenants))
        invitation = Invitation(
            email=call.body.email,
            name=call.body.name,
            phone=call.body.phone,
            grant=Grant(AccessRole.HOSPITAL_ADMIN, found.id),
        )
        if invite is not None:
            await invite(invitation, acting=call.acting)

    async def _take(self, call: Call[Body], version: int, step: Step, reason: str = "") -> OrganisationAnswer:
        which = seen(call, version)
        done = await self._ledger.write(
            lambda writing: organising.take(writing, which, step, reason=reason), acting=call.acting
        )
        return organisation_answer(done)
