"""The application on a database of its own, alone or in a town with a real hospital."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.participants.patient.scene import Scene
from tests.participants.patient.town import Town, open_town


@pytest.fixture
async def scene(database_url: str, tmp_path: Path) -> AsyncIterator[Scene]:
    """An application, a hospital, a network between them; on SQLite and on PostgreSQL."""
    async with Scene(database_url, tmp_path) as running:
        yield running


@pytest.fixture
async def quick_scene(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Scene]:
    """The same on SQLite alone, for what no database decides."""
    async with Scene(sqlite_url, tmp_path) as running:
        yield running


@pytest.fixture
def second_url(request: pytest.FixtureRequest, database_url: str, sqlite_template: Path, tmp_path: Path) -> str:
    """Another database of the kind of the first one."""
    if database_url.startswith("sqlite"):
        return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'second.db')}"
    return str(request.getfixturevalue("new_postgres_url")())


@pytest.fixture
async def town(database_url: str, second_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    """A hospital's program and the application; on SQLite and on PostgreSQL."""
    async with open_town(database_url, second_url, tmp_path) as running:
        yield running
