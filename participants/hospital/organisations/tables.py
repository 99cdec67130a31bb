"""The tables of organisations: who they are, where, who practises there, at which price.

Nothing here is about patients. Columns are those of the values in `records`, one for one. Below:
`participants.hospital.metadata`.
"""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    event,
    text,
)

from participants.hospital.metadata import metadata
from uhi.storage.sql.columns import key, time

_VOUCHED = text("hfr_id <> '' AND state IN ('VERIFIED', 'SUSPENDED')")


def _own() -> Column[str]:
    return Column("organisation_id", Text, ForeignKey("organisation.id"), nullable=False)


def _kept() -> tuple[Column[bool], Column[int], Column[float], Column[float]]:
    return (
        Column("is_active", Boolean, nullable=False),
        Column("version", Integer, nullable=False),
        time("created_at"),
        time("updated_at"),
    )


organisation = Table(
    "organisation",
    metadata,
    Column("id", Text, primary_key=True),
    key("kind"),
    key("name"),
    key("legal_name"),
    key("hfr_id"),
    key("hip_id"),
    key("email"),
    key("phone"),
    key("state"),
    key("reason"),
    key("submitted_by"),
    Column("version", Integer, nullable=False),
    time("created_at"),
    time("updated_at"),
    Index("organisation_state", "state", "id"),
    Index("organisation_hfr", "hfr_id", unique=True, postgresql_where=_VOUCHED, sqlite_where=_VOUCHED),
)
"""Hospitals and clinics. Of two with one HFR id at most one is vouched for. `reason` is why it was returned or
suspended, `submitted_by` who asked last for it to be verified."""

department = Table(
    "department",
    metadata,
    Column("id", Text, primary_key=True),
    _own(),
    key("name"),
    *_kept(),
    UniqueConstraint("organisation_id", "name", name="department_name"),
)
"""Parts of an organisation, by name."""

location = Table(
    "location",
    metadata,
    Column("id", Text, primary_key=True),
    _own(),
    key("code"),
    key("name"),
    key("short_desc"),
    key("long_desc"),
    key("hfr_id"),
    key("address"),
    key("pincode"),
    key("gps"),
    key("city_name"),
    key("city_code"),
    key("district_name"),
    key("district_code"),
    key("state_name"),
    key("state_code"),
    key("helpline"),
    *_kept(),
    UniqueConstraint("organisation_id", "code", name="location_code"),
)
"""Where patients come to: the facilities of the network. `code` is the organisation's own name for it."""

practitioner = Table(
    "practitioner",
    metadata,
    Column("id", Text, primary_key=True),
    _own(),
    Column("hpr_address", Text, nullable=False, unique=True),
    key("hpr_id"),
    key("name"),
    key("gender"),
    key("registration_number"),
    key("council"),
    key("education"),
    key("languages"),
    key("experience"),
    *_kept(),
)
"""Doctors, each once in the program, wherever they practise. `organisation_id` is who keeps the record."""

photo = Table(
    "practitioner_photo",
    metadata,
    Column("practitioner_id", Text, ForeignKey("practitioner.id"), primary_key=True),
    key("media_type"),
    Column("data", LargeBinary, nullable=False),
    time("updated_at"),
)
"""Their pictures, apart, so that no list reads them."""

speciality = Table(
    "speciality",
    metadata,
    Column("id", Text, primary_key=True),
    _own(),
    key("parent_id"),
    key("code"),
    key("name"),
    *_kept(),
    UniqueConstraint("organisation_id", "parent_id", "code", name="speciality_code"),
)
"""What organisations add to the tree that ships. `parent_id` is a system of medicine, empty for one."""

practice = Table(
    "practice",
    metadata,
    Column("id", Text, primary_key=True),
    _own(),
    Column("practitioner_id", Text, ForeignKey("practitioner.id"), nullable=False),
    Column("location_id", Text, ForeignKey("location.id"), nullable=False),
    key("department_id"),
    key("speciality_id"),
    *_kept(),
    UniqueConstraint("practitioner_id", "location_id", name="practice_once"),
    Index("practice_own", "organisation_id", "id"),
)
"""A practitioner at a location. Its id stands in the ids of slots."""

consultation = Table(
    "consultation",
    metadata,
    Column("id", Text, primary_key=True),
    _own(),
    Column("practice_id", Text, ForeignKey("practice.id"), nullable=False),
    key("kind"),
    Column("fee_paise", BigInteger, nullable=False),
    Column("registration_paise", BigInteger, nullable=False),
    Column("is_taxed", Boolean, nullable=False),
    key("group_ids"),
    *_kept(),
    UniqueConstraint("practice_id", "kind", name="consultation_once"),
    CheckConstraint("fee_paise >= 0 AND registration_paise >= 0", name="consultation_amounts"),
    Index("consultation_own", "organisation_id", "id"),
)
"""What a practice offers: a kind of consultation and its price in paise. `group_ids` are the practitioners who take
part besides, with blanks between them."""

head = Table(
    "organisation_head",
    metadata,
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
    CheckConstraint("place = 1", name="organisation_head_single"),
)
"""One row: how often something changed. Every writer moves it first, so changes are made one after the other."""

FIRST_HEAD = "INSERT INTO organisation_head (place, version) VALUES (1, 0)"

event.listen(head, "after_create", DDL(FIRST_HEAD))  # type: ignore[no-untyped-call]
