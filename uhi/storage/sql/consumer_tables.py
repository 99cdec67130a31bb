"""The tables of a consumer's bookings, and of requests that are done once however often they come.

On the same metadata as `tables`. Above: `uhi.booking.sql_diary`, `uhi.api.idempotency`.
Source: reliability rules "Idempotency keys", decision 37.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, Table, Text, text

from uhi.storage.sql.columns import key, time, words
from uhi.storage.sql.tables import metadata

_WITH_ERRAND = "errand <> ''"

consumer_booking = Table(
    "consumer_booking",
    metadata,
    Column("consumer_id", Text, primary_key=True),
    Column("provider_id", Text, primary_key=True),
    Column("order_id", Text, primary_key=True),
    words("account_id"),
    key("transaction_id"),
    key("state"),
    time("starts_at"),
    time("ends_at"),
    words("replaces_provider"),
    words("replaces_order"),
    words("errand"),
    time("errand_due"),
    time("claimed_until"),
    time("updated_at"),
    Column("version", Integer, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Index("consumer_booking_transaction", "transaction_id"),
    Index("consumer_booking_account", "account_id"),
    Index(
        "consumer_booking_errand",
        "errand_due",
        sqlite_where=text(_WITH_ERRAND),
        postgresql_where=text(_WITH_ERRAND),
    ),
)
"""What a consumer knows of its orders, a PIN's digits never. `sealed` is the booking, with the key of `account_id`
where the program has keys of accounts; `replaces_…` is the order whose place it takes; `errand` is still to be asked of
a provider, not before `errand_due`, by nobody else before `claimed_until`."""

idempotency = Table(
    "idempotency",
    metadata,
    Column("id", Text, primary_key=True),
    key("principal"),
    Column("is_done", Boolean, nullable=False),
    time("claimed_until"),
    time("forgotten_at"),
    Column("sealed", LargeBinary, nullable=False),
    Index("idempotency_forgotten", "forgotten_at"),
    Index("idempotency_principal", "principal"),
)
"""Requests with a key of the client's. `id` is a digest of who asks, method, path and key; `sealed` what was asked, and
once `is_done` what was answered. One that is under way is its process's until `claimed_until`."""
