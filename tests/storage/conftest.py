"""Every storage there is, so that one contract holds them all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest

from tests.storage.keepsakes import US
from uhi.ports import Storage
from uhi.storage.memory import MemoryStorage
from uhi.storage.sealing import Sealing
from uhi.storage.sql.database import Database
from uhi.storage.sql.storage import SqlStorage
from uhi.testing import FakeClock

KINDS = ["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.services)]


@pytest.fixture
def sealing() -> Sealing:
    """A key of this test's own."""
    return Sealing.for_development()


@pytest.fixture
async def opened(clock: FakeClock) -> AsyncIterator[Callable[[str], Database]]:
    """Opens databases, and closes them after the test."""
    async with AsyncExitStack() as closing:

        def open_one(url: str) -> Database:
            database = Database.open(url, clock=clock)
            closing.push_async_callback(database.aclose)
            return database

        yield open_one


@pytest.fixture(params=KINDS)
def storage(request: pytest.FixtureRequest, clock: FakeClock, opened, sealing: Sealing) -> Storage:
    """A storage without rows: the test runs on each kind."""
    if request.param == "memory":
        return MemoryStorage(clock)
    return SqlStorage(opened(request.getfixturevalue(f"{request.param}_url")), sealing, owner=f"{US}/0")


@pytest.fixture
def database(opened, database_url: str) -> Database:
    """An open database: the test runs on both."""
    return opened(database_url)


@pytest.fixture
def pair(opened, postgres_url: str, sealing: Sealing) -> tuple[SqlStorage, SqlStorage]:
    """Two processes on one PostgreSQL, as far as they see."""
    return tuple(SqlStorage(opened(postgres_url), sealing, owner=f"{US}/{number}") for number in range(2))
