"""What people are written, and how it leaves: in the background, so that how long a request takes tells nothing.

Above: joining, recovery, contacts, factors; below: `sending`. Source: security rules "IAM" (no account is told of).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from uhi.errors import DeliveryError
from uhi.exchange.background import Background
from uhi.identity.sending import Sender

_MOST_UNDER_WAY = 500
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Notices:
    """Writes to people. `name` is what the program is called in them; `site` is where their links lead (https, without
    a slash at its end); without one a letter holds the bare token.
    """

    sender: Sender
    name: str = "UHI"
    site: str = ""
    _background: Background = field(default_factory=lambda: Background("a letter"))

    def code(self, email: str, code: str) -> None:
        """A code by e-mail."""
        self._email(email, f"Your code for {self.name}", f"Your code is {code}. It is good for 5 minutes.\n{_NOT_YOU}")

    def code_by_sms(self, phone: str, code: str) -> None:
        """A code by text message."""
        text = f"{code} is your code for {self.name}. It is good for 5 minutes. Do not tell it to anybody."
        self.later(lambda: self.sender.sms(phone, text=text, template="code"))

    def known_already(self, email: str) -> None:
        """Somebody wants to make an account for an address that has one."""
        text = f"Somebody gave your address to make an account with {self.name}. You have one: sign in with it, or ask"
        self._email(email, f"Your account with {self.name}", f"{text} for a new password.\n{_NOT_YOU}")

    def invitation(self, email: str, token: str) -> None:
        """Somebody is asked to join."""
        text = f"You are invited to {self.name}. Choose a password within 7 days:\n{self._link('invitation', token)}\n"
        self._email(email, f"Your invitation to {self.name}", text)

    def reset(self, email: str, token: str) -> None:
        """A forgotten password."""
        text = f"Choose a new password within 30 minutes:\n{self._link('reset', token)}\n{_NOT_YOU}"
        self._email(email, f"A new password for {self.name}", text)

    def changed(self, email: str, what: str) -> None:
        """Something that signs in was changed: `what`, such as "password"."""
        text = f"Your {what} for {self.name} was changed. If that was not you, ask for a new password at once.\n"
        self._email(email, f"Your {what} was changed", text)

    def stolen(self, email: str) -> None:
        """A session was closed because somebody else may have had its token."""
        text = f"A session of yours with {self.name} was closed: its token was used twice, so somebody else may have"
        self._email(email, "A session was closed", f"{text} had it. Sign in again, and choose a new password.\n")

    def later(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do something in the background; what cannot be delivered is said in the log, without what it says."""
        if len(self._background) >= _MOST_UNDER_WAY:
            _log.error("a letter is dropped: %d are under way", len(self._background))
            return
        self._background.start(_undisturbed(work))

    async def done(self) -> None:
        """Return when everything has left."""
        await self._background.done()

    async def aclose(self) -> None:
        """End what has not left."""
        await self._background.stop()

    def _email(self, to: str, subject: str, text: str) -> None:
        self.later(lambda: self.sender.email(to, subject=subject, text=text))

    def _link(self, path: str, token: str) -> str:
        # Behind the mark a browser keeps it to itself: it is in no server's log and in no Referer.
        return f"{self.site}/{path}#{token}" if self.site else token


_NOT_YOU = "If you did not ask for this, do nothing.\n"


async def _undisturbed(work: Callable[[], Awaitable[None]]) -> None:
    try:
        await work()
    except DeliveryError as error:
        _log.error("a letter was not delivered: %s", error)
