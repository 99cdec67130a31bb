"""Every error of the library and every code it puts on the wire; nothing else in the project defines one.

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

Sources: NHA's ``GatewayError`` codes (UHI-14xx), beckn-onix error types (AUT_, SCH_, NET_); CTX_ types are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypedDict, Unpack


class Resend(Enum):
    """What a sender may do after a refusal."""

    NEVER = "never"
    SIGN_AGAIN = "sign again once"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of the error table: what the peer is told, with which HTTP status, and whether sending again helps."""

    status: int
    code: str
    type: str
    sentence: str
    resend: Resend = Resend.NEVER


_CODE_REQUEST = "UHI-1404"
_CODE_SIGNATURE = "UHI-1405"
_CODE_KEY = "UHI-1410"
_CODE_PARTY = "UHI-1412"

SIGNATURE_MISSING = Fault(401, "UHI-1401", "AUT_SIGNATURE_MISSING", "A signature header is required.")
SIGNATURE_INVALID = Fault(
    401, _CODE_SIGNATURE, "AUT_SIGNATURE_INVALID", "The signature header is not valid for this body.", Resend.SIGN_AGAIN
)
REPLAYED = Fault(
    401, _CODE_SIGNATURE, "AUT_REPLAY_DETECTED", "This signature header was used before.", Resend.SIGN_AGAIN
)
SUBSCRIBER_UNKNOWN = Fault(
    401, "UHI-1406", "AUT_SUBSCRIBER_NOT_FOUND", "The registry knows no such subscriber and key."
)
KEY_INACTIVE = Fault(
    401, _CODE_KEY, "AUT_KEY_EXPIRED_OR_REVOKED", "The subscriber or its key is not active in the registry."
)
KEY_UNUSABLE = Fault(400, _CODE_KEY, "SCH_INVALID_FORMAT", "The key is not acceptable.")
SIGNER_NOT_SENDER = Fault(
    401, _CODE_PARTY, "AUT_UNAUTHORIZED_ACTION", "The signer is not the party the context names as sender."
)
ROLE_NOT_ALLOWED = Fault(403, _CODE_PARTY, "AUT_UNAUTHORIZED_ACTION", "This role may not send this action.")
JSON_INVALID = Fault(400, "UHI-1411", "SCH_INVALID_JSON", "The body is not acceptable JSON.")
MESSAGE_INVALID = Fault(400, _CODE_REQUEST, "SCH_INVALID_FORMAT", "The message does not have the required form.")
CONSUMER_UNKNOWN = Fault(
    400, "UHI-1413", "CTX_URI_MISMATCH", "The consumer named in the context is missing or not the registered one."
)
CONSUMER_URI_MISMATCH = Fault(
    400, "UHI-1414", "CTX_URI_MISMATCH", "consumer_uri is missing or not the registered address."
)
WRONG_PROVIDER = Fault(400, "UHI-1415", "CTX_WRONG_RECIPIENT", "The message is addressed to another provider.")
WRONG_CONSUMER = Fault(400, "UHI-1413", "CTX_WRONG_RECIPIENT", "The message is addressed to another consumer.")
NOT_IMPLEMENTED = Fault(400, _CODE_REQUEST, "NET_NOT_IMPLEMENTED", "This action is not handled here.")
PATH_UNKNOWN = Fault(404, _CODE_REQUEST, "NET_ENTITY_NOT_FOUND", "There is no such path.")
METHOD_NOT_ALLOWED = Fault(405, _CODE_REQUEST, "NET_ENTITY_NOT_FOUND", "Only POST is served on this path.")
NO_OPEN_REQUEST = Fault(404, _CODE_REQUEST, "CTX_NO_PENDING_REQUEST", "No open request fits this callback.")
NO_PROVIDERS = Fault(404, _CODE_REQUEST, "NET_NO_PROVIDERS", "No subscribed provider matches this search.")
RECORD_UNKNOWN = Fault(404, "UHI-1413", "NET_ENTITY_NOT_FOUND", "No participant matches.")
BODY_LATE = Fault(408, _CODE_REQUEST, "NET_BODY_TIMEOUT", "The body did not arrive in time.", Resend.LATER)
MESSAGE_ID_REUSED = Fault(
    409, _CODE_REQUEST, "AUT_REPLAY_DETECTED", "This message_id was used before with another body."
)
TTL_PASSED = Fault(410, _CODE_REQUEST, "CTX_TTL_EXPIRED", "The time to live of this message has passed.")
BODY_TOO_LARGE = Fault(413, _CODE_REQUEST, "NET_PAYLOAD_TOO_LARGE", "The body is too large.")
BODY_TYPE = Fault(
    415, _CODE_REQUEST, "NET_PAYLOAD_UNSUPPORTED", "Only application/json without Content-Encoding is accepted."
)
HEADERS_TOO_LARGE = Fault(431, _CODE_REQUEST, "NET_PAYLOAD_HEADERS_TOO_LARGE", "The headers are too large.")
HTTP_MALFORMED = Fault(400, _CODE_REQUEST, "NET_PAYLOAD_MALFORMED", "The HTTP request is malformed.")
RATE_LIMITED = Fault(429, _CODE_REQUEST, "AUT_RATE_LIMITED", "Too many messages.", Resend.LATER)
REGISTRY_AWAY = Fault(
    503, "UHI-1402", "NET_REGISTRY_UNAVAILABLE", "The registry cannot be asked at the moment.", Resend.LATER
)
OVERLOADED = Fault(503, "UHI-1407", "NET_OVERLOADED", "Not accepting messages at the moment.", Resend.LATER)
INTERNAL = Fault(500, "UHI-1407", "NET_INTERNAL_ERROR", "An unforeseen error occurred.", Resend.LATER)

SIGN_IN_REQUIRED = Fault(401, "IAM_SIGN_IN_REQUIRED", "IAM_SIGN_IN_REQUIRED", "Signing in is required.")
SIGN_IN_FAILED = Fault(401, "IAM_SIGN_IN_FAILED", "IAM_SIGN_IN_FAILED", "What was given does not sign anybody in.")
CODE_INVALID = Fault(400, "IAM_CODE_INVALID", "IAM_CODE_INVALID", "The code or link is wrong, used, or too old.")
TOKEN_INVALID = Fault(401, "IAM_TOKEN_INVALID", "IAM_TOKEN_INVALID", "The token or key is not valid.")
SECOND_FACTOR_REQUIRED = Fault(
    403, "IAM_SECOND_FACTOR_REQUIRED", "IAM_SECOND_FACTOR_REQUIRED", "This takes a sign-in with a second factor."
)
FRESH_SIGN_IN_REQUIRED = Fault(
    403, "IAM_FRESH_SIGN_IN_REQUIRED", "IAM_FRESH_SIGN_IN_REQUIRED", "This takes a sign-in of the last minutes."
)
ACCESS_DENIED = Fault(403, "IAM_ACCESS_DENIED", "IAM_ACCESS_DENIED", "This is not allowed to who asks.")
ORIGIN_REFUSED = Fault(403, "IAM_ORIGIN_REFUSED", "IAM_ORIGIN_REFUSED", "The request comes from another site.")
ANOTHER_PERSON_REQUIRED = Fault(
    403, "IAM_ANOTHER_PERSON_REQUIRED", "IAM_ANOTHER_PERSON_REQUIRED", "A second administrator must do this."
)
RECORD_MISSING = Fault(404, "API_RECORD_MISSING", "API_RECORD_MISSING", "There is no such record.")
REQUEST_INVALID = Fault(
    400, "API_REQUEST_INVALID", "API_REQUEST_INVALID", "The request does not have the required form."
)
METHOD_NOT_SERVED = Fault(
    405, "API_METHOD_NOT_SERVED", "API_METHOD_NOT_SERVED", "This method is not served on this path."
)
STATE_REFUSED = Fault(409, "API_STATE_REFUSED", "API_STATE_REFUSED", "The record's state does not allow this.")
ALREADY_TAKEN = Fault(409, "API_ALREADY_TAKEN", "API_ALREADY_TAKEN", "Another record has this already.")
KEY_REUSED = Fault(422, "API_KEY_REUSED", "API_KEY_REUSED", "This idempotency key came with another request before.")
REQUEST_UNDER_WAY = Fault(
    409, "API_REQUEST_UNDER_WAY", "API_REQUEST_UNDER_WAY", "The same request is under way.", Resend.LATER
)
CONSENT_REQUIRED = Fault(403, "APP_CONSENT_REQUIRED", "APP_CONSENT_REQUIRED", "This takes a consent that is in force.")
HOSPITAL_DECLINED = Fault(409, "APP_HOSPITAL_DECLINED", "APP_HOSPITAL_DECLINED", "The hospital says no.")
HOSPITAL_AWAY = Fault(
    502,
    "APP_HOSPITAL_AWAY",
    "APP_HOSPITAL_AWAY",
    "The hospital cannot be reached, or its answer cannot be used.",
    Resend.LATER,
)
HOSPITAL_SILENT = Fault(
    504, "APP_HOSPITAL_SILENT", "APP_HOSPITAL_SILENT", "The hospital has not answered in time.", Resend.LATER
)
TOO_MANY_TRIES = Fault(429, "IAM_TOO_MANY_TRIES", "IAM_TOO_MANY_TRIES", "Too many tries; wait.", Resend.LATER)
CHALLENGE_USED = Fault(409, "REG_CHALLENGE_USED", "REG_CHALLENGE_USED", "This challenge was answered already.")
CHALLENGE_EXPIRED = Fault(410, "REG_CHALLENGE_EXPIRED", "REG_CHALLENGE_EXPIRED", "This challenge has expired.")
CHALLENGE_FAILED = Fault(401, "REG_CHALLENGE_FAILED", "REG_CHALLENGE_FAILED", "The challenge is not answered rightly.")
ADDRESS_REFUSED = Fault(400, "REG_ADDRESS_REFUSED", "REG_ADDRESS_REFUSED", "This address may not be registered.")

MESSAGING_UNSUPPORTED = Fault(
    409, "API_MESSAGING_UNSUPPORTED", "API_MESSAGING_UNSUPPORTED", "This facility takes no messages; use its helpline."
)
LINK_INVALID = Fault(403, "API_LINK_INVALID", "API_LINK_INVALID", "The link is not valid, or not any more.")

FAULTS: dict[str, Fault] = {name: value for name, value in list(globals().items()) if isinstance(value, Fault)}
"""The table by name, for documentation and tests."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A business outcome that travels in a callback's ``error``, never as a NACK (Beckn document BECKN-005)."""

    code: str
    sentence: str


ORDER_UNKNOWN = Outcome("30010", "The order is not known here.")
SLOT_UNAVAILABLE = Outcome("40002", "The slot is not available.")
QUOTE_UNAVAILABLE = Outcome("40003", "The order does not match the quote and terms it was offered with.")
PAYMENT_UNSUPPORTED = Outcome("40004", "This form of payment is not supported.")
CANCELLATION_IMPOSSIBLE = Outcome("50001", "The order can no longer be cancelled.")
PATIENT_UNIDENTIFIED = Outcome("30000", "The order does not tell who the patient is, as this consultation demands.")
ANSWER_FAILED = Outcome("23001", "The request was accepted, and answering it failed.")

OUTCOMES: dict[str, Outcome] = {name: value for name, value in list(globals().items()) if isinstance(value, Outcome)}
"""The business outcomes by name, for documentation and tests."""


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
        parts = [self.what]
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
