"""Each order's stream of events, and what lists of orders are sought by."""

from __future__ import annotations

from collections.abc import Mapping

from alembic import op
from sqlalchemy import Column, Double, Integer, LargeBinary, PrimaryKeyConstraint, Text, UniqueConstraint, text

revision = "uhi_0005"
down_revision = "uhi_0004"
branch_labels = None
depends_on = None

_IN_FORCE = "appointment_id IS NOT NULL AND state IN ('CONFIRMED', 'APPOINTMENT_STARTED', 'COMPLETED')"
_KEPT = (
    "id, state, provider_id, consumer_id, transaction_id, domain, city, hold_id, appointment_id, held_until,"
    " confirmed_at, updated_at, version, sealed, pin, pin_until"
)
_FINAL = {
    "postgresql": (
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
    ),
    "sqlite": (
        """CREATE TRIGGER order_event_no_update BEFORE UPDATE ON order_event
BEGIN SELECT RAISE(ABORT, 'events of an order are never changed'); END""",
        """CREATE TRIGGER order_event_no_delete BEFORE DELETE ON order_event
BEGIN SELECT RAISE(ABORT, 'events of an order are never changed'); END""",
        """CREATE TRIGGER order_event_next BEFORE INSERT ON order_event
WHEN NEW.version <> (SELECT coalesce(max(version), 0) + 1 FROM order_event WHERE order_id = NEW.order_id)
BEGIN SELECT RAISE(ABORT, 'events of an order leave no gap'); END""",
    ),
}
"""What refuses every change of a stream but the next event."""
_ONE_PLACE = {
    "postgresql": (
        """ALTER TABLE hold ADD CONSTRAINT hold_one_place EXCLUDE USING gist (
    provider_id WITH =, practitioner_id WITH =, facility_id WITH <>,
    tstzrange(to_timestamp(starts_at), to_timestamp(greatest(starts_at, ends_at))) WITH &&
) WHERE (state IN ('HELD', 'CONFIRMED'))""",
    ),
    "sqlite": (
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
    ),
}
"""No two live claims of one doctor overlap that have the same seat, or are at different places."""
_NO_OVERLAP = {
    "sqlite": tuple(
        each.replace(
            "\n      AND (h.seat = NEW.seat OR h.facility_id <> NEW.facility_id)\n", " AND h.seat = NEW.seat\n"
        )
        for each in _ONE_PLACE["sqlite"]
    )
}
_FUNCTIONS = ("order_event_is_final", "order_event_is_next")
_INDEXES = ("orders_appointment", "orders_confirmed", "orders_held", "orders_pin", "orders_transaction", "orders_visit")
_SOUGHT = ("orders_day", "orders_facility", "orders_practitioner")


def upgrade() -> None:
    """Make them."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    if is_sqlite:
        _set_aside(_INDEXES)
        _make_orders(*_sought())
        _take_back()
    else:
        for column in _sought():
            op.add_column("orders", column)
    op.create_index("orders_day", "orders", ["provider_id", "starts_at", "id"])
    op.create_index("orders_facility", "orders", ["provider_id", "facility_id", "starts_at", "id"])
    op.create_index("orders_practitioner", "orders", ["provider_id", "practitioner_id", "starts_at", "id"])
    op.create_index(
        "hold_waiting",
        "hold",
        ["provider_id", "practitioner_id", "expires_at"],
        sqlite_where=text("state = 'HELD'"),
        postgresql_where=text("state = 'HELD'"),
    )
    _make_live_slot("provider_id", "slot_id", "seat", "practitioner_id")
    _make_one_place()
    op.create_table(
        "order_event",
        Column("order_id", Text(), nullable=False),
        Column("version", Integer(), autoincrement=False, nullable=False),
        Column("provider_id", Text(), nullable=False),
        Column("kind", Text(), nullable=False),
        Column("at", Double(), nullable=False),
        Column("made_by", Text(), nullable=False),
        Column("facts", LargeBinary(), nullable=False),
        PrimaryKeyConstraint("order_id", "version"),
        sqlite_with_rowid=False,
    )
    op.create_index("order_event_at", "order_event", ["provider_id", "at"])
    for statement in _FINAL[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    """Delete them, and what they keep."""
    op.drop_table("order_event")
    _take_one_place()
    op.drop_index("hold_waiting", "hold")
    _make_live_slot("provider_id", "slot_id", "seat")
    if op.get_bind().dialect.name == "sqlite":
        _set_aside((*_INDEXES, *_SOUGHT))
        _make_orders()
        _take_back()
        return
    for function in _FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}()")
    for index in _SOUGHT:
        op.drop_index(index, "orders")
    for column in _sought():
        op.drop_column("orders", column.name)


def _make_live_slot(*columns: str) -> None:
    """A slot may take the time of several doctors: a claim for each of them."""
    live = text("state IN ('HELD', 'CONFIRMED')")
    op.drop_index("hold_live_slot", "hold")
    op.create_index("hold_live_slot", "hold", list(columns), unique=True, sqlite_where=live, postgresql_where=live)


def _make_one_place() -> None:
    """A doctor is at one place at a time, however many seats there are."""
    op.add_column("hold", Column("facility_id", Text(), server_default="", nullable=False))
    _make_guards(_ONE_PLACE)


def _take_one_place() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    _make_guards(_NO_OVERLAP if is_sqlite else {"postgresql": ("ALTER TABLE hold DROP CONSTRAINT hold_one_place",)})
    op.drop_column("hold", "facility_id")


def _make_guards(guards: Mapping[str, tuple[str, ...]]) -> None:
    dialect = op.get_bind().dialect.name
    if dialect == "sqlite":
        for trigger in ("hold_no_overlap", "hold_no_overlap_later"):
            op.execute(f"DROP TRIGGER {trigger}")
    for statement in guards[dialect]:
        op.execute(statement)


def _sought() -> tuple[Column[object], ...]:
    """New columns: what lists are sought by. An older program leaves them out."""
    return (
        Column("practitioner_id", Text(), server_default="", nullable=False),
        Column("facility_id", Text(), server_default="", nullable=False),
        Column("slot_id", Text(), server_default="", nullable=False),
        Column("fulfilment", Text(), server_default="", nullable=False),
        Column("cancelled_by", Text(), server_default="", nullable=False),
        Column("starts_at", Double(), nullable=True),
        Column("ends_at", Double(), nullable=True),
    )


def _set_aside(indexes: tuple[str, ...]) -> None:
    """SQLite puts a new column behind the constraints; so the table is made again."""
    for index in indexes:
        op.drop_index(index, "orders")
    op.rename_table("orders", "orders_before")


def _take_back() -> None:
    op.execute(f"INSERT INTO orders ({_KEPT}) SELECT {_KEPT} FROM orders_before")  # noqa: S608
    op.drop_table("orders_before")


def _make_orders(*further: Column[object]) -> None:
    op.create_table(
        "orders",
        Column("id", Text(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("provider_id", Text(), nullable=False),
        Column("consumer_id", Text(), nullable=False),
        Column("transaction_id", Text(), nullable=False),
        Column("domain", Text(), nullable=False),
        Column("city", Text(), nullable=False),
        Column("hold_id", Text(), nullable=False),
        Column("appointment_id", Text(), nullable=True),
        Column("held_until", Double(), nullable=False),
        Column("confirmed_at", Double(), nullable=True),
        Column("updated_at", Double(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("sealed", LargeBinary(), nullable=False),
        Column("pin", LargeBinary(), nullable=True),
        Column("pin_until", Double(), nullable=True),
        *further,
        PrimaryKeyConstraint("id"),
        UniqueConstraint("provider_id", "consumer_id", "transaction_id", "hold_id", name="orders_once"),
    )
    op.create_index("orders_appointment", "orders", ["provider_id", "appointment_id"])
    op.create_index("orders_confirmed", "orders", ["confirmed_at"])
    op.create_index("orders_held", "orders", ["provider_id", "held_until"], sqlite_where=text("state = 'HELD'"))
    op.create_index("orders_pin", "orders", ["pin_until"], sqlite_where=text("pin IS NOT NULL"))
    op.create_index("orders_transaction", "orders", ["transaction_id"])
    op.create_index(
        "orders_visit", "orders", ["provider_id", "appointment_id"], unique=True, sqlite_where=text(_IN_FORCE)
    )
