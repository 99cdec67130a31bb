"""Receipts: the answer in the same HTTP exchange, ACK or NACK. ACK says verified, valid and kept; never a result.

Source: NHA gateway description v2.0.2; the shapes read are those seen in the Beckn family for UHI's version.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum

from pydantic import ValidationError

from uhi.faults import Fault
from uhi.messages.wire import Text, Wire

ACK = b'{"message":{"ack":{"status":"ACK"}},"error":{}}'
"""The body of every acceptance."""


class Error(Wire):
    """Why something was refused or not done. Peers' codes are not published: log them, never branch on them."""

    type: Text | None = None
    code: Text | None = None
    path: Text | None = None
    message: Text | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing: `{}`, or nothing but nulls and empty text."""
        return not any(self.__dict__.values()) and not any((self.__pydantic_extra__ or {}).values())


class Verdict(Enum):
    """What a receipt says; true only for ACK."""

    ACK = "ACK"
    NACK = "NACK"
    UNCLEAR = "unclear"

    def __bool__(self) -> bool:
        return self is Verdict.ACK


@dataclass(frozen=True, slots=True)
class Receipt:
    """A peer's answer; `error` is present where it says something."""

    accepted: Verdict
    error: Error | None = None


def read_receipt(value: object) -> Receipt:
    """Read a parsed answer body of any shape; never raises.

    ACK counts with or without an empty `error`; beside an error that says something it counts as NACK (NHA: look at
    the error, not at the word). The error may stand beside `message`, inside it, or inside `ack`. An answer that is
    no object or has no status is unclear, which a sender treats as a failure.
    """
    body = _object(value)
    message = _object(body.get("message"))
    ack = _object(message.get("ack"))
    error = _error(body.get("error")) or _error(message.get("error")) or _error(ack.get("error"))
    status = ack.get("status")
    if status == "ACK":
        return Receipt(Verdict.NACK if error else Verdict.ACK, error)
    return Receipt(Verdict.NACK if status == "NACK" else Verdict.UNCLEAR, error)


def nack(fault: Fault, path: str) -> bytes:
    """Write the body of a refusal: the fault's fixed code and sentence, and the JSON path of the field at fault."""
    error = {"type": fault.type, "code": fault.code, "path": path, "message": fault.sentence}
    return json.dumps({"message": {"ack": {"status": "NACK"}}, "error": error}, separators=(",", ":")).encode()


def _object(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _error(value: object) -> Error | None:
    if not isinstance(value, dict) or not value:
        return None
    try:
        error = Error.model_validate(value)
    except ValidationError:
        # Members of another form still tell that something is wrong, and must not turn a refusal into an ACK.
        return Error(message="an error object that cannot be read")
    return None if error.is_empty else error
