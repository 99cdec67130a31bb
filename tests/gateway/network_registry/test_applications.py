"""Applications: every alias, clean values, addresses and keys that are refused, and no private key ever."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.bindings import crypto_core_ed25519_is_valid_point
from pydantic import ValidationError

from gateway.network_registry.applications import read_application, read_keys
from gateway.network_registry.forms import ApplicationForm, KeysForm
from tests.gateway.network_registry.applying import A_DAY, RULES, body, key_row, read
from uhi.errors import Refusal
from uhi.faults import ADDRESS_REFUSED, KEY_UNUSABLE, MESSAGE_INVALID
from uhi.http.addresses import any_address
from uhi.registry.rows import moment_text
from uhi.signing import BECKN, UHI, PrivateKey, PublicKey, base64_text
from uhi.signing.beckn_challenge import new_private_key, public_half
from uhi.signing.key_files import PUBLISHED_PUBLIC_KEYS
from uhi.subscribers import Role
from uhi.testing.clock import START

VECTORS = Path(__file__).parents[2] / "conformance" / "vectors"
KEY = PrivateKey(b"clinic".ljust(32, b"."))
LOCAL = replace(RULES, is_local=True, addresses=any_address)
LOW_ORDER = sorted(
    {case["public_key_hex"] for case in json.loads((VECTORS / "low-order-keys.json").read_text())["cases"]}
)
TEXTS = st.text(max_size=30) | st.sampled_from(["1.1.1.1", "https://a.example", "HSPA", KEY.pkcs8_base64()])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
NAMES = [
    *body("a.example", KEY),
    "key_id",
    "signing_public_key",
    "encr_public_key",
    "url",
    "domain",
    "city",
    "location",
]


def flat(**more: object) -> dict[str, object]:
    """The same hospital in Beckn's flat form."""
    row = key_row("k1", KEY)
    return {
        "subscriber_id": "clinic.example",
        "type": "HSPA",
        "url": "https://clinic.example.example/api",
        "domain": "nic2004:85111",
        "key_id": "k1",
        "signing_public_key": row["signing_public_key"],
        "valid_from": row["valid_from"],
        "valid_until": row["valid_until"],
        **more,
    }


def refusal(row: object, rules=RULES) -> Refusal:
    """Why an application is refused."""
    with pytest.raises(Refusal) as refused:
        read(row, rules)
    return refused.value


def renamed(row: dict[str, object], old: str, new: str) -> dict[str, object]:
    """A body in which one name is spelled another way."""
    return {new if name == old else name: value for name, value in row.items()}


def test_an_application_is_read_into_clean_values():
    """Contract: subscriber, role, places, keys; UHI's profile for UHI's roles."""
    application = read(body("clinic.example", KEY, subscriber_url="https://Clinic.Example:443/api/", country="ind"))

    assert (application.subscriber.role, application.subscriber.status) == (Role.PROVIDER, "INITIATED")
    assert application.subscriber.url == "https://clinic.example/api"
    assert (application.subscriber.country, application.subscriber.cities) == ("IND", ("*",))
    assert [(key.id, key.public, key.profile) for key in application.keys] == [("k1", KEY.public, UHI)]
    assert application.keys[0].valid_until == START + 365 * A_DAY


@pytest.mark.parametrize(
    ("old", "new"),
    [
        *(("key_id", name) for name in ("unique_key_id", "ukId", "uk_id", "pub_key_id", "keyId")),
        *(("url", name) for name in ("subscriber_url", "callback_url", "cb_url")),
        *(("valid_until", name) for name in ("valid_to", "expires")),
        ("valid_from", "created"),
        *(("signing_public_key", name) for name in ("encr_public_key", "encryption_public_key")),
        ("domain", "domains"),
    ],
)
def test_every_alias_means_the_same(old, new):
    """UHI protocol 3.3, Beckn protocol 13.1: field aliases."""
    assert read(renamed(flat(), old, new)) == read(flat())


def test_the_flat_form_is_the_nested_one_in_other_words():
    """Beckn protocol 13.1, 13.3: the flat form, and a location with codes."""
    nested = body("clinic.example", KEY, legal_name="clinic.example", contact_email="", cities=["std:011"])
    location = {"city": {"code": "std:011"}, "country": {"code": "IND"}}

    application = read(flat(location=location))

    assert application.is_flat
    assert replace(application, is_flat=False) == read(nested)


def test_commas_divide_cities_and_domains():
    """Beckn protocol 13.1: a city is a string, a list with commas, or a wildcard."""
    application = read(flat(city="std:011, std:080", domain="nic2004:85111,nic2004:85110"))

    assert application.subscriber.cities == ("std:011", "std:080")
    assert application.subscriber.domains == ("nic2004:85111", "nic2004:85110")


def test_beckn_roles_sign_in_beckns_profile_unless_they_say_otherwise():
    """Decision 11: two profiles; the profile is pinned to the key."""
    assert read(flat(type="BPP")).keys[0].profile is BECKN
    assert read(flat(type="BPP", signing_profile="uhi")).keys[0].profile is UHI


def test_an_encryption_key_is_told_from_a_signing_key_written_twice():
    """UHI protocol 3.2: `encr_public_key` carries the verification key; at Beckn it is a key for encryption."""
    encryption = public_half(new_private_key())

    assert read(flat(encr_public_key=encryption)).particulars.encryption_key == encryption
    assert read(flat(encr_public_key=KEY.public.raw_base64())).particulars.encryption_key == ""
    assert refusal(flat(encr_public_key=PrivateKey.new().public.spki_base64())).fault is KEY_UNUSABLE
    assert refusal(flat(encr_public_key=encryption), replace(RULES, encryption_key="")).fault is MESSAGE_INVALID


def test_two_names_with_two_values_are_refused():
    """Ours: two readers of one application must not see two parties."""
    with pytest.raises(ValidationError):
        ApplicationForm.model_validate(flat(subscriber_url="https://other.example"))


@pytest.mark.case("REG-09")
@pytest.mark.parametrize(
    "subscriber_id", ["Clinic.example", "clinic\u0435.example", "clinic_example", "a|b", ".a", "a..b", "a" * 256, "a\n"]
)
def test_ids_of_another_alphabet_are_refused(subscriber_id):
    """Security rules "Registry and key rules": lower-case ASCII."""
    assert refusal(body("clinic.example", KEY) | {"subscriber_id": subscriber_id}).fault is MESSAGE_INVALID


@pytest.mark.case("SSRF-02")
@pytest.mark.parametrize(
    "url",
    [
        *(
            "https://127.0.0.1",
            "https://169.254.169.254/latest",
            "https://10.0.0.1/",
            "https://[::1]/x",
            "https://0.0.0.0",
        ),
        *("https://2130706433", "https://017700000001", "https://0x7f000001", "https://0x7f.0.0.1", "https://127.1"),
        *("https://[::ffff:127.0.0.1]", "https://localhost", "https://api.localhost/x", "https://metadata.internal"),
        *("file:///etc/passwd", "gopher://a.example", "http://a.example", "https://a.example:8443", "//a.example"),
        *("https://u:p@a.example", "https://a.example?x=1", "https://a.example#x", "https://a.example\\@b.example"),
        *("https://a.example/%2e%2e/x", "https://a.example/../x", "https://a.example./x", "https://\u0430.example"),
    ],
)
def test_addresses_that_lead_elsewhere_are_refused(url):
    """Security rules "Outbound and SSRF rules": https, a public host by its name, nothing else in it."""
    refused = refusal(body("clinic.example", KEY, subscriber_url=url))

    assert (refused.fault, refused.fault.status) == (ADDRESS_REFUSED, 400)


def test_a_network_for_development_takes_http_and_numbers_and_no_other_scheme():
    """Security rules "Outbound and SSRF rules": http for loopback in development."""
    assert read(body("a.example", KEY, subscriber_url="http://127.0.0.1:8080/x"), LOCAL).subscriber.url.endswith("/x")
    assert refusal(body("a.example", KEY, subscriber_url="file:///etc/passwd"), LOCAL).fault is ADDRESS_REFUSED


@pytest.mark.case("SIG-14")
@pytest.mark.parametrize(
    "raw",
    [
        *map(bytes.fromhex, LOW_ORDER),
        *(KEY.public.raw[:31], KEY.public.raw + b"\0", bytes(32), b"\xee" + b"\xff" * 30 + b"\x7f"),
    ],
    ids=bytes.hex,
)
def test_keys_that_are_no_keys_are_refused_with_the_code_for_keys(raw):
    """Security rules "Registry and key rules": low order, 31 and 33 bytes, all zero, non-canonical."""
    row = key_row("k1", KEY) | {"signing_public_key": base64_text.encode(raw)}
    refused = refusal(body("clinic.example", KEY, keys=[row]))

    assert (refused.fault.status, refused.fault.code) == (400, "UHI-1410")


@pytest.mark.parametrize("name", ["signing_public_key", "signing_private_key", "encr_public_key", "note"])
@pytest.mark.parametrize("form", ["pkcs8_base64", "pem"])
def test_a_private_key_is_refused_wherever_it_stands(name, form):
    """Security rules "Decisions": private keys never leave the subscriber; known from registries in use."""
    assert refusal(flat(**{name: getattr(KEY, form)()})).fault is KEY_UNUSABLE
    row = key_row("k1", KEY) | {name: getattr(KEY, form)()}
    assert refusal(body("clinic.example", KEY, keys=[row])).fault is KEY_UNUSABLE
    deep = {"note": [{"backup": f"our key: {getattr(KEY, form)()}"}]}
    assert refusal(body("clinic.example", KEY) | deep).fault is KEY_UNUSABLE


def test_a_seed_beside_its_public_key_is_found_out():
    """Ours: 32 bytes do not say what they are, but two that belong together do."""
    seed = next(each for each in (bytes([n]) * 32 for n in range(1, 256)) if _is_point(each))
    row = key_row("k2", KEY) | {"signing_public_key": PrivateKey(seed).seed_base64()}

    assert refusal(body("a.example", KEY, keys=[key_row("k1", PrivateKey(seed)), row])).fault is KEY_UNUSABLE


def _is_point(raw: bytes) -> bool:
    return crypto_core_ed25519_is_valid_point(raw)


@pytest.mark.parametrize(
    ("starts", "ends", "expected"),
    [
        (0, 365, None),
        (-10, 365, None),
        (30, 60, None),
        (-10, -1, MESSAGE_INVALID),
        (0, 0, MESSAGE_INVALID),
        (60, 30, MESSAGE_INVALID),
        (0, 732, MESSAGE_INVALID),
        (400, 500, MESSAGE_INVALID),
    ],
)
def test_a_validity_lies_ahead_and_lasts_two_years_at_most(starts, ends, expected):
    """Contract: validity readable, not in the past, at most two years."""
    times = {"valid_from": moment_text(START + starts * A_DAY), "valid_until": moment_text(START + ends * A_DAY)}
    row = body("clinic.example", KEY, keys=[key_row("k1", KEY) | times])

    assert expected is None or refusal(row).fault is expected
    assert expected is not None or len(read(row).keys) == 1


def test_what_cannot_be_read_or_is_there_twice_is_refused():
    """Contract: role, validity, key ids, keys and places have a form."""
    row = key_row("k1", KEY)
    for more in (
        {"type": "registry"},
        {"type": "pirate"},
        {"country": "India"},
        {"domains": []},
        {"domains": ["<script>"]},
        {"domains": ["nic2004 85111"]},
        {"cities": ["Pune"]},
        {"cities": ["std:011", "080"]},
        {"contact_email": "nobody"},
        {"legal_name": "a\u202eb"},
        {"keys": []},
        {"keys": [row | {"valid_until": "soon"}]},
        {"keys": [row | {"pub_key_id": "a|b"}]},
        {"keys": [row | {"signing_profile": "third"}]},
    ):
        assert refusal(body("clinic.example", KEY) | more).fault is MESSAGE_INVALID, more
    assert refusal(body("clinic.example", KEY, keys=[row, row | {"pub_key_id": "k2"}])).fault is KEY_UNUSABLE


def test_places_that_no_search_can_name_are_refused_with_what_is_expected():
    """Ours: a hospital that is never found would not know why."""
    expected = {"domains": ("eye hospital", "nic2004:85111"), "cities": ("New Delhi", "std:011")}

    for name, (wrong, shown) in expected.items():
        refused = refusal(body("clinic.example", KEY, **{name: [wrong]}))
        assert (refused.path, shown in refused.expected) == (f"$.{name}", True)
    taken = read(body("clinic.example", KEY, domains=["ONDC:RET10", "Health"], cities=["STD:011", "*"])).subscriber
    assert (taken.domains, taken.cities) == (("ONDC:RET10", "Health"), ("std:011", "*"))


def test_a_published_key_is_for_development_only():
    """Decision 44: known published keys are refused outside `local`."""
    raw = bytes.fromhex(sorted(PUBLISHED_PUBLIC_KEYS)[0])
    row = key_row("k1", KEY) | {"signing_public_key": PublicKey(raw).raw_base64()}
    published = body("clinic.example", KEY, keys=[row])

    assert refusal(published).fault is KEY_UNUSABLE
    assert read(published, LOCAL).keys[0].id == "k1"


def test_further_keys_are_read_by_the_same_rules():
    """Contract: `POST /keys`."""
    rows = [key_row("k2", KEY)]

    subscriber_id, keys = read_keys(
        KeysForm.model_validate({"subscriber_id": "a.example", "keys": rows}), RULES, now=START
    )

    assert (subscriber_id, [key.id for key in keys]) == ("a.example", ["k2"])
    with pytest.raises(Refusal):
        read_keys(
            KeysForm.model_validate({"subscriber_id": "a.example", "keys": rows, "x": KEY.pem()}), RULES, now=START
        )


@given(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6), st.sampled_from(["nested", "flat"]))
def test_whatever_arrives_is_read_or_refused_and_no_private_key_is_kept(more, form):
    """Ours: no crash, and nothing that could sign in what is kept."""
    row = (body("clinic.example", KEY) if form == "nested" else flat()) | more
    try:
        application = read_application(ApplicationForm.model_validate(row), RULES, now=START)
    except (Refusal, ValidationError) as error:
        assert KEY.pkcs8_base64() not in str(error)  # noqa: PT017  # both outcomes count
        return

    assert KEY.pkcs8_base64() not in repr(application)
    assert application.subscriber.id.isascii()


@given(VALUES)
def test_no_json_value_breaks_the_form(value):
    """Ours: what is no application is no application."""
    try:
        ApplicationForm.model_validate(value)
    except ValidationError:
        return
