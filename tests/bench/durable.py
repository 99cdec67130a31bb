"""The gateway's hop on each storage, in turns: how much of its throughput in memory is kept, what an ACK costs more.

Full load is 64 senders, each of which waits for its answer before it sends again. Added latency is measured at a rate
that no storage is pressed by: at full load it would be a matter of the throughput alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from statistics import median, quantiles

from tests.bench.databases import Databases
from tests.bench.hop import Bench, Kept, Weighed, running, searches
from tests.bench.peers import send_paced

MEMORY = "memory"
SENDERS = 64
PER_SECOND = 300.0
_SETTLE = 60.0


@dataclass
class Durable:
    """What was weighed on one storage: rounds at full load, seconds to each ACK at the easy rate, and its groups."""

    full: list[Weighed] = field(default_factory=list)
    easy: list[float] = field(default_factory=list)
    groups: dict[str, int] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        """Messages a second at full load."""
        return median(each.count / each.elapsed for each in self.full)

    @property
    def micros(self) -> float:
        """Processor microseconds of the gateway's process per message."""
        return median(each.micros for each in self.full)

    @property
    def full_ms(self) -> float:
        """Median milliseconds to the ACK at full load."""
        return median(each.ack_ms for each in self.full)

    @property
    def easy_ms(self) -> tuple[float, float]:
        """Milliseconds to the ACK at the easy rate: half of them, and 99 of 100, are below."""
        hundredths = quantiles(self.easy, n=100)
        return hundredths[49] * 1e3, hundredths[98] * 1e3

    @property
    def group_size(self) -> float:
        """Writes that shared a commit, on average."""
        return self.groups["items"] / max(self.groups["groups"], 1)


async def weigh_durable(where: Databases, rounds: int, count: int) -> Mapping[str, Durable]:
    """The same gateway on each storage, each load in processes of its own; the first round warms up."""
    weighed = {name: Durable() for name in (MEMORY, *where.names)}
    async with _gateways(where) as gateways:
        for turn in range(rounds + 1):
            for name, (bench, _) in gateways.items():
                full = await bench.push(searches(bench, range(turn * count, (turn + 1) * count)), senders=SENDERS)
                if turn:
                    weighed[name].full.append(full)
    for name, (_, kept) in gateways.items():
        weighed[name].groups = kept.groups
    async with _gateways(where) as gateways:
        for turn in range(2):
            for name, (bench, _) in gateways.items():
                weighed[name].easy = await _easily(bench, searches(bench, range(turn * count, (turn + 1) * count)))
    return weighed


@asynccontextmanager
async def _gateways(where: Databases) -> AsyncIterator[dict[str, tuple[Bench, Kept]]]:
    kept = {MEMORY: Kept()} | {name: await where.fresh(name) for name in where.names}
    async with AsyncExitStack() as stack:
        yield {
            name: (await stack.enter_async_context(running("gateway", 1, each)), each) for name, each in kept.items()
        }


async def _easily(bench: Bench, requests: Sequence[bytes]) -> list[float]:
    bench.stub.expect(len(requests))
    seconds = await send_paced(bench.port, requests, senders=SENDERS, per_second=PER_SECOND)
    async with asyncio.timeout(_SETTLE):
        await bench.stub.done.wait()
    return seconds
