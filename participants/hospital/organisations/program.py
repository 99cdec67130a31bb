"""The organisations of a hospital program: their staff interface, and the directory of what can be booked.

Above: the hospital's composition root; below: the groups of routes, `ledger`, `directory`.
"""

from __future__ import annotations

from dataclasses import replace

from participants.hospital.organisations.directory import Directory
from participants.hospital.organisations.ledger import Ledger
from participants.hospital.organisations.organisation_routes import Invite, OrganisationPages
from participants.hospital.organisations.place_routes import DepartmentPages, LocationPages
from participants.hospital.organisations.practice_routes import ConsultationPages, PracticePages
from participants.hospital.organisations.practitioner_routes import PractitionerPages
from participants.hospital.organisations.speciality_routes import SpecialityPages
from participants.hospital.organisations.transfer_routes import TransferPages
from uhi.api.routes import Routes
from uhi.audit import Acting, ActorKind
from uhi.identity.joining import Invitation, Joining
from uhi.ports import Clock
from uhi.storage.sql.database import Database


class Organisations:
    """The organisations of one database. `directory.refresh` them at the start; let `directory.follow` run.

    `invite` asks the first administrators of organisations to join (`inviting`); without it there is no such route.
    """

    def __init__(self, database: Database, clock: Clock, *, invite: Invite | None = None) -> None:
        self.directory = Directory(database)
        self._database = database
        self._ledger = Ledger(database, clock=clock, directory=self.directory)
        self._invite = invite

    def routes(self) -> tuple[Routes, ...]:
        """The staff interface."""
        ledger = self._ledger
        return (
            OrganisationPages(ledger, self._invite).routes(),
            DepartmentPages(ledger).routes(),
            LocationPages(ledger).routes(),
            PractitionerPages(ledger).routes(),
            PracticePages(ledger).routes(),
            ConsultationPages(ledger).routes(),
            SpecialityPages(ledger).routes(),
            TransferPages(self._database, self.directory).routes(),
        )


def inviting(joining: Joining) -> Invite:
    """How an operator's invitation is written. An operator has no role within an organisation, and so could give none:
    the program does, in the operator's name.
    """

    async def invite(invitation: Invitation, *, acting: Acting) -> object:
        return await joining.invite(invitation, acting=replace(acting, kind=ActorKind.SYSTEM))

    return invite
