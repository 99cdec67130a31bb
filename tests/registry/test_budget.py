"""Lookups of keys nobody has seen: a flood of made-up ones is cut short, honest newcomers are not."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uhi.errors import Refusal
from uhi.faults import REGISTRY_AWAY, SUBSCRIBER_UNKNOWN, Fault
from uhi.registry import LookupBudget
from uhi.registry.cache import LookupCache


class Source:
    """Knows every key that begins with `known`; answers when the event loop comes round again."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.under_way = self.most_under_way = 0
        self.fault: Fault = SUBSCRIBER_UNKNOWN

    async def __call__(self, key: str) -> str:
        self.calls.append(key)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        await asyncio.sleep(0)
        self.under_way -= 1
        if not key.startswith("known"):
            raise Refusal(self.fault)
        return key


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def cache(source, clock) -> LookupCache[str, str]:
    return LookupCache(source, clock=clock, budget=LookupBudget(clock))


async def outcome(cache: LookupCache[str, str], key: str) -> str:
    try:
        return await cache.get(key)
    except Refusal as refusal:
        return refusal.fault.type


@pytest.mark.case("REG-11")
async def test_flood_of_made_up_keys_costs_a_bounded_number_of_lookups(cache, source, clock):
    """REG-11: 1,000 random key ids in 10 s, at most 200 lookups: 401 for those asked about.

    Those nobody was asked about get 503 with Retry-After, since a 401 would tell an honest newcomer to give up.
    """
    outcomes = Counter()

    for step in range(100):
        outcomes.update(await asyncio.gather(*(outcome(cache, f"{step} {number}") for number in range(10))))
        clock.move(0.1)

    asked = len(source.calls)
    assert asked <= 200
    assert outcomes == {SUBSCRIBER_UNKNOWN.type: asked, REGISTRY_AWAY.type: 1_000 - asked}


async def test_many_honest_newcomers_at_once_are_all_looked_up(cache, source):
    """Ours: a thousand hospitals may answer the first search of a program that has just started."""
    answers = await asyncio.gather(*(cache.get(f"known {number}") for number in range(1_000)))

    assert len(set(answers)) == 1_000
    assert source.most_under_way == 20


async def test_known_keys_are_looked_up_during_a_flood(cache, source, clock):
    """REG-11: what was seen before needs no turn."""
    await cache.get("known")
    clock.move(31)
    flood = asyncio.gather(*(outcome(cache, f"made up {number}") for number in range(100)))

    assert await cache.get("known") == "known"
    assert set(await flood) == {SUBSCRIBER_UNKNOWN.type, REGISTRY_AWAY.type}


async def test_newcomer_refused_in_a_flood_is_served_after_it(cache, clock):
    """Ours: what the budget refuses is not remembered as unknown."""
    await asyncio.gather(*(outcome(cache, f"made up {number}") for number in range(20)))
    during = await outcome(cache, "known newcomer")

    clock.move(1.0)

    assert (during, await outcome(cache, "known newcomer")) == (REGISTRY_AWAY.type, "known newcomer")


async def test_refusal_of_the_budget_says_when_to_come_again(cache):
    """Error table: 503 carries Retry-After; a turn comes back after a second."""
    await asyncio.gather(*(outcome(cache, f"made up {number}") for number in range(20)))

    with pytest.raises(Refusal) as caught:
        await cache.get("known newcomer")

    assert (caught.value.fault, caught.value.retry_after) == (REGISTRY_AWAY, 1)


async def test_registry_that_is_away_is_not_taken_for_unknown_keys(cache, source):
    """Error table: 503 and another try, not 401, where nobody could be asked."""
    source.fault = REGISTRY_AWAY

    outcomes = await asyncio.gather(*(outcome(cache, f"stranger {number}") for number in range(100)))

    assert set(outcomes) == {REGISTRY_AWAY.type}
    assert len(source.calls) == 20


async def test_one_who_gives_up_waiting_does_not_block_the_others(clock):
    """Ours: a cancelled wait passes its turn on."""
    budget, gate = LookupBudget(clock, per_second=1), asyncio.Event()

    async def look_up() -> str:
        await gate.wait()
        return "found"

    first, second, third = (asyncio.ensure_future(budget.spend(look_up)) for _ in range(3))
    await asyncio.sleep(0)
    second.cancel()
    gate.set()

    assert (await first, await third) == ("found", "found")


async def test_budget_recovers_when_the_clock_is_set_back(cache, clock):
    """Ours: failures that lie in the future must not lock newcomers out until then."""
    await asyncio.gather(*(outcome(cache, f"made up {number}") for number in range(20)))

    clock.move(-3_600)

    assert await outcome(cache, "known newcomer") == "known newcomer"


class Now:
    """A clock for a test that makes its own event loop."""

    time = 0.0

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("a budget does not sleep")


@given(st.lists(st.floats(0, 3), max_size=100), st.integers(1, 20))
def test_no_second_has_more_failing_lookups_than_turns(pauses, per_second):
    """Limits table: counted over every second, not only over whole ones."""
    clock, starts = Now(), []

    async def fail() -> None:
        starts.append(clock.time)
        raise Refusal(SUBSCRIBER_UNKNOWN)

    async def flood() -> None:
        budget = LookupBudget(clock, per_second=per_second)
        for pause in pauses:
            clock.time += pause
            with pytest.raises(Refusal):
                await budget.spend(fail)

    asyncio.run(flood())

    assert all(later - earlier >= 1 for earlier, later in zip(starts, starts[per_second:], strict=False))
