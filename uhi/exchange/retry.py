"""What to do after an attempt to deliver: pure decisions, no clock, no I/O.

Above: the way out; below: values of the ports. Times are seconds.
Source: reliability rules "Send side" (answers, schedules), decisions 13 and 19.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from math import inf
from random import Random

from uhi.errors import Refusal
from uhi.exchange.breakers import Health
from uhi.faults import FAULTS, REPLAYED, Resend
from uhi.messages.receipt import ACK, read_receipt
from uhi.ports import Ending, Letter, LetterState, Reply
from uhi.strict_json import parse

RETRY_AFTER_CAP = 3_600.0
_LONGEST_WORD = 64
_LEFT_ALONE = "left alone"
_UNWELL = {408, 425}
_TRANSIENT = {*_UNWELL, 429}
_RESEND_LATER = {fault.type for fault in FAULTS.values() if fault.resend is Resend.LATER}
_SIGN_AGAIN = {fault.type for fault in FAULTS.values() if fault.resend is Resend.SIGN_AGAIN}
_SIGNATURE_CODES = {fault.code for fault in FAULTS.values() if fault.resend is Resend.SIGN_AGAIN}


class Verdict(Enum):
    """What one attempt came to. After `LATER` and the first `SIGN_AGAIN` another one may follow."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    SIGN_AGAIN = "sign again"
    LATER = "later"
    EXPIRED = "expired"

    @property
    def is_end(self) -> bool:
        """Whether no further attempt follows, whatever the schedule says."""
        return self in (Verdict.DELIVERED, Verdict.REFUSED, Verdict.EXPIRED)


@dataclass(frozen=True, slots=True)
class Attempted:
    """One attempt read: its verdict, and what the peer said. `retry_after` is in seconds, None where not said."""

    verdict: Verdict
    status: int
    outcome: str
    code: str = ""
    retry_after: float | None = None

    @property
    def health(self) -> Health | None:
        """What it says of the peer; None where nothing was posted. A refusal or a full peer is well."""
        if self.verdict is Verdict.EXPIRED:
            return None
        if not self.status:
            return Health.SILENT
        return Health.ILL if self.status >= 500 or self.status in _UNWELL else Health.WELL


DELIVERED = Attempted(Verdict.DELIVERED, 200, "ACK")
NO_ANSWER = Attempted(Verdict.LATER, 0, "no answer")
EXPIRED = Attempted(Verdict.EXPIRED, 0, "expired")
"""The deadline passed before the next attempt could begin."""


def read_reply(reply: Reply | None) -> Attempted:
    """Read a peer's answer; None is no answer at all (refused, reset, timed out)."""
    if reply is None:
        return NO_ANSWER
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
    """When to try again. `steps` are pauses before each further attempt, each with up to `spread` or as much again on
    top; without steps pauses double from `base` to `cap`, each drawn between nothing and that (full jitter)."""

    base: float = 0.5
    cap: float = 8.0
    steps: tuple[float, ...] = ()
    spread: float = 300.0

    def pause(self, attempts: int, random: Random) -> float:
        """Seconds to wait after this many attempts. After the last step it is taken again: a letter's deadline ends it,
        and a letter that was hastened has attempts left until then."""
        if not self.steps:
            return random.uniform(0, min(self.cap, self.base * 2.0 ** min(attempts, 30)))
        # Drawn from above: full jitter would halve the three days that are promised.
        step = self.steps[min(attempts, len(self.steps)) - 1]
        return step + random.uniform(0, min(step, self.spread))


DISCOVERY = Schedule()
"""Searches and offers: quick tries until the deadline."""
DISCOVERY_LIFE = 30.0
"""The deadline of what is not critical and has no ttl, from its writing."""

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

# Room for attempts that run out, for what is added to the steps, and for peers that ask for an hour each time.
CRITICAL_LIFE = sum(CRITICAL.steps) + 6 * _HOUR
"""The latest deadline of a critical letter, from its writing: the schedule ends before it."""


def schedule_of(*, is_critical: bool) -> Schedule:
    """The schedule of a letter."""
    return CRITICAL if is_critical else DISCOVERY


def decide(letter: Letter, attempted: Attempted, *, now: float, random: Random, budget_pause: float = 0.0) -> Ending:
    """What becomes of a letter after one attempt: an end, or READY for the next.

    `letter` is as it was before the attempt, `now` Unix seconds; `budget_pause` is the least pause in seconds, from the
    destination's retry budget. A letter that is given up is DEAD where it is critical, for the operator to replay, and
    EXPIRED where nobody waits for it any more.
    """
    verdict = _verdict(letter, attempted)
    not_before = 0.0
    if verdict is Verdict.DELIVERED:
        state = LetterState.DELIVERED
    elif verdict is Verdict.REFUSED:
        state = LetterState.REFUSED
    else:
        not_before = now + max(_pause(letter, attempted, verdict, random), budget_pause)
        state = _ready_by(not_before, letter)
    return Ending(
        letter,
        state,
        now,
        attempts=letter.attempts + (verdict is not Verdict.EXPIRED),
        status=attempted.status,
        outcome=attempted.outcome,
        code=attempted.code,
        not_before=0.0 if state.is_end else not_before,
        signed_again=letter.signed_again + 1 if verdict is Verdict.SIGN_AGAIN else 0,
    )


def _verdict(letter: Letter, attempted: Attempted) -> Verdict:
    """A new signature is made once in a row. A second one that the peer has seen before, made by an earlier life of
    this process within the same second, is not wrong: there is another one later."""
    if attempted.verdict is not Verdict.SIGN_AGAIN or not letter.signed_again:
        return attempted.verdict
    return Verdict.LATER if attempted.outcome == REPLAYED.type else Verdict.REFUSED


def postponed(letter: Letter, *, now: float, until: float) -> Ending:
    """What becomes of a letter whose destination is left alone until a time: no attempt was made, so none is counted.

    One that does not live so long is given up at once.
    """
    state = _ready_by(until, letter)
    return Ending(
        letter,
        state,
        now,
        attempts=letter.attempts,
        outcome=_LEFT_ALONE,
        not_before=0.0 if state.is_end else until,
        signed_again=letter.signed_again,
    )


def _pause(letter: Letter, attempted: Attempted, verdict: Verdict, random: Random) -> float:
    """Seconds until the next attempt; without end when there is none. A new signature costs no step of the schedule."""
    if verdict is Verdict.SIGN_AGAIN:
        return 0.0
    if verdict is Verdict.EXPIRED:
        return inf
    pause = schedule_of(is_critical=letter.is_critical).pause(letter.attempts + 1 - letter.signed_again, random)
    return max(pause, attempted.retry_after or 0.0)


def _ready_by(not_before: float, letter: Letter) -> LetterState:
    if not_before <= letter.deadline:
        return LetterState.READY
    return LetterState.DEAD if letter.is_critical else LetterState.EXPIRED
