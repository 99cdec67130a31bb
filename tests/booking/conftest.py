"""A front desk with three free slots of one doctor, and the stores that keep its orders."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.booking.shelf import MemoryShelf, Shelf, SqlShelf
from tests.booking.ward import Front, slot


@pytest.fixture
def front() -> Front:
    """The desk of a small hospital, its clock standing still."""
    front = Front()
    front.ward.offer(slot(0), slot(1), slot(2))
    return front


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.services)])
async def shelf(request: pytest.FixtureRequest) -> AsyncIterator[Shelf]:
    """Where orders are kept: each store is tested by the same tests."""
    if request.param == "memory":
        yield MemoryShelf()
        return
    async with SqlShelf.open(request.getfixturevalue(f"{request.param}_url")) as shelf:
        yield shelf


@pytest.fixture
async def sql_shelf(database_url: str) -> AsyncIterator[SqlShelf]:
    """Orders on SQLite and on PostgreSQL."""
    async with SqlShelf.open(database_url) as shelf:
        yield shelf
