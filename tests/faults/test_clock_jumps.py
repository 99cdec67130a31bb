"""A wall clock that is set forward and back under a program that waits: nobody is run over, nothing expires twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from random import Random

import pytest

from tests.faults.processes import seed
from tests.faults.town import CITY, DOMAIN, Rows
from tests.network.messages import A_WISH, AN_AGREEMENT
from uhi.actions import CONFIRM, INIT
from uhi.errors import DeliveryError, NoAnswer
from uhi.keeping import keeping_in_database
from uhi.network import LOCAL
from uhi.participant import Participant
from uhi.ports import Reply
from uhi.registry.memory import Member, MemoryRegistry
from uhi.signing import UHI, PrivateKey, Signer
from uhi.storage.sealing import Sealing
from uhi.subscribers import Role, Subscriber
from uhi.testing import FakeClock
from uhi.verified import Thread
from uhi.world import Identity, World

pytestmark = pytest.mark.faults

EACH = 5
JUMPS = (600.0, -900.0, 120.0, -60.0, 3_600.0, -7_200.0)
MINUTE = 60.0


@dataclass
class Wall:
    """A clock on the wall that somebody sets; what sleeps by it wakes when so much time has really passed."""

    real: FakeClock
    offset: float = 0.0

    def now(self) -> float:
        """What it shows."""
        return self.real.now() + self.offset

    async def sleep(self, seconds: float) -> None:
        """Return when `seconds` have really passed."""
        await self.real.sleep(seconds)


@dataclass
class Nobody:
    """A transport that reaches nobody, and remembers in which real minute it tried to deliver what."""

    clock: FakeClock
    tried: Counter[tuple[str, int]] = field(default_factory=Counter)

    async def post(self, url: str, *, body: bytes, headers: Mapping[str, str], timeout: float) -> Reply:
        """See `uhi.ports.Transport`."""
        self.tried[url.rpartition("/")[2], int(self.clock.now() // MINUTE)] += 1
        raise DeliveryError("nobody is there")

    async def aclose(self) -> None:
        """Nothing to close."""


@asynccontextmanager
async def consumer(url: str, wall: Wall, nobody: Nobody) -> AsyncIterator[Participant]:
    """A consumer with a database, whose provider is away."""
    me = Subscriber("app.example", Role.CONSUMER, "http://app.example", domains=(DOMAIN,), cities=(CITY,))
    clinic = Subscriber("clinic.example", Role.PROVIDER, "http://clinic.example", domains=(DOMAIN,))
    keeping = keeping_in_database(url, Sealing.for_development(), clock=wall, owner="here/0", during=wall.real.held)
    world = World(registry=MemoryRegistry([Member(clinic, ())]), transport=nobody, clock=wall, keeping=keeping)
    identity = Identity(me, Signer(me.id, "k1", PrivateKey.new(), UHI), None, DOMAIN, CITY)
    participant = Participant(identity, world=world, network=LOCAL)
    await participant.start()
    try:
        yield participant
    finally:
        await participant.stop(seconds=0)
        await world.aclose()


@pytest.mark.case("REL-04")
async def test_clock_that_jumps_makes_no_storm_and_ends_nothing_twice(database_url, caplog):
    """Reliability rules, clocks: whatever the wall says, a letter is tried as often as its schedule has it."""
    random, wall = Random(seed()), Wall(FakeClock())
    nobody = Nobody(wall.real)
    async with consumer(database_url, wall, nobody) as program, Rows.of(database_url) as rows:
        asking = [
            asyncio.ensure_future(_ended(program.ask(action, message, _thread(action, number), wait=30)))
            for action, message in ((INIT, A_WISH), (CONFIRM, AN_AGREEMENT))
            for number in range(EACH)
        ]
        for jump in random.sample(JUMPS, len(JUMPS)):
            await wall.real.sleep(random.uniform(1, 90))
            wall.offset += jump
        wall.offset = 0.0
        await wall.real.sleep(5 * MINUTE)

        await asyncio.gather(*asking)
        states = await rows.all("SELECT action, state, count(*) FROM outbox GROUP BY 1, 2 ORDER BY 1")
        assert states == [("confirm", "READY", EACH), ("init", "EXPIRED", EACH)]
        lines = [record for record in caplog.records if "init was not delivered" in record.getMessage()]
        assert len(lines) == EACH
        # Five seconds, then half a minute, then two: nowhere more than three times in one minute.
        tried = [times for (path, _), times in nobody.tried.items() if path == "confirm"]
        assert max(tried) <= 3 * EACH
        assert sum(tried) <= 8 * EACH


def _thread(action: object, number: int) -> Thread:
    return Thread(DOMAIN, f"{action.request.name}-{number}", "app.example", "clinic.example", CITY)


async def _ended(asking: object) -> None:
    """Return when a question has ended."""
    with suppress(NoAnswer, DeliveryError):
        await asking
