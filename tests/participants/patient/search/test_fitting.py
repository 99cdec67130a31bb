"""Filters that the network has no words for, and those that a hospital ignores."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from participants.patient.search.fitting import Fitting
from tests.participants.demo_hospital.village import ASHA
from tests.participants.patient.search.findings import ANYBODY
from uhi.booking.hospital import Facility, Speciality
from uhi.messages.values import ONLINE, Point

PUNE = Point(18.53, 73.85)
DOCTOR = replace(
    ASHA,
    gender="F",
    experience="8.5",
    languages="English, Hindi;Marathi",
    facility=Facility(id="north", name="North", point=PUNE),
)
SILENT = replace(ASHA, speciality=None)


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        ({"gender": "F"}, True),
        ({"gender": "M"}, False),
        ({"language": "hindi"}, True),
        ({"language": "Hin"}, False),
        ({"experience": 8.5}, True),
        ({"experience": 9}, False),
        ({"fee": Decimal("500")}, True),
        ({"fee": Decimal("499.99")}, False),
        ({"kind": ONLINE}, False),
        ({"specialities": ("cardiology",)}, True),
        ({"specialities": ("NEUROLOGY",)}, False),
        ({"specialities": ("NEUROLOGY", "CARDIOLOGY")}, True),
        ({"position": PUNE, "kilometres": 1.0}, True),
        ({"position": Point(19.0, 73.85), "kilometres": 5.0}, False),
        ({"position": Point(19.0, 73.85)}, True),
    ],
)
def test_filters_weigh_what_a_doctor_tells(wanted, fits):
    """Issue, patient side: language, gender, experience, fee, distance, symptom."""
    assert Fitting(replace(ANYBODY, **wanted)).fits(DOCTOR) is fits


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        ({"gender": "F"}, False),
        ({"language": "Hindi"}, False),
        ({"experience": 1}, False),
        ({"specialities": ("CARDIOLOGY",)}, True),
        ({"specialities": ("CARDIOLOGY", "NEUROLOGY")}, False),
        ({"position": PUNE, "kilometres": 1.0}, True),
    ],
)
def test_what_a_doctor_does_not_tell_fits_only_what_the_hospital_was_asked(wanted, fits):
    """Ours: a filter is not met by silence, unless the hospital itself has weighed it."""
    assert Fitting(replace(ANYBODY, **wanted)).fits(SILENT) is fits


@pytest.mark.parametrize("spelled", ["PAEDIATRICS", "Pediatrics", "paediatrics"])
def test_spelling_of_a_speciality_does_not_matter(spelled):
    """Protocol, categories: names vary."""
    doctor = replace(ASHA, speciality=Speciality("PEDIATRICS", "Pediatrics"))

    assert Fitting(replace(ANYBODY, specialities=(spelled,))).fits(doctor)
