"""The five terms."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.booking.ward import slot
from uhi.booking.terms import KINDS, agree, check_agreed, check_offered, default_terms
from uhi.errors import BookingError, IncompleteMessage
from uhi.messages.values import Descriptor, Term

TERMS = default_terms(slot())
MUST_SAY = {
    "Commercial": [
        "technology gateway",
        "does not supervise",
        "availability, quality, safety, timeliness or outcome",
        "never collects or passes on a payment",
        "between the patient and the facility",
        "Dr. Asha Verma, MBBS, MD Cardiology, HPR id 71-0000-0000-0001",
        "Example Medical Centre",
        "23 September 2026 from 10:00 to 10:20",
        "emergency",
        "30 minutes",
    ],
    "Settlement": ["directly"],
    "Cancellation": ["policy of the facility", "at least 4 hours before", "at least 2 hours before", "with a reason"],
    "Refund": ["Nothing is paid in advance"],
    "Payment": ["on the day", "set by the facility", "500.00 rupees, GST included, is final"],
}


def asking(*, reason: str = "") -> Term:
    return TERMS[2].model_copy(update={"reasonRequired": True, "reason": reason})


def test_five_terms_are_offered_as_initiated():
    """UHI terms: Commercial, Settlement, Cancellation, Refund, Payment in on_init."""
    assert tuple(term.type for term in TERMS) == KINDS
    assert {term.termsState for term in TERMS} == {"INITIATED"}
    assert {term.timePeriod for term in TERMS} == {"2026-09-23T10:20:00"}
    check_offered(TERMS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_says_what_it_must(kind):
    """UHI terms: content that must be present, own wording allowed."""
    text = next(term.descriptor.long_desc for term in TERMS if term.type == kind)

    assert [words for words in MUST_SAY[kind] if words not in text] == []


@pytest.mark.parametrize(("notice", "hours"), [(0, 4), (2, 4), (24, 24)])
def test_a_patient_agrees_to_the_notice_that_is_asked_for(notice, hours):
    """UHI terms, cancellation: the policy of the facility; nobody is held to more than the terms have said."""
    told = default_terms(slot(), notice_hours=notice)[2].descriptor

    assert all(f"at least {hours} hours before" in text for text in (told.short_desc, told.long_desc))


@given(st.permutations(TERMS))
def test_agreed_terms_in_any_order_are_taken(terms):
    """UHI terms: all five back, equal but for state and reason."""
    check_agreed(TERMS, agree(terms))


@pytest.mark.parametrize("number", range(5))
def test_one_term_still_initiated_is_refused(number):
    """UHI confirm: one INITIATED term, and it is rejected."""
    terms = list(agree(TERMS))
    terms[number] = TERMS[number]

    with pytest.raises(BookingError, match="not agreed"):
        check_agreed(TERMS, terms)


@pytest.mark.parametrize(
    "change",
    [
        {"descriptor": Descriptor(name="Commercial terms", long_desc="Everything is free.")},
        {"timePeriod": "2030-01-01T00:00:00"},
        {"reasonRequired": True},
        {"type": "Other"},
        {"surcharge": "10"},
    ],
)
def test_an_altered_term_is_refused(change):
    """Decision 36: the provider demands back exactly what it sent."""
    terms = agree(TERMS)

    with pytest.raises(BookingError):
        check_agreed(TERMS, [terms[0].model_copy(update=change), *terms[1:]])


@pytest.mark.parametrize("count", [0, 1, 4])
def test_a_missing_term_is_refused(count):
    """UHI terms: five were sent, five come back."""
    with pytest.raises(BookingError):
        check_agreed(TERMS, agree(TERMS)[:count])


def test_a_term_twice_in_place_of_another_is_refused():
    """UHI terms: each kind once."""
    terms = agree(TERMS)

    with pytest.raises(BookingError):
        check_agreed(TERMS, [*terms[:4], terms[0]])


def test_an_empty_member_counts_as_absent():
    """UHI accept and emit: null and empty text are the same as nothing."""
    terms = [term.model_copy(update={"note": "", "reason": None}) for term in agree(TERMS)]

    check_agreed(TERMS, terms)


def test_a_term_that_asks_for_a_reason_needs_one():
    """UHI terms: reason is filled in confirm when reasonRequired."""
    with pytest.raises(IncompleteMessage):
        agree([asking()])
    with pytest.raises(BookingError, match="reason"):
        check_agreed([asking()], [asking().model_copy(update={"termsState": "AGREED"})])


def test_a_reason_is_told_by_the_kind_of_term_or_in_the_term():
    """UHI terms: the patient's own words."""
    by_kind = agree([asking()], {"Cancellation": "I understand"})
    in_term = agree([asking(reason="I understand")])

    assert by_kind == in_term
    check_agreed([asking()], by_kind)


@pytest.mark.parametrize("count", [4, 5])
def test_a_consumer_takes_four_or_five_terms(count):
    """Decision 36: one of NHA's tables lists four."""
    check_offered(TERMS[:count])


@pytest.mark.parametrize(
    "terms", [(), TERMS[:3], (*TERMS[:4], TERMS[0]), agree(TERMS)], ids=["0", "3", "twice", "agreed"]
)
def test_a_consumer_does_not_take_an_offer_without_its_terms(terms):
    """UHI on_init: five terms, INITIATED."""
    with pytest.raises(BookingError):
        check_offered(terms)
