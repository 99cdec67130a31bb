"""Everything about one account: as JSON for its holder, and erased when they ask for it.

An erasure deletes the rows and the account's data key, so that copies of the database do not tell either what was
sealed with it. Consents, agreements and the audit trail stay: they are evidence and name the account's id only.
Above: routes; below: every part that keeps something personal. Source: case IAM-17; privacy rules 9.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection

from participants.patient.people.consents import Consents
from participants.patient.people.data_keys import DataKeys
from participants.patient.people.members import Members, erase_members
from uhi.api.idempotency import forget_person
from uhi.audit import Acting
from uhi.audit.trail import append
from uhi.booking.plain_json import plain
from uhi.identity.parts import IdentityParts
from uhi.storage.sql.database import Database

STAYS = (
    "consents: which notices you agreed to, and when; they name only the id of your account",
    "agreements: the digests of the terms you agreed to, and when",
    "the audit trail: who did what and when, without what records say",
    "your sign-in address, sealed, in the closed account",
)
"""What an erasure leaves, and why it may."""


class OwnData(Protocol):
    """What a part of the application keeps about accounts."""

    @property
    def name(self) -> str:
        """What it is called in an export."""

    async def export(self, account_id: str) -> object:
        """Return all of it, as a JSON value."""

    def erase(self, connection: Connection, account_id: str) -> int:
        """Delete all of it in the caller's transaction; returns how many rows.

        Raises: Refusal(STATE_REFUSED) while something is under way that an erasure would break.
        """

    async def erased(self, account_id: str) -> None:
        """Delete what is kept elsewhere; called once the transaction is committed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What an erasure did: how many rows of each part are gone, and what stays."""

    rows: Mapping[str, int]
    stays: tuple[str, ...] = STAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Exports and erases all of an account's data, `parts` beside its people."""

    database: Database
    keys: DataKeys
    identity: IdentityParts
    members: Members
    consents: Consents
    parts: Sequence[OwnData] = ()

    async def export(self, account_id: str, *, acting: Acting) -> dict[str, object]:
        """Everything, nothing hidden in it; audited."""
        account = await self.identity.accounts.get(account_id)
        told: dict[str, object] = {
            "account": {
                "id": account.id,
                "email": account.email,
                "phone": account.phone,
                "name": account.name,
                "created_at": account.created_at,
            },
            "members": plain(list(await self.members.of(account_id))),
            "consents": plain(list(await self.consents.of(account_id))),
        }
        for part in self.parts:
            told[part.name] = await part.export(account_id)
        now = self.database.clock.now()
        entry = acting.entry("patient.export", f"account {account_id}", at=now)
        await self.database.write(lambda connection: append(connection, entry))
        return told

    async def erase(self, account_id: str, *, acting: Acting) -> Erased:
        """Erase everything and close the account, in one step; none of its tokens counts any more.

        Raises: Refusal(STATE_REFUSED) while something is under way.
        """
        rows: dict[str, int] = {}

        def work(connection: Connection) -> None:
            now = self.database.clock.now()
            # First, so that nothing is sealed any more while the rest goes.
            self.keys.destroy(connection, account_id, now=now)
            for part in self.parts:
                rows[part.name] = part.erase(connection, account_id)
            rows["members"] = erase_members(connection, account_id)
            self.consents.end_all(connection, account_id, acting=acting)
            forget_person(connection, account_id)
            append(connection, acting.entry("patient.erase", f"account {account_id}", at=now))

        await self.identity.accounts.erase(account_id, acting=acting, also=work)
        await self.identity.sessions.close_all(account_id, acting=acting)
        await self.clear()
        for part in self.parts:
            await part.erased(account_id)
        return Erased(rows=rows)

    async def clear(self) -> None:
        """Delete the keys of those who were erased, where that is still to be done."""
        await self.database.read(self.keys.clear)
