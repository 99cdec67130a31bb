"""Single-use tokens that go out in letters, and what waits for a code: kept as SHA-256, with what they are for sealed.

Sync functions on a `Connection`. Above: joining, recovery, contacts; below: the tables.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from sqlalchemy import Connection, delete, insert, select, update

from uhi import strict_json
from uhi.errors import Refusal
from uhi.faults import CODE_INVALID
from uhi.identity.store import digest_of_token, texts_in
from uhi.storage.sealing import Sealing
from uhi.storage.sql.identity_tables import letter_token


class TokenPurpose(Enum):
    """What a token is good for, with the seconds it lives."""

    INVITATION = ("invitation", 7 * 86_400.0)
    REGISTRATION = ("registration", 900.0)
    RESET = ("reset", 1_800.0)
    EMAIL_CHANGE = ("e-mail change", 900.0)
    PHONE_CHANGE = ("phone change", 900.0)

    @property
    def spelled(self) -> str:
        """How its rows spell it."""
        return self.value[0]

    @property
    def life(self) -> float:
        """In seconds."""
        return self.value[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What a token stands for: an account, or texts that become something once it is used."""

    purpose: TokenPurpose
    account_id: str = ""
    texts: dict[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class LetterTokens:
    """The tokens of one database."""

    sealing: Sealing

    def keep(self, connection: Connection, token: str, waiting: Waiting, *, now: float) -> None:
        """Remember a token; an account's earlier ones of the same purpose are good for nothing any more."""
        if waiting.account_id:
            self.forget(connection, waiting.account_id, waiting.purpose)
        digest = digest_of_token(token)
        row = {
            "digest": digest,
            "purpose": waiting.purpose.spelled,
            "account_id": waiting.account_id or None,
            "sealed": self.sealing.seal(strict_json.write(waiting.texts), about=f"letter token {digest}"),
            "created_at": now,
            "expires_at": now + waiting.purpose.life,
        }
        connection.execute(insert(letter_token).values(row))

    def find(self, connection: Connection, token: str, purpose: TokenPurpose, *, now: float) -> Waiting:
        """What a token stands for, without using it.

        Raises: Refusal(CODE_INVALID) when it is unknown, used or too old.
        """
        digest = digest_of_token(token)
        live = (
            letter_token.c.digest == digest,
            letter_token.c.purpose == purpose.spelled,
            letter_token.c.used_at.is_(None),
            letter_token.c.expires_at > now,
        )
        row = connection.execute(select(letter_token).where(*live)).one_or_none()
        if row is None:
            raise Refusal(CODE_INVALID, f"no such {purpose.spelled} waits", next_step="ask for another one")
        texts = texts_in(self.sealing.open(bytes(row.sealed), about=f"letter token {digest}"))
        return Waiting(purpose=purpose, account_id=row.account_id or "", texts=texts)

    def use(self, connection: Connection, token: str, purpose: TokenPurpose, *, now: float) -> Waiting:
        """As `find`, and nobody finds it again."""
        waiting = self.find(connection, token, purpose, now=now)
        unused = (letter_token.c.digest == digest_of_token(token), letter_token.c.used_at.is_(None))
        if connection.execute(update(letter_token).where(*unused).values(used_at=now, sealed=None)).rowcount != 1:
            raise Refusal(CODE_INVALID, f"the {purpose.spelled} was used meanwhile")
        return waiting

    def of_account(self, connection: Connection, account_id: str, purpose: TokenPurpose, *, now: float) -> Waiting:
        """What waits for an account's code.

        Raises: Refusal(CODE_INVALID) when nothing does.
        """
        live = (
            letter_token.c.account_id == account_id,
            letter_token.c.purpose == purpose.spelled,
            letter_token.c.used_at.is_(None),
            letter_token.c.expires_at > now,
        )
        row = connection.execute(select(letter_token).where(*live)).first()
        if row is None:
            raise Refusal(CODE_INVALID, f"no {purpose.spelled} waits", next_step="begin it again")
        texts = texts_in(self.sealing.open(bytes(row.sealed), about=f"letter token {row.digest}"))
        return Waiting(purpose=purpose, account_id=account_id, texts=texts)

    def forget(self, connection: Connection, account_id: str, purpose: TokenPurpose) -> None:
        """An account's tokens of a purpose are good for nothing any more."""
        own = (letter_token.c.account_id == account_id, letter_token.c.purpose == purpose.spelled)
        connection.execute(delete(letter_token).where(*own))
