"""The tables of the network registry: entries, their keys, what waits, challenges, approvals, and the numbered changes.

Public keys only; nothing here can sign. Columns as in the library's tables: times are Unix seconds from the clock.
Above: the rows of this package. Source: security rules "Registry and key rules".
"""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    event,
)

from uhi.storage.sql.columns import key, time

metadata = MetaData()


registry_member = Table(
    "registry_member",
    metadata,
    Column("subscriber_id", Text, primary_key=True),
    key("look"),
    key("role"),
    key("status"),
    key("url"),
    key("sought"),
    key("particulars"),
    time("created_at"),
    time("updated_at"),
    Index("registry_member_look", "look"),
    Index("registry_member_url", "url"),
    Index("registry_member_status", "status", "subscriber_id"),
)
"""One entry for each subscriber, applicants among them. `look` is what its id may be mistaken for, `sought` what a
search looks in, `particulars` the whole entry as JSON."""

registry_key = Table(
    "registry_key",
    metadata,
    Column("subscriber_id", Text, ForeignKey("registry_member.subscriber_id"), primary_key=True),
    Column("key_id", Text, primary_key=True),
    key("public_key"),
    key("profile"),
    time("valid_from"),
    time("valid_until"),
    time("added_at"),
    time("revoked_at", nullable=True),
    UniqueConstraint("public_key", name="registry_key_once"),
)
"""The approved keys, revoked ones too: nobody registers one of them again. `public_key` is base64 of the raw bytes."""

registry_pending = Table(
    "registry_pending",
    metadata,
    Column("id", Text, primary_key=True),
    Column("subscriber_id", Text, ForeignKey("registry_member.subscriber_id"), nullable=False),
    Column("amends", Boolean, nullable=False),
    key("wanted"),
    key("signed_with"),
    key("submitted_by"),
    time("submitted_at"),
    key("proofs"),
    time("site_checked_at", nullable=True),
    time("decrypted_at", nullable=True),
    key("reviewed_by"),
    UniqueConstraint("subscriber_id", name="registry_pending_once"),
)
"""What waits, at most one thing for each subscriber. `wanted` holds particulars and new keys, `proofs` which keys are
to be proven and which are; both are JSON."""

registry_approval = Table(
    "registry_approval",
    metadata,
    Column("pending_id", Text, ForeignKey("registry_pending.id", ondelete="CASCADE"), primary_key=True),
    Column("actor", Text, primary_key=True),
    time("at"),
)
"""Who approved what waits: a person once."""

registry_challenge = Table(
    "registry_challenge",
    metadata,
    Column("id", Text, primary_key=True),
    key("pending_id"),
    key("subscriber_id"),
    key("key_id"),
    key("round"),
    key("nonce"),
    Column("expires", BigInteger, nullable=False),
    key("answer"),
    time("made_at"),
    time("used_at", nullable=True),
    Index("registry_challenge_subscriber", "subscriber_id", "made_at"),
    Index("registry_challenge_made", "made_at"),
)
"""What was asked. `round` is shared by what was asked at once; `answer` is the SHA-256 of the encrypted text."""

registry_change = Table(
    "registry_change",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    time("at"),
    key("subscriber_id"),
    key("role"),
    key("status"),
    key("keys"),
    key("action"),
)
"""Every change of an entry by its number, without gaps. `keys` are the ids in force after it, as JSON."""

registry_head = Table(
    "registry_head",
    metadata,
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
)
"""One row: the number of the newest change. Every writer locks it first, so changes are made one after the other."""

FIRST_HEAD = "INSERT INTO registry_head (place, seq) VALUES (1, 0)"

event.listen(registry_head, "after_create", DDL(FIRST_HEAD))  # type: ignore[no-untyped-call]
