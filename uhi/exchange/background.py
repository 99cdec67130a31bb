"""Tasks that nobody awaits: kept until they end, their failures said in one line, ended together.

Below: `entrance.unforeseen`; above: deliveries, upkeep. One of the places where any exception is caught: what runs
again and again must not end by one bad round.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field

from uhi.errors import Refusal
from uhi.exchange.entrance import unforeseen
from uhi.ports import Clock

log = logging.getLogger(__name__)

_MOMENT = 1.0


def _quietly() -> None:
    """Nobody wants to know."""


@dataclass(slots=True)
class Background:
    """Tasks of one kind; `name` says in the log what failed, `ended` is called whenever one ends."""

    name: str
    ended: Callable[[], None] = _quietly
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Keep a piece of work until it ends."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._end)
        return task

    async def done(self) -> None:
        """Return when none is left, those that begin meanwhile included."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def stop(self) -> int:
        """Cancel what is left; returns how many that were."""
        left = len(self._tasks)
        # Again and again: before Python 3.12 a cancellation can be lost in a time limit that ends at the same moment.
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks, timeout=1)
        return left

    def _end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Exception):
            log.error("%s failed: %s", self.name, unforeseen(error))
        self.ended()


def is_being_cancelled() -> bool:
    """Whether this very task is to end, and not only something that it awaited."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def repeatedly(step: Callable[[], Awaitable[None]], name: str, clock: Clock) -> None:
    """Do something again and again; what goes wrong in one round is said, and the next one begins after a moment."""
    while True:
        try:
            await step()
        except Refusal as refusal:
            log.warning("%s is put off: %s", name, refusal)
            await clock.sleep(_MOMENT)
        except Exception as error:
            log.error("%s failed: %s", name, unforeseen(error))
            await clock.sleep(_MOMENT)
