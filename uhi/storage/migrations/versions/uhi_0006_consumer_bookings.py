"""A consumer's bookings, and requests that are done once."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Boolean, Column, Double, Integer, LargeBinary, PrimaryKeyConstraint, Text, text

revision = "uhi_0006"
down_revision = "uhi_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "consumer_booking",
        Column("consumer_id", Text(), nullable=False),
        Column("provider_id", Text(), nullable=False),
        Column("order_id", Text(), nullable=False),
        Column("account_id", Text(), server_default="", nullable=False),
        Column("transaction_id", Text(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("starts_at", Double(), nullable=False),
        Column("ends_at", Double(), nullable=False),
        Column("replaces_provider", Text(), server_default="", nullable=False),
        Column("replaces_order", Text(), server_default="", nullable=False),
        Column("errand", Text(), server_default="", nullable=False),
        Column("errand_due", Double(), nullable=False),
        Column("claimed_until", Double(), nullable=False),
        Column("updated_at", Double(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("sealed", LargeBinary(), nullable=False),
        PrimaryKeyConstraint("consumer_id", "provider_id", "order_id"),
    )
    op.create_index("consumer_booking_transaction", "consumer_booking", ["transaction_id"])
    op.create_index("consumer_booking_account", "consumer_booking", ["account_id"])
    op.create_index(
        "consumer_booking_errand",
        "consumer_booking",
        ["errand_due"],
        sqlite_where=text("errand <> ''"),
        postgresql_where=text("errand <> ''"),
    )
    op.create_table(
        "idempotency",
        Column("id", Text(), nullable=False),
        Column("principal", Text(), nullable=False),
        Column("is_done", Boolean(), nullable=False),
        Column("claimed_until", Double(), nullable=False),
        Column("forgotten_at", Double(), nullable=False),
        Column("sealed", LargeBinary(), nullable=False),
        PrimaryKeyConstraint("id"),
    )
    op.create_index("idempotency_forgotten", "idempotency", ["forgotten_at"])
    op.create_index("idempotency_principal", "idempotency", ["principal"])


def downgrade() -> None:
    """Delete them, and what they keep."""
    op.drop_table("idempotency")
    op.drop_table("consumer_booking")
