"""What a consultation by video, audio or text takes: who is identified, who may offer it, who agreed to it.

Pure: the day is an argument. Above: `uhi.booking.kept`, `holding`, `consulting`. Source: privacy rules
"Teleconsultation" (Telemedicine Practice Guidelines 2020).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from uhi.booking.hospital import Doctor, Guardian, Patient, Slot
from uhi.messages.values import IST, ONLINE

ADULT = 18
"""The age from which somebody answers for themselves, in years."""

MOST_PRESENCES = 200
"""How many times somebody may join or leave one call; what comes after is not put down."""

_MONTHS_DAYS = (12, 31)


class Mode(StrEnum):
    """How patient and doctor talk."""

    VIDEO = "video"
    AUDIO = "audio"
    TEXT = "text"


class Initiator(StrEnum):
    """Who begins a consultation: a patient who does agrees by that, else they have to be asked."""

    PATIENT = "patient"
    DOCTOR = "doctor"


class Attendance(StrEnum):
    """What somebody did."""

    JOINED = "joined"
    LEFT = "left"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Consent:
    """The patient's consent to one consultation: who began it, how it is held, when.

    Where the doctor began it, the consent was given expressly; `text` is how, in the words of who took it down.
    """

    initiator: Initiator
    mode: Mode
    at: datetime
    text: str = field(default="", repr=False)

    @property
    def is_explicit(self) -> bool:
        """Whether the patient was asked."""
        return self.initiator is Initiator.DOCTOR


@dataclass(frozen=True, slots=True)
class Presence:
    """Somebody joined the call, left it, or did not come. `who` is `PATIENT`, or a doctor's HPR address."""

    who: str = field(repr=False)
    what: Attendance
    at: datetime


PATIENT = "patient"
"""Who the patient is in the log of a call."""


def may_consult_online(doctor: Doctor) -> bool:
    """Whether a doctor may be offered online: the registration and the council it is with have to be shown."""
    return bool(doctor.registration_number.strip() and doctor.council.strip())


def is_offered(slot: Slot) -> bool:
    """Whether a slot may be offered: at a facility always, online where everybody who takes part may."""
    return slot.fulfilment != ONLINE or all(map(may_consult_online, slot.doctors))


def age_on(day: date, patient: Patient) -> int | None:
    """Return how many years old a patient is for certain on a day; None where neither day nor year of birth is known.

    Of whom the year alone is known is taken to be born on its last day.
    """
    born = patient.born
    if born is None and patient.birth_year is None:
        return None
    year = born.year if born else patient.birth_year or 0
    birthday = (born.month, born.day) if born else _MONTHS_DAYS
    return day.year - year - ((day.month, day.day) < birthday)


def lacking(patient: Patient, slot: Slot) -> tuple[str, ...]:
    """Return what is not told of a patient and has to be for a consultation online, in words; nothing else of them."""
    return tuple(_lacking(patient, slot.start.astimezone(IST).date()))


def needs_guardian(patient: Patient, slot: Slot) -> bool:
    """Whether a patient of a consultation online is a minor on its day."""
    age = age_on(slot.start.astimezone(IST).date(), patient) if slot.fulfilment == ONLINE else None
    return age is not None and age < ADULT


def now_in_call(presences: tuple[Presence, ...]) -> frozenset[str]:
    """Return who is in the call as far as the log tells."""
    there: set[str] = set()
    for each in presences:
        if each.what is Attendance.JOINED:
            there.add(each.who)
        else:
            there.discard(each.who)
    return frozenset(there)


def _lacking(patient: Patient, day: date) -> Iterator[str]:
    age, address = age_on(day, patient), patient.address
    if not patient.name.strip():
        yield "name"
    if age is None or age < 0:
        yield "day or year of birth"
    if not any((address.door, address.name, address.building, address.street, address.locality, address.city)):
        yield "address"
    if not (patient.phone.strip() or patient.email.strip()):
        yield "phone number or e-mail address"
    if age is not None and age < ADULT and not _is_identified(patient.guardian):
        yield "adult who answers for a minor: name, relation, and phone number or ABHA address"


def _is_identified(guardian: Guardian | None) -> bool:
    if guardian is None or not guardian.name.strip() or not guardian.relation.strip():
        return False
    return bool(guardian.phone.strip() or guardian.abha_address.strip())
