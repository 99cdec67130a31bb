"""A program's organisations, on either database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from participants.hospital.organisations.program import Organisations
from tests.api.asking import application_of, asker
from tests.api.ward import OWN
from tests.participants.hospital.organisations.scene import Badges, Clinic, Ward
from uhi.api.doorkeeper import Doorkeeper, Pace
from uhi.api.origins import Sites
from uhi.api.serving import Surroundings
from uhi.audit.trail import AuditTrail
from uhi.http import ServerLimits, serve
from uhi.signals.local import LocalWindows
from uhi.storage.sql.database import Database
from uhi.testing import FakeClock


@pytest.fixture
async def ward(database: Database, clock: FakeClock) -> AsyncIterator[Ward]:
    """A program without organisations."""
    invited = Invited()
    organisations = Organisations(database, clock, invite=invited)
    doorkeeper = Doorkeeper(proofs=Badges(), sites=Sites(own=OWN), windows=LocalWindows(clock), pace=Pace(10**6, 10**6))
    around = Surroundings(doorkeeper=doorkeeper, trail=AuditTrail(database), clock=clock, limits=ServerLimits())
    application = application_of(list(organisations.routes()), around)
    async with serve(application) as server, aiohttp.ClientSession() as session:
        made = Ward(asker(session, server.url), organisations, database)
        made.invited = invited.all
        yield made


@pytest.fixture
async def clinic(ward: Ward) -> Clinic:
    """A verified organisation with one location."""
    return await ward.hospital()


class Invited:
    """Remembers who was asked to join."""

    def __init__(self) -> None:
        self.all: list[tuple[str, str, str]] = []

    async def __call__(self, invitation, *, acting) -> object:
        self.all.append((invitation.email, invitation.grant.role.value, invitation.grant.tenant))
        return None
