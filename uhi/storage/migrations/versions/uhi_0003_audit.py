"""The audit trail: its rows, the place of the newest one, and triggers that keep both from being changed."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, CheckConstraint, Column, Double, Integer, PrimaryKeyConstraint, Text

revision = "uhi_0003"
down_revision = "uhi_0002"
branch_labels = None
depends_on = None

_FIRST_HEAD = "INSERT INTO audit_head (place, seq, hash) VALUES (1, 0, '')"
_FINAL = {
    "postgresql": (
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
    ),
    "sqlite": (
        """CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'rows of the audit trail are never changed'); END""",
        """CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'rows of the audit trail are never changed'); END""",
        """CREATE TRIGGER audit_next BEFORE INSERT ON audit
WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM audit)
BEGIN SELECT RAISE(ABORT, 'rows of the audit trail leave no gap'); END""",
        _FIRST_HEAD,
        """CREATE TRIGGER audit_head_no_insert BEFORE INSERT ON audit_head
BEGIN SELECT RAISE(ABORT, 'the audit trail only grows'); END""",
        """CREATE TRIGGER audit_head_grows BEFORE UPDATE ON audit_head WHEN NEW.seq <= OLD.seq
BEGIN SELECT RAISE(ABORT, 'the audit trail only grows'); END""",
        """CREATE TRIGGER audit_head_stays BEFORE DELETE ON audit_head
BEGIN SELECT RAISE(ABORT, 'the audit trail only grows'); END""",
    ),
}
"""The first head, and what refuses every change but the next row."""
_FUNCTIONS = ("audit_is_final", "audit_is_next", "audit_head_only_grows")


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "audit",
        Column("seq", BigInteger(), autoincrement=False, nullable=False),
        Column("at", Double(), nullable=False),
        Column("actor", Text(), nullable=False),
        Column("actor_kind", Text(), nullable=False),
        Column("tenant", Text(), nullable=False),
        Column("action", Text(), nullable=False),
        Column("object", Text(), nullable=False),
        Column("outcome", Text(), nullable=False),
        Column("reason", Text(), nullable=False),
        Column("request_id", Text(), nullable=False),
        Column("address", Text(), nullable=False),
        Column("before", Text(), nullable=False),
        Column("after", Text(), nullable=False),
        Column("prev_hash", Text(), nullable=False),
        Column("hash", Text(), nullable=False),
        PrimaryKeyConstraint("seq"),
        sqlite_with_rowid=False,
    )
    op.create_index("audit_actor", "audit", ["actor", "seq"])
    op.create_index("audit_at", "audit", ["at"])
    op.create_index("audit_object", "audit", ["object", "seq"])
    op.create_table(
        "audit_head",
        Column("place", Integer(), autoincrement=False, nullable=False),
        Column("seq", BigInteger(), nullable=False),
        Column("hash", Text(), nullable=False),
        CheckConstraint("place = 1", name="audit_head_single"),
        PrimaryKeyConstraint("place"),
    )
    for statement in _FINAL[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    """Delete them, and what they keep."""
    op.drop_table("audit_head")
    op.drop_table("audit")
    if op.get_bind().dialect.name == "postgresql":
        for function in _FUNCTIONS:
            op.execute(f"DROP FUNCTION {function}()")
