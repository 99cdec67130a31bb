"""Identity with people in it: a database, a clock that stands still, letters that are kept, cheap hashes."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pyotp
from sqlalchemy import select, text

from uhi.audit import Acting, ActorKind
from uhi.errors import Refusal
from uhi.identity.accounts import Accounts
from uhi.identity.joining import Application, Invitation
from uhi.identity.parts import IdentityOptions, IdentityParts, identity_of
from uhi.identity.passwords import PasswordCost
from uhi.identity.people import Account
from uhi.identity.principals import Grant, Principal, PrincipalKind
from uhi.identity.roles import AccessRole
from uhi.identity.sending import KeptLetters, SentLetter
from uhi.identity.sign_in import SignedIn
from uhi.storage.sealing import Sealing
from uhi.storage.sql.audit_tables import audit
from uhi.storage.sql.database import Database
from uhi.testing.clock import FakeClock

CHEAP = PasswordCost(memory_kib=8, passes=1, lanes=1)
ASHA = "asha@patients.example"
PHONE = "+919812345678"
PASSWORD = "four plain purple birds"
OTHER = "seven quiet green rivers"
HERE = "203.0.113.7"
CITY = "city-hospital.example"
OPERATOR = Acting(actor="root", kind=ActorKind.OPERATOR)
NOBODY_ACTING = Acting(actor="nobody", kind=ActorKind.NOBODY, address=HERE)
STAFF = AccessRole.HOSPITAL_FRONTDESK


@dataclass
class House:
    """The parts of identity, and what a test looks at."""

    parts: IdentityParts
    clock: FakeClock
    letters: KeptLetters

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, token_keys: Path, *, has_sms: bool = True) -> AsyncIterator[House]:
        """A house on an empty database."""
        clock, letters = FakeClock(jumps=False), KeptLetters(show=str)
        database = Database.open(url, clock=clock)
        options = IdentityOptions(
            token_keys=token_keys,
            issuer="https://us.example",
            audience="us",
            sender=letters,
            has_sms=has_sms,
            password_cost=CHEAP,
            patients_tenant="patients",
        )
        parts = identity_of(database, Sealing([b"k" * 32]), clock, options)
        try:
            yield cls(parts, clock, letters)
        finally:
            await parts.aclose()
            await database.aclose()

    @property
    def accounts(self) -> Accounts:
        return self.parts.accounts

    @property
    def database(self) -> Database:
        return self.parts.store.database

    async def newest(self, to: str) -> SentLetter:
        """The last letter somebody got, once all have left."""
        await self.parts.notices.done()
        return self.letters.to(to)[-1]

    async def code_sent(self, to: str) -> str:
        """The code in it."""
        return re.search(r"\b\d{6}\b", (await self.newest(to)).text).group()

    async def token_sent(self, to: str) -> str:
        """The token in it."""
        return re.search(r"[\w-]{43}", (await self.newest(to)).text).group()

    async def patient(self, email: str = ASHA, password: str = PASSWORD) -> Account:
        """A patient who has registered."""
        ticket = await self.parts.joining.register(Application(email=email, password=password, name="Asha"), address="")
        return await self.parts.joining.confirm(ticket, await self.code_sent(email), acting=NOBODY_ACTING)

    async def member(self, email: str, role: AccessRole = STAFF, tenant: str = CITY) -> Account:
        """Somebody of a hospital's staff who has accepted."""
        invitation = Invitation(email=email, name="Ravi", grant=Grant(role, tenant))
        invited = await self.parts.joining.invite(invitation, acting=OPERATOR)
        return await self.parts.joining.accept(invited.token, PASSWORD, acting=NOBODY_ACTING)

    async def totp(self, account: Account) -> tuple[pyotp.TOTP, tuple[str, ...]]:
        """An authenticator app of an account, in force, and its recovery codes; its next code is a fresh one."""
        enrolment = await self.parts.second_factors.begin_totp(account.id, acting=themselves(account))
        app = pyotp.TOTP(enrolment.secret)
        codes = await self.parts.second_factors.confirm_totp(account.id, self.code_of(app), acting=themselves(account))
        self.clock.time += 60
        return app, codes

    async def phone(self, account: Account, number: str = PHONE) -> Account:
        """A verified telephone."""
        await self.parts.contacts.begin_phone(account.id, number, acting=themselves(account))
        code = await self.code_sent(number)
        return await self.parts.contacts.confirm_phone(account.id, code, acting=themselves(account))

    def code_of(self, app: pyotp.TOTP, steps: int = 0) -> str:
        """What the app shows, so many steps from now."""
        return app.at(int(self.clock.time) + 30 * steps)

    async def sign_in(self, email: str = ASHA, password: str = PASSWORD) -> SignedIn | object:
        """The first step."""
        return await self.parts.sign_in.begin(email, password, address=HERE)

    async def actions(self) -> list[str]:
        """What the audit trail says was done, in order."""
        query = select(audit.c.action).order_by(audit.c.seq)
        return list(await self.database.read(lambda connection: connection.execute(query).scalars().all()))

    async def dump(self) -> bytes:
        """All that stands in the tables of identity."""
        names = ("account", "letter_token", "one_time_code", "pending_sign_in", "second_factor", "recovery_code")
        tables = (*names, "throttle", "identity_key", "audit")
        rows = [
            await self.database.read(
                lambda connection, name=name: connection.execute(text(f"SELECT * FROM {name}")).all()
            )
            for name in tables
        ]
        return repr(rows).encode()


def themselves(account: Account) -> Acting:
    """Somebody acting on their own account."""
    return Acting(actor=account.id, kind=ActorKind.PERSON, tenant=account.tenant, address=HERE)


def principal(account: Account) -> Principal:
    """Somebody signed in."""
    return Principal(kind=PrincipalKind.PERSON, id=account.id, grants=account.grants, tenant=account.tenant)


async def refused(work: Callable[[], object]) -> str:
    """The name of the fault something is refused with, empty for none."""
    try:
        await work()
    except Refusal as refusal:
        return refusal.fault.code
    return ""
