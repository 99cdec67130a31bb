"""Signals and windows within one process."""

from __future__ import annotations

import asyncio
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from tests.signals.hearing import Hearer
from uhi.ports.signals import ANSWERS, LETTERS
from uhi.signals.local import LocalBus, LocalSignals, LocalWindows
from uhi.testing.clock import FakeClock


async def test_participants_on_a_bus_hear_one_another_and_not_themselves():
    """The port: from one process to all of its others."""
    bus = LocalBus()
    one, other = LocalSignals(bus), LocalSignals(bus)
    own, heard = Hearer(), Hearer()
    one.hear(ANSWERS, own)
    other.hear(ANSWERS, heard)
    await one.start()
    await other.start()

    one.tell(ANSWERS, "m1")

    assert await heard.next() == "m1"
    assert own.heard.empty()


async def test_nothing_is_heard_of_another_topic_or_after_the_end():
    """The port: `hear` names a topic, `aclose` ends hearing."""
    bus = LocalBus()
    one, other = LocalSignals(bus), LocalSignals(bus)
    heard, end = Hearer(), Hearer()
    other.hear(ANSWERS, heard)
    third = LocalSignals(bus)
    third.hear(LETTERS, end)
    for each in (one, other, third):
        await each.start()

    one.tell(LETTERS)
    await other.aclose()
    one.tell(ANSWERS, "late")
    one.tell(LETTERS)

    assert [await end.next(), await end.next()] == ["", ""]
    assert heard.heard.empty()


async def test_without_a_bus_nobody_is_told():
    """Ours: the default of one process."""
    alone = LocalSignals()
    heard = Hearer()
    alone.hear(LETTERS, heard)
    await alone.start()

    alone.tell(LETTERS)
    await asyncio.sleep(0)

    assert heard.heard.empty()


async def test_a_window_lets_through_as_many_as_it_says():
    """Limits table: so many in so many seconds; keys are apart."""
    windows = LocalWindows(FakeClock())

    waits = [await windows.hit("a", most=3, seconds=10) for _ in range(5)]

    assert waits[:3] == [0, 0, 0]
    assert all(10 < wait < 10.1 for wait in waits[3:])
    assert await windows.hit("b", most=3, seconds=10) == 0


async def test_what_was_hit_before_counts_less_and_less():
    """Ours: a window slides, so no burst of twice as many at the border of two periods."""
    clock = FakeClock()
    windows = LocalWindows(clock)
    for _ in range(10):
        await windows.hit("a", most=10, seconds=10)

    clock.time += 15
    waits = [await windows.hit("a", most=10, seconds=10) for _ in range(6)]

    assert waits[:5] == [0, 0, 0, 0, 0]
    assert 0 < waits[5] <= 1.01


async def test_a_clock_that_is_set_back_does_not_lock_anybody_out():
    """Fault plan "clock jumps": a window is over after its own length at the latest."""
    clock = FakeClock()
    windows = LocalWindows(clock)
    await windows.hit("a", most=1, seconds=10)

    clock.time -= 86_400
    wait = await windows.hit("a", most=1, seconds=10)

    assert 0 < wait <= 10.1


async def test_the_keys_hit_longest_ago_are_forgotten():
    """Overload: every table in memory is bounded."""
    windows = LocalWindows(FakeClock(), most_keys=2)
    for key in ("a", "b", "c"):
        await windows.hit(key, most=1, seconds=10)

    assert await windows.hit("c", most=1, seconds=10) > 0
    assert await windows.hit("a", most=1, seconds=10) == 0


@given(most=st.integers(1, 20), seconds=st.integers(1, 60), steps=st.lists(st.fractions(0, 2), min_size=1, max_size=60))
async def test_whoever_waits_as_told_is_let_through(most, seconds, steps):
    """The port: after how many seconds there is room again."""
    clock = FakeClock()
    windows = LocalWindows(clock)

    for step in steps:
        clock.time += float(step * Fraction(seconds, most))
        wait = await windows.hit("a", most=most, seconds=seconds)
        clock.time += wait
        after = await windows.hit("a", most=most, seconds=seconds) if wait else 0

        assert after == 0
        assert wait <= 2 * seconds + 0.01
