"""The context: lenient about what is absent, strict about names and ids."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from uhi.errors import Refusal
from uhi.faults import MESSAGE_INVALID
from uhi.messages import Context, Envelope, Status
from uhi.messages.envelope import read
from uhi.messages.wire import dump

LEAST = {"domain": "nic2004:85111", "action": "status", "message_id": "m1"}
NOON = datetime(2026, 4, 16, 12, 0, tzinfo=UTC)


def _refusal_of(**members: object) -> Refusal:
    with pytest.raises(Refusal) as refused:
        read({"context": {**LEAST, **members}, "message": {"order": {"id": "1"}}}, Envelope[Status])
    return refused.value


def test_domain_action_and_message_id_are_enough():
    """UHI: NHA's own callbacks leave out up to six members of the context."""
    assert dump(Context.model_validate(LEAST)) == LEAST


@pytest.mark.parametrize("name", LEAST)
def test_a_context_without_domain_action_or_message_id_is_refused(name):
    """UHI: these three are in every published message."""
    context = {member: value for member, value in LEAST.items() if member != name}

    with pytest.raises(ValidationError):
        Context.model_validate(context)


@pytest.mark.case("BODY-06")
@pytest.mark.parametrize("name", ["Consumer_Id", "CONSUMER_ID", "con\u017fumer_id", "Message_id", "TTL", "\u212aey"])
def test_a_case_variant_of_a_known_name_is_refused(name):
    """BODY-06: software that ignores case would see another sender; long s and the Kelvin sign fold like s and k."""
    refusal = _refusal_of(**{name: "mallory"})

    assert refusal.fault is MESSAGE_INVALID
    assert refusal.path == f"$.context.{name.casefold()}"
    assert "mallory" not in str(refusal)


@pytest.mark.case("BODY-06")
@pytest.mark.parametrize("name", ["__proto__", "constructor", "bap_id", "consumerId", "model_fields"])
def test_an_unknown_name_is_kept(name):
    """BODY-06: accepted, kept as an unknown name."""
    value = {**LEAST, name: {"polluted": True}}

    assert dump(Context.model_validate(value)) == value


@pytest.mark.case("BODY-14")
@pytest.mark.parametrize("name", ["message_id", "transaction_id", "consumer_id", "provider_id"])
@pytest.mark.parametrize(
    "value",
    ["x\r\nX-Evil: 1", "\x1b[31mred", "a" * 10_240, "a" * 256, "with space", "é", "tab\t", "m1\n", "\x7f", 17, True],
)
def test_an_id_that_could_break_a_header_or_a_log_is_refused(name, value):
    """BODY-14 and decision 7: 1 to 255 printable ASCII characters without space, no number."""
    refusal = _refusal_of(**{name: value})

    assert refusal.fault is MESSAGE_INVALID
    assert refusal.path == f"$.context.{name}"
    assert str(value) not in str(refusal)


@pytest.mark.case("BODY-14")
@pytest.mark.parametrize(
    "value", ["e9", "https://eua.example/", "a" * 255, "!~", "00000001-0000-1000-8000-000000000001"]
)
def test_an_id_need_not_be_a_uuid(value):
    """BODY-14: 1 to 255 printable ASCII characters are accepted."""
    assert Context.model_validate({**LEAST, "message_id": value, "consumer_id": value}).consumer_id == value


def test_an_empty_id_counts_as_absent_except_the_message_id():
    """UHI: empty text is read as absent; a message without an id cannot be answered."""
    context = Context.model_validate({**LEAST, "provider_id": "", "transaction_id": None})

    assert not context.provider_id
    assert _refusal_of(message_id="").path == "$.context.message_id"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-04-16T12:00:00Z", NOON),
        ("2026-04-16T12:00:00", NOON),
        ("2026-04-16T17:30:00+05:30", NOON),
        ("2026-04-16T12:00:00.000000Z", NOON),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_a_timestamp_without_a_zone_is_utc(text, moment):
    """Decision 16: `context.timestamp` is UTC; the zone is left out in 65 published files."""
    assert Context.model_validate({**LEAST, "timestamp": text}).sent_at == moment


@pytest.mark.parametrize(
    ("timestamp", "start"),
    [
        ("2026-04-16T12:00:00Z", NOON),
        ("2026-04-16T13:00:00Z", NOON + timedelta(seconds=5)),
        (None, NOON + timedelta(seconds=5)),
    ],
)
def test_a_time_to_live_counts_from_the_timestamp_or_from_arrival(timestamp, start):
    """Decision 19; ours: a timestamp in the future does not lengthen a life."""
    context = Context.model_validate({**LEAST, "timestamp": timestamp, "ttl": "PT30S"})

    assert context.deadline(received=NOON + timedelta(seconds=5)) == start + timedelta(seconds=30)


def test_without_a_usable_time_to_live_there_is_no_deadline():
    """Decision 20: only an explicit ttl ends a message's life."""
    assert Context.model_validate(LEAST).deadline(received=NOON) is None
    assert Context.model_validate({**LEAST, "ttl": "soon"}).deadline(received=NOON) is None


@pytest.mark.case("BODY-14")
@pytest.mark.parametrize("name", ["domain", "action", "city", "country", "core_version"])
@pytest.mark.parametrize("value", ["x" * 65, 10**64, "a\nb", "\x1b[31m", "\x00", "a\u2028b", "a\u202eb"])
def test_a_name_that_is_long_or_breaks_a_line_is_refused(name, value):
    """Ours: what is looked up by and logged has at most 64 printable characters."""
    refusal = _refusal_of(**{name: value})

    assert refusal.fault is MESSAGE_INVALID
    assert refusal.path == f"$.context.{name}"
    assert str(value) not in str(refusal)


@pytest.mark.parametrize(
    "city", ["std:011", "*", "", "New Delhi", "\u0926\u093f\u0932\u094d\u0932\u0940", "x" * 64, 80]
)
def test_a_city_in_any_script_is_read(city):
    """UHI: text; a number in its place is kept as it came."""
    context = Context.model_validate({**LEAST, "city": city})

    assert dump(context)["city"] == city
