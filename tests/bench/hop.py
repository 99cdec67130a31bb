"""Starts measured programs and weighs what goes through them: processor time per message, times to answers."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.bench.peers import Sent, Stub, addresses, listen, send_all
from tests.bench.program import CONSUMER, Task, provider_id
from tests.bench.traffic import Sender, catalogue, search

SENDERS = 32
_SETTLE = 60.0


@dataclass(frozen=True, slots=True)
class Bench:
    """A running program between senders and stubs, each on a processor of its own where there are two."""

    process: asyncio.subprocess.Process
    port: int
    stub: Stub
    consumer: Sender
    provider: Sender

    def processor_seconds(self) -> float:
        """What the program has used so far, to the nanosecond."""
        return int(Path(f"/proc/{self.process.pid}/schedstat").read_text().split()[0]) / 1e9

    async def push(self, requests: Sequence[bytes], *, senders: int = SENDERS, fan_out: int = 1) -> Weighed:
        """Send requests and wait until each has reached every stub it is for."""
        self.stub.expect(len(requests) * fan_out)
        # Waking a sleeping peer costs the program that writes to it, more often the slower that program is; peers that
        # never sleep keep this out of the comparison.
        awake = asyncio.ensure_future(_stay_awake())
        before, started = self.processor_seconds(), time.perf_counter()
        sent = await send_all(self.port, requests, senders=senders)
        async with asyncio.timeout(_SETTLE):
            await self.stub.done.wait()
        awake.cancel()
        return Weighed(sent, self.processor_seconds() - before, self.stub.last_at - started, len(requests))


async def _stay_awake() -> None:
    while True:
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
async def running(kind: str, providers: int) -> AsyncIterator[Bench]:
    """A program of this kind in front of so many stub providers."""
    stub = Stub()
    hosts = addresses(providers)
    server, port = await listen(stub, hosts)
    consumer = Sender(CONSUMER, f"http://127.0.1.1:{port}/uhi")
    provider = Sender(provider_id(0), f"http://{hosts[0]}:{port}/uhi")
    urls = [f"http://{host}:{port}/uhi" for host in hosts]
    task = Task(kind, consumer.url, consumer.public_key, provider.public_key, urls)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.program", task.text()),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    _part(process.pid)
    try:
        yield Bench(process, int(await process.stdout.readline()), stub, consumer, provider)
    finally:
        process.stdin.close()
        await process.wait()
        server.close()


def _part(pid: int) -> None:
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(pid, cores[:1])


def searches(bench: Bench, numbers: range, *, size: int = 2_048) -> list[bytes]:
    """Signed searches with these numbers."""
    url = bench.consumer.url
    return [bench.consumer.post("search", search(number, url, size=size)) for number in numbers]


async def weigh_hops(rounds: int, count: int) -> tuple[list[Weighed], list[Weighed]]:
    """The gateway and the unchecked forwarder, in turns: searches of 2 KB to one stub."""
    ours: list[Weighed] = []
    bare: list[Weighed] = []
    async with running("gateway", 1) as gateway, running("unchecked", 1) as unchecked:
        for turn in range(rounds + 1):
            numbers = range(turn * count, (turn + 1) * count)
            for bench, weighed in ((unchecked, bare), (gateway, ours)):
                result = await bench.push(searches(bench, numbers))
                if turn:  # the first round warms up
                    weighed.append(result)
    return ours, bare


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
