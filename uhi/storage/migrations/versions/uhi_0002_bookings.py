"""A provider's bookings: orders, and the holds that decide who has a slot."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Double, Integer, LargeBinary, PrimaryKeyConstraint, Text, UniqueConstraint, text

revision = "uhi_0002"
down_revision = "uhi_0001"
branch_labels = None
depends_on = None

_NO_OVERLAP = {
    "postgresql": (
        "CREATE EXTENSION IF NOT EXISTS btree_gist",
        """ALTER TABLE hold ADD CONSTRAINT hold_no_overlap EXCLUDE USING gist (
    provider_id WITH =, practitioner_id WITH =, seat WITH =,
    tstzrange(to_timestamp(starts_at), to_timestamp(greatest(starts_at, ends_at))) WITH &&
) WHERE (state IN ('HELD', 'CONFIRMED'))""",
    ),
    "sqlite": (
        """CREATE TRIGGER hold_no_overlap BEFORE INSERT ON hold
WHEN NEW.state IN ('HELD', 'CONFIRMED') AND EXISTS (
    SELECT 1 FROM hold h
    WHERE h.provider_id = NEW.provider_id AND h.practitioner_id = NEW.practitioner_id AND h.seat = NEW.seat
      AND h.state IN ('HELD', 'CONFIRMED') AND h.starts_at < NEW.ends_at AND NEW.starts_at < h.ends_at)
BEGIN SELECT RAISE(IGNORE); END""",
        """CREATE TRIGGER hold_no_overlap_later BEFORE UPDATE ON hold
WHEN NEW.state IN ('HELD', 'CONFIRMED') AND EXISTS (
    SELECT 1 FROM hold h
    WHERE h.provider_id = NEW.provider_id AND h.practitioner_id = NEW.practitioner_id AND h.seat = NEW.seat
      AND h.state IN ('HELD', 'CONFIRMED') AND h.starts_at < NEW.ends_at AND NEW.starts_at < h.ends_at
      AND h.id <> NEW.id)
BEGIN SELECT RAISE(ABORT, 'hold_no_overlap'); END""",
    ),
}
"""No two live claims of one doctor and seat overlap."""


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "orders",
        Column("id", Text(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("provider_id", Text(), nullable=False),
        Column("consumer_id", Text(), nullable=False),
        Column("transaction_id", Text(), nullable=False),
        Column("domain", Text(), nullable=False),
        Column("city", Text(), nullable=False),
        Column("hold_id", Text(), nullable=False),
        Column("appointment_id", Text(), nullable=True),
        Column("held_until", Double(), nullable=False),
        Column("confirmed_at", Double(), nullable=True),
        Column("updated_at", Double(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("sealed", LargeBinary(), nullable=False),
        Column("pin", LargeBinary(), nullable=True),
        Column("pin_until", Double(), nullable=True),
        PrimaryKeyConstraint("id"),
        UniqueConstraint("provider_id", "consumer_id", "transaction_id", "hold_id", name="orders_once"),
    )
    op.create_index("orders_appointment", "orders", ["provider_id", "appointment_id"])
    op.create_index("orders_confirmed", "orders", ["confirmed_at"])
    op.create_index(
        "orders_held",
        "orders",
        ["provider_id", "held_until"],
        sqlite_where=text("state = 'HELD'"),
        postgresql_where=text("state = 'HELD'"),
    )
    op.create_index(
        "orders_pin",
        "orders",
        ["pin_until"],
        sqlite_where=text("pin IS NOT NULL"),
        postgresql_where=text("pin IS NOT NULL"),
    )
    op.create_index("orders_transaction", "orders", ["transaction_id"])
    op.create_index(
        "orders_visit",
        "orders",
        ["provider_id", "appointment_id"],
        unique=True,
        sqlite_where=text("appointment_id IS NOT NULL AND state IN ('CONFIRMED', 'APPOINTMENT_STARTED', 'COMPLETED')"),
        postgresql_where=text(
            "appointment_id IS NOT NULL AND state IN ('CONFIRMED', 'APPOINTMENT_STARTED', 'COMPLETED')"
        ),
    )
    op.create_table(
        "hold",
        Column("id", Text(), nullable=False),
        Column("order_id", Text(), nullable=False),
        Column("provider_id", Text(), nullable=False),
        Column("slot_id", Text(), nullable=False),
        Column("seat", Integer(), nullable=False),
        Column("practitioner_id", Text(), nullable=False),
        Column("starts_at", Double(), nullable=False),
        Column("ends_at", Double(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("expires_at", Double(), nullable=False),
        PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "hold_live_slot",
        "hold",
        ["provider_id", "slot_id", "seat"],
        unique=True,
        sqlite_where=text("state IN ('HELD', 'CONFIRMED')"),
        postgresql_where=text("state IN ('HELD', 'CONFIRMED')"),
    )
    op.create_index("hold_order", "hold", ["order_id"])
    op.create_index("hold_times", "hold", ["provider_id", "practitioner_id", "starts_at"])
    for statement in _NO_OVERLAP[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    """Delete them, and what they keep."""
    op.drop_table("hold")
    op.drop_table("orders")
