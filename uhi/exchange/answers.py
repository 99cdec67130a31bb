"""The asking side: an answer finds its question, and whoever waits for it sees a copy.

`Asking` is a tap on the callbacks of one request: iterate for all until the wait ends, or await the first. The
callback's handler runs either way. Source: decision 29, UHI correlation rules.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from uhi.errors import DeliveryError, NoAnswer
from uhi.messages.wire import Wire
from uhi.ports import Clock
from uhi.verified import Declined, Thread, Verified

A = TypeVar("A", bound=Wire)
Heard = Verified[A] | Declined


@dataclass(frozen=True, slots=True)
class _End:
    """The wait is over."""


_Item = Verified[Wire] | Declined | DeliveryError | _End


@dataclass(slots=True)
class _Tap:
    queue: asyncio.Queue[_Item] = field(default_factory=asyncio.Queue)
    heard: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Taps:
    """Who waits for the answers to which request, in this process."""

    _taps: dict[str, _Tap] = field(default_factory=dict)

    def open(self, message_id: str) -> asyncio.Queue[_Item]:
        """A queue that gets every answer to this request from now on."""
        return self._taps.setdefault(message_id, _Tap()).queue

    def close(self, message_id: str) -> None:
        """Nobody waits any longer."""
        self._taps.pop(message_id, None)

    def is_open(self, message_id: str) -> bool:
        """Whether somebody waits."""
        return message_id in self._taps

    def heard(self, message_id: str) -> frozenset[str]:
        """The rows of the answers that whoever waits has been given."""
        tap = self._taps.get(message_id)
        return frozenset(tap.heard) if tap else frozenset()

    def pour(self, message_id: str, heard: Verified[Wire] | Declined | DeliveryError, *, row: str = "") -> bool:
        """Give a copy of an answer, or of the failure to ask, to whoever waits; returns whether anybody does.

        `row` is the answer's id in the journal: each is given once, whichever process brings it.
        """
        tap = self._taps.get(message_id)
        if tap is None:
            return False
        if row not in tap.heard:
            tap.queue.put_nowait(heard)
        if row:
            tap.heard.add(row)
        return True


@dataclass(frozen=True, slots=True)
class Request:
    """A request about to be sent. `wait` is in seconds from the moment of sending."""

    message_id: str
    thread: Thread
    wait: float
    what: str


async def _nowhere(message_id: str) -> None:
    """There is no other process."""


@dataclass(frozen=True, slots=True)
class Roads:
    """How a question gets out, and where answers are looked for once more before its wait is over."""

    send: Callable[[], Awaitable[None]]
    look: Callable[[str], Awaitable[None]] = _nowhere


class Asking(Generic[A]):
    """A question under way. Nothing is sent before it is iterated or awaited, and it is sent once.

    `async for answer in asking` yields each answer as it comes and ends when the wait does; `await asking` returns the
    first. Either raises DeliveryError when the question could not be handed over.
    """

    def __init__(self, request: Request, roads: Roads, taps: Taps, clock: Clock) -> None:
        self.request = request
        self._roads = roads
        self._taps = taps
        self._clock = clock
        self._is_sent = False

    @property
    def thread(self) -> Thread:
        """The conversation the question opens or goes on with."""
        return self.request.thread

    @property
    def message_id(self) -> str:
        """The id of the question; its answers echo it."""
        return self.request.message_id

    async def __aiter__(self) -> AsyncIterator[Heard[A]]:
        queue = self._taps.open(self.message_id)
        timer: asyncio.Future[None] | None = None
        try:
            if not self._is_sent:
                await self._roads.send()
                self._is_sent = True
            # Not before: whoever is told that an answer is late counts from the moment of sending.
            timer = asyncio.ensure_future(self._end_later(queue))
            while not isinstance(heard := await queue.get(), _End):
                if isinstance(heard, DeliveryError):
                    raise heard
                yield heard  # type: ignore[misc]  # the leg of the request fixed the message's kind at the door
        finally:
            if timer is not None:
                timer.cancel()
            self._taps.close(self.message_id)

    async def _end_later(self, queue: asyncio.Queue[_Item]) -> None:
        await self._clock.sleep(self.request.wait)
        await self._roads.look(self.message_id)
        queue.put_nowait(_End())

    def __await__(self) -> Generator[object, None, Heard[A]]:
        return self._first().__await__()

    async def _first(self) -> Heard[A]:
        answers = self.__aiter__()
        try:
            async for heard in answers:
                return heard
        finally:
            await answers.aclose()  # type: ignore[attr-defined]  # an async generator, typed as an iterator
        raise NoAnswer(
            f"no answer to {self.request.what} (transaction {self.thread.transaction_id})",
            got=f"nothing within {self.request.wait:g} s",
            expected="one callback",
            next_step="a later answer still reaches its handler; ask for the status, or ask again",
        )
