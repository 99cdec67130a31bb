"""Passwords: hashed with argon2id in threads, a few at once, and checked at the same cost whether there is one or not.

Above: sign-in, joining, recovery; below: argon2-cffi. Source: security rules "IAM" (passwords).
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type

from uhi.errors import Refusal, SetupError
from uhi.faults import OVERLOADED, SIGN_IN_FAILED
from uhi.identity.password_rules import LONGEST, as_bytes, check_breached, check_guessable, normalised

AT_ONCE = 4
"""Hashes made at the same time: each takes its own 19 MiB."""
_MOST_WAITING = 200
_DECOY = "nobody's password, whom everybody unknown is checked against"


@dataclass(frozen=True, slots=True)
class PasswordCost:
    """What a hash costs: KiB of memory, passes over it, lanes. The defaults are the least that is allowed in use."""

    memory_kib: int = 19_456
    passes: int = 2
    lanes: int = 1


class Passwords:
    """Hashes and checks. `breached` is a file of breached passwords as `check_breached` reads it, None for none.

    Raises: SetupError when that file is not there.
    """

    def __init__(self, cost: PasswordCost = PasswordCost(), *, breached: Path | None = None) -> None:
        if breached is not None and not breached.is_file():
            raise SetupError(f"the file of breached passwords {breached} is not there", next_step="correct its path")
        self._breached = breached
        self._hasher = PasswordHasher(cost.passes, cost.memory_kib, cost.lanes, type=Type.ID)
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="uhi-argon2")
        self._waiting = 0
        self._decoy: str | None = None

    async def hash_new(self, password: str, *, about: Collection[str], is_only_factor: bool) -> str:
        """The hash of a new password that is hard enough to guess; `about` is the person's e-mail address and name.

        Raises: Refusal(REQUEST_INVALID) telling what is wrong with it.
        """
        plain = normalised(password)
        check_guessable(plain, about=about, is_only_factor=is_only_factor)
        if self._breached is not None:
            await asyncio.to_thread(check_breached, plain, self._breached)
        return await self.hash(plain)

    async def hash(self, secret: str) -> str:
        """The hash of a secret as it is: of a password in its one spelling, or of a recovery code."""
        return await self._in_turn(secret, None)

    async def check(self, password: str, kept: str | None) -> str | None:
        """See that a password is the one whose hash is kept; returns a hash to keep from now on if the cost has
        changed, else None. Without a hash the same work is done, and refused.

        Raises: Refusal(SIGN_IN_FAILED).
        """
        plain = normalised(password[: LONGEST * 4])
        if self._decoy is None:
            self._decoy = await self.hash(_DECOY)
        try:
            await self._in_turn(plain, kept or self._decoy)
        except (VerificationError, InvalidHashError):
            raise Refusal(SIGN_IN_FAILED) from None
        if kept is None:
            raise Refusal(SIGN_IN_FAILED)
        return await self.hash(plain) if self._hasher.check_needs_rehash(kept) else None

    async def _in_turn(self, secret: str, kept: str | None) -> str:
        """One hash of a secret, or one check of it against a kept one."""
        if self._waiting >= _MOST_WAITING:
            refusal = Refusal(OVERLOADED, "too many wait for a password check", next_step="try again in a moment")
            refusal.retry_after = 1
            raise refusal
        self._waiting += 1
        loop = asyncio.get_running_loop()
        try:
            if kept is None:
                return await loop.run_in_executor(self._threads, self._hasher.hash, as_bytes(secret))
            await loop.run_in_executor(self._threads, self._hasher.verify, kept, as_bytes(secret))
            return kept
        finally:
            self._waiting -= 1
