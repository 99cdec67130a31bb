"""What flows after a route has answered: server-sent events and WebSockets, bounded in number, time and patience.

Above: `serving`, which has let the reader in; below: aiohttp. Nobody waits for a slow reader: it is cut off, and comes
again with the id of the last event it has seen. Source: WHATWG HTML "Server-sent events"; RFC 6455.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from aiohttp import WSMsgType, web
from aiohttp_sse import EventSourceResponse

from uhi.api.routes import Ended, Event, Stream, StreamKind
from uhi.errors import Refusal
from uhi.faults import OVERLOADED, REQUEST_INVALID, TOO_MANY_TRIES

GOING_AWAY = Ended(1001, "going away")
COMPLETE = Ended(1000, "complete")
COME_AGAIN = Ended(1001, "come again")
TOO_SLOW = Ended(1013, "too slow")
LAST_EVENT = "Last-Event-ID"
_NOTHING_EXPECTED = Ended(1003, "nothing is expected of the reader")
_LONGEST_MESSAGE = 1_024
_LOOK_SECONDS = 1.0
_CLOSE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """How many streams are open at once, in all and of one person or program; how long one lasts before its reader is
    to come again; after how long without events a sign of life is sent; how long a reader may take to read an event;
    how often it is seen that the reader may still read."""

    most: int = 5_000
    most_of_one: int = 8
    seconds: float = 600.0
    quiet_seconds: float = 15.0
    write_seconds: float = 10.0
    proof_seconds: float = 15.0


DEFAULT_STREAMS = StreamLimits()

MayRead: TypeAlias = Callable[[], Awaitable[None]]
"""Raises a Refusal once the reader may no longer read."""


class _Sink(Protocol):
    """Where events go."""

    @property
    def response(self) -> web.StreamResponse:
        """What the server sees."""

    @property
    def is_open(self) -> bool:
        """Whether the reader is still there, as far as can be seen."""

    @property
    def has_left(self) -> bool:
        """Whether the reader is known to have gone though the connection is still there."""

    async def open(self, request: web.Request) -> None:
        """Send the head."""

    async def send(self, event: Event) -> None:
        """Raises: ConnectionError, TimeoutError."""

    async def end(self, ended: Ended) -> None:
        """Say why it ends, and end. Raises: ConnectionError, TimeoutError."""


class Flow:
    """One stream to one reader."""

    def __init__(self, request: web.Request, kind: StreamKind, limits: StreamLimits) -> None:
        self._request = request
        self._kind = kind
        self._limits = limits
        self._closing: asyncio.Future[Event | Ended] = asyncio.get_running_loop().create_future()
        self._sink: _Sink | None = None

    @property
    def is_there(self) -> bool:
        """Whether it has a reader, as far as can be seen; one that goes is noticed by the flow itself a second late."""
        transport = self._request.transport
        return transport is not None and not transport.is_closing() and not (self._sink and self._sink.has_left)

    def break_off(self) -> web.StreamResponse | None:
        """Cut the connection once something has gone out, for then nothing else can be answered; None before."""
        if self._sink is None:
            return None
        self._abort()
        return self._sink.response

    def close(self, ended: Ended) -> None:
        """End it soon."""
        if not self._closing.done():
            self._closing.set_result(ended)

    async def pour(self, source: Stream | None, headers: Mapping[str, str], may_read: MayRead) -> web.StreamResponse:
        """Send everything; returns when it has ended, whoever ended it. Without a source there is nothing to send."""
        if source is None and self._kind == "events":
            # What tells a browser's EventSource not to come again.
            return web.Response(status=204, headers=headers)
        sink: _Sink = _Sse(headers, self._limits) if self._kind == "events" else _Socket(headers, self._limits)
        timer = asyncio.get_running_loop().call_later(self._limits.seconds, self.close, COME_AGAIN)
        watching = asyncio.ensure_future(self._watch(may_read))
        try:
            # Whatever comes to pass from here on, no other answer can be given.
            self._sink = sink
            await sink.open(self._request)
            await self._send_all(source, sink)
        except (ConnectionError, TimeoutError):
            self._abort()
        finally:
            timer.cancel()
            watching.cancel()
            if isinstance(source, AsyncGenerator):
                await source.aclose()
        return sink.response

    async def _watch(self, may_read: MayRead) -> None:
        """End it once its reader has signed out, or lost the right to it."""
        while not self._closing.done():
            await asyncio.sleep(self._limits.proof_seconds)
            try:
                await may_read()
            except Refusal as refusal:
                if refusal.fault.status in (401, 403):
                    self.close(Ended(1008, refusal.fault.type))

    def _abort(self) -> None:
        if self._request.transport is not None:
            self._request.transport.abort()

    async def _send_all(self, source: Stream | None, sink: _Sink) -> None:
        try:
            while isinstance(step := await self._next(source, sink), Event):
                await sink.send(step)
        except Refusal as refusal:
            step = Ended(1011, refusal.fault.type)
        await sink.end(step)

    async def _next(self, source: Stream | None, sink: _Sink) -> Event | Ended:
        if source is None:
            return COMPLETE
        step: asyncio.Task[Event | Ended] = asyncio.ensure_future(_one(source))
        try:
            while not step.done():
                if self._closing.done():
                    return self._closing.result()
                if not sink.is_open:
                    raise ConnectionResetError
                both: set[asyncio.Future[Event | Ended]] = {step, self._closing}
                await asyncio.wait(both, timeout=_LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            return step.result()
        finally:
            if not step.done():
                step.cancel()
                with suppress(asyncio.CancelledError, Refusal):
                    await step


async def _one(source: Stream) -> Event | Ended:
    return await anext(source, COMPLETE)


class _Sse:
    """Server-sent events. The end is an event too, `closed`: an `EventSource` tells its page no other reason."""

    def __init__(self, headers: Mapping[str, str], limits: StreamLimits) -> None:
        self.response = EventSourceResponse(
            headers=headers, send_timeout=limits.write_seconds, ping_interval=limits.quiet_seconds, sep="\n"
        )
        self.response.headers["Cache-Control"] = "no-store"
        self._request: web.Request | None = None

    @property
    def is_open(self) -> bool:
        transport = self._request.transport if self._request else None
        return transport is not None and not transport.is_closing() and self.response.is_connected()

    @property
    def has_left(self) -> bool:
        return False

    async def open(self, request: web.Request) -> None:
        self._request = request
        await self.response.prepare(request)

    async def send(self, event: Event) -> None:
        await self.response.send(event.data.model_dump_json(), id=event.id or None, event=event.name)

    async def end(self, ended: Ended) -> None:
        await self.response.send(f'{{"code":{ended.code},"reason":"{ended.reason}"}}', event="closed")
        self.response.stop_streaming()
        await self.response.write_eof()


class _Socket:
    """A WebSocket: each event is a text, a JSON object of `event`, `id` and `data`."""

    def __init__(self, headers: Mapping[str, str], limits: StreamLimits) -> None:
        self.response = web.WebSocketResponse(
            heartbeat=limits.quiet_seconds, timeout=_CLOSE_SECONDS, compress=False, max_msg_size=_LONGEST_MESSAGE
        )
        self.response.headers.update(headers)
        self._seconds = limits.write_seconds
        self._hearing: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        return self._hearing is not None and not self._hearing.done()

    @property
    def has_left(self) -> bool:
        return self._hearing is not None and self._hearing.done()

    async def open(self, request: web.Request) -> None:
        await self.response.prepare(request)
        self._hearing = asyncio.ensure_future(self._hear())

    async def send(self, event: Event) -> None:
        text = f'{{"event":"{event.name}","id":"{event.id}","data":{event.data.model_dump_json()}}}'
        async with asyncio.timeout(self._seconds):
            await self.response.send_str(text)

    async def end(self, ended: Ended) -> None:
        if self._hearing is not None:
            self._hearing.cancel()
            with suppress(asyncio.CancelledError):
                await self._hearing
        await self.response.close(code=ended.code, message=ended.reason.encode())

    async def _hear(self) -> None:
        # Reading answers the pings and sees the reader go.
        message = await self.response.receive()
        if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
            said = _NOTHING_EXPECTED
            await self.response.close(code=said.code, message=said.reason.encode())


@dataclass(slots=True)
class Streams:
    """All that flows out of one interface."""

    limits: StreamLimits
    _open: set[Flow] = field(default_factory=set, init=False)
    _of_one: dict[str, set[Flow]] = field(default_factory=dict, init=False)
    _is_over: bool = field(default=False, init=False)

    @contextmanager
    def opened(self, request: web.Request, kind: StreamKind, *, who: str) -> Iterator[Flow]:
        """A flow for somebody, which counts as open while the block runs.

        Raises: Refusal(REQUEST_INVALID) for what is no WebSocket, TOO_MANY_TRIES, OVERLOADED.
        """
        if kind == "socket" and not web.WebSocketResponse().can_prepare(request):
            raise Refusal(REQUEST_INVALID, "this is no WebSocket handshake", expected="an upgrade to websocket")
        # A reader that comes again at once must not wait until it is noticed that it had gone.
        if sum(flow.is_there for flow in self._of_one.get(who, ())) >= self.limits.most_of_one:
            raise Refusal(TOO_MANY_TRIES, "too many streams are open", expected=f"at most {self.limits.most_of_one}")
        if self._is_over or len(self._open) >= self.limits.most:
            raise Refusal(OVERLOADED, "no more streams can be opened", next_step="come again in a moment")
        flow = Flow(request, kind, self.limits)
        self._open.add(flow)
        self._of_one.setdefault(who, set()).add(flow)
        try:
            yield flow
        finally:
            self._open.discard(flow)
            self._of_one[who].discard(flow)
            if not self._of_one[who]:
                del self._of_one[who]

    async def stop(self, _: web.Application) -> None:
        """Have every reader come again, to another process."""
        self._is_over = True
        for flow in tuple(self._open):
            flow.close(GOING_AWAY)
