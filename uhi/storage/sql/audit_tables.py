"""The tables of the audit trail: its rows, and the place of the newest one.

On the same metadata as `tables`. Triggers keep rows from being changed, removed or put in out of order, by this program
or by hand; who may disable them is found out by the chain of hashes. Above: `uhi.audit`. Source: security rules
"Audit log".
"""

from __future__ import annotations

from sqlalchemy import DDL, BigInteger, CheckConstraint, Column, Double, Index, Integer, Table, event

from uhi.storage.sql.columns import key
from uhi.storage.sql.tables import metadata

audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False),
    key("actor"),
    key("actor_kind"),
    key("tenant"),
    key("action"),
    key("object"),
    key("outcome"),
    key("reason"),
    key("request_id"),
    key("address"),
    key("before"),
    key("after"),
    key("prev_hash"),
    key("hash"),
    Index("audit_at", "at"),
    Index("audit_actor", "actor", "seq"),
    Index("audit_object", "object", "seq"),
    # A rowid beside `seq` would be a second key, by which INSERT OR REPLACE gets at old rows.
    sqlite_with_rowid=False,
)
"""Who did what to which record: `seq` counts from 1 without gaps, `hash` covers the row and `prev_hash`, that of the
row before it, which the first lacks. `before` and `after` are digests."""

audit_head = Table(
    "audit_head",
    metadata,
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    key("hash"),
    CheckConstraint("place = 1", name="audit_head_single"),
)
"""One row: the newest row's `seq` and `hash`. Whoever appends locks it first, so that no two rows get one place."""

_FIRST_HEAD = "INSERT INTO audit_head (place, seq, hash) VALUES (1, 0, '')"

POSTGRESQL_DDL = (
    """CREATE FUNCTION audit_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of the audit trail are never changed' USING ERRCODE = 'restrict_violation';
END $$""",
    """CREATE FUNCTION audit_is_next() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM audit) THEN
        RAISE EXCEPTION 'rows of the audit trail leave no gap' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$""",
    """CREATE TRIGGER audit_final BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION audit_is_final()""",
    "CREATE TRIGGER audit_next BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION audit_is_next()",
)
"""What PostgreSQL needs after the table `audit`."""

POSTGRESQL_HEAD_DDL = (
    _FIRST_HEAD,
    """CREATE FUNCTION audit_head_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.seq > OLD.seq THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'the audit trail only grows' USING ERRCODE = 'restrict_violation';
END $$""",
    """CREATE TRIGGER audit_head_grows BEFORE INSERT OR UPDATE OR DELETE ON audit_head
FOR EACH ROW EXECUTE FUNCTION audit_head_only_grows()""",
    """CREATE TRIGGER audit_head_stays BEFORE TRUNCATE ON audit_head
FOR EACH STATEMENT EXECUTE FUNCTION audit_head_only_grows()""",
)
"""What PostgreSQL needs after the table `audit_head`."""

SQLITE_DDL = (
    """CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'rows of the audit trail are never changed'); END""",
    """CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'rows of the audit trail are never changed'); END""",
    """CREATE TRIGGER audit_next BEFORE INSERT ON audit
WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM audit)
BEGIN SELECT RAISE(ABORT, 'rows of the audit trail leave no gap'); END""",
)
"""What SQLite needs after the table `audit`. `INSERT OR REPLACE`, which fires no trigger of deletion, is stopped by the
rule against gaps, since `seq` is the only key."""

SQLITE_HEAD_DDL = (
    _FIRST_HEAD,
    """CREATE TRIGGER audit_head_no_insert BEFORE INSERT ON audit_head
BEGIN SELECT RAISE(ABORT, 'the audit trail only grows'); END""",
    """CREATE TRIGGER audit_head_grows BEFORE UPDATE ON audit_head WHEN NEW.seq <= OLD.seq
BEGIN SELECT RAISE(ABORT, 'the audit trail only grows'); END""",
    """CREATE TRIGGER audit_head_stays BEFORE DELETE ON audit_head
BEGIN SELECT RAISE(ABORT, 'the audit trail only grows'); END""",
)
"""What SQLite needs after the table `audit_head`."""

for _table, _dialect, _statements in (
    (audit, "postgresql", POSTGRESQL_DDL),
    (audit_head, "postgresql", POSTGRESQL_HEAD_DDL),
    (audit, "sqlite", SQLITE_DDL),
    (audit_head, "sqlite", SQLITE_HEAD_DDL),
):
    for _statement in _statements:
        event.listen(_table, "after_create", DDL(_statement).execute_if(dialect=_dialect))  # type: ignore[no-untyped-call]
