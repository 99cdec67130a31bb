"""What the first six steps need to know: who we are, whom we ask, and how strict the network is."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from uhi.ports import Clock, Registry
from uhi.signing import Window
from uhi.subscribers import Role


class SendersSignature(Enum):
    """Whether the sender's own signature must have survived the gateway on forwarded messages."""

    REQUIRED = "required"
    IF_PRESENT = "if-present"


@dataclass(frozen=True, slots=True)
class Trust:
    """Our own identity and the sources of trust behind a door."""

    subscriber_id: str
    role: Role
    registry: Registry
    clock: Clock
    window: Window = field(default_factory=Window)
    senders_signature: SendersSignature = SendersSignature.REQUIRED
