"""E-mail address and telephone number of an account: changed only once a code came back from the new one.

Above: `uhi.api`; below: codes, letters. Source: security rules "IAM" (SMS / e-mail OTP).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from uhi.audit import Acting
from uhi.audit.trail import append
from uhi.errors import Refusal
from uhi.faults import ALREADY_TAKEN, CODE_INVALID
from uhi.identity.account_rows import credentials_changed
from uhi.identity.accounts import Accounts
from uhi.identity.letter_tokens import LetterTokens, TokenPurpose, Waiting
from uhi.identity.notices import Notices
from uhi.identity.one_time_codes import CodePurpose, OneTimeCodes
from uhi.identity.people import Account, read_email, read_phone
from uhi.identity.sending import check_leaves
from uhi.identity.store import IdentityStore, new_token
from uhi.identity.throttles import LETTERS_BY_ADDRESS, take


@dataclass(frozen=True, slots=True)
class ContactParts:
    """What contacts stand on."""

    store: IdentityStore
    accounts: Accounts
    codes: OneTimeCodes
    notices: Notices


@dataclass(frozen=True, slots=True)
class _Given:
    """Who gives which code."""

    account_id: str
    code: str
    acting: Acting


@dataclass(frozen=True, slots=True)
class _Kind:
    """How one of the two is changed: what waits for which code, and what the trail calls it."""

    member: str
    waits: TokenPurpose
    code: CodePurpose
    action: str

    def changed(self, account: Account, wanted: str) -> Account:
        """The account with the new one, which is verified."""
        if self.member == "email":
            return replace(account, email=wanted, is_email_verified=True)
        return replace(account, phone=wanted, is_phone_verified=True)


_EMAIL = _Kind("email", TokenPurpose.EMAIL_CHANGE, CodePurpose.EMAIL, "account.email")
_PHONE = _Kind("phone", TokenPurpose.PHONE_CHANGE, CodePurpose.PHONE, "account.phone")


class Contacts:
    """How people are reached."""

    def __init__(self, parts: ContactParts) -> None:
        self._store = parts.store
        self._accounts = parts.accounts
        self._codes = parts.codes
        self._notices = parts.notices
        self._tokens = LetterTokens(parts.store.sealing)

    async def begin_email(self, account_id: str, email: str, *, acting: Acting) -> None:
        """Send a code to a new e-mail address. One that another account has is told so in a letter, and nobody else.

        Raises: Refusal(REQUEST_INVALID, TOO_MANY_TRIES, NO_LETTERS).
        """
        check_leaves(self._notices.sender)
        wanted = read_email(email)
        code = await self._begin(_EMAIL, account_id, wanted, acting)
        rows = await self._accounts.rows()
        taken = await self._store.database.read(lambda connection: rows.by_email(connection, wanted))
        if taken is not None and taken.account.id != account_id:
            self._notices.known_already(wanted)
        else:
            self._notices.code(wanted, code)

    async def confirm_email(self, account_id: str, code: str, *, acting: Acting, keep_session: str = "") -> Account:
        """Change the address to the new one. Every session but the one to keep ends, and the old address is told.

        Raises: Refusal(CODE_INVALID).
        """
        before = await self._accounts.get(account_id)

        def end_others(connection: Connection, now: float) -> None:
            credentials_changed(connection, account_id, at=now, keep_session=keep_session)

        try:
            after = await self._confirm(_EMAIL, _Given(account_id, code, acting), also=end_others)
        except Refusal as refusal:
            if refusal.fault is not ALREADY_TAKEN:
                raise
            raise Refusal(CODE_INVALID, "the address was taken meanwhile") from None
        if before.email != after.email:
            self._notices.changed(before.email, "e-mail address")
        return after

    async def begin_phone(self, account_id: str, phone: str, *, acting: Acting) -> None:
        """Send a code to a new telephone number, or to the one there is, to verify it.

        Raises: Refusal(REQUEST_INVALID, TOO_MANY_TRIES).
        """
        wanted = read_phone(phone)
        self._notices.code_by_sms(wanted, await self._begin(_PHONE, account_id, wanted, acting))

    async def confirm_phone(self, account_id: str, code: str, *, acting: Acting) -> Account:
        """Change the number to the new one. A factor by text message keeps the number it was set up with.

        Raises: Refusal(CODE_INVALID).
        """
        return await self._confirm(_PHONE, _Given(account_id, code, acting), also=_nothing)

    async def _begin(self, kind: _Kind, account_id: str, wanted: str, acting: Acting) -> str:
        account = await self._accounts.get(account_id)
        await take(self._store, (LETTERS_BY_ADDRESS, account.id))
        code = await self._codes.make(kind.code, await self._bound(account.id, wanted), target=wanted)
        now = self._store.clock.now()
        waiting = Waiting(purpose=kind.waits, account_id=account.id, texts={kind.member: wanted})

        def keep(connection: Connection) -> None:
            self._tokens.keep(connection, new_token(), waiting, now=now)
            append(connection, acting.entry(f"{kind.action}.begin", f"account {account.id}", at=now))

        await self._store.database.write(keep)
        return code

    async def _confirm(self, kind: _Kind, given: _Given, *, also: Callable[[Connection, float], None]) -> Account:
        account_id = given.account_id
        rows, now = await self._accounts.rows(), self._store.clock.now()

        def waiting(connection: Connection) -> str:
            return self._tokens.of_account(connection, account_id, kind.waits, now=now).texts[kind.member]

        wanted = await self._store.database.read(waiting)
        await self._codes.use(kind.code, await self._bound(account_id, wanted), given.code)

        def work(connection: Connection) -> Account:
            self._tokens.forget(connection, account_id, kind.waits)
            before = rows.by_id(connection, account_id, lock=True)
            kept = rows.change(connection, before, kind.changed(before, wanted), at=now)
            also(connection, now)
            entry = given.acting.entry(
                kind.action, f"account {account_id}", at=now, before=rows.digest(before), after=rows.digest(kept)
            )
            append(connection, entry)
            return kept

        return await self._store.database.write(work)

    async def _bound(self, account_id: str, wanted: str) -> str:
        """A code proves the one address it was sent to, whatever else was begun meanwhile."""
        return f"{account_id} {(await self._store.keyed()).of('contact', wanted)}"


def _nothing(connection: Connection, now: float) -> None:
    """A number is no way to sign in by itself."""
