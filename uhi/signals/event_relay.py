"""From where events wait to where they go: published, then forgotten, so at least once; in order.

Below: an `EventSource` such as the database, and any `EventSink`. Above: composition roots.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from random import Random
from typing import Protocol

from uhi.errors import DeliveryError, Refusal
from uhi.ports import Clock, Event, EventSink
from uhi.signals.ending import is_cancelled

log = logging.getLogger(__name__)

_MOST = 500
_POLL_SECONDS = 1.0
_PAUSE_BASE = 0.5
_PAUSE_CAP = 30.0


class EventSource(Protocol):
    """Where events wait until other systems have them."""

    async def events(self, most: int) -> Sequence[Event]:
        """Up to `most` that wait, oldest first, for this process to publish; empty when another process is at it.

        Raises: Refusal(OVERLOADED) when they cannot be read now.
        """

    async def forget_events(self, ids: Sequence[str]) -> None:
        """Other systems have these.

        Raises: Refusal(OVERLOADED) when that cannot be written down now; then they come again.
        """


class EventRelay:
    """Publishes what waits; looks every second and whenever it is woken."""

    def __init__(self, source: EventSource, sink: EventSink, *, clock: Clock, random: Random | None = None) -> None:
        self._source = source
        self._sink = sink
        self._clock = clock
        self._random = random or Random()  # noqa: S311  # jitter, no secret
        self._woken = asyncio.Event()
        self._failures = 0

    def wake(self) -> None:
        """There are new events; neither waits nor raises."""
        self._woken.set()

    async def run(self) -> None:
        """Go on until cancelled, in one task only. What was published and not forgotten by then is published again by
        the next run."""
        while not is_cancelled():
            self._woken.clear()
            try:
                is_more = await self._step()
            except (DeliveryError, Refusal) as error:
                await self._wait_after(error)
                continue
            if self._failures:
                self._failures = 0
                log.info("events go out again")
            if not is_more:
                await self._until_woken()

    async def _step(self) -> bool:
        """Publish one batch; returns whether there may be more."""
        events = await self._source.events(_MOST)
        if events:
            await self._sink.publish(events)
            await self._source.forget_events([event.id for event in events])
        return len(events) == _MOST

    async def _wait_after(self, error: DeliveryError | Refusal) -> None:
        self._failures += 1
        if self._failures == 1:
            log.warning("events wait: %s", error)
        longest = min(_PAUSE_CAP, _PAUSE_BASE * 2.0 ** min(self._failures, 10))
        await self._clock.sleep(self._random.uniform(_PAUSE_BASE, longest))

    async def _until_woken(self) -> None:
        poll = asyncio.ensure_future(self._clock.sleep(_POLL_SECONDS))
        woken = asyncio.ensure_future(self._woken.wait())
        try:
            await asyncio.wait({poll, woken}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (poll, woken):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
