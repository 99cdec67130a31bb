"""From words to specialities."""

from __future__ import annotations

from importlib import resources

import pytest
import yaml

from gateway.specialities import WORDS
from participants.patient.search.symptoms import GENERAL, advice_for

TABLE = (resources.files("participants.patient.search") / "symptoms.yaml").read_text()


@pytest.mark.parametrize(
    ("words", "first", "urgent"),
    [
        ("Fever", "GENERAL_MEDICINE", False),
        ("tez bukhar hai", "GENERAL_MEDICINE", False),
        ("my child has fever", "PAEDIATRICS", False),
        ("sudden chest pain", "CARDIOLOGY", True),
        ("ghutne mein dard", "ORTHOPAEDICS", False),
        ("pet mein dard", "GASTROENTEROLOGY", False),
        ("skin rash", "DERMATOLOGY", False),
        ("pregnancy bleeding", "OBSTETRICS_AND_GYNAECOLOGY", True),
    ],
)
def test_words_lead_to_a_speciality(words, first, urgent):
    """Issue, patient side: search by symptom, in English and in Hindi as people type it."""
    advice = advice_for(words)

    assert (advice.specialities[0], advice.urgent, advice.known) == (first, urgent, True)


@pytest.mark.parametrize("words", ["", "xyzzy", "!!!"])
def test_words_that_nobody_knows_are_for_a_general_physician(words):
    """Ours: no guess, and no empty answer."""
    assert (advice_for(words).specialities, advice_for(words).known) == (GENERAL, False)


def test_every_speciality_is_one_that_the_network_knows():
    """Ours: a code that no hospital uses finds nobody."""
    named = {code for entry in yaml.safe_load(TABLE) for code in entry["specialities"]}

    assert named - WORDS == set()


def test_table_is_read_as_text():
    """Ours: YAML makes truth values of some words."""
    assert all(isinstance(word, str) for entry in yaml.safe_load(TABLE) for word in entry["words"])
