"""Letters: bodies on their way to one subscriber, how an attempt left them, and the seam that keeps them.

Above: `storage`, which keeps them together with what they follow from. Source: reliability rules "Send side".
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from uhi.subscribers import Subscriber


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A body on its way to one subscriber: a row of the outbox. The bytes are final; `digest` is their base64
    BLAKE2b-512.

    `id` sorts by time. `cause` is the journal's id of the message it follows from, empty for our own; one cause has one
    letter for each receiver and path. Letters of one `line` are delivered one after another. `is_critical` letters are
    tried for days, others until `deadline`; a lower `priority` goes first. `kept` is a sender's `Authorization` that a
    relay passes on; then ours is the gateway's. `order_id` is the order it is about, if any. `is_secret`: its body is
    forgotten once it has come to an end other than DEAD. `attempts` have been made, the last `signed_again` of them
    because the peer asked for a new signature.
    """

    id: str
    to: Subscriber
    path: str
    digest: str
    transaction_id: str
    message_id: str
    deadline: float
    body: bytes = field(repr=False)
    not_before: float = 0.0
    is_critical: bool = False
    is_relayed: bool = False
    priority: int = 3
    line: str = ""
    cause: str = ""
    order_id: str = ""
    is_secret: bool = False
    kept: str = field(default="", repr=False)
    attempts: int = 0
    signed_again: int = 0


class LetterState(Enum):
    """How far a letter has come; the last four are ends."""

    READY = "READY"
    LEASED = "LEASED"
    DELIVERED = "DELIVERED"
    REFUSED = "REFUSED"
    EXPIRED = "EXPIRED"
    DEAD = "DEAD"

    @property
    def is_end(self) -> bool:
        """Whether nothing more happens by itself."""
        return self not in (LetterState.READY, LetterState.LEASED)


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt left its letter: delivered, given up, or READY for the next attempt at `not_before`.

    `attempts` have been made by then. `status` is the peer's HTTP status (0: none), `outcome` its error type or ours,
    `code` its error code.
    """

    letter: Letter = field(repr=False)
    state: LetterState
    at: float
    attempts: int = 0
    status: int = 0
    outcome: str = ""
    code: str = ""
    not_before: float = 0.0
    signed_again: int = 0


@dataclass(frozen=True, slots=True)
class Leased:
    """Letters that are this process's to send now, and when the next one is due (Unix seconds, None: none waits)."""

    letters: tuple[Letter, ...] = ()
    next_due: float | None = None


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits: letters not delivered and their bytes, the oldest one due (Unix seconds), messages not dealt with."""

    letters: int = 0
    size: int = 0
    oldest_due: float | None = None
    unfinished: int = 0


@dataclass(frozen=True, slots=True)
class Tripped:
    """The breaker of one destination: open until a time (Unix seconds), after so many trips in a row; 0 trips: shut."""

    destination: str
    until: float
    trips: int


class Outbox(Protocol):
    """The letters, and who sends them."""

    async def lease(self, *, now: float, most: int, without: Collection[str] = ()) -> Leased:
        """Take letters that are due, most urgent first, none to the destinations `without`; of a line only the
        first."""

    async def waiting_for(self) -> Collection[str]:
        """The destinations of letters that wait for a further attempt."""

    async def hasten(self, destination: str, *, now: float) -> None:
        """A destination is there again: what waits for a further attempt to it is due now."""

    async def settle(self, ending: Ending) -> None:
        """Write down how an attempt ended; a letter that this process no longer has is left as it is."""

    async def renew(self, *, now: float) -> None:
        """This process lives: what it has stays its own."""

    async def backlog(self, *, now: float) -> Backlog:
        """What waits, of all processes."""

    async def trip(self, tripped: Tripped) -> None:
        """Remember a breaker."""

    async def tripped(self) -> Sequence[Tripped]:
        """Every breaker that is not shut."""
