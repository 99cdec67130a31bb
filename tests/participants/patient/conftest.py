"""The application on a database of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.participants.patient.scene import Scene


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
