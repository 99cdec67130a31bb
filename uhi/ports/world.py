"""Time, network, registry, entrances and call log, as the protocol core sees them."""

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


class Fetch(Protocol):
    """One GET, once, by the rules of `Transport`."""

    async def get(self, url: str, *, timeout: float, longest: int = 65_536) -> Reply:
        """The answer, of which at most `longest` bytes are read, all within `timeout` seconds.

        Raises: DeliveryError as `Transport.post`.
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

    async def check_head(self, inbound: Inbound, *, size: int | None) -> Reply | None:
        """The NACK for a request that is refused before its body is read, else None; never raises.

        `inbound` has no body yet, of which `size` bytes are still to come: 0 when it is there, None where nobody says.
        """

    async def take(self, inbound: Inbound) -> Reply:
        """Decide on one message and return the whole HTTP answer; never raises."""

    def refuse(self, refusal: Refusal, path: str = "") -> Reply:
        """The NACK for something the server itself refuses (size, time, method, unknown path); logs it."""


class Direction(Enum):
    """Which way a hop went, seen from the program that writes it."""

    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Hop:
    """One line of a call log: who, what, when, outcome; never a body.

    `at` is Unix seconds, `ms` how long the hop took. `outcome` is `ACK`, `repeated` or an error type; `attempt` counts
    from 1. `detail` is the operator's text of a refusal, `address` where it came from. A gateway also tells the address
    of the `consumer`, the `category` that is searched in, and the `stage` an order has reached (requested, responded,
    confirmed, rendered).
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
    consumer_url: str = ""
    category: str = ""
    stage: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Description:
    """What a gateway's hop tells beside the rest; each is empty where the message does not tell."""

    consumer_url: str = ""
    category: str = ""
    stage: str = ""


class CallLog(Protocol):
    """Takes every hop a program makes or receives."""

    def write(self, hop: Hop) -> None:
        """Must not raise and must not wait."""
