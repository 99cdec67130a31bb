"""What the interface takes and gives about people: identifiers are shown by their last four characters only.

Above: `routes`. Source: privacy rules "Data classes".
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from participants.patient.people.abha import masked
from participants.patient.people.consents import Consent
from participants.patient.people.members import Member
from participants.patient.people.notices import Notice, Purpose
from uhi.api.fields import EmailText, NameText
from uhi.api.routes import Answer, Body
from uhi.messages.values import Address

Line = Annotated[str, Field(max_length=200)]
Relation = Literal["self", "spouse", "child", "parent", "sibling", "grandparent", "other"]
Gender = Literal["", "M", "F", "O"]
MobileText = Annotated[str, Field(pattern=r"^[6-9][0-9]{9}$")]
AbhaText = Annotated[str, Field(max_length=100)]


class AddressBody(Body):
    """Where bills go."""

    door: Line = ""
    building: Line = ""
    street: Line = ""
    locality: Line = ""
    city: Line = ""
    state: Line = ""
    area_code: str = Field(default="", pattern="^([1-9][0-9]{5})?$")

    def read(self) -> Address:
        """Return it as messages hold it."""
        given = {name: value for name, value in self.model_dump().items() if value}
        return Address(**given, country="INDIA")


class MemberBody(Body):
    """Somebody to book for."""

    name: NameText
    relation: Relation
    gender: Gender = ""
    born: date | None = None
    phone: MobileText
    email: Annotated[EmailText, Field(max_length=254)] = ""
    address: AddressBody = AddressBody()
    abha_address: AbhaText = ""
    abha_number: AbhaText = ""


class MemberChange(Body):
    """What is to be otherwise; what is left out stays. `version` is the one that was read."""

    version: int = Field(ge=1)
    name: NameText | None = None
    relation: Relation | None = None
    gender: Gender | None = None
    born: date | None = None
    phone: MobileText | None = None
    email: EmailText | None = None
    address: AddressBody | None = None
    abha_address: AbhaText | None = None
    abha_number: AbhaText | None = None


class AddressAnswer(Answer):
    """Where bills go."""

    door: str
    building: str
    street: str
    locality: str
    city: str
    state: str
    area_code: str


class MemberAnswer(Answer):
    """Somebody to book for. ABHA address, ABHA number and telephone number show their last four characters."""

    id: str
    version: int
    name: str
    relation: str
    gender: str
    born: date | None
    phone: str
    email: str
    address: AddressAnswer
    abha_address: str
    abha_number: str


class MemberList(Answer):
    """Everybody of the family, the oldest entry first."""

    members: tuple[MemberAnswer, ...]


class NoticeAnswer(Answer):
    """What to show before a consent, exactly as it stands here."""

    purpose: Purpose
    version: int
    language: str
    title: str
    text: str
    text_hash: str


class NoticeList(Answer):
    """The notices in force."""

    notices: tuple[NoticeAnswer, ...]


class ConsentBody(Body):
    """Which notice was shown and agreed to; `text_hash` is that of the notice."""

    purpose: Purpose
    language: Literal["en", "hi"] = "en"
    text_hash: str = Field(pattern="^[0-9a-f]{64}$")


class ConsentAnswer(Answer):
    """A consent; times are Unix seconds, `withdrawn_at` is missing while it is in force."""

    id: str
    purpose: Purpose
    notice_version: int
    language: str
    text_hash: str
    given_at: float
    withdrawn_at: float | None


class ConsentList(Answer):
    """All consents, the newest first."""

    consents: tuple[ConsentAnswer, ...]


class ExportAnswer(Answer):
    """Everything that is kept about the account, by part of the application."""

    exported_at: float
    data: dict[str, object]


class ErasedAnswer(Answer):
    """How many records of each part are gone, and what stays."""

    rows: dict[str, int]
    stays: tuple[str, ...]


def member_answer(member: Member) -> MemberAnswer:
    """A member as it is shown."""
    about = member.about
    shown = {name: getattr(about.address, name) or "" for name in AddressAnswer.model_fields}
    return MemberAnswer(
        id=member.id,
        version=member.version,
        name=about.name,
        relation=about.relation,
        gender=about.gender,
        born=about.born,
        phone=masked(about.phone),
        email=about.email,
        address=AddressAnswer(**shown),
        abha_address=masked(about.abha_address),
        abha_number=masked(about.abha_number),
    )


def notice_answer(notice: Notice) -> NoticeAnswer:
    """A notice as it is shown."""
    return NoticeAnswer(
        purpose=notice.purpose,
        version=notice.version,
        language=notice.language,
        title=notice.title,
        text=notice.text,
        text_hash=notice.text_hash,
    )


def consent_answer(consent: Consent) -> ConsentAnswer:
    """A consent as it is shown."""
    return ConsentAnswer(
        id=consent.id,
        purpose=consent.purpose,
        notice_version=consent.notice_version,
        language=consent.language,
        text_hash=consent.text_hash,
        given_at=consent.given_at,
        withdrawn_at=consent.withdrawn_at,
    )
