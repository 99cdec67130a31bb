"""The tables of a provider's bookings: each order's stream of events, and what is made from it: orders and holds.

On the same metadata as `tables`; `create_all` and the migration run the very same statements for what the two databases
write differently. Above: `uhi.booking.sql_bookings`. Source: reliability rules "Slots, holds, bookings".
"""

from __future__ import annotations

from sqlalchemy import DDL, Column, Index, Integer, LargeBinary, Table, Text, UniqueConstraint, event, text

from uhi.storage.sql.columns import key, time, words
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
    words("practitioner_id"),
    words("facility_id"),
    words("slot_id"),
    words("fulfilment"),
    words("cancelled_by"),
    time("starts_at", nullable=True),
    time("ends_at", nullable=True),
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
    Index("orders_day", "provider_id", "starts_at", "id"),
    Index("orders_practitioner", "provider_id", "practitioner_id", "starts_at", "id"),
    Index("orders_facility", "provider_id", "facility_id", "starts_at", "id"),
)
"""What a provider keeps of its orders. `hold_id` and `appointment_id` are the hospital's own names; `sealed` is
everything personal, `pin` the PIN while it may still be shown. `version` is that of the newest event of its stream."""

order_event = Table(
    "order_event",
    metadata,
    Column("order_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    key("provider_id"),
    key("kind"),
    time("at"),
    key("made_by"),
    Column("facts", LargeBinary, nullable=False),
    Index("order_event_at", "provider_id", "at"),
    # A rowid beside the key would be a second one, by which INSERT OR REPLACE gets at old rows.
    sqlite_with_rowid=False,
)
"""What happened to each order, `version` counting from 1 without gaps. `facts`, sealed, is what it changed; `made_by`
says who did it: `consumer`, `person` or `provider` with an id, or `time`."""

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
    words("facility_id"),
    Index("hold_order", "order_id"),
    Index("hold_times", "provider_id", "practitioner_id", "starts_at"),
    Index(
        "hold_waiting",
        "provider_id",
        "practitioner_id",
        "expires_at",
        sqlite_where=text(_WAITING),
        postgresql_where=text(_WAITING),
    ),
    Index(
        "hold_live_slot",
        "provider_id",
        "slot_id",
        "seat",
        "practitioner_id",
        unique=True,
        sqlite_where=text(_LIVE),
        postgresql_where=text(_LIVE),
    ),
)
"""Claims of slots, one row for each doctor who takes part; of one order at most one of a doctor lives. Slots and
doctors are those of one provider."""

POSTGRESQL_DDL = (
    "CREATE EXTENSION IF NOT EXISTS btree_gist",
    f"""ALTER TABLE hold ADD CONSTRAINT hold_no_overlap EXCLUDE USING gist (
    provider_id WITH =, practitioner_id WITH =, seat WITH =,
    tstzrange(to_timestamp(starts_at), to_timestamp(greatest(starts_at, ends_at))) WITH &&
) WHERE ({_LIVE})""",
    f"""ALTER TABLE hold ADD CONSTRAINT hold_one_place EXCLUDE USING gist (
    provider_id WITH =, practitioner_id WITH =, facility_id WITH <>,
    tstzrange(to_timestamp(starts_at), to_timestamp(greatest(starts_at, ends_at))) WITH &&
) WHERE ({_LIVE})""",
)
"""What PostgreSQL needs after the table `hold`: no two live claims of one doctor overlap that have the same
seat, or are at different places."""

SQLITE_DDL = (
    """CREATE TRIGGER hold_no_overlap BEFORE INSERT ON hold
WHEN NEW.state IN ('HELD', 'CONFIRMED') AND EXISTS (
    SELECT 1 FROM hold h
    WHERE h.provider_id = NEW.provider_id AND h.practitioner_id = NEW.practitioner_id
      AND (h.seat = NEW.seat OR h.facility_id <> NEW.facility_id)
      AND h.state IN ('HELD', 'CONFIRMED') AND h.starts_at < NEW.ends_at AND NEW.starts_at < h.ends_at)
BEGIN SELECT RAISE(IGNORE); END""",
    """CREATE TRIGGER hold_no_overlap_later BEFORE UPDATE ON hold
WHEN NEW.state IN ('HELD', 'CONFIRMED') AND EXISTS (
    SELECT 1 FROM hold h
    WHERE h.provider_id = NEW.provider_id AND h.practitioner_id = NEW.practitioner_id
      AND (h.seat = NEW.seat OR h.facility_id <> NEW.facility_id)
      AND h.state IN ('HELD', 'CONFIRMED') AND h.starts_at < NEW.ends_at AND NEW.starts_at < h.ends_at
      AND h.id <> NEW.id)
BEGIN SELECT RAISE(ABORT, 'hold_no_overlap'); END""",
)
"""What SQLite needs after the table `hold`: the same rule, as triggers."""

POSTGRESQL_EVENT_DDL = (
    """CREATE FUNCTION order_event_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events of an order are never changed' USING ERRCODE = 'restrict_violation';
END $$""",
    """CREATE FUNCTION order_event_is_next() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.version <> (SELECT coalesce(max(version), 0) + 1 FROM order_event WHERE order_id = NEW.order_id) THEN
        RAISE EXCEPTION 'events of an order leave no gap' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$""",
    """CREATE TRIGGER order_event_final BEFORE UPDATE OR DELETE OR TRUNCATE ON order_event
FOR EACH STATEMENT EXECUTE FUNCTION order_event_is_final()""",
    """CREATE TRIGGER order_event_next BEFORE INSERT ON order_event
FOR EACH ROW EXECUTE FUNCTION order_event_is_next()""",
)
"""What PostgreSQL needs after the table `order_event`: events are added at the end of a stream, and that is all."""

SQLITE_EVENT_DDL = (
    """CREATE TRIGGER order_event_no_update BEFORE UPDATE ON order_event
BEGIN SELECT RAISE(ABORT, 'events of an order are never changed'); END""",
    """CREATE TRIGGER order_event_no_delete BEFORE DELETE ON order_event
BEGIN SELECT RAISE(ABORT, 'events of an order are never changed'); END""",
    """CREATE TRIGGER order_event_next BEFORE INSERT ON order_event
WHEN NEW.version <> (SELECT coalesce(max(version), 0) + 1 FROM order_event WHERE order_id = NEW.order_id)
BEGIN SELECT RAISE(ABORT, 'events of an order leave no gap'); END""",
)
"""What SQLite needs after the table `order_event`: the same rules."""

for _table, _dialect, _statements in (
    (hold, "postgresql", POSTGRESQL_DDL),
    (hold, "sqlite", SQLITE_DDL),
    (order_event, "postgresql", POSTGRESQL_EVENT_DDL),
    (order_event, "sqlite", SQLITE_EVENT_DDL),
):
    for _statement in _statements:
        event.listen(_table, "after_create", DDL(_statement).execute_if(dialect=_dialect))  # type: ignore[no-untyped-call]
