"""Accounts' data keys, family members, consents; bookings, agreements, ratings."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Double, Integer, LargeBinary, PrimaryKeyConstraint, Text, UniqueConstraint, text

revision = "patient_0001"
down_revision = None
branch_labels = ("patient",)
depends_on = None


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "patient_key",
        Column("account_id", Text(), nullable=False),
        Column("made_at", Double(), nullable=False),
        Column("erased_at", Double(), nullable=True),
        PrimaryKeyConstraint("account_id"),
    )
    op.create_table(
        "patient_member",
        Column("id", Text(), nullable=False),
        Column("account_id", Text(), nullable=False),
        Column("sealed", LargeBinary(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("made_at", Double(), nullable=False),
        Column("changed_at", Double(), nullable=False),
        PrimaryKeyConstraint("id"),
    )
    op.create_index("patient_member_account", "patient_member", ["account_id", "id"])
    op.create_table(
        "patient_consent",
        Column("id", Text(), nullable=False),
        Column("account_id", Text(), nullable=False),
        Column("purpose", Text(), nullable=False),
        Column("notice_version", Integer(), nullable=False),
        Column("language", Text(), nullable=False),
        Column("text_hash", Text(), nullable=False),
        Column("given_at", Double(), nullable=False),
        Column("withdrawn_at", Double(), nullable=True),
        PrimaryKeyConstraint("id"),
    )
    op.create_index("patient_consent_account", "patient_consent", ["account_id", "given_at"])
    op.create_index(
        "patient_consent_in_force",
        "patient_consent",
        ["account_id", "purpose"],
        unique=True,
        sqlite_where=text("withdrawn_at IS NULL"),
        postgresql_where=text("withdrawn_at IS NULL"),
    )
    op.create_table(
        "patient_booking",
        Column("id", Text(), nullable=False),
        Column("account_id", Text(), nullable=False),
        Column("member_id", Text(), nullable=False),
        Column("consent_id", Text(), nullable=False),
        Column("provider_id", Text(), nullable=False),
        Column("order_id", Text(), nullable=False),
        Column("replaces_id", Text(), server_default="", nullable=False),
        Column("waits_for", Text(), server_default="", nullable=False),
        Column("waits_since", Double(), nullable=True),
        Column("made_at", Double(), nullable=False),
        Column("held_until", Double(), nullable=False),
        Column("sealed", LargeBinary(), nullable=False),
        PrimaryKeyConstraint("id"),
        UniqueConstraint("provider_id", "order_id", name="patient_booking_order"),
    )
    op.create_index("patient_booking_account", "patient_booking", ["account_id", "id"])
    op.create_table(
        "patient_agreement",
        Column("booking_id", Text(), nullable=False),
        Column("term", Text(), nullable=False),
        Column("account_id", Text(), nullable=False),
        Column("text_hash", Text(), nullable=False),
        Column("agreed_at", Double(), nullable=False),
        PrimaryKeyConstraint("booking_id", "term"),
    )
    op.create_table(
        "patient_rating",
        Column("booking_id", Text(), nullable=False),
        Column("account_id", Text(), nullable=False),
        Column("stars", Integer(), nullable=False),
        Column("sealed", LargeBinary(), nullable=False),
        Column("rated_at", Double(), nullable=False),
        PrimaryKeyConstraint("booking_id"),
    )
    op.create_index("patient_rating_account", "patient_rating", ["account_id"])


def downgrade() -> None:
    """Delete them, and what they keep."""
    op.drop_table("patient_rating")
    op.drop_table("patient_agreement")
    op.drop_table("patient_booking")
    op.drop_table("patient_consent")
    op.drop_table("patient_member")
    op.drop_table("patient_key")
