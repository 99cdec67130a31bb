"""The tables of bookings: whose an order is, what was agreed to, what somebody thought of it.

How far an order has got is the library's to keep (`consumer_booking`). Above: the modules beside it; below:
`participants.patient.metadata`.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, Table, Text, UniqueConstraint

from participants.patient.metadata import metadata
from uhi.storage.sql.columns import key, time, words

patient_booking = Table(
    "patient_booking",
    metadata,
    Column("id", Text, primary_key=True),
    key("account_id"),
    key("member_id"),
    key("consent_id"),
    key("provider_id"),
    key("order_id"),
    words("replaces_id"),
    words("waits_for"),
    time("waits_since", nullable=True),
    time("made_at"),
    time("held_until"),
    Column("sealed", LargeBinary, nullable=False),
    UniqueConstraint("provider_id", "order_id", name="patient_booking_order"),
    Index("patient_booking_account", "account_id", "id"),
)
"""Whose an order is. `consent_id` is what it stands on, `waits_for` what a hospital was asked and has not answered yet
(`confirm`, `cancel`), `held_until` when its hold ends, `sealed` the offer, with the account's own key."""

patient_agreement = Table(
    "patient_agreement",
    metadata,
    Column("booking_id", Text, primary_key=True),
    Column("term", Text, primary_key=True),
    key("account_id"),
    key("text_hash"),
    time("agreed_at"),
)
"""Which terms somebody agreed to, and a digest of their texts. It is evidence and outlives the rest."""

patient_rating = Table(
    "patient_rating",
    metadata,
    Column("booking_id", Text, primary_key=True),
    key("account_id"),
    Column("stars", Integer, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    time("rated_at"),
    Index("patient_rating_account", "account_id"),
)
"""What somebody thought of an appointment; `sealed` are their words."""
