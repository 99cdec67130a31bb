"""What the doors found out about a message, written beside its bytes and read again."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uhi import strict_json
from uhi.errors import Refusal
from uhi.exchange.facts import Facts, read_facts
from uhi.faults import INTERNAL
from uhi.subscribers import Role, Subscriber

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=60)
SUBSCRIBERS = st.builds(Subscriber, TEXTS, st.sampled_from(Role), TEXTS)
GATEWAYS = st.builds(Subscriber, TEXTS, st.just(Role.GATEWAY), TEXTS)
FACTS = st.builds(
    Facts,
    sender=SUBSCRIBERS,
    via=st.none() | GATEWAYS,
    signed_by_sender=st.booleans(),
    expires=st.integers(0, 2**53),
    transaction_id=TEXTS,
    consumer_id=TEXTS,
    provider_id=TEXTS,
    answers=TEXTS,
    late=st.booleans(),
    until=st.floats(0, 2**40) | st.just(inf),
)
SOME = Facts(
    sender=Subscriber("app", Role.CONSUMER, "https://app.example"),
    via=None,
    signed_by_sender=True,
    expires=10,
    transaction_id="t-1",
    consumer_id="app",
    provider_id="clinic",
    answers="",
    late=False,
)


@given(FACTS)
def test_facts_are_read_as_they_were_written(facts):
    """Reliability rules: a message is taken up again as what it was when it was accepted."""
    assert read_facts(facts.write()) == facts


def _without(name: str) -> bytes:
    value = strict_json.parse(SOME.write())
    assert isinstance(value, dict)
    return strict_json.write({key: item for key, item in value.items() if key != name})


def _with(**changes: object) -> bytes:
    value = strict_json.parse(SOME.write())
    assert isinstance(value, dict)
    return strict_json.write(value | changes)


def test_facts_of_an_older_version_are_read():
    """Ours: a row that was written before answers had a time to be awaited until is no stranger."""
    assert read_facts(_without("until")) == SOME


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        *(_without(name) for name in ("sender", "via", "signed", "expires", "thread", "answers", "late")),
        _with(sender=None),
        _with(sender=["app", "registrar", "https://app.example"]),
        _with(sender=["app"]),
        _with(thread="t-1"),
        _with(expires="soon"),
        _with(via=[1]),
    ],
)
def test_facts_in_another_form_are_refused_as_our_own_fault(raw):
    """Ours: a row of another version must not stop what comes after it, so it is one kind of error."""
    with pytest.raises(Refusal) as raised:
        read_facts(raw)

    assert raised.value.fault is INTERNAL


def test_facts_say_nothing_about_a_patient():
    """Log rules: ids, addresses and times only; what a message says is in its bytes, which are encrypted."""
    assert set(strict_json.parse(SOME.write())) == {
        *("sender", "via", "signed", "expires", "thread", "answers", "late", "until"),
    }
