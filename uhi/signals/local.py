"""Signals and rate windows without a server: for one process, or for several participants within one.

Implements `uhi.ports.Signals` and `uhi.ports.Windows`. Below: `sliding`.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from uhi.ports import Clock
from uhi.signals.sliding import SlidingWindow

MOST_KEYS = 100_000


class LocalBus:
    """What joins several `LocalSignals` of one process, as a server joins processes."""

    def __init__(self) -> None:
        self._members: list[LocalSignals] = []

    def join(self, member: LocalSignals) -> None:
        """From now on this one is told what the others tell."""
        self._members.append(member)

    def leave(self, member: LocalSignals) -> None:
        """No longer."""
        if member in self._members:
            self._members.remove(member)

    def tell(self, teller: LocalSignals, topic: str, text: str) -> None:
        """Let everybody but the teller hear."""
        for member in self._members:
            if member is not teller:
                member.take(topic, text)


class LocalSignals:
    """Implements `uhi.ports.Signals`. Without a bus nobody else is there, so nothing is heard."""

    def __init__(self, bus: LocalBus | None = None) -> None:
        self._bus = bus or LocalBus()
        self._hearers: dict[str, list[Callable[[str], None]]] = {}

    def tell(self, topic: str, text: str = "") -> None:
        """See `uhi.ports.Signals`."""
        self._bus.tell(self, topic, text)

    def hear(self, topic: str, heard: Callable[[str], None]) -> None:
        """See `uhi.ports.Signals`."""
        self._hearers.setdefault(topic, []).append(heard)

    async def start(self) -> None:
        """See `uhi.ports.Signals`."""
        self._bus.join(self)

    async def aclose(self) -> None:
        """See `uhi.ports.Signals`."""
        self._bus.leave(self)

    def take(self, topic: str, text: str) -> None:
        """What the bus calls: the hearers run in the loop's next turn, as they do when a server is between."""
        loop = asyncio.get_running_loop()
        for heard in self._hearers.get(topic, ()):
            loop.call_soon(heard, text)


@dataclass(slots=True)
class LocalWindows:
    """Implements `uhi.ports.Windows` for this process alone.

    Keeps the `most_keys` keys that were hit last; a key that falls out begins anew.
    """

    clock: Clock
    most_keys: int = MOST_KEYS
    _windows: OrderedDict[tuple[str, int], SlidingWindow] = field(default_factory=OrderedDict)

    async def hit(self, key: str, *, most: int, seconds: int) -> float:
        """See `uhi.ports.Windows`."""
        now = self.clock.now()
        window = self._windows.pop((key, seconds), None) or SlidingWindow(now)
        self._windows[key, seconds] = window
        if len(self._windows) > self.most_keys:
            self._windows.popitem(last=False)
        return window.hit(now, most=most, seconds=seconds)
