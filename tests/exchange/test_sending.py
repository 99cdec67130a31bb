"""The way out: one attempt to hand over one letter, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.exchange.peers import CLINIC, letter, way_out
from uhi.exchange.retry import Verdict
from uhi.exchange.send import FirstRound, attempt, not_delivered, report
from uhi.ports import Ending, LetterState, Reply
from uhi.signing import body_digest
from uhi.testing.clock import START


async def test_letter_arrives_as_these_bytes_with_signature_and_digest():
    """Architecture 1.1: what was signed is what is sent."""
    mine, sent = way_out(), letter()

    attempted = await attempt(sent, mine)

    [(url, body, headers, timeout)] = mine.transport.posts
    assert (attempted.verdict, url, timeout) == (Verdict.DELIVERED, "https://clinic.example/uhi/init", 3.0)
    assert body == sent.body
    assert headers["Digest"] == f"BLAKE-512={body_digest(sent.body)}"
    assert set(headers) == {"Content-Type", "Digest", "Authorization"}


async def test_relayed_letter_keeps_the_senders_header_and_adds_ours():
    """Decision 5: our gateway keeps the sender's signature and the bytes."""
    mine = way_out()

    await attempt(letter(is_relayed=True, kept="the sender's"), mine)
    await attempt(letter(is_relayed=True), mine)

    first, second = [headers for _, _, headers, _ in mine.transport.posts]
    assert (first["Authorization"], "app|k1" in first["X-Gateway-Authorization"]) == ("the sender's", True)
    assert "Authorization" not in second


async def test_attempt_near_the_deadline_is_shorter():
    """Reliability rules: one deadline for each target; what an appointment depends on may take longer."""
    mine = way_out()

    for sent in (letter(deadline=START + 3), letter(deadline=START), letter(is_critical=True)):
        await attempt(sent, mine)

    assert [timeout for *_, timeout in mine.transport.posts] == [3.0, 0.5, 10.0]


async def test_letter_past_its_deadline_is_not_posted():
    """Decision 19."""
    mine = way_out()

    attempted = await attempt(letter(deadline=START - 0.1), mine)

    assert attempted.verdict is Verdict.EXPIRED
    assert mine.transport.posts == []
    assert [hop.outcome for hop in mine.log] == ["expired"]


async def test_given_header_serves_the_first_attempt_only():
    """Decision 13: and only while it is fresh; a letter of our own is never signed by anybody else."""
    mine, relayed = way_out(), letter(is_relayed=True)
    fresh, stale = FirstRound("shared", START), FirstRound("shared", START - 1)

    for sent, first in (
        (relayed, fresh),
        (replace(relayed, attempts=1), fresh),
        (relayed, stale),
        (letter(is_relayed=False), fresh),
    ):
        await attempt(sent, mine, first)

    given = [headers.get("X-Gateway-Authorization", "") for _, _, headers, _ in mine.transport.posts]
    assert [header == "shared" for header in given] == [True, False, False, False]


async def test_each_attempt_is_a_line_of_the_call_log():
    """Issue: who, what, when, outcome, milliseconds; no bodies."""
    mine = way_out(None, Reply(503, {}, b""), Reply(200, {}, b"{}"))

    for attempts in range(3):
        await attempt(letter(attempts=attempts), mine)

    assert [(hop.attempt, hop.outcome, hop.status) for hop in mine.log] == [
        (1, "no answer", 0),
        (2, "HTTP 503", 503),
        (3, "NACK", 200),
    ]
    assert {(hop.sender, hop.receiver, hop.action, hop.message_id) for hop in mine.log} == {
        ("app", CLINIC.id, "init", "m-1")
    }


@pytest.mark.parametrize(
    ("state", "lines"),
    [(LetterState.READY, 0), (LetterState.DELIVERED, 0), (LetterState.REFUSED, 1), (LetterState.EXPIRED, 1)],
)
def test_only_the_end_of_what_was_not_delivered_is_a_line_for_the_operator(state, lines, caplog):
    """Ours: one line for each letter, not for each attempt."""
    report(Ending(letter(), state, START, attempts=3, status=400, outcome="NACK"))

    assert caplog.text.count("init was not delivered to clinic: NACK after") == lines


def test_letter_that_is_given_up_with_an_appointment_hanging_on_it_is_an_error(caplog):
    """Reliability rules: DEAD is told to the operator."""
    report(Ending(letter(), LetterState.DEAD, START, outcome="no answer"))

    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_whoever_asked_gets_the_peers_status_and_code():
    """Decision 29: DeliveryError says what the peer said; no answer is no status."""
    refused = not_delivered(Ending(letter(), LetterState.REFUSED, START, status=400, outcome="T", code="C"))
    silent = not_delivered(Ending(letter(), LetterState.EXPIRED, START, outcome="no answer"))

    assert (refused.status, refused.code, refused.got) == (400, "C", "T C")
    assert (silent.status, silent.code) == (None, "")
