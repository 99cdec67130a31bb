"""Passwords forgotten and passwords changed.

Asking for a new one is answered alike for every address, and what is done for a known one is done in the background.
Above: `uhi.api`; below: passwords, letters. Source: security rules "IAM".
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from uhi.audit import Acting, ActorKind
from uhi.audit.trail import append
from uhi.errors import Refusal
from uhi.exchange.rates import place_of
from uhi.faults import CODE_INVALID, SIGN_IN_FAILED
from uhi.identity.account_rows import credentials_changed, keep_password
from uhi.identity.accounts import Accounts
from uhi.identity.letter_tokens import LetterTokens, TokenPurpose, Waiting
from uhi.identity.notices import Notices
from uhi.identity.passwords import Passwords
from uhi.identity.people import Account, AccountState, needs_second_factor, read_email
from uhi.identity.sending import check_leaves
from uhi.identity.store import IdentityStore, new_token
from uhi.identity.throttles import (
    CODES_SENT,
    LETTERS_BY_ADDRESS,
    PASSWORD_BY_ACCOUNT,
    PASSWORD_BY_BOTH,
    forgive,
    from_place,
    take,
)


@dataclass(frozen=True, slots=True)
class RecoveryParts:
    """What recovery stands on."""

    store: IdentityStore
    accounts: Accounts
    passwords: Passwords
    notices: Notices


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordChange:
    """The password somebody has, the one they want, and the session that goes on."""

    account_id: str
    old: str = field(repr=False)
    new: str = field(repr=False)
    keep_session: str = ""


class Recovery:
    """New passwords in place of old ones."""

    def __init__(self, parts: RecoveryParts) -> None:
        self._store = parts.store
        self._accounts = parts.accounts
        self._passwords = parts.passwords
        self._notices = parts.notices
        self._tokens = LetterTokens(parts.store.sealing)

    async def begin_reset(self, email: str, *, address: str) -> None:
        """Send a token (30 minutes, once) to the address, if an account in use has it. `address` is the peer's.

        Raises: Refusal(REQUEST_INVALID) for what is no e-mail address, Refusal(TOO_MANY_TRIES, NO_LETTERS).
        """
        check_leaves(self._notices.sender)
        spelled = read_email(email)
        await take(self._store, (LETTERS_BY_ADDRESS, place_of(address)), (CODES_SENT, f"reset {spelled}"))
        self._notices.later(lambda: self._send_token(spelled, address))

    async def reset(self, token: str, password: str, *, acting: Acting) -> Account:
        """Choose a new password with a token. Every session ends. It signs nobody in, and no second factor is lost.

        Raises: Refusal(CODE_INVALID, REQUEST_INVALID).
        """
        rows, now = await self._accounts.rows(), self._store.clock.now()

        def look(connection: Connection) -> Account:
            return rows.by_id(connection, self._tokens.find(connection, token, TokenPurpose.RESET, now=now).account_id)

        account = await self._store.database.read(look)
        hashed = await self._hashed(account, password)

        def work(connection: Connection) -> Account:
            self._tokens.use(connection, token, TokenPurpose.RESET, now=now)
            before = rows.by_id(connection, account.id, lock=True)
            if before.state is not AccountState.ACTIVE:
                raise Refusal(CODE_INVALID, "the account is not in use")
            # Whoever has the token has read what was sent to the address.
            after = rows.change(connection, before, replace(before, is_email_verified=True), at=now)
            keep_password(connection, account.id, hashed)
            credentials_changed(connection, account.id, at=now)
            forgive(connection, rows.keyed, PASSWORD_BY_BOTH, from_place(account.email, acting.address))
            forgive(connection, rows.keyed, PASSWORD_BY_ACCOUNT, account.email)
            own = replace(acting, actor=account.id) if acting.kind is ActorKind.NOBODY else acting
            append(connection, own.entry("password.reset", f"account {account.id}", at=now))
            return after

        changed = await self._store.database.write(work)
        self._notices.changed(account.email, "password")
        return changed

    async def change_password(self, change: PasswordChange, *, acting: Acting) -> None:
        """Change one's own password, with the old one. Every session but the one to keep ends.

        Raises: Refusal(SIGN_IN_FAILED) when the old one is another, Refusal(REQUEST_INVALID, TOO_MANY_TRIES).
        """
        rows, now = await self._accounts.rows(), self._store.clock.now()
        kept = await self._store.database.read(lambda connection: rows.credentials(connection, change.account_id))
        account = kept.account
        await take(self._store, (PASSWORD_BY_BOTH, from_place(account.email, acting.address)))
        await take(self._store, (PASSWORD_BY_ACCOUNT, account.email))
        await self._passwords.check(change.old, kept.password)
        hashed = await self._hashed(account, change.new)

        def work(connection: Connection) -> None:
            if rows.credentials(connection, account.id).password != kept.password:
                raise Refusal(SIGN_IN_FAILED, "the password was changed meanwhile")
            keep_password(connection, account.id, hashed)
            credentials_changed(connection, account.id, at=now, keep_session=change.keep_session)
            forgive(connection, rows.keyed, PASSWORD_BY_BOTH, from_place(account.email, acting.address))
            forgive(connection, rows.keyed, PASSWORD_BY_ACCOUNT, account.email)
            append(connection, acting.entry("password.change", f"account {account.id}", at=now))

        await self._store.database.write(work)
        self._notices.changed(account.email, "password")

    async def _send_token(self, email: str, address: str) -> None:
        rows, token, now = await self._accounts.rows(), new_token(), self._store.clock.now()

        def keep(connection: Connection) -> bool:
            kept = rows.by_email(connection, email)
            if kept is None or kept.account.state is not AccountState.ACTIVE:
                return False
            account = kept.account
            waiting = Waiting(purpose=TokenPurpose.RESET, account_id=account.id)
            self._tokens.keep(connection, token, waiting, now=now)
            asking = Acting(actor="nobody", kind=ActorKind.NOBODY, address=address)
            append(connection, asking.entry("password.forgotten", f"account {account.id}", at=now))
            return True

        if await self._store.database.write(keep):
            self._notices.reset(email, token)

    async def _hashed(self, account: Account, password: str) -> str:
        is_only_factor = not (account.second_factors or needs_second_factor(account))
        about = (account.email, account.name)
        return await self._passwords.hash_new(password, about=about, is_only_factor=is_only_factor)
