"""One worker and two, as `uhi gateway serve --workers N` runs them on one PostgreSQL, under the same load in turns.

They share this machine's processors with the senders, the providers and the database: two workers gain only what those
leave.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.bench.databases import POSTGRES, Databases
from tests.bench.durable import SENDERS
from tests.bench.peers import Stub, addresses, listen, send_all
from tests.bench.program import CONSUMER, DOMAIN, GATEWAY, provider_id
from tests.bench.traffic import Sender, search
from tests.registry.members_file import members_file
from tests.server_process import free_port
from uhi.registry.memory import Member, MemoryRegistry
from uhi.signing import UHI, PrivateKey, PublicKey
from uhi.signing.key_files import write_private_key_file
from uhi.subscribers import Role, Subscriber, SubscriberKey

ROOT = Path(__file__).parents[2]
_PROGRAM = "import sys; sys.path.insert(0, sys.argv.pop(1)); from cli.main import main; main()"
_SETTLE = 60.0


@dataclass(frozen=True, slots=True)
class _Town:
    """A registry with one consumer, one provider and one gateway, and where each listens."""

    folder: Path
    stub: Stub
    consumer: Sender
    registry_port: int
    gateway_port: int

    def settings(self, database: str, body_key: str) -> dict[str, str]:
        """The gateway's, with limits out of reach."""
        return {
            "UHI_SUBSCRIBER_ID": GATEWAY,
            "UHI_KEY_ID": "k1",
            "UHI_KEY_FILE": str(self.folder / "gateway.pem"),
            "UHI_URL": f"http://127.0.0.1:{self.gateway_port}/api/v1/uhi",
            "UHI_REGISTRY_URL": f"http://127.0.0.1:{self.registry_port}/api/v1/networkregistry",
            "UHI_DATABASE_URL": database,
            "UHI_BODY_KEY_FILE": body_key,
            "UHI_DOMAINS": DOMAIN,
            "UHI_SEARCHES_PER_SECOND": "0",
            "UHI_ANSWERS_PER_SECOND": "0",
            "UHI_REQUESTS_PER_SECOND": "0",
            "UHI_CONNECTIONS_PER_ADDRESS": "0",
            "UHI_FULL_MIB": "100000",
        }


async def weigh_crews(where: Databases, rounds: int, count: int) -> Mapping[int, float]:
    """Messages a second, from the first sent to the last delivered, by the number of workers."""
    rates: dict[int, list[float]] = {1: [], 2: []}
    async with AsyncExitStack() as stack:
        towns = {workers: await stack.enter_async_context(_served(where, workers)) for workers in rates}
        for turn in range(rounds + 1):
            for workers, town in towns.items():
                rate = await _push(town, range(turn * count, (turn + 1) * count))
                if turn:  # the first round warms up
                    rates[workers].append(rate)
    return {workers: median(each) for workers, each in rates.items()}


async def _push(town: _Town, numbers: Sequence[int]) -> float:
    url = town.consumer.url
    requests = [town.consumer.post("api/v1/uhi/search", search(number, url)) for number in numbers]
    town.stub.expect(len(requests))
    began = time.perf_counter()
    sent = await send_all(town.gateway_port, requests, senders=SENDERS)
    assert not sent.refused, f"{sent.refused} of {len(requests)} were refused"
    async with asyncio.timeout(_SETTLE):
        await town.stub.done.wait()
    return len(requests) / (town.stub.last_at - began)


@asynccontextmanager
async def _served(where: Databases, workers: int) -> AsyncIterator[_Town]:
    stub = Stub()
    server, port = await listen(stub, addresses(1))
    town = _founded(where.folder / f"crew-{workers}", stub, port)
    kept = await where.fresh(POSTGRES)
    members = str(town.folder / "members.yaml")
    async with AsyncExitStack() as stack:
        stack.callback(server.close)
        named = ("--file", members, "--subscriber-id", "registry.example")
        registry = ("registry", "serve", *named, "--port", str(town.registry_port), "--json")
        await stack.enter_async_context(_running(registry, {}))
        gateway = ("gateway", "serve", "--workers", str(workers), "--port", str(town.gateway_port), "--json")
        await stack.enter_async_context(_running(gateway, town.settings(kept.database, kept.body_key)))
        yield town


def _founded(folder: Path, stub: Stub, port: int) -> _Town:
    folder.mkdir()
    consumer = Sender(CONSUMER, f"http://127.0.1.1:{port}/uhi")
    gateway_key = PrivateKey.new()
    write_private_key_file(folder / "gateway.pem", gateway_key)
    town = _Town(folder, stub, consumer, free_port(), free_port())
    provider = Sender(provider_id(0), f"http://127.0.1.1:{port}/uhi")
    url = f"http://127.0.0.1:{town.gateway_port}/api/v1/uhi"
    members = (
        _member(CONSUMER, Role.CONSUMER, consumer.url, consumer.public_key),
        _member(provider_id(0), Role.PROVIDER, provider.url, provider.public_key),
        _member(GATEWAY, Role.GATEWAY, url, gateway_key.public.spki_base64()),
    )
    (folder / "members.yaml").write_text(members_file(MemoryRegistry(members)))
    return town


def _member(name: str, role: Role, url: str, key: str) -> Member:
    now = time.time()
    known = SubscriberKey("k1", PublicKey.read(key), UHI, now - 86_400.0, now + 86_400.0)
    return Member(Subscriber(name, role, url, domains=(DOMAIN,), cities=("std:011",)), (known,))


@asynccontextmanager
async def _running(arguments: Sequence[str], settings: Mapping[str, str]) -> AsyncIterator[None]:
    """A command of `uhi`, from when it says that it is up."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("UHI_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-c", _PROGRAM, str(ROOT), *arguments),
        env={**inherited, **settings},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        said = json.loads(await process.stdout.readline())
        assert said["ok"], said
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        await process.communicate()
