"""Recovery codes: ten at a time, each good once. The first four signs say which one it is, so one hash is checked.

Above: `second_factors`; below: `passwords`. Source: security rules "IAM" (recovery).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from uhi.errors import Refusal
from uhi.exchange.row_ids import new_row_id
from uhi.faults import SIGN_IN_FAILED
from uhi.identity.passwords import Passwords
from uhi.identity.store import IdentityStore
from uhi.storage.sql.identity_tables import recovery_code

HOW_MANY = 10
# Without what is mistaken for something else when it is read from paper.
_SIGNS = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS = 4
_GROUP = 4


@dataclass(frozen=True, slots=True, repr=False)
class NewCodes:
    """Codes as they are shown, and the hashes that are kept."""

    shown: tuple[str, ...]
    hashes: tuple[str, ...]

    def __repr__(self) -> str:
        return "NewCodes(***)"


class RecoveryCodes:
    """The recovery codes of one database."""

    def __init__(self, store: IdentityStore, passwords: Passwords) -> None:
        self._store = store
        self._passwords = passwords

    async def make(self) -> NewCodes:
        """Ten codes that nobody has yet."""
        prefixes: set[str] = set()
        while len(prefixes) < HOW_MANY:
            prefixes.add(_signs())
        shown = tuple("-".join([prefix, *(_signs() for _ in range(_GROUPS - 1))]) for prefix in sorted(prefixes))
        return NewCodes(shown, tuple([await self._passwords.hash(_plain(code)) for code in shown]))

    def keep(self, connection: Connection, account_id: str, codes: NewCodes, *, at: float) -> None:
        """Give them to an account, in place of what it had."""
        self.forget(connection, account_id)
        rows = [
            {"id": new_row_id(at), "account_id": account_id, "prefix": code[:_GROUP], "hash": kept, "created_at": at}
            for code, kept in zip(codes.shown, codes.hashes, strict=True)
        ]
        connection.execute(insert(recovery_code), rows)

    def has_any(self, connection: Connection, account_id: str) -> bool:
        """Whether one is left."""
        left = (recovery_code.c.account_id == account_id, recovery_code.c.used_at.is_(None))
        return connection.execute(select(recovery_code.c.id).where(*left)).first() is not None

    def forget(self, connection: Connection, account_id: str) -> None:
        """Take them from an account."""
        connection.execute(delete(recovery_code).where(recovery_code.c.account_id == account_id))

    async def use(self, account_id: str, code: str) -> None:
        """Take one; it is good for nothing afterwards.

        Raises: Refusal(SIGN_IN_FAILED).
        """
        given = _plain(code)
        mine = (
            recovery_code.c.account_id == account_id,
            recovery_code.c.prefix == given[:_GROUP],
            recovery_code.c.used_at.is_(None),
        )
        query = select(recovery_code.c.id, recovery_code.c.hash).where(*mine)
        row = await self._store.database.read(lambda connection: connection.execute(query).first())
        await self._passwords.check(given, row.hash if row is not None else None)
        now = self._store.clock.now()
        own = (*mine, recovery_code.c.id == (row.id if row is not None else ""))
        use = update(recovery_code).where(*own).values(used_at=now)
        if await self._store.database.write(lambda connection: connection.execute(use).rowcount) != 1:
            raise Refusal(SIGN_IN_FAILED, "the recovery code was used meanwhile")


def _signs() -> str:
    return "".join(secrets.choice(_SIGNS) for _ in range(_GROUP))


def _plain(code: str) -> str:
    return "".join(each for each in code.casefold() if each.isalnum())
