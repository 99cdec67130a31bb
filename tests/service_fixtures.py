"""Fixtures over the servers of `tests.services`: one server a session, a database or an empty store a test."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.lent_databases import LentDatabases
from tests.server_process import Missing
from tests.services import NatsServer, PostgresServer, RedisServer
from uhi.storage.migrating import upgrade
from uhi.storage.sql.database import Database
from uhi.testing import FakeClock

_SERVERS = {"postgres_server", "redis_server", "nats_server"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever uses a server carries the marker `services`."""
    for item in items:
        if _SERVERS & set(getattr(item, "fixturenames", ())):
            item.add_marker("services")


@contextmanager
def required() -> Iterator[None]:
    """Skips where a program is missing, or fails under UHI_REQUIRE_SERVICES=1."""
    try:
        yield
    except Missing as missing:
        if os.environ.get("UHI_REQUIRE_SERVICES") == "1":
            pytest.fail(f"UHI_REQUIRE_SERVICES=1, and {missing}", pytrace=False)
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The PostgreSQL of this session, of which the disk need not be sure: databases come and go with each test."""
    with required(), PostgresServer.started(is_synced=False) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> str:
    """The name of a database with the newest schema and no rows."""
    name = postgres_server.create("uhi_template")
    _migrate(postgres_server.url(name))
    return name


@pytest.fixture(scope="session")
def lent_databases(postgres_server: PostgresServer, postgres_template: str) -> Iterator[LentDatabases]:
    """The databases with the newest schema that tests have one after the other."""
    databases = LentDatabases(postgres_server, postgres_template)
    yield databases
    databases.end()


@pytest.fixture
def new_postgres_url(lent_databases: LentDatabases) -> Iterator[Callable[[], str]]:
    """As `postgres_url`, another one each time it is called."""
    names: list[str] = []

    def url() -> str:
        names.append(lent_databases.lend())
        return lent_databases.server.url(names[-1])

    yield url
    for name in names:
        lent_databases.take_back(name)


@pytest.fixture
def postgres_url(new_postgres_url: Callable[[], str]) -> str:
    """A database of this test's own, with the newest schema and no rows."""
    return new_postgres_url()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the newest schema and no rows."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A file of this test's own, with the newest schema and no rows."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'uhi.db')}"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def database_url(request: pytest.FixtureRequest) -> str:
    """A database of this test's own: the test runs on SQLite and on PostgreSQL."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def clock() -> FakeClock:
    """Time that moves only when it is told to."""
    return FakeClock(jumps=False)


@pytest.fixture
async def database(database_url: str, clock: FakeClock) -> AsyncIterator[Database]:
    """An open database: the test runs on both."""
    opened = Database.open(database_url, clock=clock)
    yield opened
    await opened.aclose()


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    """A file that is not there yet."""
    return f"sqlite:///{tmp_path / 'empty.db'}"


@pytest.fixture
def empty_postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A database of this test's own without tables."""
    name = postgres_server.create()
    yield postgres_server.url(name)
    postgres_server.drop(name)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def empty_database_url(request: pytest.FixtureRequest) -> str:
    """A database without tables: the test runs on SQLite and on PostgreSQL."""
    return str(request.getfixturevalue(f"empty_{request.param}_url"))


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """The Redis of this session."""
    with required(), RedisServer.started() as server:
        yield server


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """A Redis without keys."""
    redis_server.flush()
    return redis_server.url()


@pytest.fixture(scope="session")
def nats_server() -> Iterator[NatsServer]:
    """The NATS of this session."""
    with required(), NatsServer.started() as server:
        yield server


@pytest.fixture
def nats_url(nats_server: NatsServer) -> str:
    """A NATS without streams."""
    nats_server.flush()
    return nats_server.url()


def _migrate(url: str) -> None:
    """Bring a database to the newest schema in a loop of its own, whatever loop may run in this thread."""
    with ThreadPoolExecutor(1) as one:
        one.submit(asyncio.run, upgrade(url)).result()
