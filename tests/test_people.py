"""What programs that people use do alike."""

from __future__ import annotations

import asyncio

import pytest

from uhi.errors import SetupError
from uhi.people import storage_of, tidying
from uhi.testing import FakeClock, Network


async def test_what_is_over_is_forgotten_every_hour_in_turn():
    """Security rules, retention: what is over goes by itself, and one bad round does not end it."""
    clock = FakeClock(jumps=False)
    began, done = clock.now(), []

    async def once() -> None:
        done.append(("once", clock.now() - began))

    async def fails_first() -> None:
        done.append(("again", clock.now() - began))
        if len(done) == 2:
            raise OSError

    task = asyncio.create_task(tidying(clock, once, fails_first))
    for seconds in (0, 1, 3_600):
        await clock.advance(seconds)
    task.cancel()

    assert done == [(name, at) for at in (0, 1, 3_601) for name in ("once", "again")]


async def test_a_program_without_a_database_is_told_what_to_set():
    """Ours: what people decide is kept, or nothing begins."""
    async with Network() as network:
        with pytest.raises(SetupError, match="UHI_DATABASE_URL"):
            storage_of((await network.provider()).world)
