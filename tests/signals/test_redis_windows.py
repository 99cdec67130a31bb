"""Rate windows in a real Redis, and without one."""

from __future__ import annotations

import asyncio
import logging
import os
import signal

import pytest

from tests.signals.hearing import stopped
from uhi.signals.redis_windows import RedisWindows
from uhi.testing.clock import FakeClock

PROGRAM = "gateway.example"


@pytest.fixture
def clock():
    return FakeClock(jumps=False)


@pytest.fixture
async def windows(redis_url, clock, monkeypatch):
    """Patient, so that a slow machine does not look like a Redis that is away."""
    monkeypatch.setattr("uhi.signals.redis_windows._PATIENCE", 5.0)
    made = RedisWindows(redis_url, program=PROGRAM, clock=clock)
    yield made
    await made.aclose()


async def _hits(windows: RedisWindows, count: int) -> list[float]:
    return [await windows.hit("clinic.example", most=3, seconds=60) for _ in range(count)]


async def test_two_processes_count_together(windows, redis_url, clock):
    """The port: counted over all processes."""
    other = RedisWindows(redis_url, program=PROGRAM, clock=clock)

    waits = [*await _hits(windows, 2), *await _hits(other, 2)]

    assert waits[:3] == [0, 0, 0]
    assert 0 < waits[3] <= 60.1
    await other.aclose()


async def test_programs_keys_and_lengths_are_counted_apart(windows, redis_url, clock):
    """Ours: a gateway and a hospital may share a Redis, and one key may have several limits."""
    other = RedisWindows(redis_url, program="hospital.example", clock=clock)
    await _hits(windows, 3)

    waits = [
        await other.hit("clinic.example", most=3, seconds=60),
        await windows.hit("ward.example", most=3, seconds=60),
    ]

    assert waits == [0, 0]
    assert await windows.hit("clinic.example", most=3, seconds=60) > 0
    await other.aclose()


async def test_copies_in_parallel_are_counted_one_by_one(windows):
    """The issue: rate windows over processes; the script in Redis is one atomic step."""
    waits = await asyncio.gather(*(windows.hit("clinic.example", most=20, seconds=60) for _ in range(100)))

    assert waits.count(0) == 20


async def test_without_redis_each_process_counts_for_itself(windows, redis_server, clock, caplog):
    """The issue: Redis going away degrades. One line in the log an outage, one when it is over."""
    with caplog.at_level(logging.INFO, logger="uhi.signals"):
        with stopped(redis_server):
            away = await _hits(windows, 5)
            was_up = windows.is_up
        clock.time += 2
        back = await _hits(windows, 4)

    assert [wait == 0 for wait in away] == [True, True, True, False, False]
    assert [wait == 0 for wait in back] == [True, True, True, False]
    assert (was_up, windows.is_up) == (False, True)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


async def test_a_redis_that_hangs_is_not_waited_for(windows, redis_server, clock, monkeypatch):
    """Ours: a message waits 50 ms for its window, once a second at most."""
    await _hits(windows, 1)
    monkeypatch.setattr("uhi.signals.redis_windows._PATIENCE", 0.05)
    os.kill(redis_server.pid, signal.SIGSTOP)

    away = await _hits(windows, 5)
    is_up = windows.is_up
    os.kill(redis_server.pid, signal.SIGCONT)
    monkeypatch.setattr("uhi.signals.redis_windows._PATIENCE", 5.0)
    clock.time += 2
    await _hits(windows, 1)

    assert [wait == 0 for wait in away] == [True, True, True, False, False]
    assert not is_up
    assert windows.is_up


async def test_while_redis_is_away_one_message_a_second_tries_it(windows, redis_server, clock, monkeypatch):
    """Ours: a Redis that is away must not be asked for every message."""
    tried = []
    ask = windows._ask

    async def noted(hit):
        tried.append(hit)
        return await ask(hit)

    monkeypatch.setattr(windows, "_ask", noted)
    with stopped(redis_server):
        for _ in range(3):
            await asyncio.gather(*(_hits(windows, 1) for _ in range(10)))
            clock.time += 1.1

    assert 3 <= len(tried) <= 12
