"""What people do before they can sign in: take up an invitation, choose a new password; patients make an account.

No answer here tells whether an address has an account. Above: programs; below: `uhi.identity.joining`,
`uhi.identity.recovery`. Source: security rules "IAM".
"""

from __future__ import annotations

from uhi.api.fields import CodeText, EmailText, NameText, PasswordText, PhoneText, SecretText
from uhi.api.routes import Answer, Body, Call, Routes
from uhi.faults import NO_LETTERS
from uhi.identity.joining import Application, Joining
from uhi.identity.recovery import Recovery
from uhi.identity.rules import PUBLIC


class ApplicationBody(Body):
    """What a patient gives to have an account."""

    email: EmailText
    password: PasswordText
    name: NameText
    phone: PhoneText = ""


class TicketAnswer(Answer):
    """What is to be given back with the code that was sent."""

    ticket: str


class TicketBody(Body):
    """The ticket of a registration, with the code that came by e-mail."""

    ticket: SecretText
    code: CodeText


class AcceptanceBody(Body):
    """The token of a letter, and the password that its owner chooses."""

    token: SecretText
    password: PasswordText


class ForgottenBody(Body):
    """Whose password was forgotten."""

    email: EmailText


class RegistrationPages:
    """Doors for patients, who come by themselves."""

    def __init__(self, joining: Joining) -> None:
        self._joining = joining

    def routes(self) -> Routes:
        """The group of routes."""
        group = Routes("registration")
        refuses = (NO_LETTERS,)
        group.route(
            "POST", "/v1/accounts", PUBLIC, body=ApplicationBody, answer=TicketAnswer, status=202, refuses=refuses
        )(self.register_account)
        group.route("POST", "/v1/accounts/confirm", PUBLIC, body=TicketBody, answer=None)(self.confirm_account)
        return group

    async def register_account(self, call: Call[ApplicationBody]) -> TicketAnswer:
        """Ask for a patient's account; a code is sent to the address."""
        asked = call.body
        application = Application(email=asked.email, password=asked.password, name=asked.name, phone=asked.phone)
        return TicketAnswer(ticket=await self._joining.register(application, address=call.address))

    async def confirm_account(self, call: Call[TicketBody]) -> None:
        """Have the account, with the code that was sent."""
        await self._joining.confirm(call.body.ticket, call.body.code, acting=call.acting)


class JoiningPages:
    """Doors for people who were invited, or forgot their password."""

    def __init__(self, joining: Joining, recovery: Recovery) -> None:
        self._joining = joining
        self._recovery = recovery

    def routes(self) -> Routes:
        """The group of routes."""
        group = Routes("joining")
        group.route("POST", "/v1/invitations/accept", PUBLIC, body=AcceptanceBody, answer=None)(self.accept_invitation)
        forgotten, refuses = "/v1/password/forgotten", (NO_LETTERS,)
        group.route("POST", forgotten, PUBLIC, body=ForgottenBody, answer=None, status=202, refuses=refuses)(
            self.forget_password
        )
        group.route("POST", "/v1/password/reset", PUBLIC, body=AcceptanceBody, answer=None)(self.reset_password)
        return group

    async def accept_invitation(self, call: Call[AcceptanceBody]) -> None:
        """Take up an invitation, choosing a password."""
        await self._joining.accept(call.body.token, call.body.password, acting=call.acting)

    async def forget_password(self, call: Call[ForgottenBody]) -> None:
        """Ask for a letter with which a new password can be chosen."""
        await self._recovery.begin_reset(call.body.email, address=call.address)

    async def reset_password(self, call: Call[AcceptanceBody]) -> None:
        """Choose a new password with the token of a letter; every session ends."""
        await self._recovery.reset(call.body.token, call.body.password, acting=call.acting)
