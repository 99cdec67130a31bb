"""The tables of the library: journal, requests, outbox, breakers, call log, events, turns.

One schema on both databases. Every time is Unix seconds as a double, bound from the program's clock, so that both
compare alike and a test's clock counts. Ids sort by time. Source: reliability rules "Send side", "Receive side".
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from uhi.storage.sql.columns import key, time, words

metadata = MetaData()

NEW, DONE, EXPIRED = "NEW", "DONE", "EXPIRED"
"""The states of a row of the journal."""


body = Table(
    "body",
    metadata,
    Column("id", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    time("created_at"),
    Index("body_created", "created_at", "id"),
)
"""The bytes of a message, encrypted; journal and outbox refer to them."""

inbox = Table(
    "inbox",
    metadata,
    Column("id", Text, primary_key=True),
    key("receiver_id"),
    key("signer_id"),
    key("path_role"),
    key("message_id"),
    key("variant"),
    key("digest"),
    key("transaction_id"),
    words("body_id", default=None),
    words("header"),
    words("facts", default="{}"),
    words("answers", default=None),
    time("received_at"),
    time("deadline"),
    key("status"),
    time("finished_at", nullable=True),
    words("owner", default=None),
    time("lease_until", nullable=True),
    UniqueConstraint("receiver_id", "signer_id", "path_role", "message_id", "variant", name="inbox_identity"),
    Index("inbox_transaction", "transaction_id", "signer_id", "receiver_id", "path_role"),
    Index("inbox_received", "received_at", sqlite_where=text("variant <> ''"), postgresql_where=text("variant <> ''")),
    Index("inbox_single", "received_at", sqlite_where=text("variant = ''"), postgresql_where=text("variant = ''")),
    Index(
        "inbox_unfinished", "received_at", sqlite_where=text("status = 'NEW'"), postgresql_where=text("status = 'NEW'")
    ),
    Index(
        "inbox_answers",
        "receiver_id",
        "answers",
        sqlite_where=text("answers IS NOT NULL"),
        postgresql_where=text("answers IS NOT NULL"),
    ),
)
"""The journal. `variant` is empty for single-shot legs; `answers` the message id of our own request."""

used_header = Table(
    "used_header",
    metadata,
    Column("key", Text, primary_key=True),
    time("expires"),
    Index("used_header_expires", "expires"),
)
"""Signature headers that may not come again before they expire."""

request = Table(
    "request",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("leg", Text, primary_key=True),
    Column("message_id", Text, primary_key=True),
    key("transaction_id"),
    words("counterpart"),
    time("opened_at"),
    time("until"),
    time("ttl_until", nullable=True),
    words("asker_id"),
    words("asker_url"),
    words("cause"),
    time("answered_at", nullable=True),
    words("answered_as"),
    Index("request_transaction", "transaction_id", "owner", "leg"),
    Index(
        "request_asked",
        "opened_at",
        sqlite_where=text("counterpart <> ''"),
        postgresql_where=text("counterpart <> ''"),
    ),
    Index("request_open", "until", sqlite_where=text("counterpart = ''"), postgresql_where=text("counterpart = ''")),
)
"""Questions: a participant's own, and the searches a gateway passes on (`asker_id`, `cause`). `answered_as` is the
message id of the answer where it is not the request's own."""

outbox = Table(
    "outbox",
    metadata,
    Column("id", Text, primary_key=True),
    key("dest_subscriber_id"),
    key("dest_role"),
    key("dest_url"),
    key("action"),
    key("message_id"),
    key("transaction_id"),
    words("order_id", default=None),
    words("inbox_id", default=None),
    words("body_id", default=None),
    key("digest"),
    Column("size", Integer, nullable=False),
    Column("is_critical", Boolean, nullable=False),
    Column("is_relayed", Boolean, nullable=False),
    Column("is_secret", Boolean, nullable=False, server_default=text("false")),
    Column("priority", Integer, nullable=False),
    words("line", default=None),
    words("kept"),
    time("not_before"),
    time("deadline"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("signed_again", Integer, nullable=False, server_default="0"),
    words("owner", default=None),
    time("lease_until", nullable=True),
    key("state"),
    Column("last_status", Integer, nullable=False, server_default="0"),
    words("last_error_code"),
    time("created_at"),
    time("ended_at", nullable=True),
    UniqueConstraint("inbox_id", "dest_subscriber_id", "action", name="outbox_once"),
    Index("outbox_transaction", "transaction_id"),
    Index("outbox_created", "created_at"),
    Index(
        "outbox_due",
        "priority",
        "not_before",
        "id",
        sqlite_where=text("state = 'READY'"),
        postgresql_where=text("state = 'READY'"),
    ),
    Index(
        "outbox_leased",
        "lease_until",
        sqlite_where=text("state = 'LEASED'"),
        postgresql_where=text("state = 'LEASED'"),
    ),
    Index(
        "outbox_line",
        "line",
        "id",
        sqlite_where=text("line IS NOT NULL AND state IN ('READY', 'LEASED')"),
        postgresql_where=text("line IS NOT NULL AND state IN ('READY', 'LEASED')"),
    ),
    Index(
        "outbox_body",
        "body_id",
        sqlite_where=text("state IN ('READY', 'LEASED', 'DEAD')"),
        postgresql_where=text("state IN ('READY', 'LEASED', 'DEAD')"),
    ),
)
"""The letters. `inbox_id` is the message they follow from, NULL for our own; `line` orders them. `is_secret`: the body
is forgotten at the end. `outbox_body` tells which bodies may still be asked for."""

breaker = Table(
    "breaker",
    metadata,
    Column("destination", Text, primary_key=True),
    time("until"),
    Column("trips", Integer, nullable=False),
)

hop = Table(
    "hop",
    metadata,
    Column("id", Text, primary_key=True),
    time("at"),
    key("direction"),
    words("sender"),
    words("receiver"),
    words("action"),
    words("transaction_id"),
    words("message_id"),
    words("outcome"),
    Column("status", Integer, nullable=False),
    Column("ms", Double, nullable=False),
    Column("attempt", Integer, nullable=False),
    words("detail"),
    words("consumer_url"),
    words("category"),
    words("stage"),
    Index("hop_transaction", "transaction_id"),
    Index("hop_at", "at"),
)
"""The call log: one row per hop, never a body."""

event = Table(
    "event",
    metadata,
    Column("id", Text, primary_key=True),
    key("kind"),
    time("at"),
    words("facts", default="{}"),
)
"""What other systems have not been told yet."""

turn = Table(
    "turn",
    metadata,
    Column("name", Text, primary_key=True),
    key("owner"),
    time("until"),
)
"""What one process at a time does for all, and whose turn it is."""

holder = Table(
    "holder",
    metadata,
    Column("place", Integer, primary_key=True, autoincrement=False),
    key("subscriber_id"),
    Column("probe", LargeBinary, nullable=False),
    CheckConstraint("place = 1", name="holder_one"),
)
"""One row: the subscriber whose database this is, and something encrypted, to see at once whether the keys fit."""
