"""What to do after an attempt to deliver: pure decisions, no clock, no I/O.

Source: reliability rules "Send side" (answers, schedules), decisions 13 and 19. Times are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from random import Random

from uhi.errors import FAULTS, Refusal, Resend
from uhi.messages.receipt import ACK, read_receipt
from uhi.ports import Reply
from uhi.strict_json import parse

RETRY_AFTER_CAP = 3_600.0
_LONGEST_WORD = 64
_TRANSIENT = {408, 425, 429}
_RESEND_LATER = {fault.type for fault in FAULTS.values() if fault.resend is Resend.LATER}
_SIGN_AGAIN = {fault.type for fault in FAULTS.values() if fault.resend is Resend.SIGN_AGAIN}
_SIGNATURE_CODES = {fault.code for fault in FAULTS.values() if fault.resend is Resend.SIGN_AGAIN}


class Verdict(Enum):
    """What one attempt came to."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    SIGN_AGAIN = "sign again"
    LATER = "later"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Attempted:
    """One attempt read: its verdict, and what the peer said. `retry_after` is in seconds, None where not said."""

    verdict: Verdict
    status: int
    outcome: str
    code: str = ""
    retry_after: float | None = None


DELIVERED = Attempted(Verdict.DELIVERED, 200, "ACK")
EXPIRED = Attempted(Verdict.EXPIRED, 0, "expired")
"""The deadline passed before the next attempt could begin."""


def read_reply(reply: Reply | None) -> Attempted:
    """Read a peer's answer; None is no answer at all (refused, reset, timed out)."""
    if reply is None:
        return Attempted(Verdict.LATER, 0, "no answer")
    if reply.status == 200 and reply.body == ACK:
        return DELIVERED
    accepted, kind, code = _receipt(reply.body)
    if reply.status == 200 and accepted:
        return DELIVERED
    # The type alone does not tell: a message_id used twice has the same one, and a new signature would not help it.
    if code in _SIGNATURE_CODES or (reply.status == 401 and kind in _SIGN_AGAIN):
        verdict = Verdict.SIGN_AGAIN
    elif kind in _RESEND_LATER or reply.status in _TRANSIENT or reply.status >= 500:
        verdict = Verdict.LATER
    else:
        verdict = Verdict.REFUSED
    return Attempted(verdict, reply.status, kind or _unnamed(reply), code, _retry_after(reply))


def _receipt(body: bytes) -> tuple[bool, str, str]:
    try:
        receipt = read_receipt(parse(body))
    except Refusal:
        return False, "", ""
    if receipt.error is None:
        return bool(receipt.accepted), "", ""
    return bool(receipt.accepted), _word(receipt.error.type), _word(receipt.error.code)


def _word(text: str | None) -> str:
    """A peer's code as far as it may stand in a log: one printable word."""
    word = (text or "")[:_LONGEST_WORD]
    return word if word.isascii() and word.isprintable() and " " not in word else "unreadable"


def _unnamed(reply: Reply) -> str:
    return "NACK" if reply.status == 200 else f"HTTP {reply.status}"


def _retry_after(reply: Reply) -> float | None:
    text = reply.headers.get("retry-after", "")
    return min(float(text), RETRY_AFTER_CAP) if text.isascii() and text.isdigit() else None


@dataclass(frozen=True, slots=True)
class Schedule:
    """When to try again. `steps` are pauses before each further attempt; without them pauses double from `base` to
    `cap`, each drawn between nothing and that (full jitter)."""

    base: float = 0.5
    cap: float = 8.0
    steps: tuple[float, ...] = ()

    def pause(self, attempts: int, random: Random) -> float | None:
        """Seconds to wait after this many attempts; None when the schedule has ended."""
        if self.steps:
            return self.steps[attempts - 1] if attempts <= len(self.steps) else None
        return random.uniform(0, min(self.cap, self.base * 2.0 ** min(attempts, 30)))


DISCOVERY = Schedule()
"""Searches and offers: quick tries until the deadline."""

_MINUTE, _HOUR = 60.0, 3_600.0
CRITICAL = Schedule(
    steps=(
        5.0,
        30.0,
        2 * _MINUTE,
        10 * _MINUTE,
        30 * _MINUTE,
        2 * _HOUR,
        5 * _HOUR,
        10 * _HOUR,
        14 * _HOUR,
        20 * _HOUR,
        24 * _HOUR,
    )
)
"""Everything an appointment depends on: about three days, each attempt signed afresh."""

# The attempts themselves take time too, when a peer lets each of them run out.
CRITICAL_LIFE = sum(CRITICAL.steps) + _HOUR
_DISCOVERED = {"search", "slots", "on_search", "slots_found", "select", "on_select", "init", "on_init", "status"}


def schedule_of(leg_name: str) -> Schedule:
    """The schedule for a leg of the protocol."""
    return DISCOVERY if leg_name in _DISCOVERED else CRITICAL


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a delivery has come. `deadline` and `now` are Unix seconds; `signed_again` counts new signatures asked
    for by the peer."""

    attempts: int
    deadline: float
    now: float
    signed_again: int = 0


def next_pause(attempted: Attempted, schedule: Schedule, progress: Progress, random: Random) -> float | None:
    """Seconds until the next attempt, or None when there is none: delivered, refused, past the deadline, given up."""
    if attempted.verdict in (Verdict.DELIVERED, Verdict.REFUSED, Verdict.EXPIRED):
        return None
    if attempted.verdict is Verdict.SIGN_AGAIN:
        return 0.0 if progress.signed_again == 0 and progress.now <= progress.deadline else None
    pause = schedule.pause(progress.attempts, random)
    if pause is None:
        return None
    pause = max(pause, attempted.retry_after or 0.0)
    return pause if progress.now + pause <= progress.deadline else None
