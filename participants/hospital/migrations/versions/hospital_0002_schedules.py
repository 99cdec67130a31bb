"""Weekly rules, exceptions, holidays, leave, seats called off, and the number of the newest change."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKeyConstraint,
    Integer,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
)

revision = "hospital_0002"
down_revision = "hospital_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "schedule",
        Column("practice_id", Text(), nullable=False),
        Column("week", Text(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("updated_at", Double(), nullable=False),
        ForeignKeyConstraint(
            ["practice_id"],
            ["practice.id"],
        ),
        PrimaryKeyConstraint("practice_id"),
    )
    op.create_table(
        "schedule_exception",
        Column("practice_id", Text(), nullable=False),
        Column("day", Text(), nullable=False),
        Column("hours", Text(), nullable=False),
        Column("note", Text(), nullable=False),
        Column("version", Integer(), nullable=False),
        ForeignKeyConstraint(
            ["practice_id"],
            ["practice.id"],
        ),
        PrimaryKeyConstraint("practice_id", "day"),
    )
    op.create_table(
        "schedule_holiday",
        Column("id", Text(), nullable=False),
        Column("organisation_id", Text(), nullable=False),
        Column("location_id", Text(), nullable=False),
        Column("day", Text(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("version", Integer(), nullable=False),
        UniqueConstraint("organisation_id", "location_id", "day", name="schedule_holiday_once"),
        ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
        ),
        PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "schedule_leave",
        Column("id", Text(), nullable=False),
        Column("organisation_id", Text(), nullable=False),
        Column("practitioner_id", Text(), nullable=False),
        Column("starts_at", Double(), nullable=False),
        Column("ends_at", Double(), nullable=False),
        Column("version", Integer(), nullable=False),
        ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
        ),
        ForeignKeyConstraint(
            ["practitioner_id"],
            ["practitioner.id"],
        ),
        PrimaryKeyConstraint("id"),
    )
    op.create_index("schedule_leave_organisation", "schedule_leave", ["organisation_id", "starts_at"])
    op.create_index("schedule_leave_practitioner", "schedule_leave", ["practitioner_id", "ends_at"])
    op.create_table(
        "schedule_off",
        Column("slot_id", Text(), nullable=False),
        Column("seat", Integer(), autoincrement=False, nullable=False),
        Column("practice_id", Text(), nullable=False),
        Column("starts_at", Double(), nullable=False),
        Column("ends_at", Double(), nullable=False),
        Column("at", Double(), nullable=False),
        ForeignKeyConstraint(
            ["practice_id"],
            ["practice.id"],
        ),
        PrimaryKeyConstraint("slot_id", "seat"),
    )
    op.create_index("schedule_off_practice", "schedule_off", ["practice_id", "ends_at"])
    op.create_table(
        "schedule_ack",
        Column("order_id", Text(), nullable=False),
        Column("slot_id", Text(), nullable=False),
        Column("by", Text(), nullable=False),
        Column("at", Double(), nullable=False),
        PrimaryKeyConstraint("order_id", "slot_id"),
    )
    op.create_table(
        "schedule_change",
        Column("scope", Text(), nullable=False),
        Column("scope_id", Text(), nullable=False),
        Column("version", BigInteger(), nullable=False),
        PrimaryKeyConstraint("scope", "scope_id"),
    )
    op.create_index("schedule_change_version", "schedule_change", ["version"])
    op.create_table(
        "schedule_head",
        Column("place", Integer(), autoincrement=False, nullable=False),
        Column("version", BigInteger(), nullable=False),
        PrimaryKeyConstraint("place"),
    )
    op.execute("INSERT INTO schedule_head (place, version) VALUES (1, 0)")


def downgrade() -> None:
    """Delete them, and what they keep."""
    op.drop_table("schedule_head")
    op.drop_table("schedule_change")
    op.drop_table("schedule_ack")
    op.drop_table("schedule_off")
    op.drop_table("schedule_leave")
    op.drop_table("schedule_holiday")
    op.drop_table("schedule_exception")
    op.drop_table("schedule")
