"""Databases that stop, fall silent and refuse under load: no false ACK, nothing lost or doubled, and no operator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.faults.processes import seed, until
from tests.faults.townsfolk import Village, village
from tests.service_fixtures import _migrate, required
from tests.services import PostgresServer, RedisServer

pytestmark = [pytest.mark.faults, pytest.mark.usefixtures("folder", "haste")]


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL of this test's own, which it may stop."""
    with required(), PostgresServer.started() as server:
        yield server


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A Redis of this test's own, which it may stop."""
    with required(), RedisServer.started() as server:
        yield server


def done(living: Village) -> int:
    """How many searches and visits have come to their end."""
    return len(living.patients.visits) + living.asked.count


async def progress(living: Village, more: int) -> None:
    """Return when so many more have."""
    wanted = done(living) + more
    await until(lambda: done(living) >= wanted, f"{more} more searches and visits")


@pytest.mark.case("REL-03")
@pytest.mark.services
async def test_postgres_that_is_stopped_twice_under_load_costs_no_message(town, own_postgres):
    """Reliability rules, P5: immediate stop, 503 with Retry-After meanwhile, and work goes on by itself."""
    urls = own_postgres.url(own_postgres.create("gateway")), own_postgres.url(own_postgres.create("hospital"))
    for url in urls:
        _migrate(url)
    async with village(town, urls) as living:
        async with living.working():
            for _ in range(2):
                await progress(living, 5)
                own_postgres.stop(immediate=True)
                refused = living.asked.app.sent.overloaded
                before = len(refused)
                # Everybody may be waiting for an answer at that moment; then nothing is sent that could be refused.
                with suppress(AssertionError):
                    await until(lambda: len(refused) > before + 2, "messages are refused", within=5)  # noqa: B023
                own_postgres.start()
            await progress(living, 10)

        await living.check()
        assert {reply.headers.get("retry-after", "").isdigit() for reply in refused} == {True}


@pytest.mark.services
async def test_redis_that_is_stopped_under_load_costs_no_message(town, postgres_server, own_redis, two_urls):
    """The issue: Redis going away degrades, it does not lose or duplicate; the search window is counted without it."""
    settings = {"UHI_REDIS_URL": own_redis.url()}
    workers = ("--workers", "2") if two_urls[0].startswith("postgresql") else ()
    async with village(town, two_urls, *workers, **settings) as living:
        async with living.working():
            for immediate in (True, False):
                await progress(living, 5)
                own_redis.stop(immediate=immediate)
                await progress(living, 10)
                own_redis.start()
            await progress(living, 5)

        await living.check()


@pytest.mark.case("REL-06")
async def test_a_tenth_of_all_transactions_that_fail_costs_no_message(town, two_urls):
    """Reliability rules, P5: serialization failures and SQLITE_BUSY are repeated, or refused before the ACK."""
    async with village(town, two_urls, FAILURES=f"0.1:{seed()}") as living:
        async with living.working():
            await progress(living, 60)

        await living.check()
