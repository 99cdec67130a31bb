"""Conversations: messages of a chat and their documents."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Boolean, Column, Double, Integer, LargeBinary, PrimaryKeyConstraint, Text, UniqueConstraint

revision = "uhi_0007"
down_revision = "uhi_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "conversation",
        Column("owner", Text(), nullable=False),
        Column("order_id", Text(), nullable=False),
        Column("last_seq", Integer(), server_default="0", nullable=False),
        Column("read_seq", Integer(), server_default="0", nullable=False),
        Column("unread", Integer(), server_default="0", nullable=False),
        Column("updated_at", Double(), nullable=False),
        PrimaryKeyConstraint("owner", "order_id"),
    )
    op.create_table(
        "chat_message",
        Column("id", Text(), nullable=False),
        Column("owner", Text(), nullable=False),
        Column("order_id", Text(), nullable=False),
        Column("seq", Integer(), server_default="0", nullable=False),
        Column("is_ours", Boolean(), nullable=False),
        Column("content_id", Text(), nullable=False),
        Column("message_id", Text(), nullable=False),
        Column("kind", Text(), nullable=False),
        Column("at", Double(), nullable=False),
        Column("refused", Text(), server_default="", nullable=False),
        Column("author", Text(), server_default="", nullable=False),
        Column("account_id", Text(), server_default="", nullable=False),
        Column("sealed", LargeBinary(), nullable=False),
        Column("file_key", Text(), server_default="", nullable=False),
        Column("file_size", Integer(), server_default="0", nullable=False),
        Column("file_type", Text(), server_default="", nullable=False),
        Column("scan", Text(), server_default="", nullable=False),
        PrimaryKeyConstraint("id"),
        UniqueConstraint("owner", "order_id", "is_ours", "content_id", name="chat_message_once"),
        UniqueConstraint("owner", "order_id", "seq", name="chat_message_place"),
    )
    op.create_index("chat_message_at", "chat_message", ["at"])
    op.create_table(
        "laid_file",
        Column("key", Text(), nullable=False),
        Column("owner", Text(), nullable=False),
        Column("at", Double(), nullable=False),
        PrimaryKeyConstraint("key"),
    )
    op.create_index("laid_file_at", "laid_file", ["at"])


def downgrade() -> None:
    """Delete them, and what they keep."""
    op.drop_table("laid_file")
    op.drop_table("chat_message")
    op.drop_table("conversation")
