"""Organisations, locations, practitioners, their services."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    text,
)

revision = "hospital_0001"
down_revision = None
branch_labels = ("hospital",)
depends_on = None

_FIRST_HEAD = "INSERT INTO organisation_head (place, version) VALUES (1, 0)"


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "organisation",
        Column("id", Text(), nullable=False),
        Column("kind", Text(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("legal_name", Text(), nullable=False),
        Column("hfr_id", Text(), nullable=False),
        Column("hip_id", Text(), nullable=False),
        Column("email", Text(), nullable=False),
        Column("phone", Text(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("reason", Text(), nullable=False),
        Column("submitted_by", Text(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("created_at", Double(), nullable=False),
        Column("updated_at", Double(), nullable=False),
        PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "organisation_hfr",
        "organisation",
        ["hfr_id"],
        unique=True,
        postgresql_where=text("hfr_id <> '' AND state IN ('VERIFIED', 'SUSPENDED')"),
        sqlite_where=text("hfr_id <> '' AND state IN ('VERIFIED', 'SUSPENDED')"),
    )
    op.create_index("organisation_state", "organisation", ["state", "id"])
    op.create_table(
        "department",
        Column("id", Text(), nullable=False),
        Column("organisation_id", Text(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("is_active", Boolean(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("created_at", Double(), nullable=False),
        Column("updated_at", Double(), nullable=False),
        ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
        ),
        PrimaryKeyConstraint("id"),
        UniqueConstraint("organisation_id", "name", name="department_name"),
    )
    op.create_table(
        "location",
        Column("id", Text(), nullable=False),
        Column("organisation_id", Text(), nullable=False),
        Column("code", Text(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("short_desc", Text(), nullable=False),
        Column("long_desc", Text(), nullable=False),
        Column("hfr_id", Text(), nullable=False),
        Column("address", Text(), nullable=False),
        Column("pincode", Text(), nullable=False),
        Column("gps", Text(), nullable=False),
        Column("city_name", Text(), nullable=False),
        Column("city_code", Text(), nullable=False),
        Column("district_name", Text(), nullable=False),
        Column("district_code", Text(), nullable=False),
        Column("state_name", Text(), nullable=False),
        Column("state_code", Text(), nullable=False),
        Column("helpline", Text(), nullable=False),
        Column("is_active", Boolean(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("created_at", Double(), nullable=False),
        Column("updated_at", Double(), nullable=False),
        ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
        ),
        PrimaryKeyConstraint("id"),
        UniqueConstraint("organisation_id", "code", name="location_code"),
    )
    op.create_table(
        "practitioner",
        Column("id", Text(), nullable=False),
        Column("organisation_id", Text(), nullable=False),
        Column("hpr_address", Text(), nullable=False),
        Column("hpr_id", Text(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("gender", Text(), nullable=False),
        Column("registration_number", Text(), nullable=False),
        Column("council", Text(), nullable=False),
        Column("education", Text(), nullable=False),
        Column("languages", Text(), nullable=False),
        Column("experience", Text(), nullable=False),
        Column("is_active", Boolean(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("created_at", Double(), nullable=False),
        Column("updated_at", Double(), nullable=False),
        ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
        ),
        PrimaryKeyConstraint("id"),
        UniqueConstraint("hpr_address"),
    )
    op.create_table(
        "practitioner_photo",
        Column("practitioner_id", Text(), nullable=False),
        Column("media_type", Text(), nullable=False),
        Column("data", LargeBinary(), nullable=False),
        Column("updated_at", Double(), nullable=False),
        ForeignKeyConstraint(
            ["practitioner_id"],
            ["practitioner.id"],
        ),
        PrimaryKeyConstraint("practitioner_id"),
    )
    op.create_table(
        "speciality",
        Column("id", Text(), nullable=False),
        Column("organisation_id", Text(), nullable=False),
        Column("parent_id", Text(), nullable=False),
        Column("code", Text(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("is_active", Boolean(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("created_at", Double(), nullable=False),
        Column("updated_at", Double(), nullable=False),
        ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
        ),
        PrimaryKeyConstraint("id"),
        UniqueConstraint("organisation_id", "parent_id", "code", name="speciality_code"),
    )
    op.create_table(
        "practice",
        Column("id", Text(), nullable=False),
        Column("organisation_id", Text(), nullable=False),
        Column("practitioner_id", Text(), nullable=False),
        Column("location_id", Text(), nullable=False),
        Column("department_id", Text(), nullable=False),
        Column("speciality_id", Text(), nullable=False),
        Column("is_active", Boolean(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("created_at", Double(), nullable=False),
        Column("updated_at", Double(), nullable=False),
        ForeignKeyConstraint(
            ["location_id"],
            ["location.id"],
        ),
        ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
        ),
        ForeignKeyConstraint(
            ["practitioner_id"],
            ["practitioner.id"],
        ),
        PrimaryKeyConstraint("id"),
        UniqueConstraint("practitioner_id", "location_id", name="practice_once"),
    )
    op.create_index("practice_own", "practice", ["organisation_id", "id"])
    op.create_table(
        "consultation",
        Column("id", Text(), nullable=False),
        Column("organisation_id", Text(), nullable=False),
        Column("practice_id", Text(), nullable=False),
        Column("kind", Text(), nullable=False),
        Column("fee_paise", BigInteger(), nullable=False),
        Column("registration_paise", BigInteger(), nullable=False),
        Column("is_taxed", Boolean(), nullable=False),
        Column("group_ids", Text(), nullable=False),
        Column("is_active", Boolean(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("created_at", Double(), nullable=False),
        Column("updated_at", Double(), nullable=False),
        CheckConstraint("fee_paise >= 0 AND registration_paise >= 0", name="consultation_amounts"),
        ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
        ),
        ForeignKeyConstraint(
            ["practice_id"],
            ["practice.id"],
        ),
        PrimaryKeyConstraint("id"),
        UniqueConstraint("practice_id", "kind", name="consultation_once"),
    )
    op.create_index("consultation_own", "consultation", ["organisation_id", "id"])
    op.create_table(
        "organisation_head",
        Column("place", Integer(), autoincrement=False, nullable=False),
        Column("version", BigInteger(), nullable=False),
        CheckConstraint("place = 1", name="organisation_head_single"),
        PrimaryKeyConstraint("place"),
    )
    op.execute(_FIRST_HEAD)


def downgrade() -> None:
    """Delete them, and what they keep."""
    op.drop_table("organisation_head")
    op.drop_table("consultation")
    op.drop_table("practice")
    op.drop_table("speciality")
    op.drop_table("practitioner_photo")
    op.drop_table("practitioner")
    op.drop_table("location")
    op.drop_table("department")
    op.drop_table("organisation")
