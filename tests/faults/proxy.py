"""A TCP proxy that spoils what passes: the eight toxics of Shopify's toxiproxy, a half-close, and an answer of garbage.

It stands between two programs of a test; what it does to which connection follows from its seed. Source: reliability
rules "Practices taken from trusted systems".
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from random import Random
from urllib.parse import urlsplit, urlunsplit

HOST = "127.0.0.1"
CHUNK = 65_536
_LOST = (ConnectionError, asyncio.IncompleteReadError, OSError)


@dataclass
class Line:
    """One connection through the proxy: the client's side, and the server's."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    there: asyncio.StreamReader
    writer_there: asyncio.StreamWriter
    random: Random

    async def run(self, up: Pipe, down: Pipe) -> None:
        """Let both ways flow until the answers have ended."""
        upward = asyncio.ensure_future(up(self, self.reader, self.writer_there))
        try:
            await down(self, self.there, self.writer)
        finally:
            upward.cancel()
            await asyncio.gather(upward, return_exceptions=True)

    def reset(self) -> None:
        """End it as a machine does that knows of no such connection."""
        for writer in (self.writer, self.writer_there):
            end: socket.socket = writer.get_extra_info("socket")
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()


Pipe = Callable[[Line, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Toxic = Callable[[Line], Awaitable[None]]


async def flow(line: Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass everything on as it comes."""
    while data := await reader.read(CHUNK):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


def sliced(most: int, seconds: float) -> Pipe:
    """Pass on in pieces of up to so many bytes, each after a while of up to so many seconds."""

    async def pipe(line: Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK):
            while data:
                size = line.random.randint(1, most)
                await asyncio.sleep(line.random.uniform(0, seconds))
                writer.write(data[:size])
                await writer.drain()
                data = data[size:]

    return pipe


def limited(most: int) -> Pipe:
    """Pass on up to so many bytes, then hang up."""

    async def pipe(line: Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        left = line.random.randint(0, most)
        while left and (data := await reader.read(left)):
            writer.write(data)
            await writer.drain()
            left -= len(data)

    return pipe


async def swallow(line: Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read for ever and pass nothing on."""
    while await line.reader.read(CHUNK):
        pass


async def clean(line: Line) -> None:
    """Spoil nothing."""
    await line.run(flow, flow)


async def latency(line: Line) -> None:
    """Everything takes a while."""
    await line.run(sliced(CHUNK, 0.1), sliced(CHUNK, 0.1))


async def bandwidth(line: Line) -> None:
    """Little passes at a time."""
    await line.run(sliced(2_000, 0.02), sliced(200, 0.02))


async def slow_close(line: Line) -> None:
    """The answer is there long before the connection ends."""
    await line.run(flow, flow)
    await asyncio.sleep(0.2)


async def timeout(line: Line) -> None:
    """Takes the connection and whatever comes, and never says anything."""
    await swallow(line, line.reader, line.writer)


async def reset_peer(line: Line) -> None:
    """Hangs up without a word: before the request has passed, or after, when it may have had its effect."""
    if line.random.random() < 0.5:
        line.writer_there.write(await line.reader.readuntil(b"\r\n\r\n"))
    else:
        flowing = asyncio.ensure_future(flow(line, line.reader, line.writer_there))
        await line.there.readuntil(b"\r\n\r\n")
        flowing.cancel()
    line.reset()


async def slicer(line: Line) -> None:
    """Everything comes in crumbs."""
    await line.run(sliced(97, 0), sliced(7, 0))


async def limit_data(line: Line) -> None:
    """The connection ends in the middle of the answer, or of the request."""
    if line.random.random() < 0.5:
        await line.run(flow, limited(250))
    else:
        await limited(1_500)(line, line.reader, line.writer_there)


async def down(line: Line) -> None:
    """Nobody is there."""
    line.reset()


async def half_close(line: Line) -> None:
    """The request passes; then the answering side says that it has said everything."""
    flowing = asyncio.ensure_future(flow(line, line.reader, line.writer_there))
    await line.there.readuntil(b"\r\n\r\n")
    line.writer.write_eof()
    with suppress(TimeoutError):
        await asyncio.wait_for(flowing, 1.0)


async def garbage(line: Line) -> None:
    """The request passes; the answer is noise, or HTTP that is none of the protocol's."""
    flowing = asyncio.ensure_future(flow(line, line.reader, line.writer_there))
    await line.there.readuntil(b"\r\n\r\n")
    flowing.cancel()
    noise = line.random.randbytes(line.random.randint(1, 400))
    status = line.random.choice((b"", b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", b"HTTP/1.1 502 Bad\r\n\r\n"))
    line.writer.write((status % len(noise) if b"%d" in status else status) + noise)
    await line.writer.drain()


TOXICS: dict[str, Toxic] = {
    each.__name__: each
    for each in (
        *(latency, bandwidth, slow_close, timeout, reset_peer, slicer, limit_data, down),
        *(half_close, garbage),
    )
}


@dataclass
class Proxy:
    """A port that leads to somebody else's, or to another address where nobody is at the first. `toxic` is what happens
    to new connections, and `ill` to how many of them; the rest pass cleanly."""

    url: str
    random: Random
    toxic: Toxic = clean
    ill: int = 0
    otherwise: str = ""
    port: int = 0
    spoiled: int = 0
    lines: set[asyncio.Task[None]] = field(default_factory=set)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        """Listen while the block runs; yields the address that leads through it."""
        target = urlsplit(self.url)
        server = await asyncio.start_server(self._take, HOST, self.port, limit=2**20)
        try:
            yield urlunsplit(target._replace(netloc=f"{HOST}:{server.sockets[0].getsockname()[1]}"))
        finally:
            server.close()
            for line in self.lines:
                line.cancel()
            await asyncio.gather(*self.lines, return_exceptions=True)

    def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = asyncio.ensure_future(self._serve(reader, writer))
        self.lines.add(line)
        line.add_done_callback(self.lines.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        toxic = clean
        if self.ill > 0:
            self.ill -= 1
            self.spoiled += 1
            toxic = self.toxic
        writers = [writer]
        try:
            there, writer_there = await self._connected()
            writers.append(writer_there)
            await toxic(Line(reader, writer, there, writer_there, self.random))
        except _LOST:
            pass
        finally:
            for each in writers:
                each.close()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        first, other = urlsplit(self.url), urlsplit(self.otherwise or self.url)
        with suppress(OSError):
            return await asyncio.open_connection(first.hostname, first.port, limit=2**20)
        return await asyncio.open_connection(other.hostname, other.port, limit=2**20)
