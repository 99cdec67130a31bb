"""What the staff interface gives: records as they are kept, places and amounts spelled out.

Above: the groups of routes.
"""

from __future__ import annotations

from participants.hospital.organisations.bookable import quote_of
from participants.hospital.organisations.records import (
    Consultation,
    Department,
    Location,
    Organisation,
    PracticeRecord,
    Practitioner,
    SpecialityRecord,
)
from participants.hospital.organisations.shelf import columns_of
from uhi.api.routes import Answer


class OrganisationAnswer(Answer):
    """An organisation. `reason` is why it was returned or suspended; times are Unix seconds."""

    id: str
    kind: str
    name: str
    legal_name: str
    hfr_id: str
    hip_id: str
    email: str
    phone: str
    state: str
    reason: str
    version: int
    created_at: float
    updated_at: float


class OrganisationList(Answer):
    """A page of organisations; `next` is the `after` of the following page, empty where there is none."""

    organisations: tuple[OrganisationAnswer, ...]
    next: str


class DepartmentAnswer(Answer):
    """A department."""

    id: str
    organisation_id: str
    name: str
    is_active: bool
    version: int
    created_at: float
    updated_at: float


class DepartmentList(Answer):
    """A page of departments."""

    departments: tuple[DepartmentAnswer, ...]
    next: str


class PlaceAnswer(Answer):
    """A city, district or state."""

    name: str
    code: str


class LocationAnswer(Answer):
    """A location."""

    id: str
    organisation_id: str
    code: str
    name: str
    short_desc: str
    long_desc: str
    hfr_id: str
    address: str
    pincode: str
    gps: str
    city: PlaceAnswer
    district: PlaceAnswer
    state: PlaceAnswer
    helpline: str
    is_active: bool
    version: int
    created_at: float
    updated_at: float


class LocationList(Answer):
    """A page of locations."""

    locations: tuple[LocationAnswer, ...]
    next: str


class PractitionerAnswer(Answer):
    """A practitioner. `organisation_id` is the organisation that keeps the record."""

    id: str
    organisation_id: str
    hpr_address: str
    hpr_id: str
    name: str
    gender: str
    registration_number: str
    council: str
    education: str
    languages: str
    experience: str
    is_active: bool
    version: int
    created_at: float
    updated_at: float


class PractitionerList(Answer):
    """A page of practitioners."""

    practitioners: tuple[PractitionerAnswer, ...]
    next: str


class PhotoAnswer(Answer):
    """A practitioner's picture, in base64."""

    practitioner_id: str
    media_type: str
    image: str
    updated_at: float


class SpecialityAnswer(Answer):
    """An entry of the tree. What ships is no organisation's; a system of medicine has no parent."""

    id: str
    organisation_id: str
    parent_id: str
    code: str
    name: str
    is_active: bool
    version: int
    created_at: float
    updated_at: float


class SpecialityList(Answer):
    """A page of the tree."""

    specialities: tuple[SpecialityAnswer, ...]
    next: str


class PracticeAnswer(Answer):
    """A practice; its id stands in the ids of slots."""

    id: str
    organisation_id: str
    practitioner_id: str
    location_id: str
    department_id: str
    speciality_id: str
    is_active: bool
    version: int
    created_at: float
    updated_at: float


class PracticeList(Answer):
    """A page of practices."""

    practices: tuple[PracticeAnswer, ...]
    next: str


class ConsultationAnswer(Answer):
    """A kind of consultation; amounts are rupees, `total` is what a patient pays."""

    id: str
    organisation_id: str
    practice_id: str
    kind: str
    fee: str
    registration_fee: str
    taxed: bool
    total: str
    group: tuple[str, ...]
    is_active: bool
    version: int
    created_at: float
    updated_at: float


class ConsultationList(Answer):
    """A page of consultations."""

    services: tuple[ConsultationAnswer, ...]
    next: str


class MistakeAnswer(Answer):
    """What is wrong in a file: where, and what it has to be."""

    line: int
    column: str
    message: str


class ImportAnswer(Answer):
    """What an import did, or would do: rows that were new, that changed something, that changed nothing."""

    created: int
    changed: int
    unchanged: int
    mistakes: tuple[MistakeAnswer, ...]


class ExportAnswer(Answer):
    """Practitioners with their practices and fees as CSV, as an import takes it."""

    csv: str
    rows: int


def organisation_answer(record: Organisation) -> OrganisationAnswer:
    """An organisation as it is shown; who submitted it is in the audit trail."""
    columns = {name: value for name, value in columns_of(record).items() if name != "submitted_by"}
    return OrganisationAnswer(**columns)


def department_answer(record: Department) -> DepartmentAnswer:
    """A department as it is shown."""
    return DepartmentAnswer(**columns_of(record))


def location_answer(record: Location) -> LocationAnswer:
    """A location as it is shown."""
    columns = dict(columns_of(record))
    for level in ("city", "district", "state"):
        columns[level] = PlaceAnswer(name=columns.pop(f"{level}_name"), code=columns.pop(f"{level}_code"))
    return LocationAnswer(**columns)


def practitioner_answer(record: Practitioner) -> PractitionerAnswer:
    """A practitioner as they are shown."""
    return PractitionerAnswer(**columns_of(record))


def speciality_answer(record: SpecialityRecord) -> SpecialityAnswer:
    """An entry of the tree as it is shown."""
    return SpecialityAnswer(**columns_of(record))


def practice_answer(record: PracticeRecord) -> PracticeAnswer:
    """A practice as it is shown."""
    return PracticeAnswer(**columns_of(record))


def consultation_answer(record: Consultation) -> ConsultationAnswer:
    """A consultation as it is shown."""
    columns = dict(columns_of(record))
    del columns["group_ids"]
    return ConsultationAnswer(
        fee=rupees_text(columns.pop("fee_paise")),
        registration_fee=rupees_text(columns.pop("registration_paise")),
        taxed=columns.pop("is_taxed"),
        total=str(quote_of(record).total),
        group=record.group,
        **columns,
    )


def rupees_text(paise: int) -> str:
    """An amount of paise in rupees, with two decimals."""
    return f"{paise // 100}.{paise % 100:02}"
