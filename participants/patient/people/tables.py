"""The tables of people: whose keys there are, family members, consents.

Above: the modules beside it; below: `participants.patient.metadata`.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, Table, Text, text

from participants.patient.metadata import metadata
from uhi.storage.sql.columns import key, time

patient_key = Table(
    "patient_key",
    metadata,
    Column("account_id", Text, primary_key=True),
    time("made_at"),
    time("erased_at", nullable=True),
)
"""Whose people are sealed with a key of their own, which is a file elsewhere; `erased_at`: it is gone, for good."""

patient_member = Table(
    "patient_member",
    metadata,
    Column("id", Text, primary_key=True),
    key("account_id"),
    Column("sealed", LargeBinary, nullable=False),
    Column("version", Integer, nullable=False),
    time("made_at"),
    time("changed_at"),
    Index("patient_member_account", "account_id", "id"),
)
"""Whom an account may book for, itself among them."""

patient_consent = Table(
    "patient_consent",
    metadata,
    Column("id", Text, primary_key=True),
    key("account_id"),
    key("purpose"),
    Column("notice_version", Integer, nullable=False),
    key("language"),
    key("text_hash"),
    time("given_at"),
    time("withdrawn_at", nullable=True),
    Index(
        "patient_consent_in_force",
        "account_id",
        "purpose",
        unique=True,
        sqlite_where=text("withdrawn_at IS NULL"),
        postgresql_where=text("withdrawn_at IS NULL"),
    ),
    Index("patient_consent_account", "account_id", "given_at"),
)
"""Which notice somebody agreed to, in which language, when, and until when. It is evidence and outlives the rest."""
