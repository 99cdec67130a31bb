"""What a signal of a call says of who joins and leaves it; the signal itself is passed on as it is.

Above: `conversations`, `incoming`; below: nothing but the order's log, behind a Protocol. Source: UHI reference, chat
and calls.
"""

from __future__ import annotations

import base64
import binascii
from typing import Protocol

from uhi import strict_json
from uhi.booking.consulting import CallStep
from uhi.booking.telemedicine import Attendance, Mode
from uhi.errors import Refusal
from uhi.messages.conversation import ChatContent

_STEPS = {
    "READY": (Attendance.JOINED, True),
    "OFFER": (Attendance.JOINED, True),
    "ANSWER": (Attendance.JOINED, False),
    "BYE": (Attendance.LEFT, False),
}
_LARGEST = 65_536


class CallLog(Protocol):
    """Where calls are put down: `uhi.booking.ConsultationProvider` is one."""

    async def call_signalled(self, order_id: str, seen: CallStep) -> None:
        """Put down what a signal says about an order; whatever does not fit it is left out."""


def read_step(content: ChatContent, *, spoken: str, who: str) -> CallStep | None:
    """Return what a signal says; None where it is only about how the devices talk to each other, or cannot be read.

    `spoken` is its type of content, `who` sent it.
    """
    step = _STEPS.get(_kind(content.content_value or ""))
    if step is None:
        return None
    what, is_calling = step
    return CallStep(who, what, Mode.AUDIO if "audio" in spoken else Mode.VIDEO, is_calling)


def _kind(value: str) -> str:
    """The type that a signal names: JSON, or JSON in base64."""
    if len(value) > _LARGEST:
        return ""
    raw = value.encode(errors="replace")
    try:
        found = strict_json.parse(raw if value.lstrip().startswith("{") else base64.b64decode(raw, validate=True))
    except (Refusal, binascii.Error):
        return ""
    kind = found.get("type") if isinstance(found, dict) else None
    return kind.upper() if isinstance(kind, str) else ""
