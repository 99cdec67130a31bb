"""Family members, consents, ratings."""

from __future__ import annotations

revision = "patient_0001"
down_revision = None
branch_labels = ("patient",)
depends_on = None


def upgrade() -> None:
    """Make them."""


def downgrade() -> None:
    """Delete them, and what they keep."""
