"""The flows once more, with every program on a database of its own: SQLite, PostgreSQL, over HTTP and in real time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.network.test_flows import *  # noqa: F403  # the same tests, on other storage
from tests.services import PostgresServer
from uhi.keeping import Keeping, keeping_in_database
from uhi.ports import Clock
from uhi.storage.sealing import Sealing
from uhi.storage.sql.invariants import violations
from uhi.testing import Network, Options


@pytest.fixture(params=["sqlite", "postgres"])
async def network(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Network]:
    """A network that forgets nothing; when a test is over, its databases contradict themselves nowhere."""
    sealing = Sealing.for_development()
    kept: list[Keeping] = []

    def url_of(subscriber_id: str) -> str:
        if request.param == "sqlite":
            return f"sqlite:///{tmp_path / subscriber_id}.db"
        server: PostgresServer = request.getfixturevalue("postgres_server")
        return server.url(server.create(template=request.getfixturevalue("postgres_template")))

    def keep(subscriber_id: str, clock: Clock) -> Keeping:
        kept.append(keeping_in_database(url_of(subscriber_id), sealing, clock=clock, owner=subscriber_id))
        return kept[-1]

    async with Network(Options(sockets=True, keeping=keep)) as running:
        yield running
        found = [
            await each.database.read(lambda connection: violations(connection, running.clock.now())) for each in kept
        ]
        assert [each for each in found if each] == []
