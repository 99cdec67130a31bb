"""The small interface of `ward`, served, and a client that sends what it is told and keeps no cookies."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.api.asking import Ask, application_of, asker
from tests.api.hall import Hall
from tests.api.ward import Trail, surroundings, ward
from uhi.api.serving import Surroundings
from uhi.http import Server, serve
from uhi.testing import FakeClock


@pytest.fixture
def trail() -> Trail:
    """What was put down."""
    return Trail()


@pytest.fixture
def clock() -> FakeClock:
    """Time that stands still."""
    return FakeClock()


@pytest.fixture
def around(trail: Trail, clock: FakeClock) -> Surroundings:
    """What the small interface stands in."""
    return surroundings(trail, clock)


@pytest.fixture
async def server(around: Surroundings) -> AsyncIterator[Server]:
    """The small interface on a free port."""
    async with serve(application_of([ward], around)) as running:
        yield running


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    """Sends what it is told."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


@pytest.fixture
def ask(client: aiohttp.ClientSession, server: Server) -> Ask:
    """Asks the small interface."""
    return asker(client, server.url)


@pytest.fixture
async def hall(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Hall]:
    """The identity interface on a database of this test's own."""
    async with Hall.open(sqlite_url, tmp_path) as running:
        yield running


@pytest.fixture
def ask_hall(client: aiohttp.ClientSession, hall: Hall) -> Ask:
    """Asks the identity interface."""
    return asker(client, hall.server.url)
