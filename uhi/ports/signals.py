"""What processes tell one another, and what other systems are told.

Nothing here may be the only copy of anything: a signal that is lost costs time, never a message. Implemented in memory,
on Redis and on PostgreSQL's NOTIFY by `uhi.signals`; events go to Redis Streams or NATS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

LETTERS = "letters"
"""Letters are due. The text is empty."""
ANSWERS = "answers"
"""An answer was accepted. The text is the message id of the request."""
REGISTRY = "registry"
"""What is cached of a registry is out of date. The text is a subscriber's id, or the changes that were pushed."""


class Signals(Protocol):
    """Short texts from one process of a program to all of its others."""

    def tell(self, topic: str, text: str = "") -> None:
        """Tell the others; must not raise and must not wait."""

    def hear(self, topic: str, heard: Callable[[str], None]) -> None:
        """Call `heard` with the text whenever another process tells something of this topic."""

    async def start(self) -> None:
        """Begin to hear; connects again by itself when the connection is lost."""

    async def aclose(self) -> None:
        """Stop hearing."""


class Windows(Protocol):
    """How often something happened lately, counted over all processes."""

    async def hit(self, key: str, *, most: int, seconds: int) -> float:
        """Count one more; returns 0 within the limit, else after how many seconds there is room again."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something other systems may want to know: `message.accepted`, `message.delivered`, `appointment.changed`.

    `id` is unique and sorts by time; `at` is Unix seconds. `facts` are ids, actions and states, never a patient's.
    """

    id: str
    kind: str
    at: float
    facts: Mapping[str, str] = field(default_factory=dict)


class EventSink(Protocol):
    """Where events go: at least once, in order."""

    async def publish(self, events: Sequence[Event]) -> None:
        """Return when the other system has them.

        Raises: DeliveryError when it does not take them; then they are offered again.
        """

    async def aclose(self) -> None:
        """Close the connection."""
