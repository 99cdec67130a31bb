"""A front desk with three free slots of one doctor."""

from __future__ import annotations

import pytest

from tests.booking.ward import Front, slot


@pytest.fixture
def front() -> Front:
    """The desk of a small hospital, its clock standing still."""
    front = Front()
    front.ward.offer(slot(0), slot(1), slot(2))
    return front
