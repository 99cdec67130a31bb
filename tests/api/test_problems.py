"""Problem documents: they name places and repeat nothing."""

from __future__ import annotations

from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, TypeAdapter, ValidationError

from tests.api.ward import Note
from uhi import strict_json
from uhi.api.problems import problem, unacceptable
from uhi.errors import Refusal
from uhi.faults import FAULTS, RECORD_MISSING, REQUEST_INVALID

MARK = "98765-43210"
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.just(MARK) | st.just(MARK * 9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.just(MARK) | st.just("text"), inner, max_size=2),
    max_leaves=6,
)
NAMES = st.sampled_from(["text", "urgent", MARK, f"text.{MARK}"])


@given(body=st.dictionaries(NAMES, VALUES, max_size=4))
def test_nothing_that_was_sent_is_in_a_problem(body):
    """Security rules, error mapping: fixed texts; neither values nor names of the sender's are echoed or logged."""
    try:
        Note.model_validate_json(strict_json.write(body), strict=True)
    except ValidationError as error:
        refusal = unacceptable(error)

        assert MARK not in problem(refusal, "r-1").model_dump_json()
        assert MARK not in str(refusal)
        assert refusal.mistakes


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_every_fault_makes_a_problem(name):
    """RFC 9457: status, title and a code for programs, whatever went wrong."""
    made = problem(Refusal(FAULTS[name], "the secret 98765"), "r-1")

    assert (made.type, made.title, made.status) == ("about:blank", FAULTS[name].sentence, FAULTS[name].status)
    assert "98765" not in made.model_dump_json()


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        (Annotated[str, Field(min_length=3)], "", "is to have at least 3 characters"),
        (Annotated[list[int], Field(min_length=1)], [], "is to have at least 1 item"),
        (Annotated[int, Field(le=3)], 4, "is to be less than or equal to 3"),
    ],
)
def test_limit_is_told_as_a_plain_sentence(kind, value, told):
    """Ours: no name of a Python type, and nothing of what was sent."""
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(kind).validate_python(value)

    assert unacceptable(refused.value).mistakes == (("", told),)


def test_place_of_a_refusal_is_told_with_what_was_expected():
    """Ours: what the domain refuses of a body is told like what its model refuses."""
    refused = Refusal(REQUEST_INVALID, "too short", path="password", got="98765", expected="12 to 128 characters")

    assert [each.model_dump() for each in problem(refused, "r-1").errors] == [
        {"path": "password", "message": "expected 12 to 128 characters"}
    ]


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_reasons_are_told_where_a_route_explains_and_never_at_the_door(name):
    """Ours: what a request, a record or a right of one's own lacks is told; nobody learns why they may not come in."""
    refusal = Refusal(FAULTS[name], "why", got="this", expected="that", next_step="do it", path="x")

    errors = problem(refusal, "r-1", explains=True).errors

    own = {"REQUEST_INVALID", "RECORD_MISSING", "STATE_REFUSED", "ALREADY_TAKEN", "ACCESS_DENIED"}
    own |= {"SIGN_IN_REQUIRED", "ANOTHER_PERSON_REQUIRED", "SECOND_FACTOR_REQUIRED", "FRESH_SIGN_IN_REQUIRED"}
    own |= {"MESSAGING_UNSUPPORTED"}
    told = "why, got this, expected that; do it" if name in own else "expected that"
    assert [(each.path, each.message) for each in errors] == [("x", told)]


def test_record_that_the_path_names_is_missing_without_a_reason():
    """Security rules, T27: what is foreign is missing, in the same words."""
    missing, foreign = Refusal(RECORD_MISSING, "there is none"), Refusal(RECORD_MISSING, "acc-1 asked for another's")

    told = [problem(each, "r-1", explains=True).model_dump_json() for each in (missing, foreign)]

    assert told[0] == told[1]
    assert "acc-1" not in told[1]
