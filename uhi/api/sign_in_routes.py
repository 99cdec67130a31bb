"""Signing in over HTTP: a password, then a second factor where there is one; and again, to make a session fresh.

Above: programs; below: `uhi.identity.sign_in`, `uhi.identity.sessions`. Source: security rules "IAM" (login, step-up).
"""

from __future__ import annotations

from typing import Literal

from uhi.api.fields import CodeText, EmailText, PasswordText, SecretText
from uhi.api.routes import Answer, Body, Call, Routes, Sent
from uhi.api.session_routes import OWN, SessionOpened, client_of, cookie_of, shown
from uhi.faults import SIGN_IN_FAILED, STATE_REFUSED, TOKEN_INVALID
from uhi.identity.accounts import Accounts
from uhi.identity.rules import PUBLIC
from uhi.identity.sessions import Opened, Sessions
from uhi.identity.sign_in import SecondFactorNeeded, SignedIn, SignIn

Way = Literal["otp", "sms", "rc"]


class SignInBody(Body):
    """Who signs in. With `browser` the session is a cookie's, else an app's tokens'."""

    email: EmailText
    password: PasswordText
    browser: bool = False


class SecondFactorBody(Body):
    """The code of a second factor: of an authenticator app (`otp`), a text message (`sms`), a recovery code (`rc`)."""

    challenge: SecretText
    way: Way
    code: CodeText
    browser: bool = False


class CodeBody(Body):
    """The sign-in that a code is to be sent for."""

    challenge: SecretText


class PasswordBody(Body):
    """One's own password, again."""

    password: PasswordText


class ConfirmationBody(Body):
    """The code of a second factor, again."""

    challenge: SecretText
    way: Way
    code: CodeText


class SignInAnswer(Answer):
    """Either a session, or a challenge: then a code is needed by one of the ways."""

    state: Literal["signed in", "second factor needed"]
    session: SessionOpened | None
    challenge: str
    ways: tuple[str, ...]


class SignInPages:
    """How people sign in."""

    def __init__(self, sign_in: SignIn, sessions: Sessions, accounts: Accounts) -> None:
        self._sign_in = sign_in
        self._sessions = sessions
        self._accounts = accounts

    def routes(self, *, has_sms: bool) -> Routes:
        """The group of routes; `has_sms`: those with text messages too."""
        group = Routes("sign-in")
        failed = (SIGN_IN_FAILED,)
        group.route("POST", "/v1/sign-in", PUBLIC, body=SignInBody, answer=SignInAnswer, refuses=failed)(self.sign_in)
        group.route(
            "POST", "/v1/sign-in/second-factor", PUBLIC, body=SecondFactorBody, answer=SignInAnswer, refuses=failed
        )(self.give_second_factor)
        if has_sms:
            group.route(
                "POST", "/v1/sign-in/code", PUBLIC, body=CodeBody, answer=None, refuses=(SIGN_IN_FAILED, STATE_REFUSED)
            )(self.send_sign_in_code)
        group.route(
            "POST", "/v1/confirm", OWN, body=PasswordBody, answer=SignInAnswer, refuses=(TOKEN_INVALID,), key="none"
        )(self.confirm_session)
        group.route(
            "POST",
            "/v1/confirm/second-factor",
            OWN,
            body=ConfirmationBody,
            answer=SignInAnswer,
            refuses=failed,
            key="none",
        )(self.confirm_second_factor)
        return group

    async def sign_in(self, call: Call[SignInBody]) -> SignInAnswer | Sent[SignInAnswer]:
        """Sign in with a password."""
        asked = call.body
        found = await self._sign_in.begin(asked.email, asked.password, address=call.address)
        if isinstance(found, SecondFactorNeeded):
            return _needed(found)
        return await self._open(call, found, is_browser=asked.browser)

    async def give_second_factor(self, call: Call[SecondFactorBody]) -> SignInAnswer | Sent[SignInAnswer]:
        """Go on with the code of a second factor."""
        asked = call.body
        signed_in = await self._sign_in.finish(asked.challenge, asked.way, asked.code, address=call.address)
        return await self._open(call, signed_in, is_browser=asked.browser)

    async def send_sign_in_code(self, call: Call[CodeBody]) -> None:
        """Send the code of a sign-in by text message."""
        await self._sign_in.send_code(call.body.challenge)

    async def confirm_session(self, call: Call[PasswordBody]) -> SignInAnswer | Sent[SignInAnswer]:
        """Give one's password again, for what takes a fresh sign-in."""
        own = await self._accounts.get(call.principal.id)
        found = await self._sign_in.begin(own.email, call.body.password, address=call.address)
        if isinstance(found, SecondFactorNeeded):
            return _needed(found)
        return _given(call, await self._sessions.confirm(call.principal.session_id, found))

    async def confirm_second_factor(self, call: Call[ConfirmationBody]) -> SignInAnswer | Sent[SignInAnswer]:
        """Go on with the code of a second factor, for what takes a fresh sign-in."""
        asked = call.body
        signed_in = await self._sign_in.finish(asked.challenge, asked.way, asked.code, address=call.address)
        return _given(call, await self._sessions.confirm(call.principal.session_id, signed_in))

    async def _open(
        self, call: Call[Body], signed_in: SignedIn, *, is_browser: bool
    ) -> SignInAnswer | Sent[SignInAnswer]:
        opened = await self._sessions.open(signed_in, client=client_of(call), is_browser=is_browser)
        return _given(call, opened)


def _needed(found: SecondFactorNeeded) -> SignInAnswer:
    return SignInAnswer(state="second factor needed", session=None, challenge=found.challenge, ways=found.ways)


def _given(call: Call[Body], opened: Opened) -> SignInAnswer | Sent[SignInAnswer]:
    answer = SignInAnswer(state="signed in", session=shown(opened), challenge="", ways=())
    return Sent(answer, cookie_of(opened, now=call.now)) if opened.cookie else answer
