"""Decisions after an attempt, as tables of numbers."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uhi.actions import CANCEL, CONFIRM, INIT, REPORTED, SEARCH, SELECT, SLOTS, STATUS, TO_CONSUMER, UPDATED
from uhi.errors import FAULTS, Fault, Resend
from uhi.exchange.retry import (
    CRITICAL,
    CRITICAL_LIFE,
    DISCOVERY,
    Attempted,
    Progress,
    Schedule,
    Verdict,
    next_pause,
    read_reply,
    schedule_of,
)
from uhi.messages.receipt import ACK, nack
from uhi.ports import Reply


class Highest(Random):
    """Always draws the largest number of a range."""

    def uniform(self, a: float, b: float) -> float:
        return b


def error(kind: str = "", code: str = "") -> bytes:
    return b'{"message":{"ack":{"status":"NACK"}},"error":{"type":"%b","code":"%b"}}' % (kind.encode(), code.encode())


REPLIES = [
    (None, Verdict.LATER, "no answer"),
    (Reply(200, {}, ACK), Verdict.DELIVERED, "ACK"),
    (Reply(200, {}, b'{"message":{"ack":{"status":"ACK"}}}'), Verdict.DELIVERED, "ACK"),
    (Reply(200, {}, b'{"message":{"ack":{"status":"ACK"}},"error":{"code":"1"}}'), Verdict.REFUSED, "NACK"),
    (Reply(200, {}, b""), Verdict.REFUSED, "NACK"),
    (Reply(200, {}, b"<html>OK</html>"), Verdict.REFUSED, "NACK"),
    (Reply(200, {}, b'"ACK"'), Verdict.REFUSED, "NACK"),
    (Reply(200, {}, error("AUT_RATE_LIMITED")), Verdict.LATER, "AUT_RATE_LIMITED"),
    (Reply(200, {}, error(code="UHI-1405")), Verdict.SIGN_AGAIN, "NACK"),
    (Reply(500, {}, error(code="UHI-1405")), Verdict.SIGN_AGAIN, "HTTP 500"),
    (Reply(401, {}, error("AUT_SIGNATURE_INVALID", "XYZ")), Verdict.SIGN_AGAIN, "AUT_SIGNATURE_INVALID"),
    (Reply(401, {}, error("AUT_SIGNATURE_MISSING", "UHI-1401")), Verdict.REFUSED, "AUT_SIGNATURE_MISSING"),
    (Reply(202, {}, ACK), Verdict.REFUSED, "HTTP 202"),
    (Reply(302, {"location": "http://169.254.169.254"}, b""), Verdict.REFUSED, "HTTP 302"),
    (Reply(400, {}, b""), Verdict.REFUSED, "HTTP 400"),
    (Reply(404, {}, b""), Verdict.REFUSED, "HTTP 404"),
    (Reply(408, {}, b""), Verdict.LATER, "HTTP 408"),
    (Reply(425, {}, b""), Verdict.LATER, "HTTP 425"),
    (Reply(429, {}, b""), Verdict.LATER, "HTTP 429"),
    (Reply(500, {}, b""), Verdict.LATER, "HTTP 500"),
    (Reply(503, {}, ACK), Verdict.LATER, "HTTP 503"),
    (Reply(599, {}, b""), Verdict.LATER, "HTTP 599"),
]


@pytest.mark.parametrize(("reply", "verdict", "outcome"), REPLIES)
def test_reply_is_read_as_the_table_says(reply, verdict, outcome):
    """Reliability rules, answers: what is delivered, refused, to be signed again, to be tried later."""
    attempted = read_reply(reply)

    assert (attempted.verdict, attempted.outcome) == (verdict, outcome)


@pytest.mark.parametrize("status", ["as it is", "always 200"])
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_our_own_refusals_are_read_as_they_are_meant(fault: Fault, status):
    """Error table, last column: what a sender may do; also where the peer answers every NACK with 200."""
    expected = {Resend.NEVER: Verdict.REFUSED, Resend.SIGN_AGAIN: Verdict.SIGN_AGAIN, Resend.LATER: Verdict.LATER}

    attempted = read_reply(Reply(200 if status == "always 200" else fault.status, {}, nack(fault, "")))

    assert attempted.verdict is expected[fault.resend]
    assert (attempted.outcome, attempted.code) == (fault.type, fault.code)


@given(st.binary(max_size=300), st.integers(100, 599))
def test_whatever_a_peer_answers_is_read(body, status):
    """Reliability rules: only 200 with an ACK delivers; garbage is no error of ours."""
    attempted = read_reply(Reply(status, {}, body))

    assert attempted.verdict is not Verdict.DELIVERED
    assert attempted.outcome.isascii()


@pytest.mark.parametrize("text", ["x" * 70_000, "a\\u001b[31m", "line\\nbreak", "नाम", "two words"])
def test_peers_words_are_cut_before_they_reach_a_log(text):
    """Log rules: a peer's code is one printable word or it is unreadable."""
    body = error("@", "@").replace(b"@", text.encode())

    attempted = read_reply(Reply(400, {}, body))

    for word in (attempted.outcome, attempted.code):
        assert len(word) <= 64
        assert word.isascii()
        assert word.isprintable()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("5", 5.0),
        ("0", 0.0),
        ("7200", 3_600.0),
        ("9" * 5_000, 3_600.0),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("٣", None),
    ],
)
def test_retry_after_is_read_in_whole_seconds_up_to_an_hour(value, seconds):
    """Reliability rules: honour Retry-After, at most an hour."""
    assert read_reply(Reply(503, {"retry-after": value}, b"")).retry_after == seconds


@pytest.mark.parametrize(
    ("attempts", "most"), [(1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (5, 8.0), (60, 8.0), (10_000, 8.0)]
)
def test_discovery_pauses_double_up_to_eight_seconds(attempts, most):
    """Reliability rules: base 0.5 s, cap 8 s, full jitter."""
    assert DISCOVERY.pause(attempts, Highest()) == most
    assert 0 <= DISCOVERY.pause(attempts, Random(attempts)) <= most


LONG = [5, 30, 120, 600, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400, None]


@pytest.mark.parametrize(("attempts", "pause"), list(enumerate(LONG, start=1)))
def test_critical_pauses_follow_the_long_schedule(attempts, pause):
    """Reliability rules: about three days; what an appointment depends on is not given up lightly."""
    assert CRITICAL.pause(attempts, Random(1)) == pause


def test_critical_life_has_room_for_attempts_that_all_run_out():
    """Reliability rules: twelve attempts of ten seconds each do not cost the last one."""
    now = 0.0
    attempts = 1
    while (
        pause := next_pause(read_reply(None), CRITICAL, Progress(attempts, CRITICAL_LIFE, now + 10), Random(1))
    ) is not None:
        now += 10 + pause
        attempts += 1

    assert attempts == 12
    assert now >= 72 * 3_600


LATER, AGAIN = read_reply(None), Attempted(Verdict.SIGN_AGAIN, 401, "x")
STEADY = Schedule(steps=(10.0,) * 3)


@pytest.mark.parametrize(
    ("attempted", "progress", "expected"),
    [
        (read_reply(Reply(200, {}, ACK)), Progress(1, 100, 0), None),
        (read_reply(Reply(400, {}, b"")), Progress(1, 100, 0), None),
        (Attempted(Verdict.EXPIRED, 0, "expired"), Progress(1, 100, 0), None),
        (LATER, Progress(1, 100, 0), 10.0),
        (LATER, Progress(1, 10, 0), 10.0),
        (LATER, Progress(1, 9.9, 0), None),
        (LATER, Progress(4, 100, 0), None),
        (Attempted(Verdict.LATER, 503, "x", retry_after=30.0), Progress(1, 100, 0), 30.0),
        (Attempted(Verdict.LATER, 503, "x", retry_after=3.0), Progress(1, 100, 0), 10.0),
        (Attempted(Verdict.LATER, 503, "x", retry_after=200.0), Progress(1, 100, 0), None),
        (AGAIN, Progress(1, 100, 0), 0.0),
        (AGAIN, Progress(1, 100, 100), 0.0),
        (AGAIN, Progress(1, 100, 100.1), None),
        (AGAIN, Progress(2, 100, 0, signed_again=1), None),
    ],
)
def test_next_pause_follows_verdict_schedule_and_deadline(attempted, progress, expected):
    """Reliability rules: delivered and refused end it; the deadline is never passed; a new signature is made once."""
    assert next_pause(attempted, STEADY, progress, Random(1)) == expected


@pytest.mark.parametrize(
    ("leg", "schedule"),
    [
        *((leg, DISCOVERY) for action in (SEARCH, SLOTS, SELECT, INIT) for leg in (action.request, action.answer)),
        *((leg, CRITICAL) for action in (CONFIRM, CANCEL) for leg in (action.request, action.answer)),
        (STATUS.answer, CRITICAL),
        *((notice.leg, CRITICAL) for notice in (UPDATED, REPORTED, TO_CONSUMER)),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_each_leg_has_its_schedule(leg, schedule):
    """Decision 19: what can be asked again is quick, what matters is patient."""
    assert schedule_of(leg.name) is schedule
