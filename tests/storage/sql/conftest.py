"""A storage on each of the two databases."""

from __future__ import annotations

import pytest

from tests.storage.keepsakes import US
from uhi.storage.sealing import Sealing
from uhi.storage.sql.database import Database
from uhi.storage.sql.storage import SqlStorage


@pytest.fixture
def storage(database: Database, sealing: Sealing) -> SqlStorage:
    """A storage without rows: the test runs on both databases."""
    return SqlStorage(database, sealing, owner=f"{US}/0")


@pytest.fixture
def other(database: Database, sealing: Sealing) -> SqlStorage:
    """Another process on the same database."""
    return SqlStorage(database, sealing, owner=f"{US}/1")


@pytest.fixture
def without_key(database: Database) -> SqlStorage:
    """A process whose key file lacks the key that was used before."""
    return SqlStorage(database, Sealing.for_development(), owner=f"{US}/2")
