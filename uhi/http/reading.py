"""What every door of ours reads of a request: its head, and its body under our own limits of size and time.

Below: aiohttp and `exchange.credentials`; above: `server`, `uhi.api`. Whatever the application around a door allows.
Source: security rules "aiohttp settings and measured behaviour".
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from uhi.errors import Refusal
from uhi.exchange.credentials import check_content
from uhi.faults import BODY_LATE, BODY_TOO_LARGE, HEADERS_TOO_LARGE, HTTP_MALFORMED
from uhi.http.peers import NO_PROXIES, Proxies

_BYTES_BETWEEN = len(": \r\n")


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """What one request may cost: `body_seconds` from its headers to the body's last byte, `headers` bytes of header
    lines in all, `handler_seconds` from there to the answer. The bytes of a body are limited by the entrance, path by
    path.

    A server of our own also closes a connection whose headers are not there after `head_seconds`, or that is idle for
    so long, and has at most `connections` of one address (0: any number). `proxies` are believed when they tell in
    `X-Forwarded-For` for whom they ask, and may have any number of connections.
    """

    body_seconds: float = 20.0
    headers: int = 16_384
    handler_seconds: float = 5.0
    head_seconds: float = 10.0
    connections: int = 50
    proxies: Proxies = NO_PROXIES


DEFAULT_LIMITS = ServerLimits()


def check_target(request: web.Request) -> None:
    """Only a path is a target: a whole URL would change the host that the application believes it is.

    Raises: Refusal(HTTP_MALFORMED).
    """
    if not request.raw_path.startswith("/"):
        raise Refusal(HTTP_MALFORMED, "the request target is not a path", expected="POST /path")


def check_headers(request: web.Request, limits: ServerLimits) -> None:
    """All header lines together, which aiohttp does not limit.

    Raises: Refusal(HEADERS_TOO_LARGE).
    """
    size = sum(len(name) + len(value) + _BYTES_BETWEEN for name, value in request.raw_headers)
    if size > limits.headers:
        raise Refusal(HEADERS_TOO_LARGE, got=f"{size} bytes", expected=f"at most {limits.headers}")


def check_announced(request: web.Request, *, size: int) -> None:
    """What the headers say of the body: JSON, not encoded, not too large.

    Raises: Refusal(BODY_TYPE), Refusal(BODY_TOO_LARGE).
    """
    headers = request.headers
    check_content(tuple(headers.getall("Content-Type", ())), tuple(headers.getall("Content-Encoding", ())))
    if (request.content_length or 0) > size:
        raise _too_large(f"{request.content_length} bytes announced", size)


def to_come(request: web.Request) -> int | None:
    """How many bytes of the body are still to come: 0 when all are here, None where nobody says."""
    return 0 if request.content.is_eof() else request.content_length


async def read_body(request: web.Request, *, size: int, seconds: float) -> bytes:
    """The body as it came.

    Raises: Refusal(BODY_TOO_LARGE), Refusal(BODY_LATE), Refusal(HTTP_MALFORMED).
    """
    chunks: list[bytes] = []
    got = 0
    try:
        async with asyncio.timeout(seconds):
            if request.headers.get("Expect", "").lower() == "100-continue":
                await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                request.writer.output_size = 0
            async for chunk in request.content.iter_any():
                got += len(chunk)
                if got > size:
                    raise _too_large(f"{got} bytes so far", size)
                chunks.append(chunk)
    except TimeoutError:
        raise Refusal(BODY_LATE, got=f"{got} bytes so far", expected=f"all within {seconds:g} s") from None
    except (HttpProcessingError, web.RequestPayloadError) as error:
        raise Refusal(HTTP_MALFORMED, "the body is malformed", got=type(error).__name__) from None
    except ConnectionError as error:
        raise Refusal(HTTP_MALFORMED, "the body ended too early", got=type(error).__name__) from None
    return b"".join(chunks)


async def expect_later(request: web.Request) -> None:
    """Leave the answer to `Expect` to the door, which looks at the headers first."""


def _too_large(got: str, size: int) -> Refusal:
    return Refusal(BODY_TOO_LARGE, got=got, expected=f"at most {size}")
