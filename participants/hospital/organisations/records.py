"""The records of organisations as plain values: one for one with the rows of `tables`.

Pure. Above: everything in this package. Ids are texts, times Unix seconds, amounts paise.
"""

from __future__ import annotations

from dataclasses import dataclass

GROUP_BETWEEN = " "


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """A hospital or clinic, see `states` for what becomes of it."""

    id: str
    kind: str
    name: str
    legal_name: str = ""
    hfr_id: str = ""
    hip_id: str = ""
    email: str = ""
    phone: str = ""
    state: str
    reason: str = ""
    submitted_by: str = ""
    version: int = 1
    created_at: float
    updated_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """A part of an organisation."""

    id: str
    organisation_id: str
    name: str
    is_active: bool = True
    version: int = 1
    created_at: float
    updated_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where patients come to. Without an HFR id of its own it has the organisation's."""

    id: str
    organisation_id: str
    code: str
    name: str
    short_desc: str = ""
    long_desc: str = ""
    hfr_id: str = ""
    address: str = ""
    pincode: str = ""
    gps: str = ""
    city_name: str = ""
    city_code: str = ""
    district_name: str = ""
    district_code: str = ""
    state_name: str = ""
    state_code: str = ""
    helpline: str = ""
    is_active: bool = True
    version: int = 1
    created_at: float
    updated_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Practitioner:
    """A doctor, once in the program by HPR address. `organisation_id` keeps the record; others may have practices."""

    id: str
    organisation_id: str
    hpr_address: str
    hpr_id: str = ""
    name: str
    gender: str = ""
    registration_number: str = ""
    council: str = ""
    education: str = ""
    languages: str = ""
    experience: str = ""
    is_active: bool = True
    version: int = 1
    created_at: float
    updated_at: float

    @property
    def may_consult_online(self) -> bool:
        """Whether number and council of the registration are known: without them nothing is offered online."""
        return bool(self.registration_number and self.council)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialityRecord:
    """A speciality, or a system of medicine: that has no parent. What ships belongs to no organisation."""

    id: str
    organisation_id: str = ""
    parent_id: str = ""
    code: str
    name: str
    is_active: bool = True
    version: int = 1
    created_at: float = 0.0
    updated_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeRecord:
    """A practitioner at a location, in a speciality, perhaps in a department."""

    id: str
    organisation_id: str
    practitioner_id: str
    location_id: str
    department_id: str = ""
    speciality_id: str
    is_active: bool = True
    version: int = 1
    created_at: float
    updated_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Consultation:
    """One kind of consultation that a practice offers, and what it costs."""

    id: str
    organisation_id: str
    practice_id: str
    kind: str
    fee_paise: int
    registration_paise: int = 0
    is_taxed: bool = False
    group_ids: str = ""
    is_active: bool = True
    version: int = 1
    created_at: float
    updated_at: float

    @property
    def group(self) -> tuple[str, ...]:
        """The practitioners who take part besides."""
        return tuple(self.group_ids.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """A practitioner's picture."""

    practitioner_id: str
    media_type: str
    data: bytes
    updated_at: float
