"""Who is at the other end of a connection: behind which proxies, and how many connections it has.

Below: aiohttp's protocol, which it stands in front of; above: `reading`, `server`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp import web

from uhi.errors import SetupError
from uhi.exchange.rates import place_of

_FORWARDED = "X-Forwarded-For"


@dataclass(frozen=True, slots=True)
class Proxies:
    """The networks of the proxies in front of a server. Only they are believed when they say for whom they ask."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    def has(self, number: str) -> bool:
        """Whether a proxy has this number."""
        if not self.networks:
            return False
        try:
            address = ip_address(number.partition("%")[0])
        except ValueError:
            return False
        if isinstance(address, IPv6Address):
            address = address.ipv4_mapped or address
        return any(address in network for network in self.networks)

    def address_of(self, request: web.Request) -> str:
        """The number of who asks: of the connection, or what the last proxy of ours says where it is one's.

        Anybody may write the header, so it is read from its end, as far as proxies of ours wrote it.
        """
        number = request.remote or ""
        if not self.has(number):
            return number
        lines = request.headers.getall(_FORWARDED, ())
        for told in reversed([each.strip() for line in lines for each in line.split(",")]):
            if not _is_number(told):
                return number
            number = told
            if not self.has(number):
                return number
        return number


NO_PROXIES = Proxies()


def read_proxies(text: str) -> Proxies:
    """Networks or numbers separated by commas: `10.0.0.0/8, 192.0.2.7`.

    Raises: SetupError.
    """
    try:
        return Proxies(tuple(ip_network(each.strip(), strict=False) for each in text.split(",") if each.strip()))
    except ValueError:
        raise SetupError(
            "the proxies in front of this server cannot be read",
            expected="networks such as 10.0.0.0/8, separated by commas",
            next_step="correct UHI_TRUSTED_PROXIES",
        ) from None


class Connections:
    """Makes the protocol of each connection, and cuts those that are too many of one address.

    `make` is the HTTP server behind it, `most` how many one address may have at a time (0: any number).
    """

    def __init__(self, make: Callable[[], asyncio.Protocol], *, most: int, proxies: Proxies) -> None:
        self._make = make
        self._most = most
        self._proxies = proxies
        self._open: Counter[str] = Counter()

    def __call__(self) -> asyncio.Protocol:
        """One more connection: who it is will be known when it is made."""
        return _Counted(self, self._make()) if self._most else self._make()

    def enter(self, number: str) -> bool:
        """Count a connection; whether it may stay."""
        if self._proxies.has(number):
            return True
        place = place_of(number)
        if self._open[place] >= self._most:
            return False
        self._open[place] += 1
        return True

    def leave(self, number: str) -> None:
        """A connection that was let in has ended."""
        if self._proxies.has(number):
            return
        place = place_of(number)
        self._open[place] -= 1
        if self._open[place] <= 0:
            del self._open[place]


class _Counted(asyncio.Protocol):
    """Passes on to the protocol behind it what happens on a connection that may stay."""

    __slots__ = ("_behind", "_connections", "_number")

    def __init__(self, connections: Connections, behind: asyncio.Protocol) -> None:
        self._connections = connections
        self._behind: asyncio.Protocol | None = behind
        self._number = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        name: object = transport.get_extra_info("peername")
        number = str(name[0]) if isinstance(name, tuple) and name else ""
        if self._behind is None or not self._connections.enter(number):
            self._behind = None
            if isinstance(transport, asyncio.Transport):
                transport.abort()
            return
        self._number = number
        self._behind.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._behind is not None:
            self._connections.leave(self._number)
            self._behind.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._behind is not None:
            self._behind.data_received(data)

    def eof_received(self) -> bool | None:
        return None if self._behind is None else self._behind.eof_received()

    def pause_writing(self) -> None:
        if self._behind is not None:
            self._behind.pause_writing()

    def resume_writing(self) -> None:
        if self._behind is not None:
            self._behind.resume_writing()


def _is_number(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


__all__ = ["NO_PROXIES", "Connections", "Proxies", "read_proxies"]
