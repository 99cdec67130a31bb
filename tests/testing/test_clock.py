"""The clock of the test network: it moves without waiting, in order, and not while something is going on."""

from __future__ import annotations

import asyncio

from tests.network.messages import CATALOGUE, SEARCH_ALL
from uhi.actions import SEARCH
from uhi.testing import FakeClock, Network
from uhi.testing.clock import START


async def test_time_jumps_to_the_next_waking():
    """Test network: three days take no time."""
    clock = FakeClock()

    await asyncio.gather(clock.sleep(3 * 86_400.0), clock.sleep(5))

    assert clock.now() == START + 3 * 86_400


async def test_sleepers_wake_in_the_order_of_their_times():
    """Test network: whoever wakes sees the time he asked for."""
    clock, woken = FakeClock(), []

    async def sleep(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((seconds, clock.now() - START))

    await asyncio.gather(*(sleep(seconds) for seconds in (7, 0, 3, 5, 3)))

    assert woken == [(0, 0), (3, 3), (3, 3), (5, 5), (7, 7)]


async def test_clock_that_does_not_jump_moves_when_it_is_told():
    """Test network: `advance` wakes everybody on the way."""
    clock, woken = FakeClock(jumps=False), []

    async def beat() -> None:
        while True:
            await clock.sleep(2)
            woken.append(clock.now() - START)

    beating = asyncio.ensure_future(beat())
    await clock.advance(0)
    await clock.advance(7)
    beating.cancel()

    assert woken == [2, 4, 6]
    assert clock.now() == START + 7


async def test_one_who_gives_up_sleeping_does_not_hold_the_time():
    """Test network: a cancelled sleeper is forgotten, and nobody jumps to its waking."""
    clock = FakeClock()
    given_up = asyncio.ensure_future(clock.sleep(5))
    await asyncio.sleep(0)
    given_up.cancel()

    await clock.sleep(9)

    assert clock.now() == START + 9


async def test_network_of_many_parties_does_not_stand_still():
    """Test network: a lookup that waits for its turn sleeps inside a post, and the time must go on all the same."""
    async with Network() as network:
        for number in range(60):
            (await network.provider(f"clinic-{number}.example")).on(SEARCH)(_catalogue)
        app = await network.consumer()

        answers = [answer.sender.id async for answer in app.ask(SEARCH, SEARCH_ALL)]

    assert len(set(answers)) == 60


async def test_post_that_sleeps_lets_the_time_go_on():
    """Test network: what is under way holds the clock only as long as it does something."""
    clock = FakeClock(busy=1)

    await clock.sleep(5)

    assert clock.now() == START + 5


async def test_held_clock_stands_still_until_something_real_has_ended():
    """Test network: a database at work takes no time of the network's."""
    clock, steps = FakeClock(), []

    async def work() -> None:
        with clock.held():
            for _ in range(500):
                await asyncio.sleep(0)
            steps.append(("worked", clock.now() - START))

    async def sleep() -> None:
        await clock.sleep(5)
        steps.append(("slept", clock.now() - START))

    async with asyncio.timeout(10):
        await asyncio.gather(sleep(), work())

    assert steps == [("worked", 0), ("slept", 5)]


async def _catalogue(request: object) -> object:
    return CATALOGUE
