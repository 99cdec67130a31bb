"""A hospital and a patient's application that have booked, on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.conversation.scene import Scene, UrlOf, opened


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def url_of(request: pytest.FixtureRequest, tmp_path: Path) -> UrlOf:
    """A database of its own for each program."""
    if request.param == "sqlite":
        return _sqlite(request.getfixturevalue("sqlite_template"), tmp_path)
    new_url = request.getfixturevalue("new_postgres_url")
    return lambda _: str(new_url())


@pytest.fixture
async def scene(url_of: UrlOf, tmp_path: Path) -> AsyncIterator[Scene]:
    """On both databases, with an appointment."""
    async with opened(url_of, tmp_path) as running:
        await running.book()
        yield running


@pytest.fixture
async def stage(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Scene]:
    """As `scene`, on SQLite alone: for what no database decides."""
    async with opened(_sqlite(sqlite_template, tmp_path), tmp_path) as running:
        await running.book()
        yield running


def _sqlite(template: Path, folder: Path) -> UrlOf:
    return lambda name: f"sqlite:///{shutil.copy(template, folder / f'{name}.db')}"


@pytest.fixture
def sqlite_of(sqlite_template: Path, tmp_path: Path) -> UrlOf:
    """SQLite for each program."""
    return _sqlite(sqlite_template, tmp_path)
