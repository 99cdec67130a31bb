"""The pooled HTTP client: `ports.Transport` on aiohttp, with nothing switched on that a peer could use against us.

Below: `addresses`; above: composition roots. Every failure to get an answer is a DeliveryError.
"""

from __future__ import annotations

import asyncio
import io
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version

import aiohttp
from yarl import URL

from uhi.errors import DeliveryError
from uhi.http.addresses import AddressPolicy, AddressRefused, public_only
from uhi.ports import Reply

LONGEST_ANSWER = 65_536
"""The most bytes of a peer's answer that are read."""

READ_ANSWER_HEADERS = (
    "content-type",
    "date",
    "proxy-authenticate",
    "retry-after",
    "www-authenticate",
    "x-registry-authorization",
)
"""The response headers that are passed on."""

_CONNECTIONS = 256
_CONNECTIONS_PER_HOST = 8
_CONNECT_SECONDS = 5.0
_IN_ONE_PIECE = 256 * 1_024
# Shorter than any server of the network keeps an idle connection, so that a POST seldom meets one being closed.
_IDLE_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class _Question:
    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)


class HttpTransport:
    """One connection pool. Opened by the first `post` in the running loop; whoever makes it calls `aclose`.

    `addresses` says where it may send to. `longest_answer` is the most bytes of an answer that are read; only the pool
    that asks a registry for its list of providers needs more than the default. `authorities` is a PEM file of
    certificate authorities to trust in place of the system's; certificates are always verified.
    """

    def __init__(
        self,
        *,
        addresses: AddressPolicy = public_only,
        longest_answer: int = LONGEST_ANSWER,
        authorities: str | None = None,
    ) -> None:
        self._addresses = addresses
        self._longest_answer = longest_answer
        self._authorities = authorities
        self._session: aiohttp.ClientSession | None = None
        self._is_closed = False

    async def post(self, url: str, *, body: bytes, headers: Mapping[str, str], timeout: float) -> Reply:
        """Send exactly these bytes once and return the answer, all within `timeout` seconds, waiting for a free
        connection and DNS included. A redirect is returned like any other answer.

        Raises: DeliveryError when no answer came: refused, reset, late, too large, encoded, or an address not allowed.
        """
        return await self._ask(_Question("POST", url, headers, body), timeout=timeout, longest=self._longest_answer)

    async def get(self, url: str, *, timeout: float, longest: int = LONGEST_ANSWER) -> Reply:
        """Fetch a page once, by the rules of `post`; at most `longest` bytes of it are read.

        Raises: DeliveryError as `post`.
        """
        return await self._ask(_Question("GET", url, {"Accept": "*/*"}, None), timeout=timeout, longest=longest)

    async def _ask(self, question: _Question, *, timeout: float, longest: int) -> Reply:
        target = _read_url(question.url)
        self._addresses.check_url(target)
        session = self._open()
        try:
            async with (
                asyncio.timeout(timeout),
                session.request(
                    question.method, target, data=_sent(question.body), headers=question.headers, allow_redirects=False
                ) as response,
            ):
                return await _read(response, longest)
        except TimeoutError:
            raise DeliveryError(f"no answer from {_who(target)} in time", expected=f"within {timeout:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _failed(target, error) from None

    async def aclose(self) -> None:
        """Close the pool; calls under way end with a DeliveryError."""
        self._is_closed = True
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._is_closed:
            raise DeliveryError("the transport is closed", next_step="make a new one")
        if self._session is None:
            self._session = aiohttp.ClientSession(
                auto_decompress=False,
                trust_env=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS),
                headers={
                    "Accept": "application/json",
                    "Accept-Encoding": "identity",
                    "Content-Type": "application/json",
                    "User-Agent": _user_agent(),
                },
                connector=aiohttp.TCPConnector(
                    limit=_CONNECTIONS,
                    limit_per_host=_CONNECTIONS_PER_HOST,
                    keepalive_timeout=_IDLE_SECONDS,
                    ssl=_tls(self._authorities),
                    socket_factory=self._socket,
                ),
            )
        return self._session

    def _socket(self, info: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = info
        self._addresses.check_address(address[0])
        return socket.socket(family, kind, protocol)


def _sent(body: bytes | None) -> bytes | io.BytesIO | None:
    # Bytes go out in one piece, for which everybody else would wait; a stream goes out in parts, its length known.
    return io.BytesIO(body) if body is not None and len(body) > _IN_ONE_PIECE else body


def _read_url(url: str) -> URL:
    try:
        return URL(url)
    except ValueError:
        raise DeliveryError(
            "the address cannot be read", expected="a URL", next_step="correct the subscriber's registered address"
        ) from None


def _tls(authorities: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authorities)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _user_agent() -> str:
    try:
        return f"uhi-network/{version('uhi-network')}"
    except PackageNotFoundError:
        return "uhi-network"


async def _read(response: aiohttp.ClientResponse, longest: int) -> Reply:
    encoding = response.headers.get("Content-Encoding", "identity")
    if encoding.strip().lower() not in ("", "identity"):
        raise DeliveryError(
            f"the answer of {_who(response.url)} is encoded", expected="no Content-Encoding, as asked for"
        )
    chunks: list[bytes] = []
    size = 0
    while chunk := await response.content.read(longest + 1 - size):
        chunks.append(chunk)
        size += len(chunk)
        if size > longest:
            raise DeliveryError(f"the answer of {_who(response.url)} is too large", expected=f"at most {longest} bytes")
    headers = {name: response.headers[name] for name in READ_ANSWER_HEADERS if name in response.headers}
    return Reply(response.status, headers, b"".join(chunks))


def _who(target: URL) -> str:
    return str(target.origin())


def _failed(target: URL, error: Exception) -> DeliveryError:
    who = _who(target)
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError | ssl.SSLError):
        return DeliveryError(
            f"no trusted connection to {who}", got=type(error).__name__, next_step="check the peer's certificate"
        )
    if isinstance(error, aiohttp.ClientConnectorError):
        cause = error.os_error
        if isinstance(cause, AddressRefused):
            return DeliveryError(f"{who} is not sent to", got=str(cause), expected="a public address")
        return DeliveryError(
            f"no connection to {who}",
            got=cause.strerror or type(cause).__name__,
            next_step="check that the peer runs and its registered address is right",
        )
    if isinstance(error, ValueError):
        return DeliveryError(f"the request to {who} cannot be written", got=type(error).__name__)
    return DeliveryError(f"the connection to {who} broke before the answer was read", got=type(error).__name__)
