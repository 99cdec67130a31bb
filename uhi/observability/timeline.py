"""What the hops of one transaction come to: who searched for what, who answered, how far it got, success or failure.

Pure. Above: the command `uhi calls`; below: the hops of any program's call log. Source: FRS BR-008, the record that
UHI's gateway keeps of every call.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from uhi.ports import Direction, Hop

NOTED = "noted"
"""The outcome of a hop that tells what an audit copy says, beside the hop that tells that it came."""

FINE = frozenset({"ACK", "repeated", "truncated", NOTED})
"""The outcomes of hops that did not fail; every other outcome is a failure."""


class Stage(StrEnum):
    """How far a transaction has come, in this order: a later one stands, whatever order the copies came in."""

    REQUESTED = "requested"
    RESPONDED = "responded"
    FAILED = "failed"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    MISSED = "missed"
    RENDERED = "rendered"


_ORDER = list(Stage)
_SHOWN_BY = {"search": Stage.REQUESTED, "on_search": Stage.RESPONDED}


@dataclass(frozen=True, slots=True)
class Answer:
    """One provider's part in a search. Times are Unix seconds, None where it did not happen.

    `asked` is how the last of the `attempts` to hand it the search ended, empty where the log does not say. `answers`
    were accepted from it, the first at `answered_at` with `message_id`; `refused` is why one was not.
    """

    provider: str
    asked_at: float | None = None
    asked: str = ""
    attempts: int = 0
    answered_at: float | None = None
    message_id: str = ""
    answers: int = 0
    refused: str = ""


@dataclass(frozen=True, slots=True)
class CallRecord:
    """What is known of one transaction. Times are Unix seconds, None where it did not happen.

    `acknowledgement` is what the consumer's search was answered with; `message_ids` are those of its searches.
    `reached` has the first time of each stage, in their order. `reason` tells why the call counts as failed, or is
    empty. `others` are further consumers that used the same transaction id.
    """

    transaction_id: str
    consumer_id: str
    consumer_url: str
    message_ids: tuple[str, ...]
    category: str
    received_at: float | None
    acknowledged_at: float | None
    acknowledgement: str
    answers: tuple[Answer, ...]
    reached: tuple[tuple[Stage, float], ...]
    reason: str
    others: tuple[str, ...]

    @property
    def is_success(self) -> bool:
        """Whether the call counts as a success: an answer has reached the consumer."""
        return not self.reason

    @property
    def stage(self) -> Stage | None:
        """The last stage that was reached."""
        return self.reached[-1][0] if self.reached else None

    def as_json(self) -> dict[str, object]:
        """As `uhi calls --json` prints it, its times as UTC in ISO 8601."""
        return {
            "transaction_id": self.transaction_id,
            "consumer_id": self.consumer_id,
            "consumer_url": self.consumer_url,
            "message_ids": list(self.message_ids),
            "category": self.category,
            "received": _utc(self.received_at),
            "acknowledged": _utc(self.acknowledged_at),
            "acknowledgement": self.acknowledgement,
            "answers": [_answer_json(answer) for answer in self.answers],
            "stage": self.stage,
            "reached": {stage: _utc(at) for stage, at in self.reached},
            "status": "success" if self.is_success else "failed",
            "reason": self.reason,
            "other_consumers": list(self.others),
        }


def is_fine(hop: Hop) -> bool:
    """Whether a hop did what it was for."""
    return hop.outcome in FINE


def hop_json(hop: Hop) -> dict[str, object]:
    """One hop as JSON: its time as UTC in ISO 8601, members that are empty left out."""
    value = {
        "at": _utc(hop.at),
        "direction": hop.direction.value,
        "sender": hop.sender,
        "receiver": hop.receiver,
        "action": hop.action,
        "transaction_id": hop.transaction_id,
        "message_id": hop.message_id,
        "outcome": hop.outcome,
        "status": hop.status,
        "ms": round(hop.ms, 1),
        "attempt": hop.attempt,
        "detail": hop.detail,
        "consumer_url": hop.consumer_url,
        "category": hop.category,
        "stage": hop.stage,
    }
    return {name: item for name, item in value.items() if item != ""}


def in_order(hops: Iterable[Hop]) -> list[Hop]:
    """The hops by time, what an audit copy says told with the hop that tells that it came."""
    ordered = sorted(hops, key=lambda hop: hop.at)
    came = {_copy(hop) for hop in ordered if hop.outcome == "ACK" and hop.direction is Direction.IN}
    said = {_copy(hop): hop.stage for hop in ordered if hop.outcome == NOTED}
    return [
        replace(hop, stage=said[_copy(hop)]) if hop.outcome == "ACK" and not hop.stage and _copy(hop) in said else hop
        for hop in ordered
        if hop.outcome != NOTED or _copy(hop) not in came
    ]


def call_record(hops: Sequence[Hop]) -> CallRecord:
    """What the hops of one transaction come to; at least one is needed.

    It is complete for the log of a gateway. A participant's own log tells what that participant saw.
    """
    ordered = sorted(hops, key=lambda hop: hop.at)
    searches = [hop for hop in ordered if hop.action == "search"]
    consumer = _consumer(searches)
    asked = [hop for hop in searches if hop.sender == consumer]
    accepted = next((hop for hop in asked if is_fine(hop)), None)
    first = accepted or next(iter(asked), None)
    return CallRecord(
        transaction_id=ordered[0].transaction_id,
        consumer_id=consumer,
        consumer_url=next((hop.consumer_url for hop in ordered if hop.consumer_url), ""),
        message_ids=tuple(dict.fromkeys(hop.message_id for hop in asked if hop.message_id)),
        category=next((hop.category for hop in ordered if hop.category), ""),
        received_at=first.at if first else None,
        acknowledged_at=accepted.at + accepted.ms / 1_000 if accepted else None,
        acknowledgement=first.outcome if first else "",
        answers=tuple(_answers(ordered, consumer)),
        reached=_reached(ordered),
        reason=_reason(ordered, asked),
        others=tuple(dict.fromkeys(_others(searches, consumer))),
    )


def _copy(hop: Hop) -> tuple[str, str, str]:
    return hop.sender, hop.action, hop.message_id


def _consumer(searches: Sequence[Hop]) -> str:
    """Who began: the sender of the first search that was taken, else of the first one."""
    senders = [hop.sender for hop in searches if is_fine(hop)] + [hop.sender for hop in searches]
    return next((sender for sender in senders if sender != "?"), "")


def _others(searches: Sequence[Hop], consumer: str) -> Iterator[str]:
    for hop in searches:
        if hop.direction is Direction.IN and is_fine(hop) and hop.sender != consumer:
            yield hop.sender


def _answers(ordered: Sequence[Hop], consumer: str) -> Iterator[Answer]:
    """One for each provider that a gateway asked or that answered, in the order in which they first appear."""
    found: dict[str, Answer] = {}
    for hop in ordered:
        if hop.direction is Direction.OUT and hop.action == "search" and hop.sender != consumer:
            known = found.get(hop.receiver, Answer(hop.receiver))
            found[hop.receiver] = replace(
                known, asked_at=known.asked_at or hop.at, asked=hop.outcome, attempts=max(known.attempts, hop.attempt)
            )
        elif hop.direction is Direction.IN and hop.action == "on_search" and hop.sender != "?":
            found[hop.sender] = _answered(found.get(hop.sender, Answer(hop.sender)), hop)
    yield from found.values()


def _answered(known: Answer, hop: Hop) -> Answer:
    if not is_fine(hop):
        return replace(known, refused=hop.outcome)
    if hop.outcome == "repeated" and known.answers:
        return known
    return replace(
        known,
        answered_at=hop.at if known.answered_at is None else known.answered_at,
        message_id=known.message_id or hop.message_id,
        answers=known.answers + 1,
    )


def _reached(ordered: Sequence[Hop]) -> tuple[tuple[Stage, float], ...]:
    first: dict[Stage, float] = {}
    for hop in ordered:
        stage = next((each for each in Stage if each == hop.stage), _SHOWN_BY.get(hop.action))
        if stage is not None and is_fine(hop):
            first.setdefault(stage, hop.at)
    return tuple((stage, first[stage]) for stage in _ORDER if stage in first)


def _reason(ordered: Sequence[Hop], asked: Sequence[Hop]) -> str:
    """Why the call failed, or nothing: for a search, that its answer arrived; without one, that everything did."""
    if not asked:
        failed = next((hop for hop in _last_attempts(ordered) if not is_fine(hop)), None)
        return f"{failed.action} to {failed.receiver}: {failed.outcome}" if failed else ""
    if not any(is_fine(hop) for hop in asked):
        return f"the search was not taken: {asked[-1].outcome}"
    # Whoever received the search has to pass an answer on; the consumer itself only receives it.
    way = Direction.OUT if any(hop.direction is Direction.IN for hop in asked) else Direction.IN
    answers = [hop for hop in ordered if hop.action == "on_search"]
    if any(is_fine(hop) and hop.direction is way for hop in answers):
        return ""
    return "no answer has reached the consumer" if answers else "no provider has answered"


def _last_attempts(ordered: Sequence[Hop]) -> Iterable[Hop]:
    return {(hop.direction, hop.action, hop.receiver, hop.message_id): hop for hop in ordered}.values()


def _answer_json(answer: Answer) -> dict[str, object]:
    return {
        "provider": answer.provider,
        "asked_at": _utc(answer.asked_at),
        "asked": answer.asked,
        "attempts": answer.attempts,
        "answered_at": _utc(answer.answered_at),
        "message_id": answer.message_id,
        "answers": answer.answers,
        "refused": answer.refused,
    }


def _utc(at: float | None) -> str | None:
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
