"""Second factors of one's own account over HTTP: set up, confirmed, removed; and recovery codes.

Every change takes a fresh sign-in. Above: programs; below: `uhi.identity.second_factors`. Source: security rules "IAM".
"""

from __future__ import annotations

from uhi.api.account_routes import OWN_FRESH
from uhi.api.fields import CodeText
from uhi.api.routes import Answer, Body, Call, Nothing, Routes
from uhi.api.staff_routes import MANAGES_STAFF
from uhi.faults import ALREADY_TAKEN, RECORD_MISSING, STATE_REFUSED
from uhi.identity.second_factors import SecondFactors

_START = "/v1/account/factors"


class FactorCode(Body):
    """A code of the new factor."""

    code: CodeText


class TotpAnswer(Answer):
    """A new secret for an authenticator app, as text and as the URI behind a picture. It is not shown again."""

    secret: str
    uri: str


class RecoveryCodesAnswer(Answer):
    """Recovery codes, which are not shown again; none where the account has them already."""

    recovery_codes: tuple[str, ...]


class FactorPages:
    """What people do with their second factors, and administrators with those of others."""

    def __init__(self, factors: SecondFactors) -> None:
        self._factors = factors

    def routes(self, *, has_sms: bool) -> Routes:
        """The group of routes; `has_sms`: those with text messages too."""
        group = Routes("second-factors")
        rule, start = OWN_FRESH, _START
        group.route("POST", f"{start}/totp", rule, body=Nothing, answer=TotpAnswer, key="none")(self.begin_totp)
        group.route(
            "POST",
            f"{start}/totp/confirm",
            rule,
            body=FactorCode,
            answer=RecoveryCodesAnswer,
            refuses=(ALREADY_TAKEN,),
            key="none",
        )(self.confirm_totp)
        group.route("DELETE", f"{start}/totp", rule, body=Nothing, answer=None, refuses=(RECORD_MISSING,))(
            self.remove_totp
        )
        if has_sms:
            self._add_sms(group)
        group.route("DELETE", f"{start}/sms", rule, body=Nothing, answer=None, refuses=(RECORD_MISSING,))(
            self.remove_sms
        )
        group.route(
            "POST",
            f"{start}/recovery-codes",
            rule,
            body=Nothing,
            answer=RecoveryCodesAnswer,
            refuses=(STATE_REFUSED,),
            key="none",
        )(self.make_recovery_codes)
        group.route("POST", "/v1/staff/{id}/unlock", MANAGES_STAFF, body=Nothing, answer=None)(self.unlock_staff)
        return group

    def _add_sms(self, group: Routes) -> None:
        rule, path, answer = OWN_FRESH, f"{_START}/sms", RecoveryCodesAnswer
        group.route("POST", path, rule, body=Nothing, answer=None, status=202, refuses=(STATE_REFUSED,))(self.begin_sms)
        group.route(
            "POST", f"{path}/confirm", rule, body=FactorCode, answer=answer, refuses=(ALREADY_TAKEN,), key="none"
        )(self.confirm_sms)

    async def begin_totp(self, call: Call[Nothing]) -> TotpAnswer:
        """Get a secret for an authenticator app."""
        enrolment = await self._factors.begin_totp(call.principal.id, acting=call.acting)
        return TotpAnswer(secret=enrolment.secret, uri=enrolment.uri)

    async def confirm_totp(self, call: Call[FactorCode]) -> RecoveryCodesAnswer:
        """Put the app in force with a code of it; other sessions end."""
        codes = await self._factors.confirm_totp(
            call.principal.id, call.body.code, acting=call.acting, keep_session=call.principal.session_id
        )
        return RecoveryCodesAnswer(recovery_codes=codes)

    async def remove_totp(self, call: Call[Nothing]) -> None:
        """Do without the app; other sessions end."""
        await self._remove(call, "otp")

    async def begin_sms(self, call: Call[Nothing]) -> None:
        """Get a code by text message, to make one's telephone a second factor."""
        await self._factors.begin_sms(call.principal.id, acting=call.acting)

    async def confirm_sms(self, call: Call[FactorCode]) -> RecoveryCodesAnswer:
        """Put the telephone in force with the code that came; other sessions end."""
        codes = await self._factors.confirm_sms(
            call.principal.id, call.body.code, acting=call.acting, keep_session=call.principal.session_id
        )
        return RecoveryCodesAnswer(recovery_codes=codes)

    async def remove_sms(self, call: Call[Nothing]) -> None:
        """Do without the telephone; other sessions end."""
        await self._remove(call, "sms")

    async def make_recovery_codes(self, call: Call[Nothing]) -> RecoveryCodesAnswer:
        """Get recovery codes in place of all earlier ones."""
        codes = await self._factors.new_recovery_codes(call.principal.id, acting=call.acting)
        return RecoveryCodesAnswer(recovery_codes=codes)

    async def unlock_staff(self, call: Call[Nothing]) -> None:
        """Let somebody of one's own tenant try again who tried too often."""
        await self._factors.unlock(call.path["id"], acting=call.acting, by=call.principal)

    async def _remove(self, call: Call[Nothing], kind: str) -> None:
        await self._factors.remove(call.principal.id, kind, acting=call.acting, keep_session=call.principal.session_id)
