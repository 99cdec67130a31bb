"""Searches, what they found, slots that were shown, and what others may be shown."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    Boolean,
    Column,
    Double,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
)

revision = "patient_0002"
down_revision = "patient_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "patient_search",
        Column("id", Text(), nullable=False),
        Column("account_id", Text(), nullable=False),
        Column("transaction_id", Text(), nullable=False),
        Column("key", Text(), nullable=False),
        Column("at", Double(), nullable=False),
        Column("until", Double(), nullable=False),
        Column("over_at", Double(), nullable=False),
        Column("expires_at", Double(), nullable=False),
        Column("seq", Integer(), server_default="0", nullable=False),
        Column("failed", Text(), server_default="", nullable=False),
        Column("wanted", LargeBinary(), nullable=False),
        PrimaryKeyConstraint("id"),
        UniqueConstraint("transaction_id", name="patient_search_transaction"),
    )
    op.create_index("patient_search_account", "patient_search", ["account_id"])
    op.create_index("patient_search_expires", "patient_search", ["expires_at"])
    op.create_table(
        "patient_search_answer",
        Column("search_id", Text(), nullable=False),
        Column("seq", Integer(), autoincrement=False, nullable=False),
        Column("source", Text(), nullable=False),
        Column("provider_id", Text(), nullable=False),
        Column("at", Double(), nullable=False),
        Column("late", Boolean(), nullable=False),
        Column("cached", Boolean(), nullable=False),
        Column("body", LargeBinary(), nullable=False),
        ForeignKeyConstraint(["search_id"], ["patient_search.id"], ondelete="CASCADE"),
        PrimaryKeyConstraint("search_id", "seq"),
        UniqueConstraint("search_id", "source", name="patient_search_answer_once"),
    )
    op.create_table(
        "patient_slots",
        Column("id", Text(), nullable=False),
        Column("search_id", Text(), nullable=False),
        Column("account_id", Text(), nullable=False),
        Column("expires_at", Double(), nullable=False),
        Column("body", LargeBinary(), nullable=False),
        ForeignKeyConstraint(["search_id"], ["patient_search.id"], ondelete="CASCADE"),
        PrimaryKeyConstraint("id"),
    )
    op.create_index("patient_slots_expires", "patient_slots", ["expires_at"])
    op.create_index("patient_slots_search", "patient_slots", ["search_id"])
    op.create_table(
        "patient_discovery",
        Column("key", Text(), nullable=False),
        Column("provider_id", Text(), nullable=False),
        Column("at", Double(), nullable=False),
        Column("expires_at", Double(), nullable=False),
        Column("body", LargeBinary(), nullable=False),
        PrimaryKeyConstraint("key", "provider_id"),
    )
    op.create_index("patient_discovery_expires", "patient_discovery", ["expires_at"])


def downgrade() -> None:
    """Delete them, and what they keep."""
    op.drop_table("patient_discovery")
    op.drop_table("patient_slots")
    op.drop_table("patient_search_answer")
    op.drop_table("patient_search")
