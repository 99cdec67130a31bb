"""Remembers what a registry said: fresh, unknown, stale while it is away; one lookup in flight per key.

Knows nothing of HTTP or wire forms. Below: the Clock port; above: `network`. Source: registry cache limits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from uhi.errors import Refusal
from uhi.faults import REGISTRY_AWAY
from uhi.ports import Clock
from uhi.registry.budget import LookupBudget

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class CacheTimes:
    """How long an answer counts, in seconds.

    `fresh`: used without asking. `unknown`: nobody is asked again about a key the registry does not know. `stale`: used
    while the registry is away. `refresh`: between two lookups past the cache for one key. `away`: between two lookups
    of one key while the registry is away.
    """

    fresh: float = 30.0
    unknown: float = 5.0
    stale: float = 900.0
    refresh: float = 5.0
    away: float = 5.0


DEFAULT_TIMES = CacheTimes()


@dataclass(slots=True)
class _Known(Generic[V]):
    value: V
    fetched_at: float
    ask_at: float
    refresh_at: float = 0.0


@dataclass(frozen=True, slots=True)
class _Refused:
    refusal: Refusal
    since: float
    until: float


class LookupCache(Generic[K, V]):
    """Answers of `ask` by key. What `ask` raises must be a Refusal.

    A refusal other than REGISTRY_AWAY replaces what was known. Keys never seen, and those that gave an empty list, are
    looked up within the `budget`; what it refuses of its own is not remembered. At most `size` keys are kept; the
    longest unused goes first.
    """

    def __init__(
        self,
        ask: Callable[[K], Awaitable[V]],
        *,
        clock: Clock,
        times: CacheTimes = DEFAULT_TIMES,
        budget: LookupBudget | None = None,
        size: int = 10_000,
    ) -> None:
        self._ask = ask
        self._clock = clock
        self._times = times
        self._budget = budget
        self._size = size
        self._known: dict[K, _Known[V]] = {}
        self._refused: dict[K, _Refused] = {}
        self._flights: dict[K, asyncio.Task[V | Refusal]] = {}

    async def get(self, key: K, *, fresh: bool = False) -> V:
        """The answer for a key, from memory where that counts, else asked for once however many wait for it.

        `fresh` asks past the memory, at most once per key in `refresh` seconds.
        Raises: Refusal(SUBSCRIBER_UNKNOWN), Refusal(REGISTRY_AWAY).
        """
        now = self._clock.now()
        known = self._known.pop(key, None)
        if known is not None:
            self._known[key] = known
            if not _is_due(known, fresh, now):
                return known.value
        refused = self._refused.get(key)
        if refused is not None and refused.since <= now < refused.until:
            raise _again(refused.refusal)
        if known is not None and fresh:
            known.refresh_at = now + self._times.refresh
        outcome = await asyncio.shield(self._flight(key))
        if isinstance(outcome, Refusal):
            raise _again(outcome)
        return outcome

    def put(self, key: K, value: V) -> None:
        """Remember an answer that came another way, as fresh as one that was asked for."""
        now = self._clock.now()
        before = self._known.pop(key, None)
        self._known[key] = _Known(value, now, now + self._times.fresh, before.refresh_at if before else 0.0)
        self._refused.pop(key, None)
        _bound(self._known, self._size)

    def peek(self, key: K) -> V | None:
        """What is remembered, however old."""
        known = self._known.get(key)
        return known.value if known else None

    def drop(self, is_old: Callable[[K], bool]) -> None:
        """Ask again for these at the next need; what is remembered stays for as long as nobody answers."""
        for key in [key for key in (*self._known, *self._refused) if is_old(key)]:
            self._refused.pop(key, None)
            if key in self._known:
                self._known[key].ask_at = 0.0

    def remove(self, is_gone: Callable[[K], bool]) -> None:
        """Forget these entirely: they are not used again, not even while nobody answers."""
        for key in [key for key in (*self._known, *self._refused) if is_gone(key)]:
            self._refused.pop(key, None)
            self._known.pop(key, None)

    def amend(self, amended: Callable[[V], V]) -> None:
        """Put what is remembered right, and ask again for it at the next need."""
        for known in self._known.values():
            known.value, known.ask_at = amended(known.value), 0.0

    async def aclose(self) -> None:
        """Give up the lookups in flight."""
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    def _flight(self, key: K) -> asyncio.Task[V | Refusal]:
        flight = self._flights.get(key)
        if flight is None:
            # A task of its own, so that whoever asked first can be cancelled without the others.
            flight = self._flights[key] = asyncio.create_task(self._look_up(key))
            flight.add_done_callback(partial(self._land, key))
        return flight

    def _land(self, key: K, flight: asyncio.Task[V | Refusal]) -> None:
        del self._flights[key]
        if not flight.cancelled():
            flight.exception()

    async def _look_up(self, key: K) -> V | Refusal:
        # A refusal is returned, not raised: the same one must not be raised, and marked, in several requests.
        known = self._known.get(key)
        if self._budget is None or (known is not None and known.value):
            return await self._asked(key)
        try:
            return await self._budget.spend(partial(self._found, key))
        except Refusal as refusal:
            return refusal

    async def _found(self, key: K) -> V:
        outcome = await self._asked(key)
        if isinstance(outcome, Refusal):
            raise outcome
        return outcome

    async def _asked(self, key: K) -> V | Refusal:
        try:
            value = await self._ask(key)
        except Refusal as refusal:
            return self._failed(key, refusal)
        self.put(key, value)
        return value

    def _failed(self, key: K, refusal: Refusal) -> V | Refusal:
        now = self._clock.now()
        known = self._known.get(key)
        if refusal.fault is not REGISTRY_AWAY:
            self._known.pop(key, None)
            self._refuse(key, refusal, self._times.unknown)
            return refusal
        if known is not None and now < known.fetched_at + self._times.stale:
            known.ask_at = min(now + self._times.away, known.fetched_at + self._times.stale)
            return known.value
        self._refuse(key, refusal, self._times.away)
        return refusal

    def _refuse(self, key: K, refusal: Refusal, seconds: float) -> None:
        now = self._clock.now()
        self._refused.pop(key, None)
        self._refused[key] = _Refused(refusal, now, now + seconds)
        _bound(self._refused, self._size)


def _is_due(known: _Known[V], fresh: bool, now: float) -> bool:
    if fresh and now >= known.refresh_at:
        return True
    return not known.fetched_at <= now < known.ask_at


def _bound(entries: dict[K, V], size: int) -> None:
    while len(entries) > size:
        del entries[next(iter(entries))]


def _again(refusal: Refusal) -> Refusal:
    fresh = Refusal(
        refusal.fault, refusal.what, got=refusal.got, expected=refusal.expected, next_step=refusal.next_step
    )
    fresh.retry_after = refusal.retry_after
    return fresh
