"""What is remembered of a registry's answers, for how long, and how often it is asked."""

from __future__ import annotations

import asyncio

import pytest

from uhi.errors import Refusal
from uhi.faults import REGISTRY_AWAY, SUBSCRIBER_UNKNOWN, Fault
from uhi.registry.cache import LookupCache


class Source:
    """A registry that knows what it is told to know."""

    def __init__(self) -> None:
        self.fault: Fault | None = None
        self.calls: list[str] = []
        self.gate: asyncio.Event | None = None

    async def __call__(self, key: str) -> str:
        self.calls.append(key)
        if self.gate is not None:
            await self.gate.wait()
        if self.fault is not None:
            raise Refusal(self.fault)
        return f"{key} {len(self.calls)}"


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def cache(source, clock) -> LookupCache[str, str]:
    return LookupCache(source, clock=clock)


async def refused(cache: LookupCache[str, str], key: str = "a", *, fresh: bool = False) -> Fault:
    with pytest.raises(Refusal) as caught:
        await cache.get(key, fresh=fresh)
    return caught.value.fault


async def test_answer_counts_for_thirty_seconds(cache, source, clock):
    """Limits table: registry cache fresh 30 s."""
    first = await cache.get("a")
    clock.move(29.9)
    second = await cache.get("a")
    clock.move(0.2)
    third = await cache.get("a")

    assert (first, second, third) == ("a 1", "a 1", "a 2")


async def test_unknown_key_is_not_asked_for_again_within_five_seconds(cache, source, clock):
    """Limits table: negative 5 s."""
    source.fault = SUBSCRIBER_UNKNOWN

    faults = [await refused(cache), await refused(cache), await refused(cache, fresh=True)]
    calls_at_once = len(source.calls)
    source.fault = None
    clock.move(5.1)

    assert (faults, calls_at_once) == ([SUBSCRIBER_UNKNOWN] * 3, 1)
    assert await cache.get("a") == "a 2"


async def test_known_answer_serves_for_fifteen_minutes_while_the_registry_is_away(cache, source, clock):
    """Registry rules: a cached, known key works for 15 min; otherwise 503."""
    await cache.get("a")
    source.fault = REGISTRY_AWAY

    clock.move(899)
    served = await cache.get("a")
    clock.move(2)

    assert served == "a 1"
    assert await refused(cache) is REGISTRY_AWAY


async def test_registry_that_is_away_is_asked_once_in_five_seconds_for_a_key(cache, source, clock):
    """Ours: while it is away, requests must not each wait for it in turn."""
    await cache.get("a")
    source.fault = REGISTRY_AWAY
    clock.move(31)

    for _ in range(10):
        await cache.get("a")
        await refused(cache, "b")
    calls = list(source.calls)
    clock.move(5.1)
    await cache.get("a")

    assert calls == ["a", "a", "b"]
    assert len(source.calls) == 4


async def test_registry_that_comes_back_is_believed_at_once(cache, source, clock):
    """Registry rules: staleness lasts no longer than the failure."""
    await cache.get("a")
    source.fault = REGISTRY_AWAY
    clock.move(31)
    await cache.get("a")

    source.fault = None
    clock.move(5.1)

    assert await cache.get("a") == "a 3"


async def test_key_that_is_gone_is_forgotten(cache, source, clock):
    """Registry rules: stale answers are for a registry that is away, never for one that says no."""
    await cache.get("a")
    source.fault = SUBSCRIBER_UNKNOWN
    clock.move(31)

    first = await refused(cache)
    source.fault = REGISTRY_AWAY
    clock.move(6)

    assert (first, await refused(cache)) == (SUBSCRIBER_UNKNOWN, REGISTRY_AWAY)


async def test_many_who_ask_at_once_cost_one_lookup(cache, source):
    """Limits table: one lookup in flight per key."""
    source.gate = asyncio.Event()
    waiting = [asyncio.ensure_future(cache.get("a")) for _ in range(50)]

    await asyncio.sleep(0)
    source.gate.set()

    assert set(await asyncio.gather(*waiting)) == {"a 1"}


async def test_one_who_gives_up_does_not_take_the_others_along(cache, source):
    """Ours: whoever asked first may be cancelled, by a deadline or a broken connection."""
    source.gate = asyncio.Event()
    first, second = (asyncio.ensure_future(cache.get("a")) for _ in range(2))
    await asyncio.sleep(0)

    first.cancel()
    source.gate.set()

    assert await second == "a 1"
    assert first.cancelled()


async def test_lookup_nobody_waits_for_any_more_ends_quietly(cache, source):
    """Ours: an error without a listener is not a warning at the end of the program."""
    source.gate, source.fault = asyncio.Event(), REGISTRY_AWAY
    only = asyncio.ensure_future(cache.get("a"))
    await asyncio.sleep(0)

    only.cancel()
    source.gate.set()

    assert await refused(cache) is REGISTRY_AWAY


async def test_each_who_is_refused_gets_a_refusal_of_its_own(cache, source):
    """Ours: the doors mark refusals, and one request's mark must not show in another's answer."""
    source.fault = SUBSCRIBER_UNKNOWN

    both = await asyncio.gather(cache.get("a"), cache.get("a"), return_exceptions=True)

    assert both[0] is not both[1]
    assert len(source.calls) == 1


async def test_fresh_answer_is_fetched_at_most_once_in_five_seconds(cache, source, clock):
    """Registry rules: on a failed verification one refresh per key per 5 s, then decide."""
    answers = [await cache.get("a")]
    answers += [await cache.get("a", fresh=True) for _ in range(3)]
    clock.move(5.1)
    answers.append(await cache.get("a", fresh=True))

    assert answers == ["a 1", "a 2", "a 2", "a 2", "a 3"]


async def test_memory_is_bounded_and_the_longest_unused_goes_first(source, clock):
    """Ours: nobody can fill the memory with keys."""
    cache = LookupCache(source, clock=clock, size=2)
    for key in ("a", "b", "a", "c"):
        await cache.get(key)

    assert await cache.get("a") == "a 1"
    assert await cache.get("b") == "b 4"


async def test_clock_that_is_set_back_does_not_keep_answers_for_ever(cache, clock):
    """Ours: an answer from the future is no fresh answer."""
    await cache.get("a")

    clock.move(-3_600)

    assert await cache.get("a") == "a 2"


async def test_closing_ends_the_lookups_in_flight(cache, source):
    """Ours: a program that stops leaves no task behind."""
    source.gate = asyncio.Event()
    waiting = asyncio.ensure_future(cache.get("a"))
    await asyncio.sleep(0)

    await cache.aclose()

    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_look_into_the_memory_asks_nobody(cache, source, clock):
    """Ours: what is remembered, however old; nothing where nothing is."""
    nothing = cache.peek("a")
    await cache.get("a")
    clock.move(10_000)

    assert (nothing, cache.peek("a"), source.calls) == (None, "a 1", ["a"])


async def test_dropped_answer_is_asked_for_again_at_the_next_need(cache, source):
    """Decision 26: what another process has found out of date is not waited out."""
    for key in ("a", "b"):
        await cache.get(key)

    cache.drop(lambda key: key == "a")

    assert [await cache.get(key) for key in ("a", "b")] == ["a 3", "b 2"]
    assert source.calls == ["a", "b", "a"]


async def test_dropped_refusal_is_forgotten(cache, source):
    """Decision 26: a subscriber that has just been registered is found at once by everybody who is told."""
    source.fault = SUBSCRIBER_UNKNOWN
    await refused(cache)
    source.fault = None

    cache.drop(lambda key: True)

    assert await cache.get("a") == "a 2"


async def test_dropped_answer_still_serves_while_the_registry_is_away(cache, source, clock):
    """Registry rules: a signal must not cost what a cache is for."""
    await cache.get("a")
    source.fault = REGISTRY_AWAY
    cache.drop(lambda key: True)

    assert await cache.get("a") == "a 1"
    clock.move(901)
    assert await refused(cache) is REGISTRY_AWAY


async def test_drop_of_what_is_not_there_changes_nothing(cache, source):
    """Ours: a signal may name anybody."""
    await cache.get("a")

    cache.drop(lambda key: key == "nobody")

    assert (await cache.get("a"), source.calls) == ("a 1", ["a"])


async def test_refusal_counts_no_longer_when_the_clock_is_set_back(cache, source, clock):
    """Reliability rules, clocks: who was refused by a clock an hour ahead is not refused for an hour."""
    source.fault = REGISTRY_AWAY
    await refused(cache)
    source.fault = None

    clock.move(-3_600)

    assert await cache.get("a") == "a 2"


async def test_what_is_removed_is_not_used_while_the_registry_is_away(cache, source):
    """Decision 26: a key whose end was pushed has no fifteen minutes."""
    await cache.get("a")
    source.fault = REGISTRY_AWAY

    cache.remove(lambda key: key == "a")

    assert await refused(cache) is REGISTRY_AWAY


async def test_what_is_amended_serves_while_the_registry_is_away(cache, source):
    """Ours: a list from which somebody was taken is better than none."""
    await cache.get("a")
    source.fault = REGISTRY_AWAY

    cache.amend(str.upper)

    assert await cache.get("a") == "A 1"
