"""The HTTP server: routes in front of an `Entrance`, safe inside anybody's aiohttp application, or as a program's own.

Below: ports and `exchange`; above: composition roots. The limits are ours, whatever the application around them allows.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler, Middleware
from multidict import CIMultiDict

from uhi.errors import (
    BODY_LATE,
    BODY_TOO_LARGE,
    HEADERS_TOO_LARGE,
    HTTP_MALFORMED,
    METHOD_NOT_ALLOWED,
    PATH_UNKNOWN,
    Refusal,
    SetupError,
)
from uhi.exchange.credentials import check_content
from uhi.exchange.entrance import unforeseen
from uhi.http.health import SERVER_NAME, Health, add_health
from uhi.ports import READ_HEADERS, Entrance, Inbound, Reply

_BYTES_BETWEEN = len(": \r\n")
_BACKLOG = 128


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """What one request may cost before an entrance sees it: `body_seconds` from its headers to the body's last byte,
    `headers` bytes of header lines in all. The bytes of a body are limited by the entrance, path by path."""

    body_seconds: float = 20.0
    headers: int = 16_384


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
    app: web.Application, entrance: Entrance, *, prefix: str = "", limits: ServerLimits = ServerLimits()
) -> None:
    """Serve `POST {prefix}/{path}` for every path of the entrance, inside any aiohttp application.

    Needs nothing of the application: the body is read here, under our own size and time limits, and a body the
    application would inflate is refused from its headers. `prefix` starts with a slash or is empty.
    """
    for path, size in entrance.paths.items():
        door = _Door(entrance, path, size, limits)
        app.router.add_route("*", f"{prefix.rstrip('/')}/{path}", door.handle, expect_handler=_expect_later)


def application(
    entrance: Entrance, *, prefix: str = "", limits: ServerLimits = ServerLimits(), health: Health | None = None
) -> web.Application:
    """A whole application in which every answer is a NACK or the entrance's: unknown paths and failures too.

    With `health` its pages are served at the root, whatever the prefix.
    """
    app = web.Application(middlewares=[_nacks(entrance)])
    add_routes(app, entrance, prefix=prefix, limits=limits)
    if health is not None:
        add_health(app, health)
    return app


@asynccontextmanager
async def serve(
    app: web.Application, *, host: str = "127.0.0.1", port: int = 0, reuse_port: bool = False
) -> AsyncIterator[Server]:
    """Run an application until the block is left; then requests under way get 20 s to end. Port 0 takes a free one.

    It listens until then: who stops first closes the entrance, which refuses with 503 what still comes, and leaves the
    block when nothing is under way. `reuse_port` shares the port with other processes of the same user that do the
    same. At most 128 connections wait to be accepted. Raises: SetupError when the address cannot be listened on.
    """
    runner = web.AppRunner(
        app,
        access_log=None,
        logger=_quiet_logger(),
        auto_decompress=False,
        handler_cancellation=False,
        keepalive_timeout=10,
        lingering_time=1,
        max_field_size=8190,
        max_headers=64,
        shutdown_timeout=20,
    )
    await runner.setup()
    try:
        await _listen(runner, host, port, reuse_port=reuse_port)
        yield Server(host, runner.addresses[0][1])
    finally:
        await runner.cleanup()


def cannot_listen(host: str, port: int, error: OSError) -> SetupError:
    """The operator's error for an address that cannot be listened on."""
    return SetupError(
        f"cannot listen on {host}:{port}",
        got=error.strerror or type(error).__name__,
        next_step="choose another port, or stop who has this one",
    )


async def _listen(runner: web.AppRunner, host: str, port: int, *, reuse_port: bool) -> None:
    try:
        await web.TCPSite(runner, host, port, backlog=_BACKLOG, reuse_port=reuse_port or None).start()
    except OSError as error:
        raise cannot_listen(host, port, error) from None


@dataclass(frozen=True, slots=True)
class _Door:
    entrance: Entrance
    path: str
    size: int
    limits: ServerLimits

    async def handle(self, request: web.Request) -> web.Response:
        try:
            self._check_head(request)
            body = await self._read(request)
        except Refusal as refusal:
            response = _response(self.entrance.refuse(refusal, self.path))
            if refusal.fault is METHOD_NOT_ALLOWED:
                response.headers["Allow"] = "POST"
            # What is left of the body is not worth reading.
            response.force_close()
            return response
        inbound = Inbound(self.path, _read_headers(request), body, request.remote or "")
        return _response(await self.entrance.take(inbound))

    def _check_head(self, request: web.Request) -> None:
        _check_target(request)
        size = sum(len(name) + len(value) + _BYTES_BETWEEN for name, value in request.raw_headers)
        if size > self.limits.headers:
            raise Refusal(HEADERS_TOO_LARGE, got=f"{size} bytes", expected=f"at most {self.limits.headers}")
        if request.method != "POST":
            raise Refusal(METHOD_NOT_ALLOWED, expected="POST")
        headers = request.headers
        check_content(tuple(headers.getall("Content-Type", ())), tuple(headers.getall("Content-Encoding", ())))
        if (request.content_length or 0) > self.size:
            raise self._too_large(f"{request.content_length} bytes announced")

    async def _read(self, request: web.Request) -> bytes:
        chunks: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self.limits.body_seconds):
                if request.headers.get("Expect", "").lower() == "100-continue":
                    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                    request.writer.output_size = 0
                async for chunk in request.content.iter_any():
                    size += len(chunk)
                    if size > self.size:
                        raise self._too_large(f"{size} bytes so far")
                    chunks.append(chunk)
        except TimeoutError:
            raise Refusal(
                BODY_LATE, got=f"{size} bytes so far", expected=f"all within {self.limits.body_seconds:g} s"
            ) from None
        except (HttpProcessingError, web.RequestPayloadError) as error:
            raise Refusal(HTTP_MALFORMED, "the body is malformed", got=type(error).__name__) from None
        except ConnectionError as error:
            raise Refusal(HTTP_MALFORMED, "the body ended too early", got=type(error).__name__) from None
        return b"".join(chunks)

    def _too_large(self, got: str) -> Refusal:
        return Refusal(BODY_TOO_LARGE, got=got, expected=f"at most {self.size}")


def _check_target(request: web.Request) -> None:
    if not request.raw_path.startswith("/"):
        raise Refusal(HTTP_MALFORMED, "the request target is not a path", expected="POST /path")


def _read_headers(request: web.Request) -> dict[str, tuple[str, ...]]:
    headers = request.headers
    return {name: tuple(headers.getall(name)) for name in READ_HEADERS if name in headers}


def _response(reply: Reply) -> web.Response:
    headers = CIMultiDict({"Content-Type": "application/json", "Server": SERVER_NAME})
    headers.update(reply.headers)
    return web.Response(status=reply.status, headers=headers, body=reply.body)


async def _expect_later(request: web.Request) -> None:
    """Leave the answer to `Expect` to the door, which looks at the headers first."""


def _nacks(entrance: Entrance) -> Middleware:
    @web.middleware
    async def nacks(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            _check_target(request)
            return await handler(request)
        except web.HTTPException as error:
            refusal = Refusal(PATH_UNKNOWN, got=f"HTTP {error.status}")
        except Refusal as refused:
            refusal = refused
        except Exception as error:
            refusal = unforeseen(error)
        response = _response(entrance.refuse(refusal))
        response.force_close()
        return response

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
