"""An audit trail on each of the two databases."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from uhi.audit.trail import AuditTrail
from uhi.storage.sql.database import Database
from uhi.testing import FakeClock


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
def trail(database: Database) -> AuditTrail:
    """The audit trail of that database, without rows."""
    return AuditTrail(database)
