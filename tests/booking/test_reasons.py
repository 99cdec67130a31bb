"""Reason codes."""

from __future__ import annotations

import pytest

from uhi.booking.reasons import Cancellation, CancelledBy, DoctorReason, OverrideReason, PatientReason, chosen
from uhi.errors import IncompleteMessage


@pytest.mark.parametrize(("kind", "codes"), [(PatientReason, 7), (DoctorReason, 6), (OverrideReason, 7)])
def test_the_lists_are_complete(kind, codes):
    """UHI reason codes: P1 to P7, D1 to D6, O1 to O6 with O6 twice."""
    assert len(kind) == codes
    assert all(reason.value == reason.name for reason in kind)


@pytest.mark.parametrize("kind", [PatientReason, DoctorReason, OverrideReason])
def test_every_code_of_a_list_can_be_chosen(kind):
    """UHI reason codes: with a text where one is mandatory."""
    assert [chosen(kind, reason.value, text="because") for reason in kind] == list(kind)


@pytest.mark.parametrize(
    ("kind", "code"),
    [(PatientReason, "PATIENT_OTHER"), (DoctorReason, "DOCTOR_OTHER"), (OverrideReason, "OVERRIDE_OTHER")],
)
def test_other_without_a_text_is_refused(kind, code):
    """UHI reason codes: free text mandatory."""
    with pytest.raises(IncompleteMessage):
        chosen(kind, code, text="  ")


def test_a_code_of_another_list_is_refused():
    """UHI reason codes: a patient does not cancel with a doctor's code."""
    with pytest.raises(IncompleteMessage) as caught:
        chosen(PatientReason, "DOCTOR_UNAVAILABLE")

    assert "PATIENT_OTHER" in str(caught.value)


def test_the_words_of_a_person_do_not_show():
    """Ours: nothing about a patient in a repr."""
    assert "ill" not in repr(Cancellation(CancelledBy.PATIENT, "PATIENT_OTHER", "I am ill"))
