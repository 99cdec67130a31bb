"""What everything of identity stands on: the database, the keys that seal, and a key for digests that can be looked up.

That key is made once, kept sealed in the database itself, and so is the same in every process. Above: all of
`uhi.identity`; below: the database. Source: security rules "PHI at rest" (blind index).
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TypeVar

from sqlalchemy import Connection, select

from uhi import strict_json
from uhi.ports import Clock
from uhi.storage.sealing import Sealing
from uhi.storage.sql.database import Database
from uhi.storage.sql.identity_tables import identity_key
from uhi.storage.sql.upserts import insert_on

R = TypeVar("R")

_KEY_BYTES = 32
_NAME = "digests"


@dataclass(frozen=True, slots=True)
class Keyed:
    """Digests that only somebody with the key can make: the same text gives the same one, which tells nothing of it."""

    key: bytes = field(repr=False)

    def of(self, kind: str, value: str) -> str:
        """The HMAC-SHA256 (hex) of a value; the same value of another `kind` has another one."""
        return hmac.new(self.key, f"{kind}\n{value}".encode(), sha256).hexdigest()


class IdentityStore:
    """One database with the keys that go with it."""

    def __init__(self, database: Database, *, sealing: Sealing, clock: Clock) -> None:
        self.database = database
        self.sealing = sealing
        self.clock = clock
        self._keyed: Keyed | None = None

    async def keyed(self) -> Keyed:
        """The digests of this database; its key is made by whoever asks first.

        Raises: SetupError when the key cannot be opened; Refusal(OVERLOADED) when the database does not answer.
        """
        if self._keyed is None:
            sealed = await self.database.write(self._key_row)
            self._keyed = Keyed(self.sealing.open(sealed, about=_about(_NAME)))
        return self._keyed

    async def decide(self, work: Callable[[Connection], R | Exception]) -> R:
        """Run a piece of work whose changes stand even when what it returns is an error, which is then raised."""
        outcome = await self.database.write(work)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _key_row(self, connection: Connection) -> bytes:
        row = {
            "name": _NAME,
            "sealed": self.sealing.seal(secrets.token_bytes(_KEY_BYTES), about=_about(_NAME)),
            "created_at": self.clock.now(),
        }
        connection.execute(insert_on(connection, identity_key).values(row).on_conflict_do_nothing())
        kept = select(identity_key.c.sealed).where(identity_key.c.name == _NAME)
        return bytes(connection.execute(kept).scalar_one())


def new_token() -> str:
    """A secret of 256 bits as text, for a letter, a cookie or a header."""
    return secrets.token_urlsafe(32)


def digest_of_token(token: str) -> str:
    """The SHA-256 (hex) that such a secret is kept and looked up by."""
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def texts_in(opened: bytes) -> dict[str, str]:
    """The named texts of a sealed value, once it is opened."""
    value = strict_json.parse(opened)
    return {name: str(text) for name, text in value.items()} if isinstance(value, dict) else {}


def _about(name: str) -> str:
    return f"identity key {name}"
