"""A clock that moves without waiting."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

START = 1_790_000_000.0
_QUIET_TURNS = 60
_QUIET_ROUNDS = 5


def _set() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


@dataclass(slots=True)
class FakeClock:
    """Implements `uhi.ports.Clock`. While somebody sleeps and nothing else happens, time jumps to the next waking.

    With `jumps=False` it moves only by `advance`. `touch` tells it that something happened; `busy` counts what is
    expected to end before it jumps, unless that sleeps on this clock itself; while it is `held` it stands still.
    """

    time: float = START
    jumps: bool = True
    busy: int = 0
    _held: int = 0
    _free: asyncio.Event = field(default_factory=_set)
    _touched: int = 0
    _sleepers: list[tuple[float, int, asyncio.Future[None]]] = field(default_factory=list)
    _numbers: count[int] = field(default_factory=count)
    _jumper: asyncio.Task[None] | None = None

    def now(self) -> float:
        """Unix time in seconds."""
        return self.time

    async def sleep(self, seconds: float) -> None:
        """Return when this clock has moved on by `seconds`."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        waking: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.time + seconds, next(self._numbers), waking))
        if self.jumps and (self._jumper is None or self._jumper.done()):
            self._jumper = asyncio.ensure_future(self._jump())
        await waking

    @contextmanager
    def held(self) -> Iterator[None]:
        """Stand still while something real, such as a database, is at work."""
        self._held += 1
        self._touched += 1
        self._free.clear()
        try:
            yield
        finally:
            self._held -= 1
            self._touched += 1
            if not self._held:
                self._free.set()

    def touch(self) -> None:
        """Something happened: wait with the next jump."""
        self._touched += 1

    async def advance(self, seconds: float) -> None:
        """Move on by `seconds`, waking everybody on the way in order, and let them run."""
        end = self.time + seconds
        while self._sleepers and self._sleepers[0][0] <= end:
            self._wake_next()
            await _let_run()
        self.time = end
        await _let_run()

    async def _jump(self) -> None:
        quiet = 0
        while self._forget_gone():
            seen = self._touched
            await self._free.wait()
            await _let_run()
            quiet = quiet + 1 if seen == self._touched else 0
            if quiet >= (_QUIET_ROUNDS if self.busy else 1) and self._forget_gone():
                self._wake_next()
                quiet = 0

    def _forget_gone(self) -> bool:
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return bool(self._sleepers)

    def _wake_next(self) -> None:
        at, _, waking = heapq.heappop(self._sleepers)
        if not waking.done():
            self.time = max(self.time, at)
            waking.set_result(None)


async def _let_run() -> None:
    for _ in range(_QUIET_TURNS):
        await asyncio.sleep(0)
