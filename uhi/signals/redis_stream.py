"""Events into the Redis stream `uhi.events`: each entry has one field, `__data__`, with the event's JSON.

Below: FastStream's Redis broker, which names that field. Above: `broker_events`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from faststream.exceptions import FastStreamException
from faststream.redis import RedisBroker
from faststream.redis.parser import MessageFormat
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from uhi.ports import Event
from uhi.signals.events import MOST_KEPT, STREAM, body_of

if TYPE_CHECKING:
    from faststream._internal.basic_types import SendableMessage

FAILURES: tuple[type[Exception], ...] = (RedisError, FastStreamException, OSError)
"""What publishing may fail with."""

_SECONDS = 5.0
_TOGETHER = 500


class _Plain(MessageFormat):
    """The bytes as they are. FastStream's own format has a binary head that only FastStream reads."""

    __slots__ = ()

    @classmethod
    async def encode(cls, *, message: SendableMessage | Sequence[SendableMessage], **_: object) -> bytes:
        if not isinstance(message, bytes):
            raise TypeError("an event is published as bytes")
        return message

    @classmethod
    def parse(cls, data: bytes) -> tuple[bytes, dict[str, object]]:
        return data, {}


class RedisStream:
    """See `uhi.signals.broker_events.Stream`."""

    def __init__(self, broker: RedisBroker, client: Redis) -> None:
        self._broker = broker
        self._client = client

    async def publish(self, events: Sequence[Event]) -> None:
        """Append in order; about a million entries are kept."""
        for start in range(0, len(events), _TOGETHER):
            async with self._client.pipeline(transaction=True) as pipeline:
                for event in events[start : start + _TOGETHER]:
                    await self._broker.publish(body_of(event), stream=STREAM, maxlen=MOST_KEPT, pipeline=pipeline)
                await pipeline.execute()

    async def aclose(self) -> None:
        """Hang up."""
        with suppress(*FAILURES):
            await self._broker.stop()


async def open_stream(url: str) -> RedisStream:
    """Connect."""
    broker = RedisBroker(
        url,
        message_format=_Plain,
        socket_connect_timeout=_SECONDS,
        socket_timeout=_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
    return RedisStream(broker, await broker.connect())
