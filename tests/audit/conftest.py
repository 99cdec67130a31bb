"""An audit trail on each of the two databases."""

from __future__ import annotations

import pytest

from uhi.audit.trail import AuditTrail
from uhi.storage.sql.database import Database


@pytest.fixture
def trail(database: Database) -> AuditTrail:
    """The audit trail of that database, without rows."""
    return AuditTrail(database)
