"""Every seam of the library: what the protocol core asks of the world, and nothing about how it is done.

Above: the doors in `uhi.exchange`; below: values. Each Protocol has an in-memory implementation that ships with the
library and a real one in an adapter package (`uhi.http`, `uhi.registry`, `uhi.storage`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from uhi.errors import Refusal
from uhi.subscribers import KeyRef, Record, Role, Subscriber


class Clock(Protocol):
    """Time as the library sees it; a fake one moves without waiting."""

    def now(self) -> float:
        """Unix time in seconds."""

    async def sleep(self, seconds: float) -> None:
        """Return when `seconds` have passed on this clock."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a peer answered to a POST: HTTP status, the headers we read (lower-case names), at most 64 KiB of body."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)


class Transport(Protocol):
    """One POST, once. No retries, no redirects, no proxies, no cookies, no decompression."""

    async def post(self, url: str, *, body: bytes, headers: Mapping[str, str], timeout: float) -> Reply:
        """Send exactly these bytes and return the answer, all within `timeout` seconds.

        Raises: DeliveryError when no answer came: refused, reset, timed out, too large, or an address not allowed.
        """


class Registry(Protocol):
    """The network's word on who is who."""

    async def record(self, ref: KeyRef, *, fresh: bool = False) -> Record:
        """The subscriber and key behind a signature, whatever its status.

        `fresh` asks past a cache (after a failed verification); implementations limit how often that is honoured.
        Raises: Refusal(SUBSCRIBER_UNKNOWN), Refusal(REGISTRY_AWAY).
        """

    async def subscriber(self, subscriber_id: str, role: Role) -> Subscriber:
        """The entry of one subscriber in one role, for its address.

        Raises: Refusal(SUBSCRIBER_UNKNOWN), Refusal(REGISTRY_AWAY).
        """


class ProviderDirectory(Protocol):
    """The gateway's list of providers."""

    async def providers(self, domain: str, country: str) -> Sequence[Subscriber]:
        """Every SUBSCRIBED provider registered for the domain and country, in a stable order.

        Raises: Refusal(REGISTRY_AWAY).
        """


READ_HEADERS = (
    "authorization",
    "x-gateway-authorization",
    "proxy-authorization",
    "digest",
    "content-type",
    "content-encoding",
)
"""The request headers that mean something to an entrance; a server passes on these and no others."""


@dataclass(frozen=True, slots=True)
class Inbound:
    """A POST as it came, before anything is believed.

    `path` is what follows the base URL, without slashes at its ends (`search`, `lookup/providers`). `headers` holds
    every value of each of `READ_HEADERS` that came, by lower-case name. `address` is the peer's address, for logs.
    """

    path: str
    headers: Mapping[str, tuple[str, ...]] = field(repr=False)
    body: bytes = field(repr=False)
    address: str = ""


class Entrance(Protocol):
    """What a server is in front of: a participant, a gateway or a registry."""

    @property
    def paths(self) -> Mapping[str, int]:
        """The paths served, each with the most bytes its body may have."""

    async def take(self, inbound: Inbound) -> Reply:
        """Decide on one message and return the whole HTTP answer; never raises."""

    def refuse(self, refusal: Refusal, path: str = "") -> Reply:
        """The NACK for something the server itself refuses (size, time, method, unknown path); logs it."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """The identity of one accepted message: the row of the journal.

    `path_role` is the leg's name. `variant` is empty for single-shot legs and the body's digest for all else.
    `hop_header` is the hop signer's header value where using it twice must be refused, else empty; it is remembered
    until `hop_expires`. `cap` bounds the differing messages of one signer, path role and transaction.
    """

    receiver: str
    signer: str
    path_role: str
    message_id: str
    variant: str
    digest: str
    transaction_id: str
    received_at: float
    cap: int
    hop_header: str = field(default="", repr=False)
    hop_expires: float = 0.0


class Arrived(Enum):
    """What the journal says of an arrival."""

    NEW = "new"
    REPEATED = "repeated"
    CONFLICT = "conflict"
    REPLAYED = "replayed"
    TOO_MANY = "too many"


class Journal(Protocol):
    """Remembers what was accepted, before the ACK."""

    async def accept(self, arrival: Arrival) -> Arrived:
        """Decide and remember in one atomic step; only NEW leaves a trace beside the hop header.

        Raises: Refusal(OVERLOADED) when it cannot remember.
        """

    async def knows(self, receiver: str, counterpart: str, transaction_id: str) -> bool:
        """Whether this receiver ever accepted a message of that counterpart in that transaction."""


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """A question on its way: what a callback must fit.

    `leg` is the request leg's name; `counterpart` the provider asked, empty for a search through the gateway.
    `until` is when its asker stops waiting, `ttl_until` the end of an explicit ttl or None; Unix seconds.
    """

    owner: str
    leg: str
    message_id: str
    transaction_id: str
    counterpart: str
    opened_at: float
    until: float
    ttl_until: float | None = None


@dataclass(frozen=True, slots=True)
class Callback:
    """What is looked for among the open requests."""

    owner: str
    leg: str
    message_id: str
    transaction_id: str
    counterpart: str


class Conversations(Protocol):
    """The requests we sent and the parties we talk with."""

    async def open(self, request: OpenRequest) -> None:
        """Remember a request before it is sent."""

    async def fitting(self, callback: Callback) -> OpenRequest | None:
        """The request a callback answers: the exact message_id wins (answered or not), else the same transaction and
        counterpart and the oldest request not answered yet, else None."""

    async def answered(self, request: OpenRequest, callback: Callback) -> None:
        """Remember that a request found its answer, who gave it, and under which message_id, should it come again."""

    async def talks_with(self, owner: str, counterpart: str, transaction_id: str) -> bool:
        """Whether this owner asked, or was answered by, that counterpart in that transaction."""


class Direction(Enum):
    """Which way a hop went, seen from the program that writes it."""

    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Hop:
    """One line of a call log: who, what, when, outcome; never a body.

    `at` is Unix seconds, `ms` how long the hop took. `outcome` is `ACK`, `repeated` or an error type; `attempt` counts
    from 1. `detail` is the operator's text of a refusal.
    """

    at: float
    direction: Direction
    sender: str
    receiver: str
    action: str
    transaction_id: str
    message_id: str
    outcome: str
    status: int
    ms: float
    attempt: int = 1
    detail: str = ""


class CallLog(Protocol):
    """Takes every hop a program makes or receives."""

    def write(self, hop: Hop) -> None:
        """Must not raise and must not wait."""


__all__ = [
    "READ_HEADERS",
    "Arrival",
    "Arrived",
    "CallLog",
    "Callback",
    "Clock",
    "Conversations",
    "Direction",
    "Entrance",
    "Hop",
    "Inbound",
    "Journal",
    "OpenRequest",
    "ProviderDirectory",
    "Registry",
    "Reply",
    "Transport",
]
