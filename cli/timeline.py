"""The steps that a network's messages took, read from its call log, and how they are shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from uhi.messages.values import IST
from uhi.ports import Direction, Hop


@dataclass(frozen=True, slots=True)
class Step:
    """One message from one program to another: whether the receiver verified and took it, and how long that took."""

    action: str
    sender: str
    receiver: str
    ok: bool
    ms: float
    at: float
    outcome: str

    def as_json(self) -> dict[str, object]:
        """As `uhi demo --json` prints it."""
        return {"action": self.action, "from": self.sender, "to": self.receiver, "ok": self.ok, "ms": round(self.ms, 1)}


def steps(hops: Iterable[Hop]) -> list[Step]:
    """The messages that were sent, in order; an attempt that was repeated is a step of its own."""
    sent = sorted((hop for hop in hops if hop.direction is Direction.OUT), key=lambda hop: hop.at)
    return [step(hop) for hop in sent]


def step(hop: Hop) -> Step:
    """One hop as a step."""
    return Step(
        action=hop.action,
        sender=hop.sender,
        receiver=hop.receiver,
        ok=hop.outcome == "ACK",
        ms=hop.ms,
        at=hop.at,
        outcome=hop.outcome,
    )


def line(each: Step) -> str:
    """One step as a line: time of day in India, who to whom, what, verdict, milliseconds."""
    clock = datetime.fromtimestamp(each.at, IST).strftime("%H:%M:%S.%f")[:-3]
    verdict = "verified, ACK" if each.ok else each.outcome
    way = f"{short(each.sender)} → {short(each.receiver)}"
    return f"{clock}  {way:<34}  {each.action:<18}  {verdict:<14} {each.ms:7.1f} ms"


def short(subscriber_id: str) -> str:
    """A subscriber id without its demo domain."""
    return subscriber_id.removesuffix(".example")
