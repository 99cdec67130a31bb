"""What a program must not lose: messages it acknowledged, questions it asked, letters it promised to deliver.

`Storage` is the seam. Every write is one atomic step whose content is a value: an `Arrival`, a `Change`, an `Ending`.
Implemented in memory and on SQL by `uhi.storage`. Source: reliability rules "Receive side".
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from uhi.ports.letters import Letter, Outbox
from uhi.ports.world import Hop
from uhi.subscribers import Subscriber


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """A question on its way: what a callback must fit.

    `leg` is the request leg's name; `counterpart` the provider asked, empty for a search through the gateway.
    `until` is when its asker stops waiting, `ttl_until` the end of an explicit ttl or None; Unix seconds. At a gateway
    `asker` is the consumer whose search it is, and `cause` the journal's id of that search.
    """

    owner: str
    leg: str
    message_id: str
    transaction_id: str
    counterpart: str
    opened_at: float
    until: float
    ttl_until: float | None = None
    asker: Subscriber | None = None
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Callback:
    """What is looked for among the open requests."""

    owner: str
    leg: str
    message_id: str
    transaction_id: str
    counterpart: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One accepted message: a row of the journal, and what becomes true together with it.

    `id` is ours and sorts by time. `path_role` is the leg's name. `variant` is empty for single-shot legs and the
    body's digest for all else. `hop_header` is the hop signer's header where using it twice must be refused, else
    empty; it is remembered until `hop_expires`. `cap` bounds the differing messages of one signer, path role and
    transaction. `facts` is what the doors found out, as JSON, for taking the message up again; `authorization` the
    sender's header. After `deadline` nothing needs to follow any more; `is_finished`: nothing follows at all.
    `opens` is a request it opens (a gateway's search), `answers` the one it answers.
    """

    id: str
    receiver: str
    signer: str
    path_role: str
    message_id: str
    variant: str
    digest: str
    transaction_id: str
    received_at: float
    cap: int
    deadline: float
    body: bytes = field(repr=False)
    authorization: str = field(default="", repr=False)
    facts: bytes = field(default=b"{}", repr=False)
    hop_header: str = field(default="", repr=False)
    hop_expires: float = 0.0
    is_finished: bool = False
    opens: OpenRequest | None = None
    answers: OpenRequest | None = None


class Arrived(Enum):
    """What the journal says of an arrival."""

    NEW = "new"
    REPEATED = "repeated"
    CONFLICT = "conflict"
    REPLAYED = "replayed"
    TOO_MANY = "too many"
    ANSWERED = "answered"
    """Somebody else's message has answered the request meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A row of the journal, as it is taken up again."""

    id: str
    path_role: str
    message_id: str
    received_at: float
    deadline: float
    digest: str
    body: bytes = field(repr=False)
    authorization: str = field(repr=False)
    facts: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes true together once something has been decided.

    `finishes` is the journal's id of the message that is dealt with, empty for what we do of our own accord;
    `forgets` that its body must not be kept, but for the few minutes in which another process may want to hear it.
    `opens` is a question of ours. `hops` belong into the call log.
    """

    finishes: str = ""
    forgets: bool = False
    opens: OpenRequest | None = None
    letters: tuple[Letter, ...] = ()
    hops: tuple[Hop, ...] = ()


@dataclass(frozen=True, slots=True)
class Retention:
    """For how many seconds things are kept: bodies of what is dealt with, identities of messages, lines of the call
    log."""

    bodies: float = 7 * 86_400.0
    identities: float = 30 * 86_400.0
    calls: float = 90 * 86_400.0


class Journal(Protocol):
    """Remembers what was accepted, before the ACK."""

    async def accept(self, arrival: Arrival) -> Arrived:
        """Decide and remember in one atomic step; only NEW leaves a trace beside the hop header.

        Raises: Refusal(OVERLOADED) when it cannot remember.
        """

    async def take_up(self, *, now: float, most: int) -> Sequence[Kept]:
        """Unfinished messages that no living process works on, oldest first; they are this process's from now on.

        Those past their deadline are marked EXPIRED and not returned.
        """

    async def answers_to(self, owner: str, message_id: str, *, known: Collection[str]) -> Sequence[Kept]:
        """The answers to one of our requests, whichever process accepted them: oldest first, at most 100 at once, none
        of the rows `known`. Rows are made before they are committed, so a later look may find an earlier one."""

    async def put_off(self, row: str, *, until: float) -> None:
        """Leave an unfinished message that was taken up to whoever looks after `until`."""


class Requests(Protocol):
    """The requests we sent and the parties we talk with."""

    async def fitting(self, callback: Callback) -> OpenRequest | None:
        """The request a callback answers: the exact message_id wins (answered or not), else the same transaction and
        counterpart and the oldest request not answered yet, else None."""

    async def talks_with(self, owner: str, counterpart: str, transaction_id: str) -> bool:
        """Whether this owner asked, was answered by, or accepted a message of that counterpart in that transaction, or
        keeps an order of theirs from it."""

    async def search_of(
        self, owner: str, transaction_id: str, *, asker: str, provider: str, now: float
    ) -> OpenRequest | None:
        """The open search a gateway's letter to this provider belongs to; without an asker, the only one of the
        transaction."""


class Storage(Journal, Requests, Outbox, Protocol):
    """All of it, with one transaction for what belongs together."""

    @property
    def is_durable(self) -> bool:
        """Whether it outlives the process."""

    @property
    def is_shared(self) -> bool:
        """Whether other processes work on it at the same time."""

    async def commit(self, change: Change) -> Sequence[Letter]:
        """Make a change true in one atomic step; returns those of its letters that are this process's to send now.

        A message that was dealt with before is dealt with once: then nothing changes and no letter is returned.
        Raises: Refusal(OVERLOADED) when it cannot remember.
        """

    async def reclaim(self, *, now: float) -> None:
        """At the start: what an earlier life of this process had is free again."""

    async def release(self) -> None:
        """At the end: what this process has is anybody's."""

    async def purge(self, retention: Retention, *, now: float) -> None:
        """Forget what has been kept long enough."""
