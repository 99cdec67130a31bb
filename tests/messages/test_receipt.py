"""Receipts: only ACK without an error that says something is an acceptance."""

from __future__ import annotations

import json

import pytest

from uhi.faults import MESSAGE_INVALID
from uhi.messages.receipt import ACK, Error, Verdict, nack, read_receipt

NULLS = {"type": None, "code": None, "path": None, "message": None}


def test_the_acceptance_is_these_bytes():
    """Decision 11."""
    assert ACK == b'{"message":{"ack":{"status":"ACK"}},"error":{}}'
    assert read_receipt(json.loads(ACK)).accepted


@pytest.mark.parametrize("error", [{}, None, NULLS, {"type": "", "code": "", "path": "", "message": ""}])
def test_an_acceptance_may_carry_an_error_that_says_nothing(error):
    """Decision 11 and the samples: with or without `error`, with nulls or empty text."""
    receipt = read_receipt({"message": {"ack": {"status": "ACK"}}, "error": error})

    assert receipt.accepted is Verdict.ACK
    assert receipt.error is None


def test_an_acceptance_without_error_is_one():
    """Decision 11: the older form."""
    assert read_receipt({"context": {}, "message": {"ack": {"status": "ACK"}}}).accepted


def test_an_acceptance_with_an_error_that_says_something_is_a_refusal():
    """NHA: look at the status, then at whether the error is empty."""
    receipt = read_receipt({"message": {"ack": {"status": "ACK"}}, "error": {"code": "UHI-1405"}})

    assert receipt.accepted is Verdict.NACK
    assert receipt.error.code == "UHI-1405"


@pytest.mark.parametrize(
    "body",
    [
        {"message": {"ack": {"status": "NACK"}}, "error": {"code": 500}},
        {"message": {"ack": {"status": "NACK"}, "error": {"code": "500"}}},
        {"message": {"ack": {"status": "NACK", "error": {"code": "500"}}}},
    ],
)
def test_a_refusal_has_its_error_beside_or_inside_the_message(body):
    """Shapes seen in the Beckn family."""
    receipt = read_receipt(body)

    assert receipt.accepted is Verdict.NACK
    assert receipt.error.code == "500"


@pytest.mark.parametrize(
    "body",
    [None, [], "ACK", 1, {}, {"message": None}, {"message": {"ack": "ACK"}}, {"message": {"ack": {"status": "ack?"}}}],
)
def test_an_answer_of_another_shape_is_unclear(body):
    """UHI: a client treats an empty or foreign body as a failure."""
    receipt = read_receipt(body)

    assert receipt.accepted is Verdict.UNCLEAR
    assert not receipt.accepted


def test_an_error_without_a_message_is_told():
    """UHI: 401 and 403 may come without a message."""
    receipt = read_receipt({"error": {"code": "UHI-1410", "message": "inactive"}})

    assert receipt.accepted is Verdict.UNCLEAR
    assert receipt.error.message == "inactive"


def test_an_error_that_cannot_be_read_is_still_an_error():
    """Ours: a foreign error object must not turn a refusal into an acceptance."""
    receipt = read_receipt({"message": {"ack": {"status": "ACK"}}, "error": {"code": ["x"]}})

    assert receipt.accepted is Verdict.NACK
    assert "x" not in receipt.error.message


def test_a_refusal_is_written_with_four_members():
    """UHI: type, code, path and message; the sentence is fixed."""
    body = json.loads(nack(MESSAGE_INVALID, "$.context.message_id"))

    assert body == {
        "message": {"ack": {"status": "NACK"}},
        "error": {
            "type": "SCH_INVALID_FORMAT",
            "code": "UHI-1404",
            "path": "$.context.message_id",
            "message": "The message does not have the required form.",
        },
    }
    assert read_receipt(body).accepted is Verdict.NACK


@pytest.mark.parametrize("members", [{"code": "1"}, {"code": 0.5}, {"details": {"a": 1}}])
def test_an_error_with_any_member_is_not_empty(members):
    """Ours: an error in words of its own is an error."""
    assert not Error.model_validate(members).is_empty
