"""The HTTP server: routes in front of an `Entrance`, safe inside anybody's aiohttp application, or as a program's own.

Below: ports and `exchange`; above: composition roots. The limits are ours, whatever the application around them allows.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler, Middleware
from multidict import CIMultiDict

from uhi.errors import Refusal, SetupError
from uhi.exchange.entrance import unforeseen
from uhi.faults import METHOD_NOT_ALLOWED, PATH_UNKNOWN
from uhi.http.health import SERVER_NAME, Health, add_health
from uhi.http.in_time import InTime
from uhi.http.peers import Connections
from uhi.http.reading import (
    DEFAULT_LIMITS,
    ServerLimits,
    check_announced,
    check_headers,
    check_target,
    expect_later,
    read_body,
    to_come,
)
from uhi.ports import READ_HEADERS, Entrance, Inbound, Reply

NO_PAGES: Mapping[str, str] = {}
_BACKLOG = 128


@dataclass(frozen=True, slots=True)
class Server:
    """A server that is running, and where: `port` is the real one also where 0 was asked for."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The base URL, without a trailing slash."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


def add_routes(
    app: web.Application, entrance: Entrance, *, prefix: str = "", limits: ServerLimits = DEFAULT_LIMITS
) -> None:
    """Serve `POST {prefix}/{path}` for every path of the entrance, inside any aiohttp application.

    Needs nothing of the application: the body is read here, under our own size and time limits, and a body the
    application would inflate is refused from its headers. `prefix` starts with a slash or is empty.
    """
    in_time = InTime(limits.handler_seconds)
    for path, size in entrance.paths.items():
        door = _Door(entrance, path, size, limits, in_time)
        app.router.add_route("*", f"{prefix.rstrip('/')}/{path}", door.handle, expect_handler=expect_later)


def application(
    entrance: Entrance,
    *,
    prefix: str = "",
    limits: ServerLimits = DEFAULT_LIMITS,
    health: Health | None = None,
    pages: Mapping[str, str] = NO_PAGES,
) -> web.Application:
    """A whole application in which every answer is a NACK or the entrance's: unknown paths and failures too.

    With `health` its pages are served at the root, whatever the prefix, as are the texts of `pages`, by their path.
    """
    app = web.Application(middlewares=[_nacks(entrance)])
    add_routes(app, entrance, prefix=prefix, limits=limits)
    if health is not None:
        add_health(app, health)
    for path, text in pages.items():
        app.router.add_get(path, _page(text))
    return app


def _page(text: str) -> Handler:
    async def page(_: web.Request) -> web.Response:
        return web.Response(text=text, headers={"Server": SERVER_NAME, "Cache-Control": "no-store"})

    return page


@asynccontextmanager
async def serve(
    app: web.Application,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    reuse_port: bool = False,
    limits: ServerLimits = DEFAULT_LIMITS,
) -> AsyncIterator[Server]:
    """Run an application until the block is left; then requests under way get 20 s to end. Port 0 takes a free one.

    It listens until then: who stops first closes the entrance, which refuses with 503 what still comes, and leaves the
    block when nothing is under way. `reuse_port` shares the port with other processes of the same user that do the
    same. At most 128 connections wait to be accepted; of `limits` those on connections count here. Raises: SetupError
    when the address cannot be listened on.
    """
    runner = web.AppRunner(
        app,
        access_log=None,
        logger=_quiet_logger(),
        auto_decompress=False,
        handler_cancellation=False,
        keepalive_timeout=limits.head_seconds,
        lingering_time=1,
        max_field_size=8190,
        max_headers=64,
        shutdown_timeout=20,
    )
    await runner.setup()
    try:
        listener = await _listen(runner, host, port, reuse_port=reuse_port, limits=limits)
        try:
            yield Server(host, listener.sockets[0].getsockname()[1])
        finally:
            listener.close()
    finally:
        await runner.cleanup()


def cannot_listen(host: str, port: int, error: OSError) -> SetupError:
    """The operator's error for an address that cannot be listened on."""
    return SetupError(
        f"cannot listen on {host}:{port}",
        got=error.strerror or type(error).__name__,
        next_step="choose another port, or stop who has this one",
    )


async def _listen(
    runner: web.AppRunner, host: str, port: int, *, reuse_port: bool, limits: ServerLimits
) -> asyncio.Server:
    if runner.server is None:
        raise SetupError("the server is not set up")
    made = Connections(runner.server, most=limits.connections, proxies=limits.proxies)
    loop = asyncio.get_running_loop()
    try:
        return await loop.create_server(made, host, port, backlog=_BACKLOG, reuse_port=reuse_port or None)
    except OSError as error:
        raise cannot_listen(host, port, error) from None


@dataclass(frozen=True, slots=True)
class _Door:
    entrance: Entrance
    path: str
    size: int
    limits: ServerLimits
    in_time: InTime

    async def handle(self, request: web.Request) -> web.Response:
        address = self.limits.proxies.address_of(request)
        try:
            self._check_head(request)
            head = Inbound(self.path, _read_headers(request), b"", address)
            refused = await self.entrance.check_head(head, size=to_come(request))
            if refused is not None:
                return _closing(refused)
            body = await read_body(request, size=self.size, seconds=self.limits.body_seconds)
        except Refusal as refusal:
            response = _closing(self.entrance.refuse(refusal, self.path))
            if refusal.fault is METHOD_NOT_ALLOWED:
                response.headers["Allow"] = "POST"
            return response
        return await self._take(Inbound(self.path, head.headers, body, address))

    async def _take(self, inbound: Inbound) -> web.Response:
        try:
            return _response(await self.in_time.answer(self.entrance.take(inbound)))
        except Refusal as late:
            return _response(self.entrance.refuse(late, self.path))

    def _check_head(self, request: web.Request) -> None:
        check_target(request)
        check_headers(request, self.limits)
        if request.method != "POST":
            raise Refusal(METHOD_NOT_ALLOWED, expected="POST")
        check_announced(request, size=self.size)


def _read_headers(request: web.Request) -> dict[str, tuple[str, ...]]:
    headers = request.headers
    return {name: tuple(headers.getall(name)) for name in READ_HEADERS if name in headers}


def _response(reply: Reply) -> web.Response:
    headers = CIMultiDict({"Content-Type": "application/json", "Server": SERVER_NAME})
    headers.update(reply.headers)
    return web.Response(status=reply.status, headers=headers, body=reply.body)


def _closing(reply: Reply) -> web.Response:
    """The answer to a request of which nothing more is worth reading."""
    response = _response(reply)
    response.force_close()
    return response


def _nacks(entrance: Entrance) -> Middleware:
    @web.middleware
    async def nacks(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            check_target(request)
            return await handler(request)
        except web.HTTPException as error:
            refusal = Refusal(PATH_UNKNOWN, got=f"HTTP {error.status}")
        except Refusal as refused:
            refusal = refused
        except Exception as error:
            refusal = unforeseen(error)
        return _closing(entrance.refuse(refusal))

    return nacks


def _quiet_logger() -> logging.Logger:
    """aiohttp's own log lines, without the bytes of a request that its parser refuses and quotes."""
    logger = logging.getLogger("uhi.http.server")
    if not any(isinstance(each, _WithoutBytes) for each in logger.filters):
        logger.addFilter(_WithoutBytes())
    return logger


class _WithoutBytes(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and isinstance(record.exc_info[1], HttpProcessingError):
            record.msg, record.args, record.exc_info = "a malformed HTTP request was refused", (), None
            record.levelno, record.levelname = logging.INFO, "INFO"
        return True
