"""Events into NATS: subjects `uhi.events.<kind>`, kept by the JetStream stream `uhi-events` where the server has it.

Below: FastStream's NATS broker. Above: `broker_events`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from faststream.exceptions import FastStreamException
from faststream.nats import NatsBroker
from nats.errors import Error
from nats.js.api import Header, StreamConfig
from nats.js.errors import NotFoundError, ServiceUnavailableError

from uhi.ports import Event
from uhi.signals.events import MOST_KEPT, STREAM, body_of, subject_of

if TYPE_CHECKING:
    from nats.aio.client import Client

log = logging.getLogger(__name__)

FAILURES: tuple[type[Exception], ...] = (Error, FastStreamException, OSError)
"""What publishing may fail with."""

JETSTREAM = "uhi-events"
"""The stream that is made where no other takes the subjects; names of streams have no dots."""

_SUBJECTS = f"{STREAM}.>"
_SECONDS = 5


class NatsStream:
    """See `uhi.signals.broker_events.Stream`. Without a JetStream stream the server confirms, but keeps nothing."""

    def __init__(self, broker: NatsBroker, client: Client, stream: str) -> None:
        self._broker = broker
        self._client = client
        self._stream = stream

    async def publish(self, events: Sequence[Event]) -> None:
        """One after another, since a stream keeps the order in which it confirmed. An id that comes again within the
        stream's window is not kept twice."""
        for event in events:
            headers = {Header.MSG_ID.value: event.id, "content-type": "application/json"}
            if self._stream:
                await self._broker.publish(
                    body_of(event), subject_of(event), headers=headers, stream=self._stream, timeout=_SECONDS
                )
            else:
                await self._broker.publish(body_of(event), subject_of(event), headers=headers)
        if not self._stream:
            await self._client.flush(_SECONDS)

    async def aclose(self) -> None:
        """Hang up."""
        with suppress(*FAILURES):
            if self._client.is_connected:
                await self._broker.stop()
            await self._client.close()


async def open_stream(url: str) -> NatsStream:
    """Connect, and find or make the stream.

    Trying again is for whoever publishes: the client's own reconnecting would hold what was not confirmed.
    """
    broker = NatsBroker(
        url, logger=None, allow_reconnect=False, connect_timeout=2, max_reconnect_attempts=1, reconnect_time_wait=0
    )
    client = await broker.connect()
    return NatsStream(broker, client, await _stream(client))


async def _stream(client: Client) -> str:
    jetstream = client.jetstream(timeout=_SECONDS)
    try:
        return await jetstream.find_stream_name_by_subject(_SUBJECTS)
    except NotFoundError:
        config = StreamConfig(name=JETSTREAM, subjects=[_SUBJECTS], max_msgs=MOST_KEPT)
        await jetstream.add_stream(config)
        return JETSTREAM
    except ServiceUnavailableError:
        log.warning("this NATS has no JetStream: events reach only those who listen at that moment")
        return ""
