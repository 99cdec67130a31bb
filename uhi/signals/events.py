"""Events for other systems: how they are named and spelled, and a sink in memory.

Implements `uhi.ports.EventSink`. One scheme for every broker: `uhi.events`, `uhi.events.message.accepted` and so on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import orjson

from uhi.ports import Event

STREAM = "uhi.events"
"""The name that other systems read from; in NATS the subjects below it."""

MOST_KEPT = 1_000_000
"""About how many events a broker keeps for readers that come later."""


def subject_of(event: Event) -> str:
    """The subject of an event's kind: `uhi.events.message.accepted`."""
    return f"{STREAM}.{event.kind}"


def body_of(event: Event) -> bytes:
    """JSON: `id`, `kind`, `at` in ISO 8601 and UTC, `facts`."""
    at = datetime.fromtimestamp(event.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return orjson.dumps({"id": event.id, "kind": event.kind, "at": at, "facts": dict(event.facts)})


class MemoryEvents:
    """Keeps the last `most` events for tests and embedding programs; `told` is called with each as it comes."""

    def __init__(self, most: int = 1_000, *, told: Callable[[Event], None] | None = None) -> None:
        self._kept: deque[Event] = deque(maxlen=most)
        self._told = told

    @property
    def events(self) -> tuple[Event, ...]:
        """What is kept, oldest first."""
        return tuple(self._kept)

    async def publish(self, events: Sequence[Event]) -> None:
        """See `uhi.ports.EventSink`."""
        for event in events:
            self._kept.append(event)
            if self._told is not None:
                self._told(event)

    async def aclose(self) -> None:
        """See `uhi.ports.EventSink`."""
