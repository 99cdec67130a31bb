"""What conversations tell as it happens, as an async iterator that several may read.

Above: `conversations`. What a reader misses stands in the conversation; a signal of a call that nobody reads is gone.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import TypeAlias
from weakref import WeakSet

from uhi.conversation.messages import Message, Signal

LONGEST_QUEUE = 1_000

Heard: TypeAlias = Message | Signal


class Listener:
    """Messages and signals from now on; iterate. Of a reader that falls more than a thousand behind the oldest is
    dropped."""

    def __init__(self) -> None:
        self._waiting: deque[Heard] = deque(maxlen=LONGEST_QUEUE)
        self._something = asyncio.Event()

    def __aiter__(self) -> AsyncIterator[Heard]:
        return self

    async def __anext__(self) -> Heard:
        while not self._waiting:
            self._something.clear()
            await self._something.wait()
        return self._waiting.popleft()

    def put(self, heard: Heard) -> None:
        """Append."""
        self._waiting.append(heard)
        self._something.set()


class Listeners:
    """Everybody who listens; one that is gone is forgotten."""

    def __init__(self) -> None:
        self._all: WeakSet[Listener] = WeakSet()

    def join(self) -> Listener:
        """A new listener."""
        listener = Listener()
        self._all.add(listener)
        return listener

    def tell(self, heard: Heard) -> None:
        """Tell everybody."""
        for listener in tuple(self._all):
            listener.put(heard)
