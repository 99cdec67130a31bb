"""Signals through Redis: one publish/subscribe channel for each topic, `uhi:<program>:<topic>`.

Above: `line`, which opens it again when it is lost. Nothing is kept in Redis. Needs the extra `redis`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from uhi.ports import Clock
from uhi.signals.ending import end
from uhi.signals.line import Ears, LineSignals, Way

FAILURES = (RedisError, OSError)
"""What a Redis that is not there, or does not answer as one, makes its client raise."""

_LONGEST = 65_536
_SECONDS = 5.0


class RedisSignals:
    """Implements `uhi.ports.Signals` for every process that has the same Redis and the same `program`.

    `program` is what the processes are one of: the subscriber's id. `instance` must be this process's own; made if not
    given. `url` is `redis://host:port/0` or `rediss://…`.
    """

    def __init__(self, url: str, *, program: str, clock: Clock, instance: str = "") -> None:
        prefix = f"uhi:{program}:"

        async def opened(ears: Ears) -> RedisLine:
            return await RedisLine.open(url, prefix=prefix, ears=ears)

        self._signals = LineSignals(Way("Redis", opened, FAILURES, _LONGEST), clock=clock, instance=instance)

    @property
    def is_up(self) -> bool:
        """Whether it hears at this moment."""
        return self._signals.is_up

    def tell(self, topic: str, text: str = "") -> None:
        """See `uhi.ports.Signals`."""
        self._signals.tell(topic, text)

    def hear(self, topic: str, heard: Callable[[str], None]) -> None:
        """See `uhi.ports.Signals`."""
        self._signals.hear(topic, heard)

    async def start(self) -> None:
        """See `uhi.ports.Signals`."""
        await self._signals.start()

    async def aclose(self) -> None:
        """See `uhi.ports.Signals`."""
        await self._signals.aclose()


class RedisLine:
    """One subscribed connection, and one for telling; see `uhi.signals.line.Line`."""

    def __init__(self, client: Redis, *, prefix: str, ears: Ears) -> None:
        self._client = client
        self._subscribed = client.pubsub()
        self._prefix = prefix
        self._ears = ears
        self._confirmed: set[str] = set()
        self._moved = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None
        self._has_answered = False

    @classmethod
    async def open(cls, url: str, *, prefix: str, ears: Ears) -> RedisLine:
        """Connect. The channel without a topic is always subscribed to, so that there is something to check."""
        client = connected(url, seconds=_SECONDS)
        line = cls(client, prefix=prefix, ears=ears)
        try:
            await line.listen([""])
        except FAILURES:
            await line.aclose()
            raise
        return line

    async def listen(self, topics: Sequence[str]) -> None:
        """Return when Redis has confirmed."""
        channels = {self._prefix + topic for topic in topics}
        await self._subscribed.subscribe(*channels)
        if self._reader is None:
            self._reader = asyncio.ensure_future(self._read())
        await self._until(lambda: channels <= self._confirmed)

    async def send(self, told: Sequence[tuple[str, str]]) -> None:
        """Publish in one round trip."""
        async with self._client.pipeline(transaction=False) as pipeline:
            for topic, payload in told:
                pipeline.publish(self._prefix + topic, payload)
            await pipeline.execute()

    async def check(self) -> None:
        """Ask on the subscribed connection: it is the one that can be dead without anybody noticing."""
        self._has_answered = False
        await self._subscribed.ping()
        await self._until(lambda: self._has_answered)

    async def aclose(self) -> None:
        """Hang up."""
        if self._reader is not None:
            await end(self._reader)
        with suppress(*FAILURES):
            await self._subscribed.aclose()  # type: ignore[no-untyped-call]  # the library's gap
        with suppress(*FAILURES):
            await self._client.aclose()

    async def _until(self, is_so: Callable[[], bool]) -> None:
        while not is_so():
            if self._reader is None or self._reader.done():
                raise ConnectionResetError("the subscribed connection was lost")
            self._moved.clear()
            await self._moved.wait()

    async def _read(self) -> None:
        try:
            async for message in self._subscribed.listen():
                channel = message["channel"] or b""
                self._take(message["type"], channel.decode(), message["data"])
        except FAILURES:
            pass  # whoever waits sees that this task has ended
        finally:
            self._moved.set()
            self._ears.lost()

    def _take(self, kind: str, channel: str, payload: object) -> None:
        if kind == "message" and isinstance(payload, bytes):
            self._ears.heard(channel.removeprefix(self._prefix), payload.decode(errors="replace"))
            return
        if kind == "subscribe":
            self._confirmed.add(channel)
        elif kind == "pong":
            self._has_answered = True
        self._moved.set()


def connected(url: str, *, seconds: float) -> Redis:
    """A client that tries once and gives up after so many seconds; whoever uses it decides about trying again."""
    return Redis.from_url(
        url,
        socket_connect_timeout=seconds,
        socket_timeout=seconds,
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 0),
    )
