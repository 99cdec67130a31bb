"""Where people come in: a database with accounts, keys for tokens made once, each process with its sessions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from joserfc.jwk import RSAKey
from sqlalchemy import insert, text, update

from uhi.identity.api_keys import ApiKeys
from uhi.identity.people import Account
from uhi.identity.principals import Grant
from uhi.identity.roles import AccessRole
from uhi.identity.session_rows import Client
from uhi.identity.sessions import Opened, Sessions
from uhi.identity.sign_in import SignedIn
from uhi.identity.token_keys import TokenKeys
from uhi.identity.tokens import AccessTokens
from uhi.storage.sql.database import Database
from uhi.storage.sql.identity_tables import account, account_grant
from uhi.testing import FakeClock

PHONE = Client("203.0.113.7", "Asha's phone")
ELSEWHERE = Client("198.51.100.9", "another")
ISSUER, AUDIENCE = "https://registry.example", "registry.example"
PATIENT = Grant(AccessRole.PATIENT)
ADMIN = Grant(AccessRole.REGISTRY_ADMIN)
CLINICIAN = Grant(AccessRole.CLINICIAN, "clinic.example")


@cache
def an_rsa_key() -> RSAKey:
    """A key of 2,048 bits, made once."""
    return RSAKey.generate_key(2_048)


def key_folder(folder: Path, *, signs_from: int) -> Path:
    """A folder with that key."""
    folder.mkdir(mode=0o700)
    path = folder / f"{signs_from}.pem"
    path.touch(mode=0o600)
    path.write_bytes(an_rsa_key().as_pem(private=True))
    return folder


@dataclass
class Lobby:
    """One database and those who come in."""

    url: str
    clock: FakeClock
    tokens: AccessTokens
    databases: list[Database]
    told: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, folder: Path) -> AsyncIterator[Lobby]:
        clock = FakeClock()
        keys = TokenKeys.open(key_folder(folder / "token-keys", signs_from=int(clock.now())), clock=clock)
        lobby = cls(url, clock, AccessTokens(keys, issuer=ISSUER, audience=AUDIENCE), [])
        lobby.process()
        try:
            yield lobby
        finally:
            for database in lobby.databases:
                await database.aclose()

    @property
    def database(self) -> Database:
        return self.databases[0]

    def process(self) -> Database:
        """What one more process opens; on SQLite one writes for all."""
        if not self.databases or self.database.dialect == "postgresql":
            self.databases.append(Database.open(self.url, clock=self.clock, during=self.clock.held))
        return self.databases[-1]

    def sessions(self) -> Sessions:
        async def tell(account_id: str, session_id: str) -> None:
            self.told.append((account_id, session_id))

        return Sessions(self.process(), self.tokens, on_reuse=tell)

    def api_keys(self) -> ApiKeys:
        return ApiKeys(self.process())

    async def person(self, account_id: str, *grants: Grant, patient_id: str = "") -> Account:
        row = {"id": account_id, "email_index": account_id, "sealed": b"", "state": "ACTIVE", "patient_id": patient_id}
        row |= {"created_at": 0.0, "updated_at": 0.0, "credentials_at": 0.0, "tenant": "clinic.example"}
        granted = [{"account_id": account_id, "role": each.role.value, "tenant": each.tenant} for each in grants]

        def work(connection):
            connection.execute(insert(account), row)
            if granted:
                connection.execute(insert(account_grant), [{**each, "granted_at": 0.0} for each in granted])

        await self.database.write(work)
        return Account(id=account_id, email="", name="", tenant="clinic.example", grants=frozenset(grants))

    async def change(self, account_id: str, **values: object) -> None:
        changed = update(account).where(account.c.id == account_id).values(**values)
        await self.database.write(lambda connection: connection.execute(changed).rowcount)

    async def flush(self) -> None:
        """Let every process write what nobody waits for."""
        for database in self.databases:
            await database.write(lambda connection: None)

    async def run(self, statement: str) -> None:
        await self.database.write(lambda connection: connection.execute(text(statement)).rowcount)

    async def rows(self, query: str) -> list[tuple[object, ...]]:
        found = await self.database.write(lambda connection: connection.execute(text(query)).all())
        return [tuple(row) for row in found]

    async def opened(self, who: Account, *, is_browser: bool = False, methods: tuple[str, ...] = ("pwd",)) -> Opened:
        arrived = SignedIn(who, methods, self.clock.now())
        return await self.sessions().open(arrived, client=PHONE, is_browser=is_browser)
