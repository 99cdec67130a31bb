"""Programs that die: every task of a life is known, so that a crash ends them all, and none of them goes on.

What outlives a crash is what was written: storage and orders are seen through a `Disk`, each call of which may be the
last thing that a life does, before or after its work is done. Above: `simulation`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context, ContextVar
from random import Random
from typing import Any, NoReturn

from uhi.errors import Refusal
from uhi.faults import OVERLOADED

_LIFE: ContextVar[Life] = ContextVar("life")
STEPS = {"accept": 0.002, "commit": 0.002, "settle": 0.0015, "put": 0.008, "post": 0.001}
"""How likely a life ends right before or right after a step of a kind, in a storm."""
OTHER_STEPS = 0.0002
UNWRITTEN = 0.002
"""How likely a storage does not take something, in a storm."""


class Life:
    """One life of a program, from its start to its crash or stop."""

    def __init__(self, site: str, number: int, storm: Storm) -> None:
        self.site = site
        self.number = number
        self.is_over = False
        self.storm = storm
        self.tasks: dict[asyncio.Task[object], None] = {}
        self.context = Context()
        self.context.run(_LIFE.set, self)

    def spawn(self, work: Coroutine[object, object, Any]) -> asyncio.Task[Any]:
        """Begin some work of this life."""
        return asyncio.get_running_loop().create_task(work, context=self.context)

    def end(self) -> None:
        """Nothing of it goes on."""
        self.is_over = True
        for task in list(self.tasks):
            task.cancel()

    async def step(self, kind: str, when: str) -> None:
        """Whatever takes time and may be the last thing that is done."""
        if self.is_over:
            await _gone()
        if self.storm.strikes(kind):
            self.storm.crash(self, f"{when} {kind}")
            await _gone()
        pause = self.storm.pause()
        if pause:
            await asyncio.sleep(pause)


async def _gone() -> NoReturn:
    """A dead program does nothing more; its cancellation is on the way."""
    await asyncio.sleep(0)
    raise asyncio.CancelledError


def tasks_have_lives(loop: asyncio.AbstractEventLoop) -> None:
    """From now on each task belongs to the life that it was begun in."""

    def factory(loop: asyncio.AbstractEventLoop, work: Any, **named: Any) -> asyncio.Task[Any]:
        task = asyncio.Task(work, loop=loop, **named)
        context: Context | None = named.get("context")
        life = context.get(_LIFE) if context is not None else _LIFE.get(None)
        if life is not None:
            life.tasks[task] = None
            task.add_done_callback(life.tasks.pop)
            if life.is_over:
                task.cancel()
        return task

    loop.set_task_factory(factory)


class Storm:
    """What goes wrong inside programs: at random, or only `at` one of all writes and posts, by its number.

    `crash` is told which life ends, and at which step.
    """

    def __init__(self, random: Random, crash: Callable[[Life, str], None], *, at: int | None = None) -> None:
        self.random = random
        self.crash = crash
        self.at = at
        self.steps = 0
        self.is_over = False

    def strikes(self, kind: str) -> bool:
        """Whether a life ends here and now."""
        if self.is_over:
            return False
        self.steps += kind in STEPS
        if self.at is not None:
            return kind in STEPS and self.steps == self.at
        return self.random.random() < STEPS.get(kind, OTHER_STEPS)

    def refuses(self) -> bool:
        """Whether a storage takes nothing at the moment."""
        return not self.is_over and self.at is None and self.random.random() < UNWRITTEN

    def pause(self) -> float:
        """How long a step takes: most take no time worth speaking of."""
        return self.random.uniform(0.0, 0.02) if self.random.random() < 0.3 else 0.0


class Disk:
    """One life's view of what outlives it: a storage, or the orders. `write` makes a call of it, by name."""

    is_durable = True
    is_shared = False

    def __init__(self, life: Life, write: Callable[..., Awaitable[Any]]) -> None:
        self._life = life
        self._write = write

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def call(*given: Any, **named: Any) -> Any:
            await self._life.step(name, "before")
            if self._life.storm.refuses():
                raise Refusal(OVERLOADED, "the disk is away (by the test)")
            result = await self._write(name, *given, **named)
            await self._life.step(name, "after")
            return result

        return call
