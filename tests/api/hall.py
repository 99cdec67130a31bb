"""The whole identity interface, served on a real database, and people of every role who have signed in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from joserfc.jwk import RSAKey

from tests.api.asking import application_of
from uhi.api import Pace, Sites, Surroundings, description_page, doorkeeper_of, identity_routes
from uhi.api.identity import TITLE, VERSION
from uhi.api.routes import Routes
from uhi.audit import Acting, ActorKind
from uhi.audit.trail import AuditTrail
from uhi.http import Server, serve
from uhi.identity.api_keys import KeyWanted
from uhi.identity.parts import IdentityOptions, IdentityParts, identity_of
from uhi.identity.passwords import PasswordCost
from uhi.identity.people import Account
from uhi.identity.principals import Grant, Principal, PrincipalKind
from uhi.identity.roles import AccessRole, Permission
from uhi.identity.sending import KeptLetters
from uhi.identity.session_rows import Client
from uhi.identity.sessions import Opened
from uhi.identity.sign_in import SignedIn
from uhi.signals.local import LocalWindows
from uhi.storage.sealing import Sealing
from uhi.storage.sql.database import Database
from uhi.testing import FakeClock

OWN = "https://clinic.example"
CLINIC, OTHER = "clinic.example", "other.example"
PASSWORD = "quiet lantern under seven hills"
BOTH = ("pwd", "otp")
PHONE = Client("203.0.113.7", "Asha's phone")
OPERATOR = Acting(actor="operator", kind=ActorKind.OPERATOR)
_OF_THE_NETWORK = {
    *(AccessRole.REGISTRY_VIEWER, AccessRole.REGISTRY_REVIEWER, AccessRole.REGISTRY_ADMIN),
    *(AccessRole.GATEWAY_OPERATOR, AccessRole.HOSPITAL_OPERATOR, AccessRole.AUDITOR),
}


@dataclass
class Hall:
    """A running interface."""

    clock: FakeClock
    parts: IdentityParts
    trail: AuditTrail
    letters: KeptLetters
    groups: tuple[Routes, ...]
    around: Surroundings
    server: Server | None = None
    people: dict[str, Account] = field(default_factory=dict)

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, folder: Path) -> AsyncIterator[Hall]:
        clock, letters = FakeClock(), KeptLetters(show=str)
        database = Database.open(url, clock=clock, during=clock.held)
        options = IdentityOptions(
            token_keys=_token_keys(folder / "token-keys", signs_from=int(clock.now())),
            issuer=OWN,
            audience=OWN,
            sender=letters,
            password_cost=PasswordCost(memory_kib=8, passes=1),
        )
        parts = identity_of(database, Sealing.for_development(), clock, options)
        trail = AuditTrail(database)
        own = tuple(identity_routes(parts, trail))
        groups = (*own, description_page(own, title=TITLE, version=VERSION))
        pace = Pace(public=1_000_000, all=1_000_000)
        doorkeeper = doorkeeper_of(parts, sites=Sites(own=OWN), windows=LocalWindows(clock), pace=pace)
        around = Surroundings(doorkeeper=doorkeeper, trail=trail, clock=clock)
        hall = cls(clock, parts, trail, letters, groups, around)
        try:
            async with serve(application_of(groups, around)) as hall.server:
                yield hall
        finally:
            await parts.aclose()
            await database.aclose()

    async def person(self, name: str, *grants: Grant, password: str = "") -> Account:
        """An account in use, whose home is its first grant's tenant."""
        rows = await self.parts.accounts.rows()
        made = Account(
            id=f"acc-{name}",
            email=f"{name}@{CLINIC}",
            name=name.title(),
            tenant=grants[0].tenant if grants else "patients",
            grants=frozenset(grants),
            is_email_verified=True,
            patient_id=f"pat-{name}",
        )
        hashed = await self.parts.sign_in._passwords.hash(password) if password else None
        kept = await self.parts.store.database.write(
            lambda connection: rows.insert(connection, made, password=hashed, at=0.0)
        )
        self.people[name] = kept
        return kept

    async def opened(
        self, who: Account, *, methods: tuple[str, ...] = BOTH, ago: float = 0.0, is_browser: bool = False
    ) -> Opened:
        """A session of somebody who signed in so many seconds ago."""
        arrived = SignedIn(who, methods, self.clock.now() - ago)
        return await self.parts.sessions.open(arrived, client=PHONE, is_browser=is_browser)

    async def token(self, who: Account, *, methods: tuple[str, ...] = BOTH, ago: float = 0.0) -> dict[str, str]:
        """The header of such a session."""
        return bearer((await self.opened(who, methods=methods, ago=ago)).access_token)

    async def key(self, maker: Account, tenant: str, *scopes: Permission) -> dict[str, str]:
        """The header of a program's API key."""
        principal = Principal(kind=PrincipalKind.PERSON, id=maker.id, grants=maker.grants, tenant=maker.tenant)
        wanted = KeyWanted(name="a program", tenant=tenant, scopes=frozenset(scopes))
        return bearer((await self.parts.api_keys.make(wanted, maker=principal, acting=OPERATOR)).text)

    async def actions(self, *, since: int = 0) -> list[tuple[str, str, str]]:
        """Actor, action and reason of each row of the trail."""
        # What nobody waits for is written before what somebody waits for now.
        await self.parts.store.database.write(lambda connection: None)
        return [(row.actor, row.action, row.reason) for row in await self.trail.rows(after=since)]


@cache
def _pem() -> bytes:
    """A key of 2,048 bits, made once."""
    return RSAKey.generate_key(2_048).as_pem(private=True)


def _token_keys(folder: Path, *, signs_from: int) -> Path:
    folder.mkdir(mode=0o700)
    path = folder / f"{signs_from}.pem"
    path.touch(mode=0o600)
    path.write_bytes(_pem())
    return folder


def bearer(proof: str) -> dict[str, str]:
    """The header that carries a proof."""
    return {"Authorization": f"Bearer {proof}"}


def grant_of(role: AccessRole, tenant: str = CLINIC) -> Grant:
    """A role where it belongs: the network's in the network itself, any other in a tenant."""
    return Grant(role, "" if role in _OF_THE_NETWORK else tenant)
