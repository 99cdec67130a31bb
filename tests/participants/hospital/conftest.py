"""Hospitals that run, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.participants.hospital.house import House


@pytest.fixture
async def house(sqlite_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """Two organisations with three doctors, on SQLite."""
    async with House.open(sqlite_url, tmp_path) as running:
        await running.settle_in()
        yield running


@pytest.fixture
async def either_house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """The same on either database."""
    async with House.open(database_url, tmp_path) as running:
        await running.settle_in()
        yield running
