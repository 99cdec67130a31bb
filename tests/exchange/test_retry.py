"""Decisions after an attempt, as tables of numbers."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uhi.actions import (
    CANCEL,
    CONFIRM,
    INIT,
    ON_CONFIRM_AUDIT,
    REPORTED,
    SEARCH,
    SELECT,
    SLOTS,
    STATUS,
    STATUS_NEWS,
    TO_CONSUMER,
    UPDATED,
    Urgency,
)
from uhi.exchange.breakers import Health
from uhi.exchange.retry import (
    CRITICAL,
    CRITICAL_LIFE,
    DISCOVERY,
    EXPIRED,
    NO_ANSWER,
    Attempted,
    Verdict,
    decide,
    postponed,
    read_reply,
    schedule_of,
)
from uhi.faults import FAULTS, Fault, Resend
from uhi.messages.receipt import ACK, nack
from uhi.ports import Ending, Letter, LetterState, Reply
from uhi.subscribers import Role, Subscriber

CLINIC = Subscriber("clinic", Role.PROVIDER, "https://clinic.example/uhi")
READY, DELIVERED, REFUSED = LetterState.READY, LetterState.DELIVERED, LetterState.REFUSED
DEAD, GONE = LetterState.DEAD, LetterState.EXPIRED


class Lowest(Random):
    """Always draws the smallest number of a range."""

    def uniform(self, a: float, b: float) -> float:
        return a


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


LONG = [5, 30, 120, 600, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]


@pytest.mark.parametrize(("attempts", "pause"), list(enumerate(LONG, start=1)))
def test_critical_pauses_follow_the_long_schedule(attempts, pause):
    """Reliability rules: about three days; jitter only adds, up to five minutes, so that the promise is kept."""
    assert CRITICAL.pause(attempts, Lowest()) == pause
    assert CRITICAL.pause(attempts, Highest()) == pause + min(pause, 300)
    assert 86_400 <= CRITICAL.pause(len(LONG) + 1, Random(1)) <= 86_700


def letter(**changes: object) -> Letter:
    fields = {"deadline": 100.0} | changes
    return Letter(
        id="1", to=CLINIC, path="init", digest="", transaction_id="t-1", message_id="m-1", body=b"{}", **fields
    )


@pytest.mark.parametrize("drawn", [Lowest(), Highest()])
@pytest.mark.parametrize("said", [NO_ANSWER, Attempted(Verdict.LATER, 503, "x", retry_after=3_600.0)])
def test_critical_letter_is_dead_after_twelve_attempts_and_three_days(drawn, said):
    """Reliability rules: attempts that all run out, and a peer that asks for an hour each time, do not cost the last
    attempt; the end of the schedule is DEAD, for the operator to replay."""
    sent, now, attempts = letter(deadline=CRITICAL_LIFE, is_critical=True), 0.0, 0
    ending = Ending(sent, READY, now)

    while ending.state is READY:
        sent = letter(deadline=CRITICAL_LIFE, is_critical=True, attempts=ending.attempts)
        attempts += 1
        now = max(now, ending.not_before) + 10
        ending = decide(sent, said, now=now, random=drawn)

    assert (attempts, ending.attempts, ending.state) == (12, 12, DEAD)
    assert 72 * 3_600 <= now <= CRITICAL_LIFE


def later(seconds: float | None = None) -> Attempted:
    return Attempted(Verdict.LATER, 503, "x", retry_after=seconds)


AGAIN = Attempted(Verdict.SIGN_AGAIN, 401, "x")
SEEN = Attempted(Verdict.SIGN_AGAIN, 401, "AUT_REPLAY_DETECTED")


@pytest.mark.parametrize(
    ("attempted", "fields", "now", "expected"),
    [
        (read_reply(Reply(200, {}, ACK)), {}, 0, (DELIVERED, 0)),
        (read_reply(Reply(200, {}, ACK)), {}, 101, (DELIVERED, 0)),
        (read_reply(Reply(200, {}, error("SCH_INVALID_FORMAT"))), {}, 0, (REFUSED, 0)),
        (read_reply(Reply(200, {}, error("AUT_RATE_LIMITED"))), {}, 10, (READY, 11)),
        (read_reply(Reply(400, {}, b"")), {}, 0, (REFUSED, 0)),
        (read_reply(Reply(302, {}, b"")), {"is_critical": True}, 0, (REFUSED, 0)),
        (EXPIRED, {}, 101, (GONE, 0)),
        (EXPIRED, {"is_critical": True}, 101, (DEAD, 0)),
        (NO_ANSWER, {}, 99, (READY, 100)),
        (NO_ANSWER, {}, 99.1, (GONE, 0)),
        (NO_ANSWER, {"is_critical": True}, 0, (READY, 10)),
        (NO_ANSWER, {"is_critical": True}, 90.1, (DEAD, 0)),
        (NO_ANSWER, {"is_critical": True, "attempts": 11}, 0, (DEAD, 0)),
        (NO_ANSWER, {"attempts": 2_000}, 0, (READY, 8)),
        (later(30), {}, 0, (READY, 30)),
        (later(0.5), {}, 0, (READY, 1)),
        (later(200), {}, 0, (GONE, 0)),
        (AGAIN, {}, 0, (READY, 0)),
        (AGAIN, {}, 100, (READY, 100)),
        (AGAIN, {}, 100.1, (GONE, 0)),
        (AGAIN, {"attempts": 1, "signed_again": 1}, 0, (REFUSED, 0)),
        (NO_ANSWER, {"attempts": 1, "signed_again": 1, "is_critical": True}, 0, (READY, 10)),
        (SEEN, {}, 0, (READY, 0)),
        (SEEN, {"attempts": 1, "signed_again": 1}, 0, (READY, 1)),
    ],
)
def test_letter_ends_or_waits_as_verdict_schedule_and_deadline_say(attempted, fields, now, expected):
    """Reliability rules, answers: the deadline is never passed; a new signature is made once and costs no step."""
    ending = decide(letter(**fields), attempted, now=now, random=Highest())

    assert (ending.state, ending.not_before) == expected


def test_ending_tells_what_the_peer_said():
    """Ours: the row of the outbox says why, and how often it was tried and signed again."""
    reply = Reply(401, {}, error("AUT_SIGNATURE_INVALID", "UHI-1405"))

    ending = decide(letter(attempts=3), read_reply(reply), now=7.0, random=Random(1))

    assert (ending.at, ending.status, ending.outcome, ending.code) == (7.0, 401, "AUT_SIGNATURE_INVALID", "UHI-1405")
    assert (ending.attempts, ending.signed_again) == (4, 1)


def test_new_signature_may_be_asked_for_again_after_something_else():
    """Reliability rules, answers: re-sign once, then refused; what a restart or a network did hours ago is another
    matter."""
    sent = letter(attempts=1, signed_again=1, is_critical=True, deadline=CRITICAL_LIFE)

    ending = decide(sent, NO_ANSWER, now=0, random=Random(1))

    assert (ending.state, ending.attempts, ending.signed_again) == (READY, 2, 0)


def test_attempt_that_was_too_late_to_begin_is_not_counted():
    """Ours: attempts are posts."""
    assert decide(letter(attempts=3), EXPIRED, now=101, random=Random(1)).attempts == 3


@pytest.mark.parametrize(
    ("attempted", "expected"), [(NO_ANSWER, (READY, 20)), (AGAIN, (READY, 20)), (later(30), (READY, 30))]
)
def test_retry_waits_for_the_budget_too(attempted, expected):
    """Reliability rules: retry budget per destination."""
    ending = decide(letter(), attempted, now=0, random=Random(1), budget_pause=20.0)

    assert (ending.state, ending.not_before) == expected


@pytest.mark.parametrize(
    ("fields", "until", "expected"),
    [({}, 100, (READY, 100)), ({}, 101, (GONE, 0)), ({"is_critical": True}, 101, (DEAD, 0))],
)
def test_letter_to_a_failing_destination_waits_without_an_attempt(fields, until, expected):
    """Reliability rules, breakers: critical letters wait, others expire without connecting."""
    ending = postponed(letter(attempts=2, signed_again=1, **fields), now=50, until=until)

    assert (ending.state, ending.not_before) == expected
    assert (ending.attempts, ending.signed_again, ending.status) == (2, 1, 0)


@given(
    st.builds(Attempted, st.sampled_from([*Verdict]), st.just(0), st.just("x"), retry_after=st.floats(0, 3_600)),
    st.integers(0, 20),
    st.booleans(),
    st.floats(0, 1e6),
    st.floats(0, 1e6),
)
def test_no_attempt_is_planned_beyond_the_deadline_or_in_the_past(attempted, attempts, is_critical, now, deadline):
    """Reliability rules: whatever is said, a letter waits within its life or has come to an end."""
    sent = letter(attempts=attempts, is_critical=is_critical, deadline=deadline)

    ending = decide(sent, attempted, now=now, random=Random(1))

    if ending.state is READY:
        assert now <= ending.not_before <= deadline
    else:
        assert ending.state.is_end
        assert ending.not_before == 0
    assert not (ending.state is GONE and is_critical)


@pytest.mark.parametrize(
    ("status", "health"),
    [
        *((status, Health.WELL) for status in (200, 302, 400, 401, 404, 409, 429)),
        *((status, Health.ILL) for status in (408, 425, 500, 503, 599)),
    ],
)
def test_whoever_answers_with_a_decision_is_well(status, health):
    """Reliability rules, breakers: a NACK or 429 is no fault of health, 5xx and timeouts are."""
    assert read_reply(Reply(status, {}, b"")).health is health


def test_no_answer_and_no_attempt_are_told_apart():
    """Ours: a letter that came too late says nothing about its receiver."""
    assert (NO_ANSWER.health, EXPIRED.health) == (Health.SILENT, None)


@pytest.mark.parametrize(
    ("leg", "urgency"),
    [
        *((leg, Urgency.SEARCH) for action in (SEARCH, SLOTS) for leg in (action.request, action.answer)),
        *((leg, Urgency.OFFER) for action in (SELECT, INIT) for leg in (action.request, action.answer)),
        (STATUS.request, Urgency.ASKED),
        *((leg, Urgency.ORDER) for action in (CONFIRM, CANCEL) for leg in (action.request, action.answer)),
        (STATUS.answer, Urgency.ORDER),
        *((notice.leg, Urgency.ORDER) for notice in (UPDATED, REPORTED, TO_CONSUMER, STATUS_NEWS, ON_CONFIRM_AUDIT)),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_each_leg_has_its_urgency_and_schedule(leg, urgency):
    """Decision 19: what can be asked again is quick, what matters is patient."""
    assert leg.urgency is urgency
    assert schedule_of(is_critical=leg.urgency.is_critical) is (CRITICAL if urgency is Urgency.ORDER else DISCOVERY)


def test_orders_go_before_questions_before_offers_before_searches():
    """Reliability rules, priority: cancel, confirm > status > init, select > search."""
    assert sorted(Urgency, key=lambda each: each.priority) == [
        Urgency.ORDER,
        Urgency.ASKED,
        Urgency.OFFER,
        Urgency.SEARCH,
    ]
