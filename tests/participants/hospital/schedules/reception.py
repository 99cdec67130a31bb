"""The schedules' interface on a port of this machine, and people with roles who ask it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from tests.api.asking import Ask, Got, application_of, asker
from tests.api.hall import bearer
from tests.participants.hospital.schedules.clinic import Clinic
from uhi.api.doorkeeper import Doorkeeper, Pace
from uhi.api.origins import Sites
from uhi.api.serving import Surroundings
from uhi.audit.trail import AuditTrail
from uhi.errors import Refusal
from uhi.faults import TOKEN_INVALID
from uhi.http import serve
from uhi.identity import Grant, Principal, PrincipalKind
from uhi.identity.roles import AccessRole
from uhi.identity.sessions import Browsing
from uhi.signals.local import LocalWindows

ADMIN, DESK, CLINICIAN = AccessRole.HOSPITAL_ADMIN, AccessRole.HOSPITAL_FRONTDESK, AccessRole.CLINICIAN


class Badges:
    """Stands in for tokens: role and tenant, with `~` between."""

    async def by_token(self, token: str) -> Principal:
        role, _, tenant = token.partition("~")
        known = AccessRole.read(role)
        if known is None:
            raise Refusal(TOKEN_INVALID)
        grants = frozenset({Grant(known, tenant)})
        return Principal(
            kind=PrincipalKind.PERSON, id=f"acc-{role}", grants=grants, tenant=tenant, has_second_factor=True
        )

    async def by_key(self, key: str) -> Principal:
        raise Refusal(TOKEN_INVALID)

    async def by_cookie(self, cookie: str) -> Browsing:
        raise Refusal(TOKEN_INVALID)


@dataclass
class Reception:
    """The running interface of a clinic; by default the administrator of the first organisation asks."""

    clinic: Clinic
    ask: Ask
    trail: AuditTrail

    @classmethod
    @asynccontextmanager
    async def open(cls, clinic: Clinic) -> AsyncIterator[Reception]:
        """Serve it."""
        trail, windows = AuditTrail(clinic.database), LocalWindows(clinic.clock)
        pace = Pace(public=1_000_000, all=1_000_000)
        keeper = Doorkeeper(proofs=Badges(), sites=Sites(own="https://clinic.example"), windows=windows, pace=pace)
        around = Surroundings(doorkeeper=keeper, trail=trail, clock=clinic.clock)
        session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        async with serve(application_of(clinic.schedules.routes(), around)) as server, session:
            yield cls(clinic, asker(session, server.url), trail)

    async def say(
        self, method: str, path: str, body: object = None, *, role: AccessRole = ADMIN, organisation: int = 0
    ) -> Got:
        """Ask as somebody of an organisation."""
        tenant = self.clinic.organisations[organisation]
        return await self.ask(method, path, json=body, headers=bearer(f"{role.value}~{tenant}"))

    async def audited(self) -> list[tuple[str, str]]:
        """Action and record of each row of the trail that tells of schedules."""
        rows = await self.trail.rows()
        return [(row.action, row.object) for row in rows if row.action.startswith("schedule.")]
