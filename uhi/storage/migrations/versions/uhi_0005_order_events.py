"""Each order"s stream of events, and what lists of orders are sought by."""

from __future__ import annotations

revision = "uhi_0005"
down_revision = "uhi_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them."""


def downgrade() -> None:
    """Delete them, and what they keep."""
