"""Events to a broker by URL: Redis Streams or NATS, through FastStream. Needs the extra `events`.

Implements `uhi.ports.EventSink`. Below: `redis_stream` and `nats_stream`, loaded when their URL is given.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from importlib import import_module
from typing import Protocol, cast
from urllib.parse import urlsplit

from uhi.errors import DeliveryError, SetupError
from uhi.ports import Event

_SECONDS = 5.0
_PUBLISH_SECONDS = 30.0
_BROKERS = {
    "redis": "uhi.signals.redis_stream",
    "rediss": "uhi.signals.redis_stream",
    "nats": "uhi.signals.nats_stream",
    "tls": "uhi.signals.nats_stream",
}


class Stream(Protocol):
    """An open connection to a broker."""

    async def publish(self, events: Sequence[Event]) -> None:
        """Return when the broker has confirmed each."""

    async def aclose(self) -> None:
        """Hang up; never raises."""


class _Broker(Protocol):
    """What `redis_stream` and `nats_stream` offer as modules; being late, an OSError, is among the failures."""

    FAILURES: tuple[type[Exception], ...]
    open_stream: Callable[[str], Awaitable[Stream]]


class BrokerEvents:
    """Implements `uhi.ports.EventSink`: at least once, in order, each publish confirmed by the broker.

    `url` is `redis://…`, `rediss://…`, `nats://…` or `tls://…` (NATS). Connects when the first event is published, and
    anew after a failure. Raises (when made): SetupError for another URL, or without the extra.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._broker = _broker(url)
        self._stream: Stream | None = None
        self._turn = asyncio.Lock()

    async def publish(self, events: Sequence[Event]) -> None:
        """See `uhi.ports.EventSink`. One batch at a time, so that the order stays."""
        async with self._turn:
            try:
                await self._publish(events)
            except self._broker.FAILURES as error:
                await self._hang_up()
                raise DeliveryError(
                    f"{len(events)} events were not published",
                    got=type(error).__name__,
                    expected=f"a broker at {_where(self._url)} that takes them",
                    next_step="they are offered again; check that it runs and UHI_EVENTS_URL is right",
                ) from None

    async def aclose(self) -> None:
        """See `uhi.ports.EventSink`."""
        async with self._turn:
            await self._hang_up()

    async def _publish(self, events: Sequence[Event]) -> None:
        if self._stream is None:
            async with asyncio.timeout(_SECONDS):
                self._stream = await self._broker.open_stream(self._url)
        async with asyncio.timeout(_PUBLISH_SECONDS):
            await self._stream.publish(events)

    async def _hang_up(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.aclose()


def _broker(url: str) -> _Broker:
    scheme = urlsplit(url).scheme
    if scheme not in _BROKERS:
        raise SetupError(
            "events cannot go there",
            got=f"an address that begins with {scheme}:" if scheme else "no address",
            expected="redis://, rediss://, nats:// or tls://",
            next_step="correct UHI_EVENTS_URL",
        )
    try:
        return cast(_Broker, import_module(_BROKERS[scheme]))
    except ModuleNotFoundError as error:
        missing = error.name or "a library"
    raise SetupError(
        "events cannot be published",
        got=f"no module {missing}",
        next_step="install uhi-network[events]",
    )


def _where(url: str) -> str:
    """Without user and password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
