"""An entrance that remembers what came in, a server in front of it, and a way to talk to it byte by byte."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from uhi.errors import Refusal
from uhi.http import HttpTransport, Server, ServerLimits, any_address, application, serve
from uhi.ports import Inbound, Reply

ACK = b'{"message":{"ack":{"status":"ACK"}},"error":{}}'
SMALL = 1_000

Ask = Callable[[bytes], Awaitable[bytes]]


@dataclass
class FakeEntrance:
    """Takes everything; shows what it took and what the server refused."""

    paths: dict[str, int] = field(default_factory=lambda: {"search": SMALL, "lookup/providers": SMALL})
    taken: list[Inbound] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    has_refused: asyncio.Event = field(default_factory=asyncio.Event)
    heads: list[tuple[Inbound, int | None]] = field(default_factory=list)
    refuses: Refusal | None = None

    async def check_head(self, inbound: Inbound, *, size: int | None) -> Reply | None:
        self.heads.append((inbound, size))
        return self.refuse(self.refuses) if self.refuses else None

    async def take(self, inbound: Inbound) -> Reply:
        self.taken.append(inbound)
        return Reply(200, {"Content-Type": "application/json"}, ACK)

    def refuse(self, refusal: Refusal, path: str = "") -> Reply:
        self.refused.append(refusal)
        self.has_refused.set()
        body = {"message": {"ack": {"status": "NACK"}}, "error": {"type": refusal.fault.type}}
        return Reply(refusal.fault.status, {"Content-Type": "application/json"}, json.dumps(body).encode())


@pytest.fixture
def entrance() -> FakeEntrance:
    """What the server is in front of."""
    return FakeEntrance()


@pytest.fixture
async def server(entrance: FakeEntrance) -> AsyncIterator[Server]:
    """Our own application on a free port, with a body timer that is short enough to run out in a test."""
    async with serve(application(entrance, limits=ServerLimits(body_seconds=0.2))) as running:
        yield running


@pytest.fixture
def ask(server: Server) -> Ask:
    """Sends bytes and returns the first answer; nothing where the server cuts the connection instead."""

    async def send(raw: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(raw)
        try:
            return await asyncio.wait_for(_answer(reader), 10)
        finally:
            writer.close()

    return send


async def _answer(reader: asyncio.StreamReader) -> bytes:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        return head + (await reader.readexactly(int(length[1])) if length else b"")
    except ConnectionResetError:
        return b""


@pytest.fixture
async def transport() -> AsyncIterator[HttpTransport]:
    """The client, for a network on one machine."""
    client = HttpTransport(addresses=any_address)
    yield client
    await client.aclose()


@pytest.fixture
def peer() -> Callable[[Callable[[web.Request], Awaitable[web.StreamResponse]]], object]:
    """Runs a peer that answers every POST in its own way, hostile ones included."""

    @asynccontextmanager
    async def running(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[Server]:
        app = web.Application()
        app.router.add_post("/{path:.*}", handler)
        async with serve(app) as server:
            yield server

    return running
