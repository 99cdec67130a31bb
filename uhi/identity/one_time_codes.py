"""Codes of six digits that go out by e-mail or text message: short-lived, few tries, few sends, bound to a purpose.

Above: joining, contacts, factors, sign-in; below: the database. Source: security rules "IAM" (SMS / e-mail OTP).
"""

from __future__ import annotations

import hmac
import secrets
from enum import Enum

from sqlalchemy import ColumnElement, Connection, insert, select, update

from uhi.errors import Refusal
from uhi.exchange.row_ids import new_row_id
from uhi.faults import CODE_INVALID, Fault
from uhi.identity.store import IdentityStore, Keyed
from uhi.identity.throttles import CODES_SENT, take_try
from uhi.storage.sql.identity_tables import one_time_code

LIFE = 300.0
TRIES = 5
DIGITS = 6


class CodePurpose(Enum):
    """What a code is good for; a code of one purpose is nothing for another."""

    REGISTRATION = "registration"
    EMAIL = "e-mail"
    PHONE = "phone"
    SMS_FACTOR = "sms factor"
    SIGN_IN = "sign-in"


class OneTimeCodes:
    """Makes codes and takes them once."""

    def __init__(self, store: IdentityStore) -> None:
        self._store = store

    async def make(self, purpose: CodePurpose, bound_to: str, *, target: str) -> str:
        """A new code, in place of any earlier one; whoever asks sends it to `target`, an address or a number.

        Raises: Refusal(TOO_MANY_TRIES) with `retry_after` when too many of this purpose went there lately.
        """
        keyed = await self._store.keyed()
        code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
        now = self._store.clock.now()
        row = {
            "id": new_row_id(now),
            "purpose": purpose.value,
            "bound_to": bound_to,
            "digest": _digest(keyed, purpose, bound_to, code),
            "created_at": now,
            "expires_at": now + LIFE,
        }

        def keep(connection: Connection) -> Refusal | None:
            # Each purpose by itself: whoever has codes sent to a stranger's number keeps no stranger from signing in.
            sent = keyed.of("throttle", f"{purpose.value} {target}")
            refusal = take_try(connection, CODES_SENT, sent, now=now)
            if refusal is None:
                earlier = (*_of(purpose, bound_to), one_time_code.c.used_at.is_(None))
                connection.execute(update(one_time_code).where(*earlier).values(used_at=now))
                connection.execute(insert(one_time_code).values(row))
            return refusal

        await self._store.decide(keep)
        return code

    async def use(self, purpose: CodePurpose, bound_to: str, code: str, *, fault: Fault = CODE_INVALID) -> None:
        """Take a code; it is good for nothing afterwards.

        Raises: Refusal(fault) when it is wrong, used, too old, or was tried too often.
        """
        keyed = await self._store.keyed()
        given = _digest(keyed, purpose, bound_to, code)
        now = self._store.clock.now()

        def take(connection: Connection) -> Refusal | None:
            live = (
                *_of(purpose, bound_to),
                one_time_code.c.used_at.is_(None),
                one_time_code.c.expires_at > now,
                one_time_code.c.tries < TRIES,
            )
            found = connection.execute(select(one_time_code).where(*live).with_for_update()).first()
            if found is None:
                return Refusal(fault, "no such code waits")
            is_right = hmac.compare_digest(found.digest, given)
            after = {"tries": found.tries + 1, "used_at": now if is_right else None}
            connection.execute(update(one_time_code).where(one_time_code.c.id == found.id).values(after))
            return None if is_right else Refusal(fault, "the code is another one")

        await self._store.decide(take)


def _of(purpose: CodePurpose, bound_to: str) -> tuple[ColumnElement[bool], ...]:
    return (one_time_code.c.purpose == purpose.value, one_time_code.c.bound_to == bound_to)


def _digest(keyed: Keyed, purpose: CodePurpose, bound_to: str, code: str) -> str:
    return keyed.of("code", f"{purpose.value}\n{bound_to}\n{code.strip()}")
