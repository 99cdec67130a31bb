"""Bulkheads: at most so many posts under way per destination and in all, so that a slow peer delays nobody else.

Held for one attempt, never through a pause. Source: reliability rules, "Breakers and bulkheads".
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

PER_DESTINATION = 8
IN_ALL = 256
FOR_SILENT = 32
_MOST_REMEMBERED = 10_000


class Lanes:
    """The posts one program has under way."""

    def __init__(self, *, per_destination: int = PER_DESTINATION, in_all: int = IN_ALL) -> None:
        self._per_destination = per_destination
        self._all = asyncio.Semaphore(in_all)
        self._few = asyncio.Semaphore(min(FOR_SILENT, in_all))
        self._silent: set[str] = set()
        self._lanes: dict[str, asyncio.Semaphore] = {}
        self._users: dict[str, int] = {}

    @asynccontextmanager
    async def to(self, destination: str) -> AsyncIterator[None]:
        """Wait for a free place to this destination, and hold it."""
        lane = self._lanes.setdefault(destination, asyncio.Semaphore(self._per_destination))
        self._users[destination] = self._users.get(destination, 0) + 1
        try:
            async with lane, self._few if destination in self._silent else self._all:
                yield
        finally:
            self._users[destination] -= 1
            if not self._users[destination]:
                del self._users[destination], self._lanes[destination]

    def heard(self, destination: str, *, answered: bool) -> None:
        """Tell how a post ended. Destinations that did not answer share a few places until they do, so that many of
        them at once cannot keep the others waiting."""
        if answered:
            self._silent.discard(destination)
        elif len(self._silent) < _MOST_REMEMBERED:
            self._silent.add(destination)
