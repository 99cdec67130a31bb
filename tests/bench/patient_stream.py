"""From a hospital's on_search at the patient's backend to the patient's stream: how long first results are under way.

The clock starts when the answer reaches the backend's door and stops when its event was read from the stream: journal,
checks, merging, the commit and the socket lie between. Everybody is in this one process, which is the worst case.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from statistics import median, quantiles

from cli.loop import settle_memory
from tests.bench.databases import Databases
from tests.participants.demo_hospital.village import ASHA
from tests.participants.patient.search.stand import APP, RULES, Stand, standing
from uhi.api.streams import StreamLimits
from uhi.booking.hospital import Doctor
from uhi.ports import Entrance, Inbound, Reply

DOCTORS = 20
"""In each answer."""
TARGET_MS = 50.0
_UNLIMITED = replace(RULES, searches_per_minute=1_000_000)


@dataclass
class Streamed:
    """Seconds from the door to the reader, one for each search."""

    seconds: list[float] = field(default_factory=list)

    @property
    def ms(self) -> tuple[float, float]:
        """Half of them, and 99 of 100, are below."""
        return median(self.seconds) * 1e3, quantiles(self.seconds, n=100)[98] * 1e3


@dataclass
class _Door:
    """The backend's entrance, which notes when answers to searches reach it."""

    behind: Entrance
    came_at: float = 0.0

    @property
    def paths(self) -> Mapping[str, int]:
        return self.behind.paths

    async def check_head(self, inbound: Inbound, *, size: int | None) -> Reply | None:
        if inbound.path == "on_search":
            self.came_at = time.perf_counter()
        return await self.behind.check_head(inbound, size=size)

    async def take(self, inbound: Inbound) -> Reply:
        return await self.behind.take(inbound)


async def weigh_patient_stream(where: Databases, count: int) -> Mapping[str, Streamed]:
    """One search after the other on each database; the first tenth warms up."""
    return {name: await _weigh((await where.fresh(name)).database, count) for name in where.names}


async def _weigh(url: str, count: int) -> Streamed:
    streamed = Streamed()
    async with standing(url, rules=_UNLIMITED, limits=StreamLimits(most_of_one=10_000)) as stand:
        assert stand.app is not None
        door = _Door(stand.app.entrance)
        stand.network.put_behind(APP, door)
        clinic = await stand.clinic(*map(_doctor, range(DOCTORS)))
        for turn in range(count + count // 10):
            if turn == count // 10:
                # As every program does once it is up: else a collection of all that is loaded is most of the tail.
                settle_memory()
            seconds = await _once(stand, clinic.may_answer, door, turn)
            if turn >= count // 10:
                streamed.seconds.append(seconds)
    return streamed


async def _once(stand: Stand, may_answer: asyncio.Event, door: _Door, turn: int) -> float:
    may_answer.clear()
    # Nothing is cached of a search that nobody has made before.
    search = await stand.begin(hospital="North", pincode=f"{100_000 + turn}")
    async with stand.events(search) as told:
        may_answer.set()
        event = await told.next()
        read_at = time.perf_counter()
    assert len(event["doctors"]) == DOCTORS, event["progress"]
    return read_at - door.came_at


def _doctor(number: int) -> Doctor:
    return replace(ASHA, id=f"doctor.{number}@hpr.ndhm", name=f"Dr. Number {number}")
