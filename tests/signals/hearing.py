"""What the tests of signals listen with, and clocks that tell when somebody waits to try again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.services import NatsServer, PostgresServer, RedisServer
from uhi.clock import SystemClock

SECONDS = 30.0
"""After this a test gives up; nothing takes so long."""

Server = PostgresServer | RedisServer | NatsServer


@dataclass
class Hearer:
    """Give it to `hear`; `next` waits for what is heard."""

    heard: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    def __call__(self, text: str) -> None:
        self.heard.put_nowait(text)

    async def next(self) -> str:
        return await asyncio.wait_for(self.heard.get(), SECONDS)


@dataclass
class NotingClock(SystemClock):
    """Real time, in haste; `waited` is set when somebody waits before trying again."""

    waited: asyncio.Event = field(default_factory=asyncio.Event)

    async def sleep(self, seconds: float) -> None:
        self.waited.set()
        await super().sleep(min(seconds, 0.05))


@contextmanager
def stopped(server: Server) -> Iterator[None]:
    """The server is away within the block, ended without a word."""
    server.stop(immediate=True)
    try:
        yield
    finally:
        server.start()
