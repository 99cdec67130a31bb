"""Journal, requests, outbox, breakers, call log, events."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Double,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    text,
)

revision = "uhi_0001"
down_revision = None
branch_labels = ("uhi",)
depends_on = None


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "body",
        Column("id", Text(), nullable=False),
        Column("sealed", LargeBinary(), nullable=False),
        Column("created_at", Double(), nullable=False),
        PrimaryKeyConstraint("id"),
    )
    op.create_index("body_created", "body", ["created_at", "id"])
    op.create_table(
        "inbox",
        Column("id", Text(), nullable=False),
        Column("receiver_id", Text(), nullable=False),
        Column("signer_id", Text(), nullable=False),
        Column("path_role", Text(), nullable=False),
        Column("message_id", Text(), nullable=False),
        Column("variant", Text(), nullable=False),
        Column("digest", Text(), nullable=False),
        Column("transaction_id", Text(), nullable=False),
        Column("body_id", Text(), nullable=True),
        Column("header", Text(), server_default="", nullable=False),
        Column("facts", Text(), server_default="{}", nullable=False),
        Column("answers", Text(), nullable=True),
        Column("received_at", Double(), nullable=False),
        Column("deadline", Double(), nullable=False),
        Column("status", Text(), nullable=False),
        Column("finished_at", Double(), nullable=True),
        Column("owner", Text(), nullable=True),
        Column("lease_until", Double(), nullable=True),
        PrimaryKeyConstraint("id"),
        UniqueConstraint("receiver_id", "signer_id", "path_role", "message_id", "variant", name="inbox_identity"),
    )
    op.create_index(
        "inbox_answers",
        "inbox",
        ["receiver_id", "answers"],
        sqlite_where=text("answers IS NOT NULL"),
        postgresql_where=text("answers IS NOT NULL"),
    )
    op.create_index(
        "inbox_received",
        "inbox",
        ["received_at"],
        sqlite_where=text("variant <> ''"),
        postgresql_where=text("variant <> ''"),
    )
    op.create_index(
        "inbox_single",
        "inbox",
        ["received_at"],
        sqlite_where=text("variant = ''"),
        postgresql_where=text("variant = ''"),
    )
    op.create_index("inbox_transaction", "inbox", ["transaction_id", "signer_id", "receiver_id", "path_role"])
    op.create_index(
        "inbox_unfinished",
        "inbox",
        ["received_at"],
        sqlite_where=text("status = 'NEW'"),
        postgresql_where=text("status = 'NEW'"),
    )
    op.create_table(
        "used_header",
        Column("key", Text(), nullable=False),
        Column("expires", Double(), nullable=False),
        PrimaryKeyConstraint("key"),
    )
    op.create_index("used_header_expires", "used_header", ["expires"])
    op.create_table(
        "request",
        Column("owner", Text(), nullable=False),
        Column("leg", Text(), nullable=False),
        Column("message_id", Text(), nullable=False),
        Column("transaction_id", Text(), nullable=False),
        Column("counterpart", Text(), server_default="", nullable=False),
        Column("opened_at", Double(), nullable=False),
        Column("until", Double(), nullable=False),
        Column("ttl_until", Double(), nullable=True),
        Column("asker_id", Text(), server_default="", nullable=False),
        Column("asker_url", Text(), server_default="", nullable=False),
        Column("cause", Text(), server_default="", nullable=False),
        Column("answered_at", Double(), nullable=True),
        Column("answered_as", Text(), server_default="", nullable=False),
        PrimaryKeyConstraint("owner", "leg", "message_id"),
    )
    op.create_index(
        "request_asked",
        "request",
        ["opened_at"],
        sqlite_where=text("counterpart <> ''"),
        postgresql_where=text("counterpart <> ''"),
    )
    op.create_index(
        "request_open",
        "request",
        ["until"],
        sqlite_where=text("counterpart = ''"),
        postgresql_where=text("counterpart = ''"),
    )
    op.create_index("request_transaction", "request", ["transaction_id", "owner", "leg"])
    op.create_table(
        "outbox",
        Column("id", Text(), nullable=False),
        Column("dest_subscriber_id", Text(), nullable=False),
        Column("dest_role", Text(), nullable=False),
        Column("dest_url", Text(), nullable=False),
        Column("action", Text(), nullable=False),
        Column("message_id", Text(), nullable=False),
        Column("transaction_id", Text(), nullable=False),
        Column("order_id", Text(), nullable=True),
        Column("inbox_id", Text(), nullable=True),
        Column("body_id", Text(), nullable=True),
        Column("digest", Text(), nullable=False),
        Column("size", Integer(), nullable=False),
        Column("is_critical", Boolean(), nullable=False),
        Column("is_relayed", Boolean(), nullable=False),
        Column("is_secret", Boolean(), server_default=text("false"), nullable=False),
        Column("priority", Integer(), nullable=False),
        Column("line", Text(), nullable=True),
        Column("kept", Text(), server_default="", nullable=False),
        Column("not_before", Double(), nullable=False),
        Column("deadline", Double(), nullable=False),
        Column("attempts", Integer(), server_default="0", nullable=False),
        Column("signed_again", Integer(), server_default="0", nullable=False),
        Column("owner", Text(), nullable=True),
        Column("lease_until", Double(), nullable=True),
        Column("state", Text(), nullable=False),
        Column("last_status", Integer(), server_default="0", nullable=False),
        Column("last_error_code", Text(), server_default="", nullable=False),
        Column("created_at", Double(), nullable=False),
        Column("ended_at", Double(), nullable=True),
        PrimaryKeyConstraint("id"),
        UniqueConstraint("inbox_id", "dest_subscriber_id", "action", name="outbox_once"),
    )
    op.create_index(
        "outbox_body",
        "outbox",
        ["body_id"],
        sqlite_where=text("state IN ('READY', 'LEASED', 'DEAD')"),
        postgresql_where=text("state IN ('READY', 'LEASED', 'DEAD')"),
    )
    op.create_index("outbox_created", "outbox", ["created_at"])
    op.create_index(
        "outbox_due",
        "outbox",
        ["priority", "not_before", "id"],
        sqlite_where=text("state = 'READY'"),
        postgresql_where=text("state = 'READY'"),
    )
    op.create_index(
        "outbox_leased",
        "outbox",
        ["lease_until"],
        sqlite_where=text("state = 'LEASED'"),
        postgresql_where=text("state = 'LEASED'"),
    )
    op.create_index(
        "outbox_line",
        "outbox",
        ["line", "id"],
        sqlite_where=text("line IS NOT NULL AND state IN ('READY', 'LEASED')"),
        postgresql_where=text("line IS NOT NULL AND state IN ('READY', 'LEASED')"),
    )
    op.create_index("outbox_transaction", "outbox", ["transaction_id"])
    op.create_table(
        "breaker",
        Column("destination", Text(), nullable=False),
        Column("until", Double(), nullable=False),
        Column("trips", Integer(), nullable=False),
        PrimaryKeyConstraint("destination"),
    )
    op.create_table(
        "hop",
        Column("id", Text(), nullable=False),
        Column("at", Double(), nullable=False),
        Column("direction", Text(), nullable=False),
        Column("sender", Text(), server_default="", nullable=False),
        Column("receiver", Text(), server_default="", nullable=False),
        Column("action", Text(), server_default="", nullable=False),
        Column("transaction_id", Text(), server_default="", nullable=False),
        Column("message_id", Text(), server_default="", nullable=False),
        Column("outcome", Text(), server_default="", nullable=False),
        Column("status", Integer(), nullable=False),
        Column("ms", Double(), nullable=False),
        Column("attempt", Integer(), nullable=False),
        Column("detail", Text(), server_default="", nullable=False),
        Column("consumer_url", Text(), server_default="", nullable=False),
        Column("category", Text(), server_default="", nullable=False),
        Column("stage", Text(), server_default="", nullable=False),
        PrimaryKeyConstraint("id"),
    )
    op.create_index("hop_at", "hop", ["at"])
    op.create_index("hop_transaction", "hop", ["transaction_id"])
    op.create_table(
        "event",
        Column("id", Text(), nullable=False),
        Column("kind", Text(), nullable=False),
        Column("at", Double(), nullable=False),
        Column("facts", Text(), server_default="{}", nullable=False),
        PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "turn",
        Column("name", Text(), nullable=False),
        Column("owner", Text(), nullable=False),
        Column("until", Double(), nullable=False),
        PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "holder",
        Column("place", Integer(), autoincrement=False, nullable=False),
        Column("subscriber_id", Text(), nullable=False),
        Column("probe", LargeBinary(), nullable=False),
        CheckConstraint("place = 1", name="holder_one"),
        PrimaryKeyConstraint("place"),
    )


def downgrade() -> None:
    """Delete them, and what they keep."""
    op.drop_table("holder")
    op.drop_table("turn")
    op.drop_table("event")
    op.drop_table("hop")
    op.drop_table("breaker")
    op.drop_table("outbox")
    op.drop_table("request")
    op.drop_table("used_header")
    op.drop_table("inbox")
    op.drop_table("body")
