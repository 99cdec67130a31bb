"""The tables of searches: what was looked for, what was answered, slots that were shown, and what others may be shown.

What is in them tells of somebody's health, so all of it is sealed but ids and times. Above: `rows`. Times are Unix
seconds.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, UniqueConstraint

from participants.patient.metadata import metadata
from uhi.storage.sql.columns import count, key, time, words

patient_search = Table(
    "patient_search",
    metadata,
    Column("id", Text, primary_key=True),
    key("account_id"),
    key("transaction_id"),
    key("key"),
    time("at"),
    time("until"),
    time("over_at"),
    time("expires_at"),
    count("seq"),
    words("failed"),
    Column("wanted", LargeBinary, nullable=False),
    UniqueConstraint("transaction_id", name="patient_search_transaction"),
    Index("patient_search_account", "account_id"),
    Index("patient_search_expires", "expires_at"),
)
"""One search of one account. `seq` is the number of its newest answer, `failed` says why it could not be sent."""

patient_search_answer = Table(
    "patient_search_answer",
    metadata,
    Column("search_id", Text, ForeignKey("patient_search.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    key("source"),
    key("provider_id"),
    time("at"),
    Column("late", Boolean, nullable=False),
    Column("cached", Boolean, nullable=False),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("search_id", "source", name="patient_search_answer_once"),
)
"""Each answer. `source` tells an answer that comes twice; `body` are the doctors of it that fit."""

patient_slots = Table(
    "patient_slots",
    metadata,
    Column("id", Text, primary_key=True),
    Column("search_id", Text, ForeignKey("patient_search.id", ondelete="CASCADE"), nullable=False),
    key("account_id"),
    time("expires_at"),
    Column("body", LargeBinary, nullable=False),
    Index("patient_slots_search", "search_id"),
    Index("patient_slots_expires", "expires_at"),
)
"""The slots of one answer to a second search; a slot's ref is this id and its place in the body."""

patient_discovery = Table(
    "patient_discovery",
    metadata,
    Column("key", Text, primary_key=True),
    Column("provider_id", Text, primary_key=True),
    time("at"),
    time("expires_at"),
    Column("body", LargeBinary, nullable=False),
    Index("patient_discovery_expires", "expires_at"),
)
"""What a provider has answered last to whoever looked for the same. No account is named."""
