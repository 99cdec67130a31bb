"""The pages of conversations, served: a stand-in for sign-in that believes a name, and a client that asks by it."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from tests.api.asking import Ask, Got, application_of, asker
from tests.conversation.scene import PDF
from uhi.api.doorkeeper import Doorkeeper
from uhi.api.origins import Sites
from uhi.api.routes import Routes
from uhi.api.serving import Surroundings
from uhi.audit.trail import AuditTrail
from uhi.errors import Refusal
from uhi.faults import TOKEN_INVALID
from uhi.http import serve
from uhi.identity import Principal
from uhi.identity.sessions import Browsing
from uhi.ports import Clock
from uhi.signals.local import LocalWindows
from uhi.storage.sql.database import Database

DOCUMENT = {
    "name": "report.pdf",
    "media_type": "application/pdf",
    "content": base64.b64encode(PDF).decode(),
    "hi_type": "labReport",
}


@dataclass(frozen=True)
class Names:
    """Believes whoever says a name that is known."""

    known: Mapping[str, Principal]

    async def by_token(self, token: str) -> Principal:
        if token not in self.known:
            raise Refusal(TOKEN_INVALID)
        return self.known[token]

    async def by_key(self, key: str) -> Principal:
        raise Refusal(TOKEN_INVALID)

    async def by_cookie(self, cookie: str) -> Browsing:
        raise Refusal(TOKEN_INVALID)


@dataclass(frozen=True)
class Front:
    """The pages, and the trail of who looked."""

    ask: Ask
    trail: AuditTrail

    async def by(self, name: str, method: str, path: str, **options: object) -> Got:
        """Ask as somebody; empty: as nobody."""
        proof = {"Authorization": f"Bearer {name}"} if name else {}
        headers = {**proof, **options.pop("headers", {})}
        return await self.ask(method, path, headers=headers, **options)

    async def looks(self) -> list[tuple[str, str]]:
        """Who did what, as the trail has it."""
        return [(row.actor, row.action) for row in await self.trail.rows()]


@asynccontextmanager
async def served(
    groups: Sequence[Routes], trail: AuditTrail, clock: Clock, known: Mapping[str, Principal]
) -> AsyncIterator[Front]:
    """Serve groups of routes on a free port."""
    doorkeeper = Doorkeeper(proofs=Names(known), sites=Sites(own="https://clinic.example"), windows=LocalWindows(clock))
    around = Surroundings(doorkeeper=doorkeeper, trail=trail, clock=clock)
    session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
    async with session, serve(application_of(groups, around)) as running:
        yield Front(asker(session, running.url), trail)


def trail_of(database: Database | None) -> AuditTrail:
    """The trail in a program's database."""
    assert database is not None
    return AuditTrail(database)
