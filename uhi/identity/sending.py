"""Letters to people, by e-mail and text message: the port, and a sender that keeps them for tests and development.

Above: `notices`; adapters: `smtp`, `sms_http`. What a letter says is secret, and reaches no log.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from uhi.errors import Refusal
from uhi.faults import NO_LETTERS

_NOBODY_READS = (
    "no letter leaves: codes to sign up, invitations and new passwords reach nobody; "
    "set UHI_SMTP_HOST and UHI_SMTP_SENDER"
)
_log = logging.getLogger(__name__)


class EmailSender(Protocol):
    """A way to send e-mail."""

    async def email(self, to: str, *, subject: str, text: str) -> None:
        """Hand one letter over.

        Raises: DeliveryError when it was not taken; its text names neither the address nor what was to be sent.
        """


class SmsSender(Protocol):
    """A way to send text messages."""

    async def sms(self, to: str, *, text: str, template: str = "") -> None:
        """Hand one text over; `to` is E.164. `template` is the name of the text among those registered for it.

        Raises: DeliveryError when it was not taken; its text names neither the number nor what was to be sent.
        """


class Sender(EmailSender, SmsSender, Protocol):
    """Both."""


@dataclass(frozen=True, slots=True)
class EitherWay:
    """A sender of two adapters."""

    by_email: EmailSender
    by_sms: SmsSender

    async def email(self, to: str, *, subject: str, text: str) -> None:
        """See `EmailSender`."""
        await self.by_email.email(to, subject=subject, text=text)

    async def sms(self, to: str, *, text: str, template: str = "") -> None:
        """See `SmsSender`."""
        await self.by_sms.sms(to, text=text, template=template)


@dataclass(frozen=True, slots=True, repr=False)
class SentLetter:
    """What somebody would have got; `subject` is empty for a text message."""

    to: str
    text: str
    subject: str = ""

    def __repr__(self) -> str:
        return "SentLetter(***)"


def _nowhere(line: str) -> object:
    return line


@dataclass(slots=True)
class KeptLetters:
    """Sends nothing: keeps the newest letters, and shows each to `show` (a terminal's `write`). For development, where
    whoever starts the program is everybody it writes to.
    """

    show: Callable[[str], object] = field(default=_nowhere, repr=False)
    most: int = 1_000
    letters: list[SentLetter] = field(default_factory=list, repr=False)

    async def email(self, to: str, *, subject: str, text: str) -> None:
        """See `EmailSender`."""
        self._keep(SentLetter(to, text, subject))

    async def sms(self, to: str, *, text: str, template: str = "") -> None:
        """See `SmsSender`."""
        self._keep(SentLetter(to, text))

    def to(self, address: str) -> list[SentLetter]:
        """What one address or number got, oldest first."""
        return [letter for letter in self.letters if letter.to == address]

    @property
    def reach_somebody(self) -> bool:
        """Whether anybody is shown them."""
        return self.show is not _nowhere

    def _keep(self, letter: SentLetter) -> None:
        self.letters.append(letter)
        del self.letters[: -self.most]
        self.show(f"to {letter.to}: {letter.subject}\n{letter.text}\n")


def reaches_somebody(sender: Sender) -> bool:
    """Whether anybody reads the e-mail that is handed over."""
    way = sender.by_email if isinstance(sender, EitherWay) else sender
    return not isinstance(way, KeptLetters) or way.reach_somebody


def check_leaves(sender: Sender) -> None:
    """See that e-mail reaches somebody, before anybody is told to wait for a letter, whosever it would be.

    Raises: Refusal(NO_LETTERS).
    """
    if not reaches_somebody(sender):
        raise Refusal(NO_LETTERS, next_step="set UHI_SMTP_HOST and UHI_SMTP_SENDER, or invite at the command line")


def warn_without_email(sender: Sender) -> None:
    """Say in the log that no letter of a program reaches anybody, where that is so: to be called as it begins to serve
    people."""
    if not reaches_somebody(sender):
        _log.warning(_NOBODY_READS)
