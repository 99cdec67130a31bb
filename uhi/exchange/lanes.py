"""Bulkheads: at most so many posts under way per destination and in all, so that a slow peer delays nobody else.

Held for one attempt, never through a pause. Where places are short, the more urgent goes first.
Above: deliveries; below: breakers. Source: reliability rules, "Breakers and bulkheads" and "Backpressure".
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from uhi.exchange.breakers import PER_DESTINATION

IN_ALL = 256
FOR_DOUBTFUL = 32

_Waiter = tuple[int, int, asyncio.Future[bool]]
_Turn = tuple[int, int, str]


def _all(destination: str) -> int:
    return PER_DESTINATION


@dataclass(slots=True)
class _Lane:
    """One destination's posts under way, and who waits for a place, the most urgent and then the oldest first.

    `turn` is for whom it has asked for a turn; `is_held` that the turn must wait for a place of the doubtful.
    """

    busy: int = 0
    turn: tuple[int, int] | None = None
    is_held: bool = False
    waiting: list[_Waiter] = field(default_factory=list)

    def first(self) -> _Waiter | None:
        """Whose turn is next here."""
        while self.waiting and self.waiting[0][2].done():
            heapq.heappop(self.waiting)
        return self.waiting[0] if self.waiting else None


class Lanes:
    """The posts one program has under way.

    `places` tells how many a destination may have at the moment, 1 to `PER_DESTINATION`. One that may not have all of
    them is doubtful; the doubtful share a few of the places, so that many of them at once cannot keep others waiting.
    """

    def __init__(self, places: Callable[[str], int] = _all, *, in_all: int = IN_ALL) -> None:
        self._places = places
        self._in_all = in_all
        self._few = min(FOR_DOUBTFUL, in_all)
        self._busy = 0
        self._doubtful = 0
        self._number = 0
        self._lanes: dict[str, _Lane] = {}
        self._turns: list[_Turn] = []
        self._doubtful_turns: list[_Turn] = []

    @asynccontextmanager
    async def to(self, destination: str, priority: int = 0) -> AsyncIterator[None]:
        """Wait for a free place to this destination, and hold it; a lower `priority` goes first."""
        lane = self._lanes.get(destination)
        if lane is None:
            lane = self._lanes[destination] = _Lane()
        places = self._places(destination)
        is_doubtful = places < PER_DESTINATION
        if lane.busy < places and not lane.waiting and self._has_room(is_doubtful):
            self._take(lane, is_doubtful)
        else:
            is_doubtful = await self._wait(destination, lane, priority)
        try:
            yield
        finally:
            self._leave(destination, lane, is_doubtful)

    def _has_room(self, is_doubtful: bool) -> bool:
        return self._busy < self._in_all and (not is_doubtful or self._doubtful < self._few)

    def _take(self, lane: _Lane, is_doubtful: bool) -> None:
        lane.busy += 1
        self._busy += 1
        self._doubtful += is_doubtful

    async def _wait(self, destination: str, lane: _Lane, priority: int) -> bool:
        """Wait for a place; returns whether it is one of the doubtful's."""
        place: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._number += 1
        heapq.heappush(lane.waiting, (priority, self._number, place))
        self._call(destination, lane)
        self._advance()
        try:
            return await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self._leave(destination, lane, place.result())
            else:
                self._forget(destination, lane)
            raise

    def _leave(self, destination: str, lane: _Lane, is_doubtful: bool) -> None:
        lane.busy -= 1
        self._busy -= 1
        self._doubtful -= is_doubtful
        self._call(destination, lane)
        self._advance()
        self._forget(destination, lane)

    def _call(self, destination: str, lane: _Lane) -> None:
        """A lane's first asks for a turn, unless the lane has one that is as good."""
        first = lane.first()
        if first is not None and (lane.is_held or lane.turn is None or first[:2] < lane.turn):
            lane.turn, lane.is_held = first[:2], False
            heapq.heappush(self._turns, (*first[:2], destination))

    def _advance(self) -> None:
        """Give every free place to whoever is next."""
        while (turn := self._next_turn()) is not None:
            lane = self._lanes.get(turn[2])
            if lane is not None and lane.turn == turn[:2]:
                self._offer(turn, lane)

    def _offer(self, turn: _Turn, lane: _Lane) -> None:
        destination = turn[2]
        places = self._places(destination)
        is_doubtful = places < PER_DESTINATION
        lane.turn, lane.is_held = None, False
        first = lane.first()
        if first is None or lane.busy >= places:
            return  # asked for again when the lane has room, or somebody in it
        if first[:2] == turn[:2]:
            if not self._has_room(is_doubtful):
                lane.turn, lane.is_held = turn[:2], True
                heapq.heappush(self._doubtful_turns, turn)
                return
            heapq.heappop(lane.waiting)
            self._take(lane, is_doubtful)
            first[2].set_result(is_doubtful)
        self._call(destination, lane)

    def _next_turn(self) -> _Turn | None:
        if self._busy >= self._in_all:
            return None
        turns = self._turns
        held = self._doubtful_turns
        if held and self._doubtful < self._few and (not turns or held[0] < turns[0]):
            turns = held
        return heapq.heappop(turns) if turns else None

    def _forget(self, destination: str, lane: _Lane) -> None:
        if not lane.busy and lane.first() is None and self._lanes.get(destination) is lane:
            del self._lanes[destination]
