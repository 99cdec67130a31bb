"""How often something may be tried: counted in the database, so that a restart or another process forgets nothing.

A try is counted before it is made, and forgiven when it succeeds. Above: sign-in, factors, codes, recovery.
Source: security rules "IAM" (login, TOTP, one-time codes).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select, update

from uhi.errors import Refusal
from uhi.exchange.rates import place_of
from uhi.faults import TOO_MANY_TRIES
from uhi.identity.store import IdentityStore, Keyed
from uhi.storage.sql.identity_tables import throttle
from uhi.storage.sql.upserts import insert_on

_A_DAY = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """At most `most` tries within `window` seconds, then none for `lock` seconds, twice as long each further time up to
    `longest`. A `lock` of 0 lasts until the window is over. After `hard` tries without a success there are none at
    all until somebody unlocks it; 0: never.
    """

    name: str
    most: int
    window: float
    lock: float = 0.0
    longest: float = _A_DAY
    hard: int = 0


PASSWORD_BY_BOTH = Limit(name="password of account from address", most=10, window=900.0, lock=60.0, longest=900.0)
"""The tightest: whoever guesses somebody's password keeps first of all themselves out."""
PASSWORD_BY_ACCOUNT = Limit(name="password of account", most=50, window=900.0, lock=60.0, longest=900.0)
PASSWORD_BY_ADDRESS = Limit(name="password from address", most=50, window=900.0, lock=300.0, longest=3_600.0)
SECOND_FACTOR = Limit(name="second factor", most=5, window=900.0, lock=900.0, hard=100)
CODES_SENT = Limit(name="codes sent to", most=3, window=600.0)
LETTERS_BY_ADDRESS = Limit(name="letters asked for from", most=20, window=600.0)
RECOVERY_CODES_MADE = Limit(name="recovery codes made for", most=5, window=600.0)


def take_try(connection: Connection, limit: Limit, who: str, *, now: float) -> Refusal | None:
    """Count a try; returns why it may not be made, or None. To be run in a transaction that stands either way.

    `who` is a keyed digest.
    """
    key = _key(limit, who)
    row = _locked_row(connection, key, now)
    if limit.hard and row.in_a_row >= limit.hard:
        return Refusal(TOO_MANY_TRIES, f"{limit.name}: locked", next_step="an administrator has to unlock it")
    if row.locked_until > now:
        return _wait(limit, row.locked_until - now)
    is_over = row.since + limit.window <= now
    tries = 1 if is_over else row.tries + 1
    since = now if is_over else row.since
    lockouts = 0 if row.updated_at + 2 * limit.longest <= now else row.lockouts
    values: dict[str, object] = {"tries": tries, "since": since, "lockouts": lockouts, "in_a_row": row.in_a_row + 1}
    if tries >= limit.most:
        lasts = min(limit.lock * 2 ** min(lockouts, 20), limit.longest)
        until = now + lasts if limit.lock else since + limit.window
        values |= {"tries": 0, "lockouts": lockouts + 1, "locked_until": until}
    connection.execute(update(throttle).where(throttle.c.key == key).values(updated_at=now, **values))
    return None


async def take(store: IdentityStore, *tries: tuple[Limit, str]) -> None:
    """Count a try by each of several, such as the account and the address it comes from.

    Raises: Refusal(TOO_MANY_TRIES) with `retry_after`, the longest of all; then every one of them is counted.
    """
    keyed, now = await store.keyed(), store.clock.now()

    def count(connection: Connection) -> Refusal | None:
        # In one order everywhere, so that two processes do not wait for each other.
        counted = sorted((limit.name, keyed.of("throttle", who), limit) for limit, who in tries)
        refusals = [take_try(connection, limit, who, now=now) for _, who, limit in counted]
        return max(filter(None, refusals), key=lambda each: each.retry_after or math.inf, default=None)

    await store.decide(count)


def from_place(account: str, address: str) -> str:
    """An account, as it is tried from one address."""
    return f"{account} {place_of(address)}"


def forgive(connection: Connection, keyed: Keyed, limit: Limit, who: str) -> None:
    """It succeeded: what was counted is forgotten."""
    connection.execute(delete(throttle).where(throttle.c.key == _key(limit, keyed.of("throttle", who))))


def give_back(connection: Connection, keyed: Keyed, limit: Limit, who: str) -> None:
    """It succeeded, which says nothing about the other tries from there: only this one is not counted."""
    own = throttle.c.key == _key(limit, keyed.of("throttle", who))
    fewer = {"tries": throttle.c.tries - 1, "in_a_row": throttle.c.in_a_row - 1}
    connection.execute(update(throttle).where(own, throttle.c.tries > 0).values(fewer))


def forget_old(connection: Connection, *, before: float) -> int:
    """Delete what was not touched since, hard locks excepted; returns how many."""
    is_locked = throttle.c.key.startswith(_key(SECOND_FACTOR, "")) & (throttle.c.in_a_row >= SECOND_FACTOR.hard)
    return connection.execute(delete(throttle).where(throttle.c.updated_at < before, ~is_locked)).rowcount


@dataclass(frozen=True, slots=True)
class _Row:
    tries: int
    since: float
    lockouts: int
    locked_until: float
    in_a_row: int
    updated_at: float


def _locked_row(connection: Connection, key: str, now: float) -> _Row:
    """The row as it was, locked until the transaction ends; made where it is missing."""
    row = {"key": key, "since": now, "locked_until": 0.0, "updated_at": now}
    connection.execute(insert_on(connection, throttle).values(row).on_conflict_do_nothing())
    kept = select(throttle).where(throttle.c.key == key).with_for_update()
    found = connection.execute(kept).one()
    return _Row(found.tries, found.since, found.lockouts, found.locked_until, found.in_a_row, found.updated_at)


def _wait(limit: Limit, seconds: float) -> Refusal:
    refusal = Refusal(TOO_MANY_TRIES, f"{limit.name}: too many tries", next_step="wait, then try again")
    refusal.retry_after = math.ceil(seconds)
    return refusal


def _key(limit: Limit, who: str) -> str:
    return f"{limit.name} {who}"
