"""Signals through a real Redis and a real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import asyncpg
import pytest

from tests.signals.hearing import SECONDS, Hearer, NotingClock, Server, stopped
from uhi.ports.signals import ANSWERS, LETTERS, REGISTRY
from uhi.signals.both import BothSignals
from uhi.signals.postgres import PostgresSignals
from uhi.signals.redis import RedisSignals

Way = RedisSignals | PostgresSignals


@dataclass
class Place:
    """A server, and processes that signal through it."""

    server: Server
    make: Callable[[NotingClock], Way]
    clock: NotingClock = field(default_factory=NotingClock)
    made: list[Way] = field(default_factory=list)

    async def process(self) -> Way:
        self.made.append(self.make(self.clock))
        return self.made[-1]

    async def up_again(self) -> None:
        for each in self.made:
            await asyncio.wait_for(each._signals._up.wait(), SECONDS)

    async def noticed(self) -> None:
        for each in self.made:
            while each.is_up:
                self.clock.waited.clear()
                await asyncio.wait_for(self.clock.waited.wait(), SECONDS)


def _redis(request: pytest.FixtureRequest) -> Place:
    url = request.getfixturevalue("redis_url")
    server = request.getfixturevalue("redis_server")
    return Place(server, lambda clock: RedisSignals(url, program="gateway.example", clock=clock))


def _postgres(request: pytest.FixtureRequest) -> Place:
    url = request.getfixturevalue("postgres_url")
    return Place(request.getfixturevalue("postgres_server"), lambda clock: PostgresSignals(url, clock=clock))


@pytest.fixture(params=[_redis, _postgres], ids=["redis", "postgres"])
async def place(request) -> AsyncIterator[Place]:
    found = request.param(request)
    yield found
    for each in found.made:
        await each.aclose()


pytestmark = pytest.mark.services


async def test_two_processes_hear_each_other_and_not_themselves(place):
    """The port: from one process to all of its others."""
    one, other = await place.process(), await place.process()
    hearers = Hearer(), Hearer()
    for signals, heard in zip((one, other), hearers, strict=True):
        signals.hear(ANSWERS, heard)
        await signals.start()

    one.tell(ANSWERS, "from one")
    other.tell(ANSWERS, "from other")

    assert [await heard.next() for heard in hearers] == ["from other", "from one"]
    assert [heard.heard.empty() for heard in hearers] == [True, True]


async def test_thousands_of_answers_arrive(place):
    """PostgreSQL takes less than 8,000 bytes at once: there are several payloads then."""
    one, other = await place.process(), await place.process()
    heard = Hearer()
    other.hear(ANSWERS, heard)
    await one.start()
    await other.start()
    told = [f"{number:036d}" for number in range(3_000)]

    for text in told:
        one.tell(ANSWERS, text)

    assert [await heard.next() for _ in told] == told


async def test_a_server_that_comes_back_is_heard_again(place):
    """The port: connects again by itself; tell neither raises nor waits meanwhile."""
    one, other = await place.process(), await place.process()
    heard = Hearer()
    other.hear(REGISTRY, heard)
    await one.start()
    await other.start()

    with stopped(place.server):
        await place.noticed()
        one.tell(LETTERS)
    await place.up_again()
    one.tell(REGISTRY, "clinic.example")

    assert await heard.next() == "clinic.example"


async def test_a_program_starts_without_its_server_and_hears_when_it_is_there(place):
    """The issue: a server that is away degrades, it does not stop anybody."""
    one, other = await place.process(), await place.process()
    heard = Hearer()
    other.hear(ANSWERS, heard)

    with stopped(place.server):
        await asyncio.gather(one.start(), other.start())
        was_up = one.is_up
    await place.up_again()
    one.tell(ANSWERS, "m1")

    assert not was_up
    assert await heard.next() == "m1"


async def test_a_line_that_is_quiet_is_checked_and_stays(place, monkeypatch):
    """Ours: a connection can be dead without a word, so it is asked; a living one answers and is kept."""
    checked = asyncio.Queue()
    monkeypatch.setattr("uhi.signals.line._QUIET_SECONDS", 0.01)
    one = await place.process()
    open_line = one._signals._way.open

    async def opened(ears):
        line = await open_line(ears)
        check = line.check

        async def noted():
            await check()
            checked.put_nowait(line)

        line.check = noted
        return line

    object.__setattr__(one._signals._way, "open", opened)
    await one.start()

    assert len({id(await asyncio.wait_for(checked.get(), SECONDS)) for _ in range(3)}) == 1


async def test_a_transaction_may_notify_by_itself(postgres_url):
    """Ours: a wake-up that comes with the commit is heard like any other."""
    signals = PostgresSignals(postgres_url, clock=NotingClock())
    heard = Hearer()
    signals.hear(LETTERS, heard)
    await signals.start()
    connection = await asyncpg.connect(postgres_url)

    async with connection.transaction():
        await connection.execute("SELECT pg_notify('uhi_letters', 'somebody ')")

    assert await heard.next() == ""
    await connection.close()
    await signals.aclose()


async def test_programs_on_one_redis_do_not_hear_one_another(redis_url):
    """Ours: a gateway and a hospital may share a Redis."""
    gateway = RedisSignals(redis_url, program="gateway.example", clock=NotingClock())
    hospital, ward = (RedisSignals(redis_url, program="hospital.example", clock=NotingClock()) for _ in range(2))
    heard = Hearer()
    hospital.hear(LETTERS, heard)
    for each in (gateway, hospital, ward):
        await each.start()

    gateway.tell(LETTERS, "gateway's")
    await gateway.aclose()
    ward.tell(LETTERS, "ward's")

    assert await heard.next() == "ward's"
    await hospital.aclose()
    await ward.aclose()


async def test_without_redis_signals_go_through_postgres(redis_server, redis_url, postgres_url):
    """The issue: Redis going away degrades, PostgreSQL decides."""

    def process() -> BothSignals:
        clock = NotingClock()
        redis = RedisSignals(redis_url, program="gateway.example", clock=clock)
        return BothSignals(redis, PostgresSignals(postgres_url, clock=clock))

    one, other = process(), process()
    heard = Hearer()
    other.hear(ANSWERS, heard)
    await asyncio.gather(one.start(), other.start())

    one.tell(ANSWERS, "m1")
    assert [await heard.next(), await heard.next()] == ["m1", "m1"]

    with stopped(redis_server):
        one.tell(ANSWERS, "m2")
        assert await heard.next() == "m2"
    await asyncio.gather(one.aclose(), other.aclose())
