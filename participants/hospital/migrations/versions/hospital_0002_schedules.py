"""Weekly rules, exceptions, and times that are closed."""

from __future__ import annotations

revision = "hospital_0002"
down_revision = "hospital_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them."""


def downgrade() -> None:
    """Delete them, and what they keep."""
