"""Signing in: a password, and a second factor where the account has one.

Whether an account exists cannot be told: the same refusal, the same work, the same throttles. Above: `uhi.api`;
below: passwords, factors, throttles. Source: security rules "IAM" (login).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection, insert, select, update

from uhi.audit import Acting, ActorKind, Outcome
from uhi.audit.trail import append
from uhi.errors import Refusal
from uhi.exchange.rates import place_of
from uhi.faults import SIGN_IN_FAILED
from uhi.identity.account_rows import Credentials, keep_password
from uhi.identity.accounts import Accounts
from uhi.identity.passwords import Passwords
from uhi.identity.people import Account, AccountState, read_email
from uhi.identity.second_factors import SecondFactors
from uhi.identity.store import IdentityStore, digest_of_token, new_token
from uhi.identity.throttles import (
    PASSWORD_BY_ACCOUNT,
    PASSWORD_BY_ADDRESS,
    PASSWORD_BY_BOTH,
    forgive,
    from_place,
    give_back,
    take,
)
from uhi.storage.sql.identity_tables import pending_sign_in

PENDING_SECONDS = 600.0
PASSWORD = "pwd"  # noqa: S105  # the name of the method in tokens

_UNREADABLE = "?"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A completed sign-in: whose, by which methods (`pwd`, `otp`, `sms`, `rc`), and when in Unix seconds it began, so
    that what changed meanwhile is later.
    """

    account: Account
    methods: tuple[str, ...]
    at: float


@dataclass(frozen=True, slots=True)
class SecondFactorNeeded:
    """The password was right; what else there is to give, and the challenge (10 minutes) to give it with."""

    challenge: str = field(repr=False)
    ways: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SignInParts:
    """What signing in stands on."""

    store: IdentityStore
    accounts: Accounts
    passwords: Passwords
    second_factors: SecondFactors


class SignIn:
    """Signs people in."""

    def __init__(self, parts: SignInParts) -> None:
        self._store = parts.store
        self._accounts = parts.accounts
        self._passwords = parts.passwords
        self._factors = parts.second_factors

    async def begin(self, email: str, password: str, *, address: str) -> SignedIn | SecondFactorNeeded:
        """Check a password. `address` is the peer's.

        Raises: Refusal(SIGN_IN_FAILED), the same for whatever is wrong; Refusal(TOO_MANY_TRIES) with `retry_after`.
        """
        spelled, place = _spelled(email), place_of(address)
        await take(self._store, (PASSWORD_BY_BOTH, from_place(spelled, address)), (PASSWORD_BY_ADDRESS, place))
        # What is refused already does not count here, or one address alone could keep the owner out.
        await take(self._store, (PASSWORD_BY_ACCOUNT, spelled))
        rows, now = await self._accounts.rows(), self._store.clock.now()
        kept = await self._store.database.read(lambda connection: rows.by_email(connection, spelled))
        try:
            better = await self._passwords.check(password, kept.password if kept else None)
            found = _in_use(kept)
        except Refusal as refusal:
            await self._refused(refusal, kept.account if kept else None, address)
            raise

        def succeed(connection: Connection) -> SignedIn | SecondFactorNeeded:
            # Checking takes a while: meanwhile the password, or what it opens, may have become another.
            current = rows.credentials(connection, found.id, lock=True)
            if kept is None or current.password != kept.password:
                raise Refusal(SIGN_IN_FAILED, "the password was changed meanwhile")
            account = _in_use(current)
            give_back(connection, rows.keyed, PASSWORD_BY_ADDRESS, place)
            forgive(connection, rows.keyed, PASSWORD_BY_BOTH, from_place(spelled, address))
            forgive(connection, rows.keyed, PASSWORD_BY_ACCOUNT, spelled)
            if better is not None:
                keep_password(connection, account.id, better)
            if account.second_factors:
                challenge = _pend(connection, account, address, now)
                return SecondFactorNeeded(challenge, self._factors.ways(account))
            append(connection, _acting(account, address).entry("sign-in", _named(account), at=now, reason=PASSWORD))
            return SignedIn(account, (PASSWORD,), now)

        return await self._store.database.write(succeed)

    async def send_code(self, challenge: str) -> None:
        """Send the code of a sign-in by text message.

        Raises: Refusal(SIGN_IN_FAILED) for a challenge that is over, Refusal(STATE_REFUSED, TOO_MANY_TRIES).
        """
        account = await self._pending(challenge)
        await self._factors.send_code(account, bound_to=digest_of_token(challenge))

    async def finish(self, challenge: str, way: str, code: str, *, address: str) -> SignedIn:
        """Check a code of a second factor: `otp` of an app, `sms`, or `rc` for a recovery code.

        Raises: Refusal(SIGN_IN_FAILED); Refusal(TOO_MANY_TRIES), with `retry_after` unless it is for good.
        """
        rows, now = await self._accounts.rows(), self._store.clock.now()
        account = await self._pending(challenge)
        try:
            await self._factors.check(account, way, code, bound_to=digest_of_token(challenge))
        except Refusal as refusal:
            await self._refused(refusal, account, address)
            raise

        def succeed(connection: Connection) -> SignedIn:
            live = (pending_sign_in.c.digest == digest_of_token(challenge), pending_sign_in.c.used_at.is_(None))
            if connection.execute(update(pending_sign_in).where(*live).values(used_at=now)).rowcount != 1:
                raise Refusal(SIGN_IN_FAILED, "the challenge was used meanwhile")
            current = _in_use(Credentials(rows.by_id(connection, account.id), None))
            entry = _acting(current, address).entry("sign-in", _named(current), at=now, reason=f"{PASSWORD} {way}")
            append(connection, entry)
            return SignedIn(current, (PASSWORD, way), now)

        return await self._store.database.write(succeed)

    async def _pending(self, challenge: str) -> Account:
        rows, now = await self._accounts.rows(), self._store.clock.now()

        def look(connection: Connection) -> Account:
            live = (
                pending_sign_in.c.digest == digest_of_token(challenge),
                pending_sign_in.c.used_at.is_(None),
                pending_sign_in.c.expires_at > now,
            )
            account_id = connection.execute(select(pending_sign_in.c.account_id).where(*live)).scalar_one_or_none()
            if account_id is None:
                raise Refusal(SIGN_IN_FAILED, "no such sign-in waits", next_step="begin again with the password")
            return rows.by_id(connection, account_id)

        return await self._store.database.read(look)

    async def _refused(self, refusal: Refusal, account: Account | None, address: str) -> None:
        """Put the failure on record; of an unknown account nothing but the address."""
        acting = _acting(None, address)
        about = _named(account) if account else "account ?"
        entry = acting.entry(
            "sign-in", about, at=self._store.clock.now(), outcome=Outcome.REFUSED, reason=refusal.fault.code
        )
        await self._store.database.write(lambda connection: append(connection, entry))


def _spelled(email: str) -> str:
    """The one spelling of an address; what is none has no account, and is refused like one."""
    try:
        return read_email(email)
    except Refusal:
        return _UNREADABLE


def _in_use(kept: Credentials | None) -> Account:
    if kept is None or kept.account.state is not AccountState.ACTIVE:
        raise Refusal(SIGN_IN_FAILED)
    return kept.account


def _pend(connection: Connection, account: Account, address: str, now: float) -> str:
    challenge = new_token()
    row = {
        "digest": digest_of_token(challenge),
        "account_id": account.id,
        "methods": PASSWORD,
        "address": address,
        "created_at": now,
        "expires_at": now + PENDING_SECONDS,
    }
    connection.execute(insert(pending_sign_in).values(row))
    return challenge


def _acting(account: Account | None, address: str) -> Acting:
    if account is None:
        return Acting(actor="nobody", kind=ActorKind.NOBODY, address=address)
    return Acting(actor=account.id, kind=ActorKind.PERSON, tenant=account.tenant, address=address)


def _named(account: Account) -> str:
    return f"account {account.id}"
