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

metadata = MetaData()

NEW, DONE, EXPIRED = "NEW", "DONE", "EXPIRED"
"""The states of a row of the journal."""


def _text(name: str, *, default: str | None = "") -> Column[str]:
    return Column(name, Text, nullable=default is None, server_default=default)


def _key(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _time(name: str, *, nullable: bool = False) -> Column[float]:
    return Column(name, Double, nullable=nullable)


body = Table(
    "body",
    metadata,
    Column("id", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    _time("created_at"),
    Index("body_created", "created_at", "id"),
)
"""The bytes of a message, encrypted; journal and outbox refer to them."""

inbox = Table(
    "inbox",
    metadata,
    Column("id", Text, primary_key=True),
    _key("receiver_id"),
    _key("signer_id"),
    _key("path_role"),
    _key("message_id"),
    _key("variant"),
    _key("digest"),
    _key("transaction_id"),
    _text("body_id", default=None),
    _text("header"),
    _text("facts", default="{}"),
    _text("answers", default=None),
    _time("received_at"),
    _time("deadline"),
    _key("status"),
    _time("finished_at", nullable=True),
    _text("owner", default=None),
    _time("lease_until", nullable=True),
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
    _time("expires"),
    Index("used_header_expires", "expires"),
)
"""Signature headers that may not come again before they expire."""

request = Table(
    "request",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("leg", Text, primary_key=True),
    Column("message_id", Text, primary_key=True),
    _key("transaction_id"),
    _text("counterpart"),
    _time("opened_at"),
    _time("until"),
    _time("ttl_until", nullable=True),
    _text("asker_id"),
    _text("asker_url"),
    _text("cause"),
    _time("answered_at", nullable=True),
    _text("answered_as"),
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
    _key("dest_subscriber_id"),
    _key("dest_role"),
    _key("dest_url"),
    _key("action"),
    _key("message_id"),
    _key("transaction_id"),
    _text("order_id", default=None),
    _text("inbox_id", default=None),
    _text("body_id", default=None),
    _key("digest"),
    Column("size", Integer, nullable=False),
    Column("is_critical", Boolean, nullable=False),
    Column("is_relayed", Boolean, nullable=False),
    Column("is_secret", Boolean, nullable=False, server_default=text("false")),
    Column("priority", Integer, nullable=False),
    _text("line", default=None),
    _text("kept"),
    _time("not_before"),
    _time("deadline"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("signed_again", Integer, nullable=False, server_default="0"),
    _text("owner", default=None),
    _time("lease_until", nullable=True),
    _key("state"),
    Column("last_status", Integer, nullable=False, server_default="0"),
    _text("last_error_code"),
    _time("created_at"),
    _time("ended_at", nullable=True),
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
    _time("until"),
    Column("trips", Integer, nullable=False),
)

hop = Table(
    "hop",
    metadata,
    Column("id", Text, primary_key=True),
    _time("at"),
    _key("direction"),
    _text("sender"),
    _text("receiver"),
    _text("action"),
    _text("transaction_id"),
    _text("message_id"),
    _text("outcome"),
    Column("status", Integer, nullable=False),
    Column("ms", Double, nullable=False),
    Column("attempt", Integer, nullable=False),
    _text("detail"),
    _text("consumer_url"),
    _text("category"),
    _text("stage"),
    Index("hop_transaction", "transaction_id"),
    Index("hop_at", "at"),
)
"""The call log: one row per hop, never a body."""

event = Table(
    "event",
    metadata,
    Column("id", Text, primary_key=True),
    _key("kind"),
    _time("at"),
    _text("facts", default="{}"),
)
"""What other systems have not been told yet."""

turn = Table(
    "turn",
    metadata,
    Column("name", Text, primary_key=True),
    _key("owner"),
    _time("until"),
)
"""What one process at a time does for all, and whose turn it is."""

holder = Table(
    "holder",
    metadata,
    Column("place", Integer, primary_key=True, autoincrement=False),
    _key("subscriber_id"),
    Column("probe", LargeBinary, nullable=False),
    CheckConstraint("place = 1", name="holder_one"),
)
"""One row: the subscriber whose database this is, and something encrypted, to see at once whether the keys fit."""
