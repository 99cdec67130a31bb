"""Searches and what they found."""

from __future__ import annotations

revision = "patient_0002"
down_revision = "patient_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them."""


def downgrade() -> None:
    """Delete them, and what they keep."""
