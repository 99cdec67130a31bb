"""Steps 7 and 8 on the context alone: sender, recipient, the gateway's own rule, and time to live."""

from __future__ import annotations

import pytest

from uhi.actions import INIT, SEARCH
from uhi.errors import Refusal
from uhi.exchange.parties import (
    check_recipient,
    check_registered_consumer,
    check_sender,
    check_ttl,
    transaction_of,
    ttl_end,
)
from uhi.faults import (
    CONSUMER_UNKNOWN,
    CONSUMER_URI_MISMATCH,
    MESSAGE_INVALID,
    SIGNER_NOT_SENDER,
    TTL_PASSED,
    WRONG_CONSUMER,
    WRONG_PROVIDER,
)
from uhi.messages import Context
from uhi.subscribers import Role, Subscriber

APP = Subscriber("app", Role.CONSUMER, "https://app.example/uhi")
CLINIC = Subscriber("clinic", Role.PROVIDER, "https://clinic.example/uhi")
SENT = "2026-11-22T10:00:00Z"
SENT_AT = 1_795_341_600.0


def context(**fields: object) -> Context:
    return Context.model_validate({"domain": "d", "action": "init", "message_id": "m", **fields})


@pytest.mark.parametrize("named", ["app", None, ""])
def test_sender_is_the_signer_or_is_not_named(named):
    """Decision 3: a missing id, also an empty one, is taken from the verified key."""
    check_sender(context(consumer_id=named, provider_id="clinic"), APP)


@pytest.mark.parametrize(
    ("fields", "sender", "path"),
    [
        ({"consumer_id": "other"}, APP, "$.context.consumer_id"),
        ({"consumer_id": "APP"}, APP, "$.context.consumer_id"),
        ({"consumer_id": "app", "provider_id": "other"}, CLINIC, "$.context.provider_id"),
    ],
)
def test_signer_that_is_not_the_named_sender_is_refused(fields, sender, path):
    """Error table: 401 UHI-1412; ids are compared exactly."""
    with pytest.raises(Refusal) as raised:
        check_sender(context(**fields), sender)

    assert (raised.value.fault, raised.value.path) == (SIGNER_NOT_SENDER, path)


@pytest.mark.parametrize(
    ("leg", "fields", "addressed"),
    [
        (INIT.request, {"provider_id": "us"}, True),
        (INIT.request, {}, False),
        (INIT.request, {"provider_id": ""}, False),
        (INIT.answer, {"consumer_id": "us"}, True),
        (INIT.answer, {}, False),
        (SEARCH.request, {}, True),
        (SEARCH.request, {"provider_id": "us"}, True),
    ],
)
def test_recipient_is_us_or_is_not_named(leg, fields, addressed):
    """Decision 3: a first search is addressed to everybody."""
    assert check_recipient(context(**fields), leg, "us") is addressed


@pytest.mark.parametrize(
    ("leg", "fields", "fault"),
    [
        (INIT.request, {"provider_id": "them"}, WRONG_PROVIDER),
        (SEARCH.request, {"provider_id": "them"}, WRONG_PROVIDER),
        (INIT.answer, {"consumer_id": "them"}, WRONG_CONSUMER),
    ],
)
def test_message_for_somebody_else_is_refused(leg, fields, fault):
    """Error table: 400 UHI-1415, at a consumer 1413."""
    with pytest.raises(Refusal) as raised:
        check_recipient(context(**fields), leg, "us")

    assert raised.value.fault is fault


@pytest.mark.case("SSRF-01")
@pytest.mark.parametrize(
    "uri", [None, "", "https://app.example/uhi/", "HTTPS://app.example/uhi", "https://app.example/uhi "]
)
def test_gateway_wants_the_registered_address_to_the_letter(uri):
    """Decision 3: 400 UHI-1414."""
    with pytest.raises(Refusal) as raised:
        check_registered_consumer(context(consumer_id="app", consumer_uri=uri), APP)

    assert raised.value.fault is CONSUMER_URI_MISMATCH


def test_gateway_wants_a_consumer_id():
    """Error table: 400 UHI-1413."""
    with pytest.raises(Refusal) as raised:
        check_registered_consumer(context(consumer_uri=APP.url), APP)

    assert raised.value.fault is CONSUMER_UNKNOWN
    check_registered_consumer(context(consumer_id="app", consumer_uri=APP.url), APP)


@pytest.mark.parametrize("missing", [None, ""])
def test_message_without_transaction_is_refused(missing):
    """Decision 8: what is required stands in the door, not in the model."""
    with pytest.raises(Refusal) as raised:
        transaction_of(context(transaction_id=missing))

    assert (raised.value.fault, raised.value.path) == (MESSAGE_INVALID, "$.context.transaction_id")


@pytest.mark.parametrize(
    ("fields", "end"),
    [
        ({}, None),
        ({"timestamp": SENT}, None),
        ({"ttl": "PT30S"}, SENT_AT + 5 + 30),
        ({"ttl": "PT30S", "timestamp": SENT}, SENT_AT + 30),
        ({"ttl": "PT30S", "timestamp": "2026-11-22T15:30:00+05:30"}, SENT_AT + 30),
        ({"ttl": "PT30S", "timestamp": "2026-11-22T10:00:00"}, SENT_AT + 30),
        ({"ttl": "PT30S", "timestamp": "2026-11-22T15:30:00"}, SENT_AT + 5 + 30),
        ({"ttl": "PT30S", "timestamp": "yesterday"}, SENT_AT + 5 + 30),
        ({"ttl": "thirty", "timestamp": SENT}, None),
        ({"ttl": "P2D", "timestamp": SENT}, None),
        ({"ttl": "PT0S", "timestamp": SENT}, None),
        ({"ttl": ""}, None),
    ],
)
def test_ttl_counts_from_the_timestamp_or_from_arrival(fields, end):
    """Decision 20; a timestamp of the future (Indian time without a zone) does not lengthen it."""
    assert ttl_end(context(**fields), SENT_AT + 5) == end


@pytest.mark.parametrize(("now", "passed"), [(SENT_AT + 29, False), (SENT_AT + 30, False), (SENT_AT + 31, True)])
def test_message_past_its_ttl_is_refused(now, passed):
    """Error table: 410."""
    mine = context(ttl="PT30S", timestamp=SENT)

    if not passed:
        check_ttl(mine, now)
        return
    with pytest.raises(Refusal) as raised:
        check_ttl(mine, now)
    assert raised.value.fault is TTL_PASSED
