"""Signals over one connection: told in batches, heard, kept alive, and opened again when it is lost.

Below: a `Way` to a server, made by `redis` and `postgres`. What is told while nothing is open waits, bounded; what
others tell meanwhile is not heard, which the port allows.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Protocol
from uuid import uuid4

from uhi.ports import Clock
from uhi.signals import payloads

log = logging.getLogger(__name__)

MOST_WAITING = 10_000
_LONGEST_TEXT = 1_000
_STEP_SECONDS = 5.0
_QUIET_SECONDS = 15.0
_START_SECONDS = 2.0
_PAUSE_BASE = 0.1
_PAUSE_CAP = 5.0


@dataclass(frozen=True, slots=True)
class Ears:
    """What an open connection calls: with the topic and payload it got, and once when it is lost."""

    heard: Callable[[str, str], None]
    lost: Callable[[], None]


class Line(Protocol):
    """One open connection. Every call may raise what its `Way` names as failures, but `aclose`."""

    async def listen(self, topics: Sequence[str]) -> None:
        """Get what is told of these topics from now on."""

    async def send(self, told: Sequence[tuple[str, str]]) -> None:
        """Hand over pairs of topic and payload."""

    async def check(self) -> None:
        """Return when the other side has answered; it is called when nothing was told for a while."""

    async def aclose(self) -> None:
        """Hang up; never raises."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a server is reached: its name for logs, how a connection is opened, what then may go wrong (OSError, which
    being late is, among it), and how many bytes a payload may have."""

    name: str
    open: Callable[[Ears], Awaitable[Line]]
    failures: tuple[type[Exception], ...]
    longest: int


class LineSignals:
    """Implements `uhi.ports.Signals` on a `Way`.

    `instance` is how this process knows what it told itself; it must be its own.
    """

    def __init__(self, way: Way, *, clock: Clock, instance: str = "", random: Random | None = None) -> None:
        self._way = way
        self._clock = clock
        self._instance = instance or uuid4().hex
        self._random = random or Random()  # noqa: S311  # jitter, no secret
        self._hearers: dict[str, list[Callable[[str], None]]] = {}
        self._listened: set[str] = set()
        self._waiting: dict[tuple[str, str], None] = {}
        self._woken = asyncio.Event()
        self._up = asyncio.Event()
        self._is_lost = False
        self._is_stopping = False
        self._failures = 0
        self._task: asyncio.Task[None] | None = None

    @property
    def is_up(self) -> bool:
        """Whether it hears at this moment."""
        return self._up.is_set()

    def tell(self, topic: str, text: str = "") -> None:
        """See `uhi.ports.Signals`. The same text told twice before it is sent is sent once."""
        if not payloads.is_one_line(text, longest=_LONGEST_TEXT):
            log.error("a signal of %s is not one short line and is not told", topic)
            return
        if len(self._waiting) >= MOST_WAITING:
            del self._waiting[next(iter(self._waiting))]
        self._waiting[topic, text] = None
        self._woken.set()

    def hear(self, topic: str, heard: Callable[[str], None]) -> None:
        """See `uhi.ports.Signals`."""
        self._hearers.setdefault(topic, []).append(heard)
        self._woken.set()

    async def start(self) -> None:
        """See `uhi.ports.Signals`. Returns when it hears, or after two seconds without: it goes on trying."""
        if self._task is None:
            self._task = asyncio.ensure_future(self._run())
        with suppress(TimeoutError):
            async with asyncio.timeout(_START_SECONDS):
                await self._up.wait()

    async def aclose(self) -> None:
        """See `uhi.ports.Signals`. What was told before is still sent where the server is there."""
        self._is_stopping = True
        self._woken.set()
        task, self._task = self._task, None
        if task is None:
            return
        if not self.is_up:
            task.cancel()
        await asyncio.wait({task})

    async def _run(self) -> None:
        while not self._is_stopping:
            try:
                await self._hold()
            except self._way.failures as error:
                await self._wait_after(error)

    async def _wait_after(self, error: Exception) -> None:
        self._failures += 1
        if self._failures == 1:
            reason = type(error).__name__
            log.warning("signals do not go through %s, which is tried again: %s", self._way.name, reason)
        if not self._is_stopping:
            await self._clock.sleep(pause(self._failures, self._random))

    async def _hold(self) -> None:
        """Open a line and use it until it fails, or nobody needs it any longer."""
        self._is_lost = False
        self._listened.clear()
        async with asyncio.timeout(_STEP_SECONDS):
            line = await self._way.open(Ears(self._heard, self._lost))
        try:
            await self._listen(line)
            self._failures = 0
            self._up.set()
            log.info("signals go through %s", self._way.name)
            await self._use(line)
        finally:
            self._up.clear()
            await line.aclose()

    async def _use(self, line: Line) -> None:
        while True:
            self._woken.clear()
            await self._listen(line)
            await self._send(line)
            if self._is_stopping:
                return
            await self._until_woken(line)
            if self._is_lost:
                raise ConnectionResetError("the connection was lost")

    async def _until_woken(self, line: Line) -> None:
        while not self._woken.is_set():
            try:
                async with asyncio.timeout(_QUIET_SECONDS):
                    await self._woken.wait()
            except TimeoutError:
                async with asyncio.timeout(_STEP_SECONDS):
                    await line.check()

    async def _listen(self, line: Line) -> None:
        topics = [topic for topic in self._hearers if topic not in self._listened]
        if topics:
            async with asyncio.timeout(_STEP_SECONDS):
                await line.listen(topics)
            self._listened.update(topics)

    async def _send(self, line: Line) -> None:
        told, self._waiting = self._waiting, {}
        if not told:
            return
        try:
            async with asyncio.timeout(_STEP_SECONDS):
                await line.send(self._written(told))
        except self._way.failures:
            self._waiting = told | self._waiting
            raise

    def _written(self, told: dict[tuple[str, str], None]) -> list[tuple[str, str]]:
        texts: dict[str, list[str]] = {}
        for topic, text in told:
            texts.setdefault(topic, []).append(text)
        return [
            (topic, payload)
            for topic, of_topic in texts.items()
            for payload in payloads.write(self._instance, of_topic, longest=self._way.longest)
        ]

    def _heard(self, topic: str, payload: str) -> None:
        instance, texts = payloads.read(payload)
        if instance == self._instance:
            return
        loop = asyncio.get_running_loop()
        for heard in self._hearers.get(topic, ()):
            for text in texts:
                # In a turn of its own, so that a hearer that fails takes neither the line nor another hearer with it.
                loop.call_soon(heard, text)

    def _lost(self) -> None:
        self._is_lost = True
        self._woken.set()


def pause(failures: int, random: Random) -> float:
    """Seconds before the next try: longer with every failure in a row, jittered, so that processes spread out."""
    return random.uniform(_PAUSE_BASE / 2, min(_PAUSE_CAP, _PAUSE_BASE * 2.0 ** min(failures, 10)))
