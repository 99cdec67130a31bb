"""A time limit for whoever waits, which cuts nothing short: what was begun comes to its end by itself.

An acceptance that is broken off half-way would be kept and never worked on. Above: `server`, `uhi.api`; below:
`exchange.entrance`. Source: security rules "Default limits" (inbound timers).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import TypeVar

from uhi.errors import Refusal
from uhi.exchange.entrance import unforeseen
from uhi.faults import OVERLOADED

T = TypeVar("T")

log = logging.getLogger(__name__)

MOST_OVERDUE = 200


@dataclass(slots=True)
class InTime:
    """Waits at most `seconds` for each answer. While `most` are overdue nothing further is begun."""

    seconds: float
    most: int = MOST_OVERDUE
    _overdue: set[asyncio.Task[object]] = field(default_factory=set, init=False, repr=False)

    async def answer(self, work: Coroutine[object, object, T]) -> T:
        """What `work` gives, or raises. It goes on when nobody waits any more, unless who waits is cancelled.

        Raises: Refusal(OVERLOADED) when it is not there in time.
        """
        if len(self._overdue) >= self.most:
            work.close()
            raise Refusal(OVERLOADED, f"{self.most} requests are overdue", next_step="send again in a moment")
        task = asyncio.get_running_loop().create_task(work)
        try:
            done, _ = await asyncio.wait((task,), timeout=self.seconds)
        except asyncio.CancelledError:
            task.cancel()
            raise
        if done:
            return task.result()
        self._overdue.add(task)
        task.add_done_callback(self._end)
        raise Refusal(OVERLOADED, "the answer is late", got=f"none within {self.seconds:g} s")

    def _end(self, task: asyncio.Task[object]) -> None:
        self._overdue.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Refusal):
            log.warning("refused when nobody waited any more: %s", error)
        elif isinstance(error, Exception):
            log.error("failed when nobody waited any more: %s", unforeseen(error))
