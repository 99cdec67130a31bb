"""Practitioners and their pictures over HTTP.

Above: `program`; below: `people`, `pictures`, `ledger`.
"""

from __future__ import annotations

import base64

from sqlalchemy import ColumnElement, Connection

from participants.hospital.organisations import people
from participants.hospital.organisations.answers import (
    PhotoAnswer,
    PractitionerAnswer,
    PractitionerList,
    practitioner_answer,
)
from participants.hospital.organisations.forms import PhotoBody, PractitionerBody, PractitionerPatch, Versioned, given
from participants.hospital.organisations.ledger import Ledger
from participants.hospital.organisations.pictures import MOST_TEXT, read_picture
from participants.hospital.organisations.queries import PractitionerQuery
from participants.hospital.organisations.reaching import MANAGES, READS, own, reach, seen
from participants.hospital.organisations.records import Photo
from participants.hospital.organisations.shelf import PRACTICES, PRACTITIONERS, Tenants
from uhi.api.routes import KIB, Call, Nothing, Routes
from uhi.errors import Refusal
from uhi.faults import ALREADY_TAKEN, RECORD_MISSING, STATE_REFUSED

_ALL = "/v1/practitioners"
_ONE = f"{_ALL}/{{id}}"
_PHOTO = f"{_ONE}/photo"
_CHANGE = (RECORD_MISSING, STATE_REFUSED)


class PractitionerPages:
    """What is done with practitioners."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def routes(self) -> Routes:
        """The group of routes."""
        group, answer, is_missing = Routes("practitioners", explains=True), PractitionerAnswer, (RECORD_MISSING,)
        group.route("GET", _ALL, READS, body=PractitionerQuery, answer=PractitionerList)(self.list_practitioners)
        refuses = (RECORD_MISSING, ALREADY_TAKEN)
        group.route("POST", _ALL, MANAGES, body=PractitionerBody, answer=answer, status=201, refuses=refuses)(
            self.add_practitioner
        )
        group.route("GET", _ONE, READS, body=Nothing, answer=answer, refuses=is_missing)(self.get_practitioner)
        group.route("PATCH", _ONE, MANAGES, body=PractitionerPatch, answer=answer, refuses=_CHANGE)(
            self.change_practitioner
        )
        group.route("POST", f"{_ONE}/deactivate", MANAGES, body=Versioned, answer=answer, refuses=_CHANGE)(
            self.deactivate_practitioner
        )
        group.route("POST", f"{_ONE}/activate", MANAGES, body=Versioned, answer=answer, refuses=_CHANGE)(
            self.activate_practitioner
        )
        group.route("GET", _PHOTO, READS, body=Nothing, answer=PhotoAnswer, refuses=is_missing)(self.get_photo)
        size = MOST_TEXT + KIB
        group.route("PUT", _PHOTO, MANAGES, body=PhotoBody, answer=answer, size=size, refuses=_CHANGE)(self.keep_photo)
        group.route("DELETE", _PHOTO, MANAGES, body=Versioned, answer=answer, refuses=_CHANGE)(self.delete_photo)
        return group

    async def list_practitioners(self, call: Call[PractitionerQuery]) -> PractitionerList:
        """Practitioners whose record one's organisation keeps, or who practise there, a page at a time."""
        asked = call.body
        tenants = reach(call, asked.organisation_id)
        conditions = [*people.in_sight(tenants), *PRACTITIONERS.active(asked.active), *_practising(asked, tenants)]
        found = await self._ledger.read(lambda connection: PRACTITIONERS.page(connection, asked.leaf, *conditions))
        return PractitionerList(practitioners=tuple(map(practitioner_answer, found.records)), next=found.next)

    async def add_practitioner(self, call: Call[PractitionerBody]) -> PractitionerAnswer:
        """Make the record of a practitioner; whoever has one only needs a practice."""
        owner, columns = own(call, call.body.organisation_id), given(call.body)
        made = await self._ledger.write(
            lambda writing: people.add_practitioner(writing, owner, columns), acting=call.acting
        )
        return practitioner_answer(made)

    async def get_practitioner(self, call: Call[Nothing]) -> PractitionerAnswer:
        """One practitioner."""
        tenants = reach(call)
        found = await self._ledger.read(lambda connection: people.visible(connection, call.path["id"], tenants))
        return practitioner_answer(found)

    async def change_practitioner(self, call: Call[PractitionerPatch]) -> PractitionerAnswer:
        """Change a practitioner's record, which is for the organisation that made it."""
        which, columns = seen(call, call.body.version), given(call.body)
        done = await self._ledger.write(
            lambda writing: people.change_practitioner(writing, which, columns), acting=call.acting
        )
        return practitioner_answer(done)

    async def deactivate_practitioner(self, call: Call[Versioned]) -> PractitionerAnswer:
        """Make a practitioner inactive, wherever they practise; appointments stay."""
        return await self._turn(call, on=False)

    async def activate_practitioner(self, call: Call[Versioned]) -> PractitionerAnswer:
        """Make a practitioner active again."""
        return await self._turn(call, on=True)

    async def get_photo(self, call: Call[Nothing]) -> PhotoAnswer:
        """A practitioner's picture."""
        tenants = reach(call)

        def find(connection: Connection) -> Photo | None:
            return people.photo_of(connection, people.visible(connection, call.path["id"], tenants).id)

        found = await self._ledger.read(find)
        if found is None:
            raise Refusal(RECORD_MISSING, "there is no picture")
        return PhotoAnswer(
            practitioner_id=found.practitioner_id,
            media_type=found.media_type,
            image=base64.b64encode(found.data).decode(),
            updated_at=found.updated_at,
        )

    async def keep_photo(self, call: Call[PhotoBody]) -> PractitionerAnswer:
        """Keep a practitioner's picture, PNG or JPEG; one up to 8 KiB goes into the catalogue."""
        which, picture = seen(call, call.body.version), read_picture(call.body.image)
        done = await self._ledger.write(lambda writing: people.keep_photo(writing, which, picture), acting=call.acting)
        return practitioner_answer(done)

    async def delete_photo(self, call: Call[Versioned]) -> PractitionerAnswer:
        """Delete a practitioner's picture."""
        which = seen(call, call.body.version)
        done = await self._ledger.write(lambda writing: people.drop_photo(writing, which), acting=call.acting)
        return practitioner_answer(done)

    async def _turn(self, call: Call[Versioned], *, on: bool) -> PractitionerAnswer:
        which = seen(call, call.body.version)
        done = await self._ledger.write(
            lambda writing: people.turn_practitioner(writing, which, on=on), acting=call.acting
        )
        return practitioner_answer(done)


def _practising(asked: PractitionerQuery, tenants: Tenants) -> tuple[ColumnElement[bool], ...]:
    """The condition that there is such a practice of one's own."""
    table = PRACTICES.table
    wanted = {
        "location_id": asked.location_id,
        "speciality_id": asked.speciality_id,
        "department_id": asked.department_id,
    }
    conditions = [table.c[name] == value for name, value in wanted.items() if value]
    if not conditions:
        return ()
    theirs = (table.c.practitioner_id == PRACTITIONERS.table.c.id, *PRACTICES.within(tenants))
    return (table.select().where(*theirs, *conditions).exists(),)
