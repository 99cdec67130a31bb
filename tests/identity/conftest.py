"""A house with people in it, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.identity.house import House


@pytest.fixture(scope="session")
def token_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the keys of tokens are: making them takes long, so they are made once."""
    return tmp_path_factory.mktemp("tokens") / "keys"


@pytest.fixture
async def house(database_url: str, token_folder: Path) -> AsyncIterator[House]:
    """Identity on SQLite and on PostgreSQL."""
    async with House.open(database_url, token_folder) as house:
        yield house


@pytest.fixture
async def sqlite_house(sqlite_url: str, token_folder: Path) -> AsyncIterator[House]:
    """Identity on SQLite alone, for what does not hang on the database."""
    async with House.open(sqlite_url, token_folder) as house:
        yield house
