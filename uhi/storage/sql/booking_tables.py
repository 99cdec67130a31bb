"""The tables of a provider's bookings: orders, and the holds that decide who has a slot.

On the same metadata as `tables`; `create_all` and the migration run the very same statements for what the two databases
write differently. Above: `uhi.booking.sql_bookings`. Source: reliability rules "Slots, holds, bookings".
"""

from __future__ import annotations

from sqlalchemy import DDL, Column, Index, Integer, LargeBinary, Table, Text, UniqueConstraint, event, text

from uhi.storage.sql.columns import key, time
from uhi.storage.sql.tables import metadata

HELD, BOOKED, OVER = "HELD", "CONFIRMED", "EXPIRED"
"""The states of a hold; the first two keep everybody else from the slot."""

_LIVE = "state IN ('HELD', 'CONFIRMED')"
_WAITING = "state = 'HELD'"
_IN_FORCE = "appointment_id IS NOT NULL AND state IN ('CONFIRMED', 'APPOINTMENT_STARTED', 'COMPLETED')"
_WITH_PIN = "pin IS NOT NULL"


orders = Table(
    "orders",
    metadata,
    Column("id", Text, primary_key=True),
    key("state"),
    key("provider_id"),
    key("consumer_id"),
    key("transaction_id"),
    key("domain"),
    key("city"),
    key("hold_id"),
    Column("appointment_id", Text, nullable=True),
    time("held_until"),
    time("confirmed_at", nullable=True),
    time("updated_at"),
    Column("version", Integer, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("pin", LargeBinary, nullable=True),
    time("pin_until", nullable=True),
    UniqueConstraint("provider_id", "consumer_id", "transaction_id", "hold_id", name="orders_once"),
    Index("orders_transaction", "transaction_id"),
    Index("orders_confirmed", "confirmed_at"),
    Index("orders_held", "provider_id", "held_until", sqlite_where=text(_WAITING), postgresql_where=text(_WAITING)),
    Index("orders_appointment", "provider_id", "appointment_id"),
    Index(
        "orders_visit",
        "provider_id",
        "appointment_id",
        unique=True,
        sqlite_where=text(_IN_FORCE),
        postgresql_where=text(_IN_FORCE),
    ),
    Index("orders_pin", "pin_until", sqlite_where=text(_WITH_PIN), postgresql_where=text(_WITH_PIN)),
)
"""What a provider keeps of its orders. `hold_id` and `appointment_id` are the hospital's own names; `sealed` is
everything personal, `pin` the PIN while it may still be shown. `version` counts the changes."""

hold = Table(
    "hold",
    metadata,
    Column("id", Text, primary_key=True),
    key("order_id"),
    key("provider_id"),
    key("slot_id"),
    Column("seat", Integer, nullable=False),
    key("practitioner_id"),
    time("starts_at"),
    time("ends_at"),
    key("state"),
    time("expires_at"),
    Index("hold_order", "order_id"),
    Index("hold_times", "provider_id", "practitioner_id", "starts_at"),
    Index(
        "hold_live_slot",
        "provider_id",
        "slot_id",
        "seat",
        unique=True,
        sqlite_where=text(_LIVE),
        postgresql_where=text(_LIVE),
    ),
)
"""Claims of slots, one row each; of one order at most one lives. Slots and doctors are those of one provider."""

POSTGRESQL_DDL = (
    "CREATE EXTENSION IF NOT EXISTS btree_gist",
    f"""ALTER TABLE hold ADD CONSTRAINT hold_no_overlap EXCLUDE USING gist (
    provider_id WITH =, practitioner_id WITH =, seat WITH =,
    tstzrange(to_timestamp(starts_at), to_timestamp(greatest(starts_at, ends_at))) WITH &&
) WHERE ({_LIVE})""",
)
"""What PostgreSQL needs after the table `hold`: no two live claims of one doctor and seat overlap."""

SQLITE_DDL = (
    """CREATE TRIGGER hold_no_overlap BEFORE INSERT ON hold
WHEN NEW.state IN ('HELD', 'CONFIRMED') AND EXISTS (
    SELECT 1 FROM hold h
    WHERE h.provider_id = NEW.provider_id AND h.practitioner_id = NEW.practitioner_id AND h.seat = NEW.seat
      AND h.state IN ('HELD', 'CONFIRMED') AND h.starts_at < NEW.ends_at AND NEW.starts_at < h.ends_at)
BEGIN SELECT RAISE(IGNORE); END""",
    """CREATE TRIGGER hold_no_overlap_later BEFORE UPDATE ON hold
WHEN NEW.state IN ('HELD', 'CONFIRMED') AND EXISTS (
    SELECT 1 FROM hold h
    WHERE h.provider_id = NEW.provider_id AND h.practitioner_id = NEW.practitioner_id AND h.seat = NEW.seat
      AND h.state IN ('HELD', 'CONFIRMED') AND h.starts_at < NEW.ends_at AND NEW.starts_at < h.ends_at
      AND h.id <> NEW.id)
BEGIN SELECT RAISE(ABORT, 'hold_no_overlap'); END""",
)
"""What SQLite needs after the table `hold`: the same rule, as triggers."""

for _dialect, _statements in (("postgresql", POSTGRESQL_DDL), ("sqlite", SQLITE_DDL)):
    for _statement in _statements:
        event.listen(hold, "after_create", DDL(_statement).execute_if(dialect=_dialect))  # type: ignore[no-untyped-call]
