"""The other side of a measurement, as cheap as it can be: stub providers that ACK, and senders that only send.

Written on bare asyncio, so that what is measured is the program in between and not these.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

ACK = b'{"message":{"ack":{"status":"ACK"}},"error":{}}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(ACK), ACK)


@dataclass(slots=True)
class Stub:
    """Counts the posts that reached any of its addresses, and when the first and the last one came."""

    received: int = 0
    first_at: float = 0.0
    last_at: float = 0.0
    wanted: int = 0
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def expect(self, count: int) -> None:
        """Begin counting again; `done` is set when `count` posts have come."""
        self.received, self.wanted = 0, count
        self.done.clear()

    def came(self, _: bytes = b"") -> None:
        """One more post has arrived in full."""
        self.received += 1
        self.last_at = time.perf_counter()
        if self.received == 1:
            self.first_at = self.last_at
        if self.received >= self.wanted:
            self.done.set()


class Answering(asyncio.Protocol):
    """Answers every post on a connection with ACK, and hands it on."""

    def __init__(self, came: Callable[[bytes], None]) -> None:
        self._came = came
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := length_of(self._buffer)) and len(self._buffer) >= end:
            post, self._buffer = self._buffer[:end], self._buffer[end:]
            self._transport.write(ANSWER)
            self._came(post)


def length_of(buffer: bytes) -> int:
    head = buffer.find(b"\r\n\r\n")
    if head < 0:
        return 0
    at = buffer[:head].lower().find(b"content-length:")
    return head + 4 + int(buffer[at + 15 : head].split(b"\r\n", 1)[0])


async def listen(stub: Stub, addresses: Sequence[str]) -> tuple[asyncio.Server, int]:
    """Listen at every address, all on one port; returns the server and the port."""
    loop = asyncio.get_running_loop()
    first = await loop.create_server(lambda: Answering(stub.came), addresses[0], 0)
    port = first.sockets[0].getsockname()[1]
    first.close()
    await first.wait_closed()
    server = await loop.create_server(lambda: Answering(stub.came), list(addresses), port, backlog=512)
    return server, port


def addresses(count: int) -> list[str]:
    """So many addresses of this machine's own network, one for each provider, as hosts of their own."""
    return [f"127.0.{1 + number // 250}.{1 + number % 250}" for number in range(count)]


def request(path: str, host: str, body: bytes, headers: dict[str, str]) -> bytes:
    """The bytes of one POST."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


@dataclass(frozen=True, slots=True)
class Sent:
    """What the senders saw: seconds per answer in order of arrival, and how many were not a 200."""

    seconds: list[float]
    refused: int


async def send_paced(port: int, requests: Sequence[bytes], *, senders: int, per_second: float) -> list[float]:
    """Send a request every so often, whether or not earlier ones were answered, as long as one of so many connections
    is free; returns the seconds per answer."""
    seconds: list[float] = []
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(senders):
        free.put_nowait(await asyncio.open_connection("127.0.0.1", port))
    began = asyncio.get_running_loop().time()

    async def one(number: int, data: bytes) -> None:
        await asyncio.sleep(began + number / per_second - asyncio.get_running_loop().time())
        reader, writer = await free.get()
        started = time.perf_counter()
        writer.write(data)
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(length_of(head) - len(head))
        seconds.append(time.perf_counter() - started)
        free.put_nowait((reader, writer))

    await asyncio.gather(*(one(number, data) for number, data in enumerate(requests)))
    while not free.empty():
        free.get_nowait()[1].close()
    return seconds


async def send_all(port: int, requests: Sequence[bytes], *, senders: int) -> Sent:
    """Send the requests over so many connections kept alive, one at a time on each."""
    seconds: list[float] = []
    refused = 0
    queue = list(reversed(requests))

    async def one() -> None:
        nonlocal refused
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while queue:
            data = queue.pop()
            started = time.perf_counter()
            writer.write(data)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(length_of(head) - len(head))
            seconds.append(time.perf_counter() - started)
            refused += not head.startswith(b"HTTP/1.1 200")
        writer.close()

    await asyncio.gather(*(one() for _ in range(senders)))
    return Sent(seconds, refused)
