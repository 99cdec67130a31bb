"""The registry's questions and answers in every published form."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from uhi.errors import RegistryError
from uhi.messages import Lookup, LookupRecord
from uhi.messages.lookup import read_lookup_answer
from uhi.messages.wire import dump

RECORD = {
    "subscriber_id": "demo.eua",
    "pub_key_id": "demo.eua.k1",
    "encr_public_key": "KEY",
    "subscriber_url": "https://eua.example/uhi",
    "valid_from": "2026-01-01T00:00:00.000Z",
    "valid_until": "2027-01-01T00:00:00.000Z",
    "type": "consumer",
}
OLDER = {
    "subscriber_id": "demo.eua",
    "unique_key_id": "demo.eua.k1",
    "encryption_public_key": "KEY",
    "cb_url": "https://eua.example/uhi",
    "valid_from": "2026-01-01T00:00:00Z",
    "expires": "2027-01-01T00:00:00Z",
    "type": "eua",
}


@pytest.mark.parametrize(
    "answer", [RECORD, [RECORD], {"message": [RECORD]}, {"message": RECORD}, [OLDER], [RECORD, {}, None, {"x": 1}]]
)
def test_an_answer_of_every_shape_is_read(answer):
    """Registries in use: one record, a list, either inside `message`; older names; useless rows beside it."""
    (record,) = read_lookup_answer(answer)

    assert (record.key_id, record.verification_key, record.url) == ("demo.eua.k1", "KEY", "https://eua.example/uhi")
    assert record.starts_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert record.ends_at == datetime(2027, 1, 1, tzinfo=UTC)
    assert record.role == "consumer"


@pytest.mark.parametrize("answer", [[], {"message": []}])
def test_an_empty_list_is_an_answer(answer):
    """Ours: nobody is found; that is not nonsense."""
    assert read_lookup_answer(answer) == []


@pytest.mark.parametrize("answer", [None, "x", 5, {}, {"message": {"ack": {"status": "NACK"}}}, {"message": "x"}])
def test_an_answer_of_another_shape_is_an_error(answer):
    """Ours: a registry that answers nonsense is as good as away."""
    with pytest.raises(RegistryError):
        read_lookup_answer(answer)


@pytest.mark.parametrize("name", ["valid_from", "valid_until", "valid_to", "expires"])
def test_a_record_with_an_unreadable_validity_is_left_out(name):
    """Ours: read as absent, it would make an expired key valid for ever."""
    row = {**{key: value for key, value in RECORD.items() if not key.startswith("valid")}, name: "31/12/2026"}

    assert read_lookup_answer([row]) == []


def test_a_record_without_validity_has_no_limit():
    """UHI: the format is not published; absent limits do not limit."""
    (record,) = read_lookup_answer({"subscriber_id": "a", "valid_until": None})

    assert (record.starts_at, record.ends_at) == (None, None)


@pytest.mark.parametrize(
    ("members", "key"),
    [
        ({"encr_public_key": "A", "signing_public_key": "B"}, "A"),
        ({"encryption_public_key": "A", "signing_public_key": "B"}, "A"),
        ({"signing_public_key": "B"}, "B"),
        ({"encr_public_key": ""}, None),
    ],
)
def test_the_key_named_for_encryption_verifies_signatures(members, key):
    """Registries in use: `signing_public_key` held private keys, so it is the last resort."""
    assert LookupRecord.model_validate({"subscriber_id": "a", **members}).verification_key == key


@pytest.mark.parametrize(
    ("spelled", "role"),
    [
        ("EUA", "consumer"),
        ("eua", "consumer"),
        ("HSPA", "provider"),
        ("Gateway", "gateway"),
        ("BG", "gateway"),
        ("", None),
    ],
)
def test_roles_have_several_spellings(spelled, role):
    """UHI: request and answer use different words."""
    assert Lookup(subscriber_id="a", type=spelled).role == role


def test_a_record_survives_with_its_older_names():
    """Decision 8: no aliasing away of spellings."""
    assert dump(LookupRecord.model_validate(OLDER)) == OLDER
    assert Lookup(subscriber_id="a", unique_key_id="k").key_id == "k"
