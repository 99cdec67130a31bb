"""What goes on the wire when something is refused, and what a callback says went wrong: two tables.

Nothing else in the project defines such a code. Above: `errors`, whose `Refusal` carries a fault to the peer.
Sources: NHA's ``GatewayError`` codes (UHI-14xx), beckn-onix error types (AUT_, SCH_, NET_); CTX_ types are ours, and so
are the codes of our own interfaces (IAM_, API_, APP_, REG_).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


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
NO_LETTERS = Fault(
    503, "IAM_NO_LETTERS", "IAM_NO_LETTERS", "No letter leaves from here; ask whoever runs it.", Resend.LATER
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
