"""Rate windows that all processes count in together, in Redis; in this process alone while Redis is away.

Implements `uhi.ports.Windows` on the library `limits`. Below: `sliding`, `local`. Needs the extra `redis`.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from limits.aio.storage import RedisStorage
from redis.asyncio import BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from uhi.ports import Clock
from uhi.signals.local import LocalWindows
from uhi.signals.redis import FAILURES
from uhi.signals.sliding import seconds_until_room

log = logging.getLogger(__name__)

_CONNECTIONS = 16
_PATIENCE = 0.05
_SOCKET_SECONDS = 1.0
_PAUSE = 1.0


@dataclass(frozen=True, slots=True)
class _Hit:
    key: str
    most: int
    seconds: int


class RedisWindows:
    """Implements `uhi.ports.Windows` for every process that has the same Redis and the same `program`.

    A message waits at most 50 ms for Redis. When that was not enough, or Redis is away, this process counts for itself,
    so that N processes together let through up to N times as much, and asks Redis again a second later.
    """

    def __init__(self, url: str, *, program: str, clock: Clock) -> None:
        self._clock = clock
        self._local = LocalWindows(clock)
        self._pool: BlockingConnectionPool = BlockingConnectionPool.from_url(
            url,
            max_connections=_CONNECTIONS,
            timeout=_SOCKET_SECONDS,
            socket_connect_timeout=_SOCKET_SECONDS,
            socket_timeout=_SOCKET_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self._redis = RedisStorage(
            f"async+{url}",
            implementation="redispy",
            key_prefix=f"uhi:{program}:window",
            connection_pool=self._pool,  # type: ignore[arg-type]  # the library hands it on as it is
        )
        self._asked: set[asyncio.Task[float]] = set()
        self._is_away = False
        self._tried_at = 0.0

    @property
    def is_up(self) -> bool:
        """Whether Redis answered when it was last asked."""
        return not self._is_away

    async def hit(self, key: str, *, most: int, seconds: int) -> float:
        """See `uhi.ports.Windows`."""
        if not self._may_ask():
            return await self._local.hit(key, most=most, seconds=seconds)
        try:
            wait = await self._in_time(_Hit(key, most, seconds))
        except FAILURES as error:
            self._note_away(error)
            return await self._local.hit(key, most=most, seconds=seconds)
        self._note_up()
        return wait

    async def aclose(self) -> None:
        """Close the connections."""
        for task in self._asked:
            task.cancel()
        await asyncio.gather(*self._asked, return_exceptions=True)
        await self._pool.aclose()

    def _may_ask(self) -> bool:
        """While Redis is away one message a second tries it, and the others do not wait for that."""
        if not self._is_away:
            return True
        now = self._clock.now()
        if 0 <= now - self._tried_at < _PAUSE:
            return False
        self._tried_at = now
        return True

    async def _in_time(self, hit: _Hit) -> float:
        # Not cancelled when it is late: a connection that takes longer to open than a message may wait is then there
        # for the next one. The sockets' own limit ends it.
        task = asyncio.ensure_future(self._ask(hit))
        self._asked.add(task)
        task.add_done_callback(self._forget)
        await asyncio.wait({task}, timeout=_PATIENCE)
        if not task.done():
            raise TimeoutError
        return task.result()

    def _forget(self, task: asyncio.Task[float]) -> None:
        self._asked.discard(task)
        if not task.cancelled():
            task.exception()

    async def _ask(self, hit: _Hit) -> float:
        if await self._redis.acquire_sliding_window_entry(hit.key, hit.most, hit.seconds):
            return 0.0
        before, _, count, current_ends_in = await self._redis.get_sliding_window(hit.key, hit.seconds)
        # A period's counter is kept for one more period, as the one before.
        elapsed = max(0.0, 2 * hit.seconds - current_ends_in) if count else 0.0
        wait = seconds_until_room(before, count, elapsed, most=hit.most, seconds=hit.seconds)
        return wait or 0.001

    def _note_away(self, error: Exception) -> None:
        self._tried_at = self._clock.now()
        if not self._is_away:
            self._is_away = True
            log.warning("Redis does not answer, so each process counts its own rate windows: %s", type(error).__name__)

    def _note_up(self) -> None:
        if self._is_away:
            self._is_away = False
            log.info("rate windows are counted in Redis again")
