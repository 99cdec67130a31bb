"""From parsed JSON to a model: every fault is a refusal that names the place and quotes nothing."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uhi.errors import Refusal
from uhi.faults import MESSAGE_INVALID
from uhi.messages import Confirm, Envelope, Lookup, OnInit, OnSearch, Search
from uhi.messages.envelope import read
from uhi.messages.wire import dump

CONTEXT = {"domain": "nic2004:85111", "action": "search", "message_id": "m1"}


NAMES = st.sampled_from(["context", "message", "error", "order", "item", "price", "value", "terms", "tags", "id"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def _refusal(value: object, kind: type = Envelope[Search]) -> Refusal:
    with pytest.raises(Refusal) as refused:
        read(value, kind)
    return refused.value


@pytest.mark.case("BODY-12")
@pytest.mark.parametrize("value", [[], None, "", {}, 0, True, "text", [CONTEXT]])
def test_a_body_that_is_no_message_is_refused(value):
    """BODY-12: UHI-1404 for JSON that is no object, and for an empty object."""
    refusal = _refusal(value)

    assert refusal.fault is MESSAGE_INVALID
    assert refusal.fault.code == "UHI-1404"
    assert refusal.path in ("$", "$.context")


@pytest.mark.parametrize("message", [{}, {"intent": None}, {"intent": "x"}, {"intents": {}}, [], "x"])
def test_a_message_without_its_inner_object_is_refused(message):
    """UHI: a search has an intent."""
    refusal = _refusal({"context": CONTEXT, "message": message})

    assert refusal.fault is MESSAGE_INVALID
    assert refusal.path in ("$.message", "$.message.intent")


@pytest.mark.parametrize("error", [None, {}, {"type": "", "code": None, "path": "", "message": ""}])
def test_neither_message_nor_error_is_refused(error):
    """UHI: a late failure is a callback with an error and without a message; one without either says nothing."""
    refusal = _refusal({"context": CONTEXT, "error": error}, Envelope[OnInit])

    assert refusal.path == "$.message"


@pytest.mark.parametrize("message", [{}, None])
def test_a_callback_may_carry_an_error_in_place_of_its_message(message):
    """UHI: `{}` and null are read as absent."""
    body = {"context": CONTEXT, "message": message, "error": {"type": "DOMAIN-ERROR", "code": 40002}}

    envelope = read(body, Envelope[OnInit])

    assert envelope.message is None
    assert envelope.error.code == "40002"
    assert dump(envelope.error) == {"type": "DOMAIN-ERROR", "code": 40002}


@pytest.mark.parametrize(
    ("order", "path"),
    [
        ({"terms": [{"type": "Refund"}, 5]}, "$.message.order.terms[1]"),
        ({"terms": {}}, "$.message.order.terms"),
        ({"fulfillment": {"start": {"time": "now"}}}, "$.message.order.fulfillment.start.time"),
        ({"fulfillment": {"tags": []}}, "$.message.order.fulfillment.tags"),
        ({"items": [{"price": {"value": 0.1}}]}, "$.message.order.items[0].price.value"),
        ({"provider": {"descriptor": {"images": 5}}}, "$.message.order.provider.descriptor.images"),
    ],
)
def test_a_refusal_names_the_place(order, path):
    """UHI: the error's path is a JSON path, so that the sender finds the fault."""
    refusal = _refusal({"context": CONTEXT, "message": {"order": order}}, Envelope[Confirm])

    assert refusal.path == path
    assert path in str(refusal)


def test_a_refusal_quotes_no_value():
    """Privacy: bodies hold patients' data, and refusals reach logs and the peer."""
    body = {"context": CONTEXT, "message": {"order": {"billing": {"name": ["Ravi Kumar"]}}}}

    refusal = _refusal(body, Envelope[Confirm])

    assert "Ravi" not in f"{refusal} {refusal.args} {refusal.__cause__} {refusal.path}"


def test_members_beside_context_and_message_survive():
    """Decision 8: unknown members are kept at every level."""
    body = {"context": CONTEXT, "message": {"intent": {"x": 1}, "y": 2}, "z": [3]}

    assert dump(read(body, Envelope[Search])) == body


def test_a_relay_reads_the_context_and_leaves_the_message_alone():
    """Ours: a gateway types the context only; a catalogue passes through unread."""
    body = {"context": CONTEXT, "message": {"catalog": {"providers": [{"items": "odd"}]}}}

    envelope = read(body, Envelope[dict[str, object]])

    assert envelope.context.message_id == "m1"
    assert dump(envelope) == body


def test_a_message_without_context_is_read_by_itself():
    """UHI: a lookup has no context."""
    assert read({"subscriber_id": "a.eua"}, Lookup).subscriber_id == "a.eua"
    assert _refusal({}, Lookup).path == "$.subscriber_id"


def test_a_callback_with_a_message_and_an_empty_error_is_a_message():
    """Irregularities: an error object that is empty stands beside good messages."""
    body = {"context": CONTEXT, "message": {"catalog": {}}, "error": {}}

    envelope = read(body, Envelope[OnSearch])

    assert envelope.message is not None
    assert envelope.error.is_empty


@given(JSON)
def test_any_json_is_a_message_or_a_refusal(value):
    """Issue 2: bad inputs are refusals, never exceptions of another kind."""
    with suppress(Refusal):
        envelope = read({"context": CONTEXT, "message": value, "error": value}, Envelope[Confirm])

        assert envelope.message or envelope.error
