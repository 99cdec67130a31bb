"""Counts of tries: as a model, over any order of tries, waits and successes."""

from __future__ import annotations

import asyncio
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.identity.house import refused
from uhi.faults import TOO_MANY_TRIES
from uhi.identity.throttles import PASSWORD_BY_ACCOUNT, SECOND_FACTOR, Limit, forget_old, forgive, take

LIMIT = Limit(name="of a test", most=3, window=100.0, lock=50.0, longest=150.0, hard=9)
NUMBERS = count()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from([0, 1, 20, 60, 500, "ok"]), max_size=30))
async def test_never_more_than_the_limit_within_its_window(sqlite_house, steps):
    """Rules on IAM: whatever the order, at most `most` tries in a window, then a lock; nine in a row lock for good."""
    store, clock = sqlite_house.parts.store, sqlite_house.clock
    keyed, allowed, in_a_row, who = await store.keyed(), [], 0, f"somebody {next(NUMBERS)}"
    for step in steps:
        if step == "ok":
            await store.database.write(lambda connection: forgive(connection, keyed, LIMIT, who))
            allowed, in_a_row = [], 0
            continue
        clock.time += step
        if await refused(lambda: take(store, (LIMIT, who))) == "":
            allowed.append(clock.time)
            in_a_row += 1
        assert in_a_row <= LIMIT.hard
        # A lock that ends within the window opens it again, so the bound is by lock and not by window.
        for first, fourth in zip(allowed, allowed[LIMIT.most :], strict=False):
            assert fourth - first >= LIMIT.lock


async def test_tries_of_two_processes_are_counted_together(house):
    """Ours: the row is locked while it is counted."""
    store = house.parts.store

    ended = await asyncio.gather(*[refused(lambda: take(store, (LIMIT, "somebody"))) for _ in range(12)])

    assert sorted(ended) == ["", "", "", *[TOO_MANY_TRIES.code] * 9]


async def test_only_a_lock_for_good_outlives_its_last_try(sqlite_house):
    """Ours: a hundred tries at a password are forgotten in the end, or anybody could fill the table."""
    store, clock = sqlite_house.parts.store, sqlite_house.clock
    for limit in (SECOND_FACTOR, PASSWORD_BY_ACCOUNT):
        for _ in range(100):
            await take(store, (limit, "somebody"))
            clock.time += 2 * limit.longest

    forgotten = await store.database.write(lambda connection: forget_old(connection, before=clock.now() + 1))

    assert forgotten == 1
    assert await refused(lambda: take(store, (SECOND_FACTOR, "somebody"))) == TOO_MANY_TRIES.code
