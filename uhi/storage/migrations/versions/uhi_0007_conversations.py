"""Conversations: messages of a chat and their documents."""

from __future__ import annotations

revision = "uhi_0007"
down_revision = "uhi_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them."""


def downgrade() -> None:
    """Delete them, and what they keep."""
