"""Starts measured programs and weighs what goes through them: processor time per message, times to answers."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from tests.bench.peers import Sent, Stub, addresses, listen, send_all
from tests.bench.program import CONSUMER, Task, provider_id
from tests.bench.traffic import Sender, catalogue, search

SENDERS = 32
_SETTLE = 60.0


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a program keeps what it promised, and how it grouped what it wrote, once it has ended."""

    database: str = ""
    body_key: str = ""
    groups: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bench:
    """A running program between senders and stubs, each on a processor of its own where there are two."""

    process: asyncio.subprocess.Process
    port: int
    stub: Stub
    consumer: Sender
    provider: Sender

    def processor_seconds(self) -> float:
        """What the program has used so far in all its threads, to the nanosecond."""
        threads = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(each.read_text().split()[0]) for each in threads) / 1e9

    async def push(
        self, requests: Sequence[bytes], *, senders: int = SENDERS, fan_out: int = 1, settle: float = _SETTLE
    ) -> Weighed:
        """Send requests and wait until each has reached every stub it is for, `settle` seconds after the last ACK at
        most."""
        self.stub.expect(len(requests) * fan_out)
        # Waking a sleeping peer costs the program that writes to it, more often the slower that program is; peers that
        # never sleep keep this out of the comparison.
        awake = asyncio.ensure_future(_stay_awake())
        before, started = self.processor_seconds(), time.perf_counter()
        sent = await send_all(self.port, requests, senders=senders)
        async with asyncio.timeout(settle):
            await self.stub.done.wait()
        awake.cancel()
        return Weighed(sent, self.processor_seconds() - before, self.stub.last_at - started, len(requests))


async def _stay_awake() -> None:
    while True:  # noqa: ASYNC110  # to poll is the purpose
        await asyncio.sleep(0)


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a number of messages cost the program: processor seconds, and seconds until the last had arrived."""

    sent: Sent
    processor: float
    elapsed: float
    count: int

    @property
    def micros(self) -> float:
        """Processor microseconds per message."""
        return self.processor / self.count * 1e6

    @property
    def ack_ms(self) -> float:
        """Median milliseconds to the ACK."""
        return median(self.sent.seconds) * 1e3


@asynccontextmanager
async def running(
    kind: str, providers: int, kept: Kept | None = None, *, under: Sequence[str] = ()
) -> AsyncIterator[Bench]:
    """A program of this kind in front of so many stub providers, its storage in memory where nothing is given; run by
    the command `under`, if any."""
    stub = Stub()
    hosts = addresses(providers)
    server, port = await listen(stub, hosts)
    consumer = Sender(CONSUMER, f"http://127.0.1.1:{port}/uhi")
    provider = Sender(provider_id(0), f"http://{hosts[0]}:{port}/uhi")
    urls = [f"http://{host}:{port}/uhi" for host in hosts]
    kept = kept or Kept()
    task = Task(kind, consumer.url, consumer.public_key, provider.public_key, urls, kept.database, kept.body_key)
    process = await start("tests.bench.program", task.text(), under=under)
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        yield Bench(process, int(await process.stdout.readline()), stub, consumer, provider)
    finally:
        process.stdin.close()
        kept.groups.update(json.loads(await process.stdout.readline() or "{}"))
        await process.wait()
        server.close()


def searches(bench: Bench, numbers: range, *, size: int = 2_048) -> list[bytes]:
    """Signed searches with these numbers."""
    url = bench.consumer.url
    return [bench.consumer.post("search", search(number, url, size=size)) for number in numbers]


@dataclass(frozen=True, slots=True)
class Hops:
    """Round by round: the gateway, the unchecked forwarder, and bare digest + verify + sign in µs."""

    gateway: list[Weighed]
    unchecked: list[Weighed]
    crypto: list[float]


async def weigh_hops(rounds: int, count: int) -> Hops:
    """The gateway, the unchecked forwarder and the bare crypto, in turns: searches of 2 KB to one stub."""
    hops = Hops([], [], [])
    async with running("gateway", 1) as gateway, running("unchecked", 1) as unchecked, _bare_crypto() as crypto:
        for turn in range(rounds + 1):
            numbers = range(turn * count, (turn + 1) * count)
            bare = await unchecked.push(searches(unchecked, numbers))
            ours = await gateway.push(searches(gateway, numbers))
            micros = await crypto()
            if turn:  # the first round warms up
                hops.unchecked.append(bare)
                hops.gateway.append(ours)
                hops.crypto.append(micros)
    return hops


@asynccontextmanager
async def _bare_crypto() -> AsyncIterator[Callable[[], Awaitable[float]]]:
    process = await start("tests.bench.bare_crypto")
    assert process.stdin is not None
    assert process.stdout is not None
    into, out = process.stdin, process.stdout

    async def measure() -> float:
        awake = asyncio.ensure_future(_stay_awake())
        into.write(b"\n")
        figure = float(await out.readline())
        awake.cancel()
        return figure

    try:
        yield measure
    finally:
        into.close()
        await process.wait()


async def start(module: str, *arguments: str, under: Sequence[str] = ()) -> asyncio.subprocess.Process:
    """A measured program, on a processor of its own where there are two."""
    command = (*under, sys.executable, "-m", module, *arguments)
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(process.pid, cores[:1])
    return process


async def weigh_fan_out(providers: int, count: int) -> Weighed:
    """Searches one after the other, each to so many providers; `elapsed` is of the last one alone, per search."""
    async with running("gateway", providers) as gateway:
        for request in searches(gateway, range(2)):
            await gateway.push([request], senders=1, fan_out=providers)
        weighed = [
            await gateway.push([request], senders=1, fan_out=providers)
            for request in searches(gateway, range(2, 2 + count))
        ]
    seconds = [second for each in weighed for second in each.sent.seconds]
    refused = sum(each.sent.refused for each in weighed)
    return Weighed(
        Sent(seconds, refused),
        sum(each.processor for each in weighed),
        median(each.elapsed for each in weighed),
        count,
    )


async def weigh_catalogues(size: int, count: int) -> Weighed:
    """Answers of a size on their way back to the consumer, each to a search of its own."""
    async with running("gateway", 1) as gateway:
        await gateway.push(searches(gateway, range(count)))
        bodies = [catalogue(number, size=size) for number in range(count)]
        return await gateway.push([gateway.provider.post("on_search", body) for body in bodies])
