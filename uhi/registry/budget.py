"""How often a registry is asked about keys nobody has seen, so that made-up key ids cost answers and not lookups.

Below: the Clock port; above: `cache`. Source: limits table (at most 20 lookups a second from verification).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeVar

from uhi.errors import Refusal
from uhi.faults import REGISTRY_AWAY
from uhi.ports import Clock

V = TypeVar("V")

_LATER = 1


class LookupBudget:
    """At most `per_second` lookups under way or failed within the last second; the others wait, or are refused.

    A lookup that finds somebody gives its turn back at once, so a network of honest newcomers is served as fast as the
    registry answers. One that is refused, or finds an empty list, keeps it for a second. When every turn is kept that
    way, a further key is refused without a lookup: REGISTRY_AWAY, to be sent again, since nobody was asked about it.
    """

    def __init__(self, clock: Clock, *, per_second: int = 20) -> None:
        self._clock = clock
        self._turns = per_second
        self._under_way = 0
        self._failures: deque[float] = deque(maxlen=per_second)
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def spend(self, look_up: Callable[[], Awaitable[V]]) -> V:
        """Look up when there is a turn.

        Raises: Refusal of the lookup, or one of its own when there is no turn.
        """
        await self._turn()
        self._under_way += 1
        try:
            found = await look_up()
        except Refusal:
            self._failures.append(self._clock.now())
            raise
        else:
            if not found:
                self._failures.append(self._clock.now())
            return found
        finally:
            self._under_way -= 1
            self._wake()

    async def _turn(self) -> None:
        while self._free() <= 0:
            if self._is_spent():
                raise _over_budget()
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                self._wake()
                raise

    def _free(self) -> int:
        return self._turns - self._under_way - self._recent_failures()

    def _is_spent(self) -> bool:
        return self._recent_failures() >= self._turns

    def _recent_failures(self) -> int:
        now = self._clock.now()
        return sum(0 <= now - failed_at < 1 for failed_at in self._failures)

    def _wake(self) -> None:
        # Whoever waits, waits for a lookup under way, so each that ends must let on as many as there are turns.
        count = len(self._waiting) if self._is_spent() else self._free()
        while count > 0 and self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                count -= 1


def _over_budget() -> Refusal:
    refusal = Refusal(REGISTRY_AWAY, "not looked up: too many lookups failed within a second")
    refusal.retry_after = _LATER
    return refusal
