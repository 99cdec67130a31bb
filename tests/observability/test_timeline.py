"""What the hops of a transaction come to: BR-008's record, from a gateway's log, a hospital's and a consumer's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from uhi.observability.timeline import Answer, Stage, call_record, hop_json, in_order
from uhi.ports import Direction, Hop

APP, GATEWAY, CLINIC, WARD = "app.example", "gateway.example", "clinic.example", "ward.example"
START = 1_790_000_000.0
IN, OUT = Direction.IN, Direction.OUT


def hop(after: float, way: Direction, parties: tuple[str, str], action: str, **fields) -> Hop:
    """A hop of the transaction `t-1`, `after` seconds, delivered unless told otherwise."""
    told = {"outcome": "ACK", "status": 200, "ms": 4.0, "message_id": "m-1", **fields}
    sender, receiver = parties
    return Hop(
        at=START + after, direction=way, sender=sender, receiver=receiver, action=action, transaction_id="t-1", **told
    )


ASKED = hop(0, IN, (APP, GATEWAY), "search", consumer_url="https://app.example/uhi", category="nic2004:85111 Physical")
TO_CLINIC = hop(0.1, OUT, (GATEWAY, CLINIC), "search")
TO_WARD = hop(0.1, OUT, (GATEWAY, WARD), "search", outcome="no answer", status=0)
FROM_CLINIC = hop(0.6, IN, (CLINIC, GATEWAY), "on_search")
TO_APP = hop(0.7, OUT, (GATEWAY, APP), "on_search")
SEARCHED = [ASKED, TO_CLINIC, TO_WARD, FROM_CLINIC, TO_APP]


def copy_of(after: float, stage: str) -> Hop:
    return hop(after, IN, (CLINIC, GATEWAY), "on_status_audit", stage=stage, message_id=f"m-{after}")


def test_record_tells_who_searched_for_what_and_when_it_was_acknowledged():
    """FRS BR-008: consumer id and URI, transaction and message ids, category, received, acknowledged."""
    record = call_record(SEARCHED)

    assert (record.consumer_id, record.consumer_url) == (APP, "https://app.example/uhi")
    assert (record.transaction_id, record.message_ids, record.category) == ("t-1", ("m-1",), "nic2004:85111 Physical")
    assert (record.received_at, record.acknowledged_at) == (START, pytest.approx(START + 0.004))
    assert record.acknowledgement == "ACK"


def test_record_tells_each_providers_answer_and_its_time():
    """FRS BR-008: each provider's response with its time; one that stayed silent is there too."""
    again = replace(TO_WARD, at=START + 3, attempt=2, outcome="ACK")

    record = call_record([*SEARCHED, again, replace(FROM_CLINIC, at=START + 1)])

    assert record.answers == (
        Answer(CLINIC, START + 0.1, "ACK", 1, START + 0.6, "m-1", answers=2),
        Answer(WARD, START + 0.1, "ACK", 2),
    )


def test_refused_and_repeated_answers_are_no_further_answers():
    """Ours: an answer that came twice is one; a refused one says why."""
    repeated = replace(FROM_CLINIC, at=START + 1, outcome="repeated")
    refused = hop(1, IN, (WARD, GATEWAY), "on_search", outcome="CTX_NO_PENDING_REQUEST", status=404)

    clinic, ward = call_record([*SEARCHED, repeated, refused]).answers

    assert (clinic.answers, ward.answers, ward.refused) == (1, 0, "CTX_NO_PENDING_REQUEST")


def test_stage_is_the_furthest_whatever_order_the_copies_came_in():
    """FRS BR-008: requested, response provided, confirmed, rendered; audit copies may overtake one another."""
    record = call_record([*SEARCHED, copy_of(90, "rendered"), copy_of(95, "confirmed")])

    assert record.stage is Stage.RENDERED
    assert [stage for stage, _ in record.reached] == ["requested", "responded", "confirmed", "rendered"]


@pytest.mark.parametrize("stage", ["cancelled", "missed", "failed"])
def test_other_ends_of_an_order_are_stages_too(stage):
    """Ours: an order that was cancelled or failed, or nobody came, is not left at what it was before."""
    assert call_record([*SEARCHED, copy_of(90, stage)]).stage == stage


def test_stage_that_is_no_word_of_ours_is_passed_over():
    """Ours: a later release may write more stages than this one knows."""
    assert call_record([*SEARCHED, copy_of(90, "reviewed")]).stage is Stage.RESPONDED


def test_call_is_a_success_when_an_answer_reached_the_consumer():
    """FRS BR-008: call status success or failed."""
    record = call_record(SEARCHED)

    assert record.is_success
    assert record.as_json()["status"] == "success"


@pytest.mark.parametrize(
    ("hops", "reason"),
    [
        ([replace(ASKED, outcome="NET_NO_PROVIDERS", status=404)], "the search was not taken: NET_NO_PROVIDERS"),
        ([ASKED, TO_CLINIC, TO_WARD], "no provider has answered"),
        ([*SEARCHED[:4], replace(TO_APP, outcome="no answer")], "no answer has reached the consumer"),
    ],
    ids=["refused", "silence", "consumer away"],
)
def test_call_that_failed_says_why(hops, reason):
    """FRS BR-008: call status success or failed."""
    record = call_record(hops)

    assert not record.is_success
    assert record.reason == reason


def test_search_that_was_refused_before_it_was_taken_is_a_success():
    """Ours: what counts is the search that was taken, not the attempts before it."""
    refused = replace(ASKED, at=START - 1, outcome="NET_OVERLOADED", status=503)

    record = call_record([refused, *SEARCHED])

    assert record.is_success
    assert record.received_at == START


def test_second_consumer_under_the_same_transaction_id_is_named():
    """Ours: transaction ids are chosen by consumers, so two of them may choose the same one."""
    other = replace(ASKED, at=START + 5, sender="other.example")

    record = call_record([*SEARCHED, other])

    assert (record.consumer_id, record.others) == (APP, ("other.example",))


def test_hospitals_own_log_tells_its_side():
    """Ours: the same command reads a participant's log; there the clinic itself has passed the answer on."""
    here = [hop(0, IN, (APP, CLINIC), "search"), hop(0.2, OUT, (CLINIC, GATEWAY), "on_search")]

    record = call_record(here)

    assert (record.consumer_id, record.answers, record.is_success) == (APP, (), True)


def test_consumers_own_log_tells_its_side():
    """Ours: at the consumer an answer has arrived when it was taken."""
    here = [hop(0, OUT, (APP, GATEWAY), "search"), hop(0.2, IN, (CLINIC, APP), "on_search")]

    record = call_record(here)

    assert record.is_success
    assert [answer.provider for answer in record.answers] == [CLINIC]


def test_transaction_without_a_search_succeeds_when_everything_arrived_in_the_end():
    """Ours: a hospital's log may begin with a booking; a message that was sent again counts as it ended."""
    lost = hop(0, OUT, (CLINIC, APP), "on_confirm", outcome="no answer", status=0)
    delivered = replace(lost, at=START + 5, attempt=2, outcome="ACK", status=200)

    assert call_record([lost, delivered]).is_success
    assert call_record([lost]).reason == "on_confirm to app.example: no answer"


def test_what_an_audit_copy_says_is_told_with_its_coming():
    """Ours: the note is written with the journal's row, the hop by the door; people see one line."""
    came = hop(9, IN, (CLINIC, GATEWAY), "on_confirm_audit")
    noted = replace(came, outcome="noted", stage="confirmed")

    assert in_order([noted, came]) == [replace(came, stage="confirmed")]
    assert in_order([noted]) == [noted]


def test_hop_as_json_leaves_out_what_is_empty():
    """Issue section 3: one JSON object per hop."""
    assert hop_json(TO_CLINIC) == {
        "at": "2026-09-21T14:13:20.100Z",
        "direction": "out",
        "sender": GATEWAY,
        "receiver": CLINIC,
        "action": "search",
        "transaction_id": "t-1",
        "message_id": "m-1",
        "outcome": "ACK",
        "status": 200,
        "ms": 4.0,
        "attempt": 1,
    }
