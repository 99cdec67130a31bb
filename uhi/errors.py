"""Every error of the library; nothing else in the project defines one.

    UhiError
    ├── Refusal            a peer's message cannot be accepted: NACK with code, HTTP status and path
    ├── DeliveryError      a message of ours could not be handed over
    ├── RegistryError      the registry is out of reach or answers nonsense
    ├── NoAnswer           a question was delivered and nobody answered within the wait
    ├── IncompleteMessage  a message we were about to send lacks what the protocol requires
    ├── SetupError         the operator's mistake, found before the first request
    ├── AuditBroken        the audit trail is not as it was written
    ├── FileMissing        the file store has no such file
    ├── ContentRefused     what somebody wants to say or send in a conversation is not taken
    ├── MessageKnown       this message of a conversation is kept already
    └── BookingError       the rules of a booking forbid it, or the other side said no
        ├── SlotUnavailable  the slot is held, booked, past or unknown
        ├── OrderUnknown     no order or appointment has this id
        ├── StateConflict    the order is in a state from which this move does not lead on
        ├── OrderChanged     another process changed the order meanwhile
        ├── PinInvalid       the PIN is wrong, used up, or of another day
        ├── BookingDeclined  the provider answered with an error
        ├── MessagesNotTaken the facility takes no messages
        └── PriceMismatch    the provider confirmed another price than it had quoted

Below: `faults`, the codes that a refusal carries to a peer.
"""

from __future__ import annotations

from typing import TypedDict, Unpack

from uhi.faults import Fault


class Details(TypedDict, total=False):
    """The parts of an error's text after what happened: what was got, what was expected, what to do next."""

    got: str
    expected: str
    next_step: str


class UhiError(Exception):
    """Base of all errors of the library; ``str()`` says what – got – expected – next step, for the operator.

    ``what`` never holds a body, a signature or anything about a patient.
    """

    def __init__(self, what: str, *, got: str = "", expected: str = "", next_step: str = "") -> None:
        self.what = what
        self.got = got
        self.expected = expected
        self.next_step = next_step
        super().__init__(what, got, expected, next_step)

    def __str__(self) -> str:
        # What is a sentence of its own goes on here.
        parts = [self.what.removesuffix(".") if self.got or self.expected or self.next_step else self.what]
        if self.got:
            parts.append(f"got {self.got}")
        if self.expected:
            parts.append(f"expected {self.expected}")
        text = ", ".join(parts)
        return f"{text}; {self.next_step}" if self.next_step else text


class Refusal(UhiError):
    """A peer's message cannot be accepted. The peer sees ``fault`` and ``path``; the operator sees ``str()``.

    ``path`` is the JSON path of the field at fault, or empty. ``retry_after`` is in whole seconds.
    ``gateway_header`` tells that the gateway's header is at fault (answered with ``Proxy-Authenticate``). ``about`` is
    whose message it was, its transaction and message id, as far as they were verified: for the call log. ``mistakes``
    are the paths of all that is wrong in a body of our own interfaces, each with what it has to be, in our words.
    """

    def __init__(self, fault: Fault, what: str = "", *, path: str = "", **details: Unpack[Details]) -> None:
        super().__init__(what or fault.sentence, **details)
        self.fault = fault
        self.path = path
        self.retry_after: int | None = None
        self.gateway_header = False
        self.about: tuple[str, str, str] = ("?", "", "")
        self.mistakes: tuple[tuple[str, str], ...] = ()


class DeliveryError(UhiError):
    """A message of ours could not be handed over.

    ``status`` is the HTTP status (None: no answer came), ``code`` the peer's error code where it gave one.
    """

    def __init__(self, what: str, *, status: int | None = None, code: str = "", **details: Unpack[Details]) -> None:
        super().__init__(what, **details)
        self.status = status
        self.code = code


class RegistryError(UhiError):
    """The registry is out of reach or answered something that cannot be used."""


class NoAnswer(UhiError):
    """A question was delivered and no answer came within the wait; the answer's handler still runs when it comes."""


class IncompleteMessage(UhiError):
    """A message we were about to send lacks what the protocol requires; nothing was sent."""


class SetupError(UhiError):
    """The operator's mistake: settings, keys or handlers that cannot work, found before the first request."""


class AuditBroken(UhiError):
    """The audit trail, or what testifies to it, is not as it was written; ``seq`` is the first bad row, if one is."""

    def __init__(self, what: str, *, seq: int | None = None, **details: Unpack[Details]) -> None:
        super().__init__(what, **details)
        self.seq = seq


class FileMissing(UhiError):
    """The file store has no file by this key."""


class ContentRefused(UhiError):
    """A text or a document of a conversation is not taken; ``reason`` is why, as a word for programs."""

    def __init__(self, what: str, *, reason: str, **details: Unpack[Details]) -> None:
        super().__init__(what, **details)
        self.reason = reason


class MessageKnown(UhiError):
    """A message of a conversation is kept already under its content id; nothing is done a second time."""


class BookingError(UhiError):
    """The rules of a booking forbid what was asked, or the other side said no."""


class SlotUnavailable(BookingError):
    """The slot cannot be had: it is held or booked by somebody else, in the past, or unknown."""


class OrderUnknown(BookingError):
    """No order or appointment has this id, or it is another consumer's."""


class StateConflict(BookingError):
    """The order is in a state from which this move does not lead on, or another party may make the move."""


class OrderChanged(BookingError):
    """Somebody else, mostly another process, changed the order since it was read; read it again and decide again."""


class PinInvalid(BookingError):
    """The PIN does not open the appointment: wrong, tried too often, or outside its day.

    ``attempts_left`` tells how often it may be tried; at 0 only an override by the staff helps.
    """

    def __init__(
        self, what: str, *, got: str = "", expected: str = "", next_step: str = "", attempts_left: int = 0
    ) -> None:
        super().__init__(what, got=got, expected=expected, next_step=next_step)
        self.attempts_left = attempts_left


class BookingDeclined(BookingError):
    """The provider answered with an error, or could not confirm. ``code`` is the provider's, empty if it gave none."""

    def __init__(self, what: str, *, got: str = "", expected: str = "", next_step: str = "", code: str = "") -> None:
        super().__init__(what, got=got, expected=expected, next_step=next_step)
        self.code = code


class MessagesNotTaken(BookingError):
    """The facility takes no messages; its helpline, deep link or chatbot is the way to reach it."""


class PriceMismatch(BookingError):
    """The provider confirmed another price than it had quoted; the order does not count as confirmed."""
