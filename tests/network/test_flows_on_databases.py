"""The flows once more, with every program on a database of its own: SQLite, PostgreSQL, over HTTP and in real time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from tests.network.messages import A_STATUS_QUESTION, A_WISH, AN_AGREEMENT, CANARIES
from tests.network.scene import A_THREAD, Scene
from tests.network.test_flows import *  # noqa: F403  # the same tests, on other storage
from uhi.actions import CONFIRM, INIT, STATUS
from uhi.keeping import Keeping, keeping_in_database
from uhi.ports import Clock
from uhi.storage.sealing import Sealing
from uhi.storage.sql.invariants import violations
from uhi.storage.sql.tables import metadata
from uhi.testing import Network, Options
from uhi.verified import Verified


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
async def network(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Network]:
    """A network that forgets nothing; when a test is over, its databases contradict themselves nowhere."""
    sealing = Sealing.for_development()
    kept: list[Keeping] = []
    new_url = request.getfixturevalue("new_postgres_url") if request.param == "postgres" else None

    def keep(subscriber_id: str, clock: Clock) -> Keeping:
        url = new_url() if new_url else f"sqlite:///{tmp_path / subscriber_id}.db"
        kept.append(keeping_in_database(url, sealing, clock=clock, owner=subscriber_id))
        return kept[-1]

    async with Network(Options(sockets=True, keeping=keep)) as running:
        yield running
        assert [found for each in kept if (found := await each.database.read(_readable))] == []
        found = [
            await each.database.read(lambda connection: violations(connection, running.clock.now())) for each in kept
        ]
        assert [each for each in found if each] == []


def _readable(connection: Connection) -> list[str]:
    """The tables that show something of a patient to whoever reads the database without its key."""
    return [
        table.name
        for table in metadata.sorted_tables
        for row in connection.execute(table.select())
        if any(canary in str(value) for value in row for canary in CANARIES)
    ]


async def test_booking_leaves_nothing_readable_on_disk(network: Network) -> None:
    """Issue: bodies are encrypted at rest; what the fixture looks for is there to be found."""
    scene = await Scene.on(network)

    for question, message in ((INIT, A_WISH), (CONFIRM, AN_AGREEMENT), (STATUS, A_STATUS_QUESTION)):
        assert isinstance(await scene.app.ask(question, message, A_THREAD), Verified)
    await network.settle()

    assert any(canary.encode() in each.raw for each in scene.heard for canary in CANARIES)
