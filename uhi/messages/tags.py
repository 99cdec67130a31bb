"""Tag names of UHI and the two ways they are spelled.

Tags are a flat map under agents, fulfilments, persons and contacts. NHA writes `@abdm/gov.in/name`; older software
`@abdm/gov/in/name`; other services of UHI use bare names. Source: NHA Physical Consultation v2.0, tags.
"""

from __future__ import annotations

from collections.abc import Mapping

from uhi.messages.wire import Tags

PREFIX = "@abdm/gov.in/"
"""What we write before every tag name."""

READ_PREFIXES = (PREFIX, "@abdm/gov/in/", "", "./UHI Protocol-0_7_1.", "./dhp-0_7_1.")
"""What is understood before a tag name, in the order in which it is looked for."""

EXPERIENCE = "experience"
LANGUAGES = "languages"
EDUCATION = "education"
HPR_ID = "hpr_id"
HFR_ID = "hfr_id"
HIP_ID = "hip_id"
SLOT_ID = "slot_id"
ABHA_NUMBER = "abha_number"
MESSAGING_SUPPORT = "messaging_support"
HELPLINE_NUMBER = "helpline_number"
DEEP_LINK = "deep_link"
CHATBOT_LINK = "chatbot_link"
CANCELLED_BY = "cancelledby"
CANCEL_REASON = "cancel_reason"
OLD_CANCEL_REASON = "cancelReason"
CARE_CONTEXT_ID = "care_context_id"
TELECONSULTATION_URI = "teleconsultation/uri"
FAX = "contact/fax"
GROUP_CONSULTATION = "groupConsultation"
FIRST_DOCTOR_NAME = "primaryDoctorName"
FIRST_DOCTOR_ADDRESS = "primaryDoctorHPRAddress"
SECOND_DOCTOR_NAME = "secondaryDoctorName"
SECOND_DOCTOR_ADDRESS = "secondaryDoctorHPRAddress"
SECOND_DOCTOR_GENDER = "secondaryDoctorGender"

OUR_PREFIX = "@uhi-network/"
"""Before the names of tags that UHI has no name for. They travel with consultations online only."""

REGISTRATION_NUMBER = "registration_number"
COUNCIL = "medical_council"
SECOND_REGISTRATION_NUMBER = "secondary_registration_number"
SECOND_COUNCIL = "secondary_medical_council"
GRIEVANCE_CONTACT = "grievance_contact"
GUARDIAN_NAME = "guardian_name"
GUARDIAN_RELATION = "guardian_relation"
GUARDIAN_PHONE = "guardian_phone"
GUARDIAN_ABHA = "guardian_abha_address"


def tag(tags: Mapping[str, object] | None, name: str) -> str | None:
    """Return a tag's text whatever the spelling of its name; None when it is absent, empty, or no text or number."""
    if not tags:
        return None
    for prefix in READ_PREFIXES:
        value = _text(tags.get(prefix + name))
        if value:
            return value
    return None


def write_tags(values: Mapping[str, str | None]) -> Tags:
    """Return tags with the prefix we write, leaving out those without a value."""
    return {PREFIX + name: value for name, value in values.items() if value is not None}


def our_tag(tags: Mapping[str, object] | None, name: str) -> str:
    """Return the text of a tag of our own; empty when it is absent, or no text or number."""
    return _text((tags or {}).get(OUR_PREFIX + name))


def write_our_tags(values: Mapping[str, str]) -> Tags:
    """Return tags of our own, leaving out those that are empty."""
    return {OUR_PREFIX + name: value for name, value in values.items() if value}


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (int, float)) else ""
