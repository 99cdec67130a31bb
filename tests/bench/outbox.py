"""How fast a pile of letters is delivered after its process was killed, by the one that comes after it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from tests.bench.databases import Databases
from tests.bench.hop import start
from tests.bench.peers import Stub, addresses, listen
from tests.bench.pending import PROFILES, SENDS, WRITES, Pile

PENDING = 10_000
DESTINATIONS = 50
_PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Drained:
    """Seconds from the start of the process to its last delivery, deliveries a second from the first to the last, and
    where the time went if that was asked for."""

    seconds: float
    per_second: float
    profile: str = ""


async def weigh_outbox(where: Databases, name: str, *, profiles: bool = False, count: int = PENDING) -> Drained:
    """Write letters, kill who wrote them, deliver them."""
    stub = Stub()
    hosts = addresses(DESTINATIONS)
    server, port = await listen(stub, hosts)
    kept = await where.fresh(name)
    urls = [f"http://{host}:{port}/uhi" for host in hosts]
    writer = await start("tests.bench.pending", Pile(WRITES, kept.database, kept.body_key, count, urls).text())
    assert writer.stdout is not None
    await writer.stdout.readline()
    writer.kill()
    await writer.wait()
    stub.expect(count)
    began = time.perf_counter()
    kind = PROFILES if profiles else SENDS
    sender = await start("tests.bench.pending", Pile(kind, kept.database, kept.body_key, count, urls).text())
    assert sender.stdin is not None
    try:
        async with asyncio.timeout(_PATIENCE):
            await stub.done.wait()
    finally:
        sender.stdin.close()
        said, _ = await sender.communicate()
        server.close()
    rate = (count - 1) / (stub.last_at - stub.first_at)
    return Drained(stub.last_at - began, rate, said.decode().partition("started\n")[2])
