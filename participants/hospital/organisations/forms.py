"""What the staff interface takes: exactly what may be set. Tenant, state and owner of a record are in no form.

Above: the groups of routes, `importing`; below: `texts`. A form for changes names the version that was read.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from participants.hospital.organisations.csv_rows import MOST_CSV
from participants.hospital.organisations.pictures import MOST_TEXT
from participants.hospital.organisations.records import GROUP_BETWEEN
from participants.hospital.organisations.texts import (
    Code,
    Email,
    Gender,
    HfrId,
    HipId,
    HprAddress,
    HprNumber,
    Line,
    Name,
    Paragraphs,
    Phone,
    Pincode,
    PlaceCode,
    Position,
    Registration,
    Rupees,
    Version,
    Years,
)
from uhi.api.fields import EmailText, IdText, NameText, PhoneText
from uhi.api.routes import Body

Kind = Literal["hospital", "clinic"]
ConsultationKind = Literal["Physical", "Online"]
RecordId = Annotated[str, Field(min_length=1, max_length=255, pattern="^[!-~]*$")]

_LEVELS = ("city", "district", "state")


class Versioned(Body):
    """The version that was read."""

    version: Version


class Reasoned(Body):
    """The version that was read, and why; the reason is shown to the organisation and kept in the audit trail."""

    version: Version
    reason: str = Field(min_length=3, max_length=500)


class OrganisationParticulars(Body):
    """What an organisation says of itself."""

    kind: Kind = "hospital"
    legal_name: Line = ""
    hfr_id: HfrId = ""
    hip_id: HipId = ""
    email: Email = ""
    phone: Phone = ""


class OrganisationBody(OrganisationParticulars):
    """A new organisation, as a draft."""

    name: Name


class OrganisationPatch(OrganisationParticulars):
    """What is to change; kind, legal name, HFR and HIP id of a verified organisation take another verification."""

    version: Version
    name: Name = ""


class AdminBody(Body):
    """Whom to ask to be an organisation's first administrator."""

    email: EmailText
    name: NameText
    phone: PhoneText = ""


class DepartmentBody(Body):
    """A new department; `organisation_id` may be left out by whoever works for one only."""

    organisation_id: IdText = ""
    name: Name


class DepartmentPatch(Body):
    """What is to change."""

    version: Version
    name: Name = ""


class PlaceForm(Body):
    """A city, district or state, with its code in the network's lists."""

    name: Line = ""
    code: Annotated[str, Field(max_length=20, pattern="^[A-Za-z0-9:-]*$")] = ""


class LocationParticulars(Body):
    """Where patients come to."""

    short_desc: Line = ""
    long_desc: Paragraphs = ""
    hfr_id: HfrId = ""
    address: Line = ""
    pincode: Pincode = ""
    gps: Position = ""
    city: PlaceForm = PlaceForm()
    district: PlaceForm = PlaceForm()
    state: PlaceForm = PlaceForm()
    helpline: Phone = ""


class LocationBody(LocationParticulars):
    """A new location. `code` is one's own name for it, as in imports."""

    organisation_id: IdText = ""
    code: PlaceCode
    name: Name


class LocationPatch(LocationParticulars):
    """What is to change."""

    version: Version
    code: PlaceCode = ""
    name: Name = ""


class PractitionerParticulars(Body):
    """What a practitioner is. `experience` is in years."""

    hpr_id: HprNumber = ""
    gender: Gender = ""
    registration_number: Registration = ""
    council: Line = ""
    education: Line = ""
    languages: Line = ""
    experience: Years = ""


class PractitionerBody(PractitionerParticulars):
    """A practitioner who has no record yet."""

    organisation_id: IdText = ""
    hpr_address: HprAddress
    name: Name


class PractitionerPatch(PractitionerParticulars):
    """What is to change. The HPR address stays: it is who they are."""

    version: Version
    name: Name = ""


class PhotoBody(Body):
    """A PNG or JPEG picture in base64, at most 200 KiB."""

    version: Version
    image: Annotated[str, Field(min_length=1, max_length=MOST_TEXT)] = Field(repr=False)


class SpecialityBody(Body):
    """An addition to the tree: below a system of medicine, or a system where `parent_id` is empty."""

    organisation_id: IdText = ""
    parent_id: IdText = ""
    code: Code
    name: Name


class SpecialityPatch(Body):
    """What is to change."""

    version: Version
    name: Name


class PracticeBody(Body):
    """Who is to practise where, by HPR address."""

    organisation_id: IdText = ""
    hpr_address: HprAddress
    location_id: RecordId
    department_id: IdText = ""
    speciality_id: RecordId


class PracticePatch(Body):
    """What is to change; an empty department is none."""

    version: Version
    department_id: IdText = ""
    speciality_id: RecordId = "-"


class ConsultationParticulars(Body):
    """What a consultation costs, in rupees, and the practitioners who take part besides."""

    registration_fee: Rupees = "0"
    taxed: bool = False
    group: Annotated[list[RecordId], Field(max_length=3)] = Field(default=[])


class ConsultationBody(ConsultationParticulars):
    """A kind of consultation that a practice is to offer."""

    organisation_id: IdText = ""
    practice_id: RecordId
    kind: ConsultationKind
    fee: Rupees


class ConsultationPatch(ConsultationParticulars):
    """What is to change."""

    version: Version
    fee: Rupees = "0"


class ImportBody(Body):
    """Practitioners with their practices and fees as CSV, and whether it is only to be checked."""

    organisation_id: IdText = ""
    csv: Annotated[str, Field(min_length=1, max_length=MOST_CSV)] = Field(repr=False)
    dry_run: bool = False


def given(form: Body, *, but: frozenset[str] = frozenset({"version", "organisation_id"})) -> dict[str, object]:
    """What a form names, by column, its places in two columns each."""
    columns: dict[str, object] = form.model_dump(exclude_unset=True, exclude=set(but))
    for level in _LEVELS:
        place = columns.pop(level, None)
        if isinstance(place, dict):
            columns |= {f"{level}_{name}": place.get(name, "") for name in ("name", "code")}
    return columns


def priced(form: ConsultationParticulars) -> dict[str, object]:
    """What a form of a consultation names, by column."""
    columns = given(form, but=frozenset({"version", "organisation_id", "group"}))
    for name, column in (("fee", "fee_paise"), ("registration_fee", "registration_paise")):
        if name in columns:
            columns[column] = paise(str(columns.pop(name)))
    if "taxed" in columns:
        columns["is_taxed"] = columns.pop("taxed")
    if "group" in form.model_fields_set:
        columns["group_ids"] = GROUP_BETWEEN.join(form.group)
    return columns


def paise(rupees: str) -> int:
    """An amount of rupees in paise."""
    return int(Decimal(rupees).scaleb(2))
