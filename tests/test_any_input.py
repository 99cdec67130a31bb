"""Whatever a stranger sends as header, JSON or key: no crash, and nothing is taken that the rules refuse.

Each property is tried with some examples on every run and with 10,000 by `make soak`.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.bindings import crypto_core_ed25519_is_valid_point

from tests.signing.test_authorization import in_json, in_signature_form
from tests.test_strict_json import LIMITS, RAW, NotTaken, comparable, simple_parse
from uhi import strict_json
from uhi.errors import Refusal
from uhi.faults import JSON_INVALID, KEY_UNUSABLE, SIGNATURE_INVALID, Fault
from uhi.signing import PrivateKey, PublicKey, SignatureHeader, authorization
from uhi.strict_json import JsonLimits

MANY = 10_000
SOME = pytest.param(100, id="some")
SOAK = pytest.param(MANY, id="many", marks=pytest.mark.soak)


def held(check: Callable[..., None], examples: int, **given_as: st.SearchStrategy[object]) -> None:
    """The property, tried so often."""
    settings(max_examples=examples, deadline=None)(given(**given_as)(check))()


def taken(read: Callable[[object], object], given_in: object, fault: Fault) -> object:
    """What is read, or None where it is refused, which it is in one way only."""
    try:
        return read(given_in)
    except Refusal as refusal:
        found = refusal.fault
    assert found is fault
    return None


# --- the header ---

NAMES = ["keyId", "algorithm", "created", "expires", "headers", "signature", "extra", "Created", "key\\u0049d"]
SPELLED = st.sampled_from(
    [
        *("ed25519", "hs2019", "a.example|k1|ed25519", "a|b|c|ed25519", "a||ed25519", "(created) (expires) digest"),
        *("digest", "1700000000", "1700000005", "+5", "01", "1e9", "", " ", "१२", "99999999999", "999999999999"),
        *(base64.b64encode(bytes(size)).decode() for size in (63, 64, 65)),
        base64.b64encode(bytes(64)).decode()[:-3] + "B==",
    ]
)
MEMBER = st.tuples(st.sampled_from(NAMES), st.one_of(SPELLED, st.text(max_size=4), st.integers(), st.none()))
JSON_TEXT = st.lists(MEMBER, max_size=8).map(
    lambda members: f"{{{','.join(f'{json.dumps(name)}:{json.dumps(value)}' for name, value in members)}}}"
)
SIGNATURE_TEXT = st.lists(MEMBER, max_size=8).map(
    lambda members: "Signature " + ",".join(f'{name}="{value}"' for name, value in members)
)
SPOILED = st.tuples(
    st.sampled_from([in_json(), in_signature_form()]), st.integers(0, 330), st.integers(0, 4), st.text(max_size=4)
).map(lambda parts: parts[0][: parts[1]] + parts[3] + parts[0][parts[1] + parts[2] :])


def _values(text: str, name: str) -> list[str]:
    """Every value that stands behind a name in a text, in either form; a slow and simple reading."""
    return re.findall(rf'(?<![A-Za-z]){name}"?\s*[:=]\s*"?([^",}}]*)"?', text)


def check_header(value: str) -> None:
    """Taken is only what says each thing once, in its own spelling."""
    header = taken(authorization.parse, value, SIGNATURE_INVALID)
    if header is None:
        return
    assert isinstance(header, SignatureHeader)
    text = json.dumps(json.loads(value)) if value.strip().startswith("{") else value
    assert _values(text, "keyId") == [f"{header.subscriber_id}|{header.key_id}|ed25519"]
    assert _values(text, "algorithm") == ["ed25519"]
    assert [each.strip() for each in _values(text, "created")] == [str(header.created)]
    assert [each.strip() for each in _values(text, "expires")] == [str(header.expires)]
    assert _values(text, "signature") == [base64.b64encode(header.signature).decode()]
    assert len(header.signature) == 64


@pytest.mark.parametrize("examples", [SOME, SOAK])
def test_any_header_is_read_rightly_or_refused(examples: int) -> None:
    """Signing profiles: one meaning per header, whatever stands around it."""
    held(check_header, examples, value=st.one_of(JSON_TEXT, SIGNATURE_TEXT, SPOILED, st.text(max_size=60)))


# --- JSON ---


def check_json(raw: bytes, limits: JsonLimits) -> None:
    """As by a slow and simple reading of the same rules."""
    try:
        expected = comparable(simple_parse(raw, limits))
    except NotTaken:
        with pytest.raises(Refusal) as refused:
            strict_json.parse(raw, limits)
        assert refused.value.fault is JSON_INVALID
        return
    assert strict_json.parse(raw, limits) == expected


@pytest.mark.parametrize("examples", [SOME, SOAK])
def test_any_json_is_read_rightly_or_refused(examples: int) -> None:
    """Limits table: no duplicates, no big numbers, no depth, no broken text slips through."""
    held(check_json, examples, raw=RAW, limits=LIMITS)


# --- keys ---

DER = st.sampled_from(["302a300506032b6570032100", "302a300506032b656e032100", "302e020100300506032b657004220420", ""])
KEY_BYTES = st.tuples(DER.map(bytes.fromhex), st.binary(min_size=30, max_size=34)).map(b"".join)
KEY_TEXT = st.one_of(
    KEY_BYTES.map(lambda raw: base64.b64encode(raw).decode()),
    KEY_BYTES.map(lambda raw: base64.urlsafe_b64encode(raw).decode()),
    st.tuples(KEY_BYTES, st.sampled_from(["PUBLIC KEY", "PRIVATE KEY", "CERTIFICATE"])).map(
        lambda parts: f"-----BEGIN {parts[1]}-----\n{base64.b64encode(parts[0]).decode()}\n-----END {parts[1]}-----\n"
    ),
    st.text(max_size=100),
    st.binary(max_size=100),
)


def check_key(text: str | bytes) -> None:
    """Taken are only usable points and seeds, in a spelling that we would write ourselves."""
    spelled = text.decode("latin-1") if isinstance(text, bytes) else text
    public, private = taken(PublicKey.read, text, KEY_UNUSABLE), taken(PrivateKey.read, text, KEY_UNUSABLE)
    if isinstance(public, PublicKey):
        assert crypto_core_ed25519_is_valid_point(public.raw)
        assert spelled.split() in ([public.raw_base64()], [public.spki_base64()], public.pem().split())
    if isinstance(private, PrivateKey):
        assert PrivateKey.read(private.pem()) == private
        assert "BEGIN PUBLIC" not in spelled


@pytest.mark.parametrize("examples", [SOME, SOAK])
def test_any_key_is_read_rightly_or_refused(examples: int) -> None:
    """Registry and key rules: accepted key forms, refused keys."""
    held(check_key, examples, text=KEY_TEXT)
