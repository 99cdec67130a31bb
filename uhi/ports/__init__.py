"""Every seam of the library: what the protocol core asks of the world, and nothing about how it is done.

Above: the doors in `uhi.exchange`; below: values. Each Protocol has an in-memory implementation that ships with the
library and a real one in an adapter package (`uhi.http`, `uhi.registry`, `uhi.storage`).
"""

from uhi.ports.letters import Backlog, Ending, Leased, Letter, LetterState, Outbox, Tripped
from uhi.ports.signals import ANSWERS, LETTERS, REGISTRY, Event, EventSink, Signals, Windows
from uhi.ports.storage import (
    Arrival,
    Arrived,
    Callback,
    Change,
    Journal,
    Kept,
    OpenRequest,
    Requests,
    Retention,
    Storage,
)
from uhi.ports.world import (
    READ_HEADERS,
    CallLog,
    Clock,
    Description,
    Direction,
    Entrance,
    Fetch,
    Hop,
    Inbound,
    ProviderDirectory,
    Registry,
    Reply,
    Transport,
)

__all__ = [
    "ANSWERS",
    "LETTERS",
    "READ_HEADERS",
    "REGISTRY",
    "Arrival",
    "Arrived",
    "Backlog",
    "CallLog",
    "Callback",
    "Change",
    "Clock",
    "Description",
    "Direction",
    "Ending",
    "Entrance",
    "Event",
    "EventSink",
    "Fetch",
    "Hop",
    "Inbound",
    "Journal",
    "Kept",
    "Leased",
    "Letter",
    "LetterState",
    "OpenRequest",
    "Outbox",
    "ProviderDirectory",
    "Registry",
    "Reply",
    "Requests",
    "Retention",
    "Signals",
    "Storage",
    "Transport",
    "Tripped",
    "Windows",
]
