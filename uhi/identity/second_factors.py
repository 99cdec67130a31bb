"""Second factors: set up, checked, removed. Time-based codes, text messages, and recovery codes for when both are lost.

A password thief who guesses codes is slowed down more and more, and stopped for good. Above: `uhi.api`, `sign_in`;
below: `factor_rows`, codes, throttles. Source: security rules "IAM" (TOTP, recovery, staff and admins).
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from uhi.audit import Acting
from uhi.audit.trail import append
from uhi.errors import Refusal
from uhi.faults import ALREADY_TAKEN, CODE_INVALID, SIGN_IN_FAILED, STATE_REFUSED, Fault
from uhi.identity import factor_rows
from uhi.identity.account_rows import credentials_changed
from uhi.identity.accounts import Accounts
from uhi.identity.factor_rows import OTP, RECOVERY, SMS, Factor
from uhi.identity.granting import check_is_another, staff_tenants
from uhi.identity.notices import Notices
from uhi.identity.one_time_codes import CodePurpose, OneTimeCodes
from uhi.identity.passwords import Passwords
from uhi.identity.people import Account
from uhi.identity.principals import NOBODY, Principal
from uhi.identity.recovery_codes import NewCodes, RecoveryCodes
from uhi.identity.store import IdentityStore
from uhi.identity.throttles import RECOVERY_CODES_MADE, SECOND_FACTOR, forgive, take
from uhi.identity.totp import TotpEnrolment, new_secret, step_of


@dataclass(frozen=True, slots=True)
class FactorParts:
    """What second factors stand on."""

    store: IdentityStore
    accounts: Accounts
    passwords: Passwords
    codes: OneTimeCodes
    notices: Notices


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """A change of factors: whose, what it is called, who makes it, and the session that goes on."""

    account: Account
    action: str
    acting: Acting
    keep_session: str = ""


class SecondFactors:
    """The second factors of one database. `issuer` is what an authenticator app calls us; `has_sms` whether text
    messages leave."""

    def __init__(self, parts: FactorParts, *, issuer: str, has_sms: bool = True) -> None:
        self._store = parts.store
        self._accounts = parts.accounts
        self._codes = parts.codes
        self._notices = parts.notices
        self._issuer = issuer
        self._has_sms = has_sms
        self.recovery_codes = RecoveryCodes(parts.store, parts.passwords)

    def ways(self, account: Account) -> tuple[str, ...]:
        """How somebody with a second factor may go on with a sign-in: factors in force, and recovery codes."""
        return (*sorted(account.second_factors - (set() if self._has_sms else {SMS})), RECOVERY)

    async def begin_totp(self, account_id: str, *, acting: Acting) -> TotpEnrolment:
        """A secret for an authenticator app, shown this once. It counts once `confirm_totp` saw a code of it; until
        then an earlier one stays in force.
        """
        account = await self._accounts.get(account_id)
        now, secret = self._store.clock.now(), new_secret()
        factor = Factor(account_id, OTP, secret)

        def keep(connection: Connection) -> None:
            factor_rows.add(connection, factor, sealing=self._store.sealing, at=now)
            append(connection, acting.entry("factor.begin", _named(account), at=now, reason=OTP))

        await self._store.database.write(keep)
        return TotpEnrolment.of(secret, issuer=self._issuer, email=account.email)

    async def confirm_totp(
        self, account_id: str, code: str, *, acting: Acting, keep_session: str = ""
    ) -> tuple[str, ...]:
        """Put the new secret in force. Every session but the one to keep ends. Returns recovery codes, to be shown this
        once, where the account has none; else nothing.

        Raises: Refusal(CODE_INVALID, TOO_MANY_TRIES).
        """
        account = await self._accounts.get(account_id)
        await take(self._store, (SECOND_FACTOR, account_id))
        step = await self._right_step(account_id, code, is_confirmed=False, fault=CODE_INVALID)
        change = _Change(account=account, action="factor.confirm", acting=acting, keep_session=keep_session)
        return await self._put_in_force(change, OTP, step)

    async def begin_sms(self, account_id: str, *, acting: Acting) -> None:
        """Send a code to the account's telephone, to make it a second factor.

        Raises: Refusal(STATE_REFUSED) without a number, Refusal(TOO_MANY_TRIES).
        """
        self._check_sms()
        account = await self._accounts.get(account_id)
        if not account.is_phone_verified:
            raise Refusal(STATE_REFUSED, "the account has no verified telephone number", next_step="verify one first")
        code = await self._codes.make(CodePurpose.SMS_FACTOR, account_id, target=account.phone)
        now, factor = self._store.clock.now(), Factor(account_id, SMS, account.phone.encode())

        def keep(connection: Connection) -> None:
            factor_rows.add(connection, factor, sealing=self._store.sealing, at=now)
            append(connection, acting.entry("factor.begin", _named(account), at=now, reason=SMS))

        await self._store.database.write(keep)
        self._notices.code_by_sms(account.phone, code)

    async def confirm_sms(
        self, account_id: str, code: str, *, acting: Acting, keep_session: str = ""
    ) -> tuple[str, ...]:
        """As `confirm_totp`, for the code that was sent.

        Raises: Refusal(CODE_INVALID).
        """
        account = await self._accounts.get(account_id)
        await self._codes.use(CodePurpose.SMS_FACTOR, account_id, code)
        change = _Change(account=account, action="factor.confirm", acting=acting, keep_session=keep_session)
        return await self._put_in_force(change, SMS, 0)

    async def remove(self, account_id: str, kind: str, *, acting: Acting, keep_session: str = "") -> None:
        """Do without a factor (`otp`, `sms`); with the last one the recovery codes go too.

        Raises: Refusal(RECORD_MISSING) where there is none.
        """
        account = await self._accounts.get(account_id)
        change = _Change(account=account, action="factor.remove", acting=acting, keep_session=keep_session)

        def work(connection: Connection) -> None:
            factor_rows.remove(connection, account_id, kind)
            if not account.second_factors - {kind}:
                self.recovery_codes.forget(connection, account_id)
            self._record(connection, change, kind)

        await self._store.database.write(work)
        self._notices.changed(account.email, "second factor")

    async def new_recovery_codes(self, account_id: str, *, acting: Acting) -> tuple[str, ...]:
        """Ten new codes in place of all earlier ones, to be shown this once.

        Raises: Refusal(STATE_REFUSED) where there is no other factor that they could stand in for; TOO_MANY_TRIES.
        """
        account = await self._accounts.get(account_id)
        if not account.second_factors:
            raise Refusal(STATE_REFUSED, "there is no second factor to recover")
        codes = await self._new_codes(account_id)
        now = self._store.clock.now()

        def work(connection: Connection) -> None:
            self.recovery_codes.keep(connection, account_id, codes, at=now)
            append(connection, acting.entry("factor.recovery-codes", f"account {account_id}", at=now))

        await self._store.database.write(work)
        return codes.shown

    async def unlock(self, account_id: str, *, acting: Acting, by: Principal = NOBODY) -> None:
        """Let somebody try again who tried too often; for an administrator of theirs.

        Raises: Refusal(ACCESS_DENIED, ANOTHER_PERSON_REQUIRED, RECORD_MISSING).
        """
        check_is_another(account_id, acting)
        await self._accounts.get(account_id, tenants=staff_tenants(by, acting))
        keyed, now = await self._store.keyed(), self._store.clock.now()

        def work(connection: Connection) -> None:
            forgive(connection, keyed, SECOND_FACTOR, account_id)
            append(connection, acting.entry("factor.unlock", f"account {account_id}", at=now))

        await self._store.database.write(work)

    async def send_code(self, account: Account, *, bound_to: str) -> None:
        """Send a code for one sign-in to the telephone that is the account's factor.

        Raises: Refusal(STATE_REFUSED) where none is, Refusal(TOO_MANY_TRIES).
        """
        self._check_sms()
        sealing = self._store.sealing
        factor = await self._store.database.read(
            lambda connection: factor_rows.find(connection, account.id, SMS, sealing=sealing)
        )
        if factor is None:
            raise Refusal(STATE_REFUSED, "there is no telephone to send a code to")
        phone = factor.secret.decode()
        code = await self._codes.make(CodePurpose.SIGN_IN, bound_to, target=phone)
        self._notices.code_by_sms(phone, code)

    async def check(self, account: Account, way: str, code: str, *, bound_to: str) -> None:
        """See that a code of a factor (`otp`, `sms`, `rc`) is right, and use it up. `bound_to` is the sign-in.

        Raises: Refusal(SIGN_IN_FAILED); Refusal(TOO_MANY_TRIES), with `retry_after` unless it is for good.
        """
        await take(self._store, (SECOND_FACTOR, account.id))
        match way:
            case "otp":
                step = await self._right_step(account.id, code, is_confirmed=True, fault=SIGN_IN_FAILED)
                await self._use_step(account.id, step)
            case "sms":
                await self._codes.use(CodePurpose.SIGN_IN, bound_to, code, fault=SIGN_IN_FAILED)
            case "rc":
                await self.recovery_codes.use(account.id, code)
            case _:
                raise Refusal(SIGN_IN_FAILED, "there is no such second factor", expected=f"{OTP}, {SMS} or {RECOVERY}")
        keyed = await self._store.keyed()
        await self._store.database.write(lambda connection: forgive(connection, keyed, SECOND_FACTOR, account.id))

    def _check_sms(self) -> None:
        if not self._has_sms:
            raise Refusal(STATE_REFUSED, "no text messages are sent here", next_step="use an authenticator app")

    async def _right_step(self, account_id: str, code: str, *, is_confirmed: bool, fault: Fault) -> int:
        sealing, now = self._store.sealing, self._store.clock.now()
        factor = await self._store.database.read(
            lambda connection: factor_rows.find(connection, account_id, OTP, sealing=sealing, is_confirmed=is_confirmed)
        )
        step = None if factor is None else step_of(factor.secret, code, now=now, after=factor.last_step)
        if step is None:
            raise Refusal(fault, "the code is not one of this moment, or was used before")
        return step

    async def _use_step(self, account_id: str, step: int) -> None:
        """Whoever comes second with the same code, be it in the same moment, is too late."""
        if not await self._store.database.write(lambda connection: factor_rows.use_step(connection, account_id, step)):
            raise Refusal(SIGN_IN_FAILED, "the code was used before")

    async def _put_in_force(self, change: _Change, kind: str, step: int) -> tuple[str, ...]:
        account = change.account
        codes = await self._new_codes(account.id)
        now = self._store.clock.now()
        keyed = await self._store.keyed()

        def work(connection: Connection) -> bool:
            if not factor_rows.confirm(connection, account.id, kind, step, at=now):
                raise Refusal(ALREADY_TAKEN, "the factor was confirmed meanwhile")
            is_first = not self.recovery_codes.has_any(connection, account.id)
            if is_first:
                self.recovery_codes.keep(connection, account.id, codes, at=now)
            forgive(connection, keyed, SECOND_FACTOR, account.id)
            self._record(connection, change, kind)
            return is_first

        is_first = await self._store.database.write(work)
        self._notices.changed(account.email, "second factor")
        return codes.shown if is_first else ()

    async def _new_codes(self, account_id: str) -> NewCodes:
        """Each costs as much as a sign-in, so nobody has them made again and again."""
        await take(self._store, (RECOVERY_CODES_MADE, account_id))
        return await self.recovery_codes.make()

    def _record(self, connection: Connection, change: _Change, kind: str) -> None:
        now = self._store.clock.now()
        credentials_changed(connection, change.account.id, at=now, keep_session=change.keep_session)
        append(connection, change.acting.entry(change.action, _named(change.account), at=now, reason=kind))


def _named(account: Account) -> str:
    return f"account {account.id}"
