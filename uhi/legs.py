"""What the protocol is made of: legs, one per direction, and the three kinds of action that legs make.

Above: `actions`, which has them all; below: messages and subscribers. Source: UHI endpoints, reliability rules
"Send side" and "Backpressure" (what matters more).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, TypeVar

from uhi.faults import Outcome
from uhi.messages.wire import Wire
from uhi.subscribers import Role

M = TypeVar("M", bound=Wire)
M_co = TypeVar("M_co", bound=Wire, covariant=True)
Q = TypeVar("Q", bound=Wire)
A = TypeVar("A", bound=Wire)

KIB = 1024
Check = Callable[[Wire], None]


class Urgency(Enum):
    """How much hangs on a message; the value is its priority, 0 goes first.

    ORDER: an appointment depends on it, so it is tried for days. ASKED: somebody waits to hear how an order stands.
    OFFER: an offer in the making. SEARCH: one of many. The last three are tried until their deadline, and asked again.
    """

    ORDER = 0
    ASKED = 1
    OFFER = 2
    SEARCH = 3

    @property
    def is_critical(self) -> bool:
        """Whether it is tried for days and not only until somebody has stopped waiting."""
        return self is Urgency.ORDER

    @property
    def priority(self) -> int:
        """0 to 3; where places are short, the lower goes first."""
        return self.value


@dataclass(frozen=True, slots=True)
class Limits:
    """What one direction of an action may cost: body bytes, JSON nodes, and differing messages per transaction."""

    body: int = 256 * KIB
    nodes: int = 20_000
    per_transaction: int = 50


ORDINARY = Limits()
CATALOGUE = Limits(body=4096 * KIB, nodes=250_000, per_transaction=20)
CHAT = Limits(body=8192 * KIB, per_transaction=1_000)


@dataclass(frozen=True, slots=True)
class Leg(Generic[M_co]):
    """One direction of an action: what arrives at `path`, from whom, for whom.

    `name` tells apart what shares a path (first and second search). `accepts` are the values of `context.action` taken;
    the first is the one written. `forwarded` legs come through the gateway and carry its header. A `single_shot` leg
    takes one body per message_id. `answers` names the leg it is the callback of; `audit` is the path of its copy.
    `check` is a pure test for what must be refused before the ACK. `urgency` has no default: what a new leg is worth
    must be said.
    """

    name: str
    path: str
    kind: type[M_co]
    senders: tuple[Role, ...]
    receiver: Role
    urgency: Urgency = field(kw_only=True)
    accepts: tuple[str, ...] = ()
    forwarded: bool = False
    single_shot: bool = False
    answers: str = ""
    audit: str = ""
    has_context: bool = True
    limits: Limits = ORDINARY
    check: Check | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Decline:
    """What a handler returns when the business answer is no: it travels as the callback's `error`.

    `message` goes beside the error where the protocol wants both: on_confirm tells a FAILED order and why.
    """

    outcome: Outcome
    text: str = ""
    message: Wire | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Question(Generic[Q, A]):
    """An action with exactly one answer: the provider owes the consumer a callback."""

    request: Leg[Q]
    answer: Leg[A]


@dataclass(frozen=True, slots=True)
class Broadcast(Generic[Q, A]):
    """An action that may stay unanswered, and may be answered by many."""

    request: Leg[Q]
    answer: Leg[A]


@dataclass(frozen=True, slots=True)
class Notice(Generic[M]):
    """News without an answer."""

    leg: Leg[M]
