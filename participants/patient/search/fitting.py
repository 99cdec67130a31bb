"""Whether a doctor who was found is what the patient wants: the filters that the network has no words for.

Pure. What a doctor does not tell does not fit a filter about it, but for where they are: who was asked for a circle may
have looked. Hospitals that ignore a filter of the wire are put right where that can be seen. Below: `wanted`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from participants.patient.search.wanted import Wanted
from uhi.booking.hospital import Doctor, Speciality
from uhi.booking.matching import distance_km, is_speciality

_WORD = re.compile(r"[^\W\d_]+")
_YEARS = re.compile(r"[0-9]{1,2}(?:\.[0-9]{1,3})?")


def years_of(doctor: Doctor) -> float | None:
    """Return how many years of experience a doctor tells of; None where it is no number."""
    found = _YEARS.search(doctor.experience)
    return float(found[0]) if found else None


def languages_of(doctor: Doctor) -> frozenset[str]:
    """Return the languages that a doctor speaks, in lower case."""
    return frozenset(_WORD.findall(doctor.languages.casefold()))


def distance_of(wanted: Wanted, doctor: Doctor) -> float | None:
    """Return how many kilometres away a doctor is; None where either place is not known."""
    if wanted.position is None or doctor.facility.point is None:
        return None
    return distance_km(wanted.position, doctor.facility.point)


def rank_of(wanted: Wanted, doctor: Doctor) -> int:
    """Return how far back a doctor's speciality stands among those wanted; one that is not told comes last."""
    return _rank(wanted.specialities, doctor.speciality)


@dataclass(frozen=True, slots=True)
class Fitting:
    """Weighs doctors against one patient's filters."""

    wanted: Wanted

    def fits(self, doctor: Doctor) -> bool:
        """Whether a doctor fits every filter that is looked at here."""
        wanted = self.wanted
        return (
            wanted.kind in doctor.fulfilments
            and (wanted.fee is None or doctor.price <= wanted.fee)
            and self._person_fits(doctor)
            and self._speciality_fits(doctor)
            and self._place_fits(doctor)
        )

    def _person_fits(self, doctor: Doctor) -> bool:
        wanted = self.wanted
        if wanted.gender and doctor.gender.casefold()[:1] != wanted.gender.casefold()[:1]:
            return False
        if wanted.language and wanted.language.casefold() not in languages_of(doctor):
            return False
        return not wanted.experience or (years_of(doctor) or 0.0) >= wanted.experience

    def _speciality_fits(self, doctor: Doctor) -> bool:
        sought, known = self.wanted.specialities, doctor.speciality
        if not sought:
            return True
        # Of one speciality the hospital was told; of several it was not, and who tells none is no answer.
        return len(sought) == 1 if known is None else _rank(sought, known) < len(sought)

    def _place_fits(self, doctor: Doctor) -> bool:
        circle, distance = self.wanted.circle, distance_of(self.wanted, doctor)
        return circle is None or distance is None or distance <= circle.kilometres


def _rank(sought: tuple[str, ...], known: Speciality | None) -> int:
    fitting = (n for n, code in enumerate(sought) if known is not None and is_speciality(code, known))
    return next(fitting, len(sought))
