"""Organisations, locations, practitioners, their services."""

from __future__ import annotations

revision = "hospital_0001"
down_revision = None
branch_labels = ("hospital",)
depends_on = None


def upgrade() -> None:
    """Make them."""


def downgrade() -> None:
    """Delete them, and what they keep."""
