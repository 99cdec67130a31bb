"""An event loop on which time passes only when nobody has anything to do, and then at once, up to the next timer.

No socket, no thread, no real second: what runs on it takes the same course each time. Above: `simulation`.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import TypeVar

from uhi.testing.clock import START

T = TypeVar("T")


class Standstill(Exception):
    """Everybody waits, and nobody for a time."""


class _Nothing(selectors.SelectSelector):
    """Waits for no file: to wait is to move the time on."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Standstill
        self.now += max(timeout, 0.0)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Begins at 0.0 seconds."""

    def __init__(self) -> None:
        self._nothing = _Nothing()
        super().__init__(self._nothing)

    def time(self) -> float:
        """See `asyncio.AbstractEventLoop`."""
        return self._nothing.now


def run(main: Coroutine[object, object, T]) -> T:
    """Run on a loop of its own to the end."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


class SiteClock:
    """The clock of one machine: set wrong by `off` seconds, which steps; its sleeps are of the right length.

    Implements `uhi.ports.Clock`.
    """

    def __init__(self) -> None:
        self.off = 0.0

    def now(self) -> float:
        """Unix seconds, as this machine believes."""
        return START + asyncio.get_running_loop().time() + self.off

    async def sleep(self, seconds: float) -> None:
        """See `uhi.ports.Clock`."""
        await asyncio.sleep(max(seconds, 0.0))
