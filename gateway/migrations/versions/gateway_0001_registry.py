"""The network registry: entries, keys, what waits, challenges, approvals, numbered changes."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKeyConstraint,
    Integer,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
)

revision = "gateway_0001"
down_revision = None
branch_labels = ("gateway",)
depends_on = None

_FIRST_HEAD = "INSERT INTO registry_head (place, seq) VALUES (1, 0)"


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "registry_member",
        Column("subscriber_id", Text(), nullable=False),
        Column("look", Text(), nullable=False),
        Column("role", Text(), nullable=False),
        Column("status", Text(), nullable=False),
        Column("url", Text(), nullable=False),
        Column("sought", Text(), nullable=False),
        Column("particulars", Text(), nullable=False),
        Column("created_at", Double(), nullable=False),
        Column("updated_at", Double(), nullable=False),
        PrimaryKeyConstraint("subscriber_id"),
    )
    op.create_index("registry_member_look", "registry_member", ["look"])
    op.create_index("registry_member_status", "registry_member", ["status", "subscriber_id"])
    op.create_index("registry_member_url", "registry_member", ["url"])
    op.create_table(
        "registry_key",
        Column("subscriber_id", Text(), nullable=False),
        Column("key_id", Text(), nullable=False),
        Column("public_key", Text(), nullable=False),
        Column("profile", Text(), nullable=False),
        Column("valid_from", Double(), nullable=False),
        Column("valid_until", Double(), nullable=False),
        Column("added_at", Double(), nullable=False),
        Column("revoked_at", Double(), nullable=True),
        PrimaryKeyConstraint("subscriber_id", "key_id"),
        UniqueConstraint("public_key", name="registry_key_once"),
        ForeignKeyConstraint(["subscriber_id"], ["registry_member.subscriber_id"]),
    )
    op.create_table(
        "registry_pending",
        Column("id", Text(), nullable=False),
        Column("subscriber_id", Text(), nullable=False),
        Column("amends", Boolean(), nullable=False),
        Column("wanted", Text(), nullable=False),
        Column("signed_with", Text(), nullable=False),
        Column("submitted_by", Text(), nullable=False),
        Column("submitted_at", Double(), nullable=False),
        Column("proofs", Text(), nullable=False),
        Column("site_checked_at", Double(), nullable=True),
        Column("decrypted_at", Double(), nullable=True),
        Column("reviewed_by", Text(), nullable=False),
        PrimaryKeyConstraint("id"),
        UniqueConstraint("subscriber_id", name="registry_pending_once"),
        ForeignKeyConstraint(["subscriber_id"], ["registry_member.subscriber_id"]),
    )
    op.create_table(
        "registry_approval",
        Column("pending_id", Text(), nullable=False),
        Column("actor", Text(), nullable=False),
        Column("at", Double(), nullable=False),
        ForeignKeyConstraint(["pending_id"], ["registry_pending.id"], ondelete="CASCADE"),
        PrimaryKeyConstraint("pending_id", "actor"),
    )
    op.create_table(
        "registry_challenge",
        Column("id", Text(), nullable=False),
        Column("pending_id", Text(), nullable=False),
        Column("subscriber_id", Text(), nullable=False),
        Column("key_id", Text(), nullable=False),
        Column("round", Text(), nullable=False),
        Column("nonce", Text(), nullable=False),
        Column("expires", BigInteger(), nullable=False),
        Column("answer", Text(), nullable=False),
        Column("made_at", Double(), nullable=False),
        Column("used_at", Double(), nullable=True),
        PrimaryKeyConstraint("id"),
    )
    op.create_index("registry_challenge_made", "registry_challenge", ["made_at"])
    op.create_index("registry_challenge_subscriber", "registry_challenge", ["subscriber_id", "made_at"])
    op.create_table(
        "registry_change",
        Column("seq", BigInteger(), autoincrement=False, nullable=False),
        Column("at", Double(), nullable=False),
        Column("subscriber_id", Text(), nullable=False),
        Column("role", Text(), nullable=False),
        Column("status", Text(), nullable=False),
        Column("keys", Text(), nullable=False),
        Column("action", Text(), nullable=False),
        PrimaryKeyConstraint("seq"),
    )
    op.create_table(
        "registry_head",
        Column("place", Integer(), autoincrement=False, nullable=False),
        Column("seq", BigInteger(), nullable=False),
        PrimaryKeyConstraint("place"),
    )
    op.execute(_FIRST_HEAD)


def downgrade() -> None:
    """Delete them, and what they keep."""
    op.drop_table("registry_head")
    op.drop_table("registry_change")
    op.drop_table("registry_challenge")
    op.drop_table("registry_approval")
    op.drop_table("registry_pending")
    op.drop_table("registry_key")
    op.drop_table("registry_member")
