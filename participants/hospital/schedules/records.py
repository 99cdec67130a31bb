"""What is kept about schedules, as plain values: one for one with rows.

Pure. Above: rows, forms. Days are text, moments Unix seconds. `version` counts the changes, 0 for what is new.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from participants.hospital.schedules.hours import Span
from participants.hospital.schedules.week import Times, Week


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """A practice, bookable or not: whose it is, where, and who practises (the record, and the HPR address)."""

    id: str
    organisation_id: str
    location_id: str
    practitioner_id: str
    doctor_id: str


@dataclass(frozen=True, slots=True)
class KeptWeek:
    """The week of a practice."""

    week: Week
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayException:
    """Other hours of a practice on one day, none where it is closed."""

    practice_id: str
    day: date
    hours: tuple[Span, ...] = ()
    note: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Holiday:
    """A day without consultations at a location, or at all of an organisation: `2027-01-14`, or `01-26` each year."""

    id: str
    organisation_id: str
    location_id: str = ""
    day: str
    name: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """When a practitioner is away from an organisation."""

    id: str
    organisation_id: str
    practitioner_id: str
    times: Times
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatOff:
    """A seat of a slot that was called off; `at` is when."""

    practice_id: str
    slot_id: str
    seat: int
    times: Times
    at: float


@dataclass(frozen=True, slots=True)
class Scope:
    """What a change is about: one practice, or all of an organisation."""

    name: str
    id: str
