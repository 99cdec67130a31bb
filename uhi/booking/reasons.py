"""Reason codes: why a patient cancels, why a doctor or facility cancels, why the staff set a PIN aside.

Pure. Codes are fixed, labels are free; unknown codes of others are kept as they came, our own are checked.
Source: NHA Physical Consultation v2.0, reason codes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from uhi.errors import IncompleteMessage


class PatientReason(StrEnum):
    """Why a patient cancels (P1 to P7)."""

    PATIENT_PERSONAL_EMERGENCY = "PATIENT_PERSONAL_EMERGENCY"
    PATIENT_HEALTH_IMPROVED = "PATIENT_HEALTH_IMPROVED"
    PATIENT_UNABLE_TO_VISIT_PHYSICALLY = "PATIENT_UNABLE_TO_VISIT_PHYSICALLY"
    DOCTOR_ASKED_TO_CANCEL = "DOCTOR_ASKED_TO_CANCEL"
    PATIENT_BOOKED_IN_ERROR = "PATIENT_BOOKED_IN_ERROR"
    PATIENT_SEEKING_ALTERNATIVE = "PATIENT_SEEKING_ALTERNATIVE"
    PATIENT_OTHER = "PATIENT_OTHER"


class DoctorReason(StrEnum):
    """Why a doctor or facility cancels (D1 to D6)."""

    DOCTOR_PERSONAL_EMERGENCY = "DOCTOR_PERSONAL_EMERGENCY"
    DOCTOR_UNAVAILABLE = "DOCTOR_UNAVAILABLE"
    DOCTOR_SCHEDULE_CHANGE = "DOCTOR_SCHEDULE_CHANGE"
    FACILITY_CLOSURE = "FACILITY_CLOSURE"
    TECHNICAL_SYSTEM_ISSUE = "TECHNICAL_SYSTEM_ISSUE"
    DOCTOR_OTHER = "DOCTOR_OTHER"


class OverrideReason(StrEnum):
    """Why the staff start a consultation without the PIN (O1 to O6; two reasons are published as O6)."""

    OVERRIDE_EMERGENCY_CONSULTATION = "OVERRIDE_EMERGENCY_CONSULTATION"
    OVERRIDE_PIN_TECH_FAILURE = "OVERRIDE_PIN_TECH_FAILURE"
    OVERRIDE_PIN_DELIVERY_FAILURE = "OVERRIDE_PIN_DELIVERY_FAILURE"
    OVERRIDE_VULNERABLE_PATIENT = "OVERRIDE_VULNERABLE_PATIENT"
    OVERRIDE_EUA_OUTAGE = "OVERRIDE_EUA_OUTAGE"
    OVERRIDE_MISMATCH = "OVERRIDE_MISMATCH"
    OVERRIDE_OTHER = "OVERRIDE_OTHER"


class CancelledBy(StrEnum):
    """The two values of the tag `cancelledby`; `doctor` stands for the facility too."""

    PATIENT = "patient"
    DOCTOR = "doctor"


@dataclass(frozen=True, slots=True)
class Cancellation:
    """Who cancelled and why. `reason` is a code, raw where it came from a peer; `text` is in somebody's own words.

    `is_late`: with less notice than the policy asks for. `offered_slot_id` is the slot kept for the patient instead.
    """

    by: CancelledBy
    reason: str
    text: str = field(default="", repr=False)
    is_late: bool = False
    offered_slot_id: str = ""


R = TypeVar("R", PatientReason, DoctorReason, OverrideReason)


def chosen(kind: type[R], code: str, *, text: str = "") -> R:
    """Return one of our own reasons by its code.

    Raises: IncompleteMessage when there is no such code, or an `…_OTHER` comes without a text.
    """
    try:
        reason = kind(code)
    except ValueError:
        codes = ", ".join(kind)
        raise IncompleteMessage(f"there is no such reason in {kind.__name__}", expected=f"one of {codes}") from None
    if reason.value.endswith("_OTHER") and not text.strip():
        raise IncompleteMessage(f"{reason} asks for a text", next_step="say in a few words why")
    return reason
