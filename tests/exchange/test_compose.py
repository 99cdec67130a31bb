"""The bytes of what we send: whole, strict, made once."""

from __future__ import annotations

import json

import pytest

from tests.network.messages import A_BOOKING, A_STATUS_QUESTION, A_WISH, AN_OFFER, SEARCH_ALL
from uhi.actions import CONFIRM, INIT, SEARCH, STATUS, Decline
from uhi.errors import IncompleteMessage
from uhi.exchange.compose import Heading, compose, compose_decline
from uhi.faults import ANSWER_FAILED, SLOT_UNAVAILABLE
from uhi.messages import Init, Search, Status
from uhi.strict_json import parse
from uhi.subscribers import Role, Subscriber
from uhi.verified import Thread

APP = Subscriber("app", Role.CONSUMER, "https://app.example/uhi")
CLINIC = Subscriber("clinic", Role.PROVIDER, "https://clinic.example/uhi")
THREAD = Thread("nic2004:85111", "t-1", "app", "clinic", "std:011")
NOW = 1_795_341_600.75


def heading(leg, *, me=APP, counterpart=CLINIC, thread=THREAD) -> Heading:
    return Heading(leg, thread, "m-1", me, counterpart, NOW)


def test_context_is_whole_and_names_the_registered_addresses():
    """UHI context table: ids, addresses, transaction, message, version and UTC time with Z."""
    body = parse(compose(heading(INIT.request), A_WISH))

    assert body["context"] == {
        "domain": "nic2004:85111",
        "country": "IND",
        "city": "std:011",
        "action": "init",
        "core_version": "0.7.1",
        "consumer_id": "app",
        "consumer_uri": "https://app.example/uhi",
        "provider_id": "clinic",
        "provider_uri": "https://clinic.example/uhi",
        "transaction_id": "t-1",
        "message_id": "m-1",
        "timestamp": "2026-11-22T10:00:00.750Z",
    }
    assert "error" not in body


def test_callback_names_the_same_parties_from_the_other_side():
    """UHI context table: a callback keeps who is consumer and who is provider."""
    request = parse(compose(heading(INIT.request), A_WISH))["context"]

    callback = parse(compose(heading(INIT.answer, me=CLINIC, counterpart=APP), AN_OFFER))["context"]

    assert {name for name in request if callback[name] != request[name]} == {"action"}
    assert callback["action"] == "on_init"


def test_search_for_everybody_names_no_provider():
    """UHI guide 2.1: a first search has no provider yet, not even an empty one."""
    thread = Thread("nic2004:85111", "t-1", "app", city="std:011")

    body = parse(compose(heading(SEARCH.request, counterpart=None, thread=thread), SEARCH_ALL))

    assert not {"provider_id", "provider_uri"} & set(body["context"])


def test_message_survives_as_it_is():
    """Decision 8: what we write is what was given, unknown members too, without nulls and empty objects."""
    message = Status.model_validate({"order": {"id": "1", "more": [1, {"a": None}], "state": None}, "x": "é"})

    body = compose(heading(STATUS.request), message)

    assert parse(body)["message"] == {"order": {"id": "1", "more": [1, {"a": None}]}, "x": "é"}
    assert body.startswith(b'{"context":{"domain":')


def test_every_missing_field_is_named_at_once():
    """Decision 8: what the protocol requires and we lack is said before anything leaves."""
    with pytest.raises(IncompleteMessage) as raised:
        compose(heading(SEARCH.request, counterpart=None), Search.model_validate({"intent": {}}))

    for path in ("$.message.intent.fulfillment.type", "$.message.intent.item.descriptor.code"):
        assert path in str(raised.value)


@pytest.mark.parametrize(
    "thread",
    [
        Thread("", "t-1", "app", "clinic", "c"),
        Thread("d", "", "app", "clinic", "c"),
        Thread("d", "t-1", "app", "clinic"),
    ],
)
def test_thread_that_lacks_something_makes_no_message(thread):
    """UHI context table: domain, transaction and city are required."""
    with pytest.raises(IncompleteMessage, match=r"\$\.context\."):
        compose(heading(STATUS.request, thread=thread), A_STATUS_QUESTION)


def test_value_that_json_cannot_hold_makes_no_message():
    """Strict JSON holds for what we write too."""
    with pytest.raises(IncompleteMessage, match="JSON"):
        compose(heading(STATUS.request), Status.model_validate({"order": {"id": "\ud800"}}))


def test_text_of_an_incomplete_message_says_nothing_of_the_patient():
    """Error rules: names of fields, never their values."""
    order = {**A_WISH.model_dump(exclude_unset=True)["order"], "fulfillment": {"id": "slot-1"}}

    with pytest.raises(IncompleteMessage) as raised:
        compose(heading(INIT.request), Init.model_validate({"order": order}))

    assert "Kanari" not in str(raised.value)


def test_decline_travels_as_an_error_in_place_of_the_message():
    """Decision 10: code and sentence; the handler's own words where it gave some."""
    as_provider = heading(INIT.answer, me=CLINIC, counterpart=APP)

    plain = json.loads(compose_decline(as_provider, Decline(SLOT_UNAVAILABLE)))
    worded = json.loads(compose_decline(as_provider, Decline(SLOT_UNAVAILABLE, "taken")))

    assert "message" not in plain
    assert plain["error"] == {"type": "DOMAIN-ERROR", "code": "40002", "message": "The slot is not available."}
    assert worded["error"]["message"] == "taken"


def test_decline_may_bring_its_order():
    """UHI on_confirm: FAILED tells the order and why; the order must be whole all the same."""
    as_provider = heading(CONFIRM.answer, me=CLINIC, counterpart=APP)
    failed = A_BOOKING.model_copy(update={"order": A_BOOKING.order.model_copy(update={"state": "FAILED"})})

    body = json.loads(compose_decline(as_provider, Decline(ANSWER_FAILED, message=failed)))

    assert (body["message"]["order"]["state"], body["error"]["code"]) == ("FAILED", "23001")
    with pytest.raises(IncompleteMessage):
        compose_decline(as_provider, Decline(ANSWER_FAILED, message=Status.model_validate({"order": {"id": "1"}})))
