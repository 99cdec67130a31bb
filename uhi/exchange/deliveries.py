"""Parcels under way in this process, as tasks.

In memory: what is under way when the process dies is lost. Above: participants and the gateway; below: `send`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress

from uhi.exchange.entrance import unforeseen
from uhi.exchange.retry import Attempted
from uhi.exchange.send import Exit, Parcel, deliver

log = logging.getLogger(__name__)

MOST_WAITING = 10_000

Ended = Callable[[Parcel, Attempted], None]


class Deliveries:
    """Runs deliveries, and other work that follows an ACK, in the background."""

    def __init__(self, way_out: Exit) -> None:
        self.way_out = way_out
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def waiting(self) -> int:
        """How many pieces of work have not ended."""
        return len(self._tasks)

    @property
    def is_full(self) -> bool:
        """Whether so much is under way that no more should be promised."""
        return len(self._tasks) >= MOST_WAITING

    def start(self, parcel: Parcel, *, ended: Ended | None = None) -> None:
        """Deliver in the background; `ended` is told how the last attempt went."""
        self.spawn(self._run(parcel, ended))

    def spawn(self, work: Coroutine[object, object, None]) -> None:
        """Keep a piece of background work until it ends."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Exception):
            log.error("work after an ACK failed: %s", unforeseen(error))

    async def _run(self, parcel: Parcel, ended: Ended | None) -> None:
        attempted = await deliver(parcel, self.way_out)
        if ended is not None:
            ended(parcel, attempted)

    async def idle(self) -> None:
        """Return when nothing is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def drain(self, seconds: float) -> int:
        """Wait up to `seconds` for what is under way and what follows from it, then give up on the rest; returns how
        many were given up."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.idle()
        left = list(self._tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        if left:
            log.warning("%d deliveries were given up at the end of the process", len(left))
        return len(left)
