"""Proofs of a private key, and the encrypted challenge, beyond the vectors."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uhi.errors import Refusal
from uhi.faults import CHALLENGE_FAILED, KEY_UNUSABLE, MESSAGE_INVALID
from uhi.signing import PrivateKey, base64_text
from uhi.signing.beckn_challenge import check_public, decrypt, encrypt, new_private_key, public_half
from uhi.signing.challenge import Challenge, check_proof, prove

KEY = PrivateKey(bytes(range(32)))
NONCE = base64_text.encode(bytes(32))
CHALLENGE = Challenge("registry.example", "clinic.example", "k1", "c-1", NONCE, 1_790_000_300)
SMALL_ORDER = [
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    base64_text.encode(bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")),
    base64_text.encode(bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")),
]


def test_proof_signs_exactly_the_agreed_lines() -> None:
    """Decision 26: the purpose stands first, so that the signature serves nothing else."""
    assert CHALLENGE.signed_bytes() == (
        f"uhi-subscribe-challenge:v1\nregistry.example\nclinic.example\nk1\nc-1\n{NONCE}\n1790000300".encode()
    )
    check_proof(CHALLENGE, prove(CHALLENGE, KEY), KEY.public)


@pytest.mark.parametrize(
    "change",
    [
        {"registry_id": "other.example"},
        {"subscriber_id": "other.example"},
        {"key_id": "k2"},
        {"challenge_id": "c-2"},
        {"nonce": base64_text.encode(bytes(31) + b"\1")},
        {"expires": 1_790_000_301},
    ],
    ids=lambda change: next(iter(change)),
)
def test_proof_serves_no_other_challenge(change) -> None:
    """Decision 26: every value of a challenge is bound by the signature."""
    proof = prove(CHALLENGE, KEY)

    with pytest.raises(Refusal) as refused:
        check_proof(replace(CHALLENGE, **change), proof, KEY.public)

    assert refused.value.fault is CHALLENGE_FAILED


@pytest.mark.parametrize(
    "change",
    [
        {"registry_id": ""},
        {"subscriber_id": "clinic.example\nk1"},
        {"key_id": "k|1"},
        {"challenge_id": "क"},
        {"nonce": "AAAA"},
        {"nonce": "\n" + NONCE},
        {"expires": -1},
        {"expires": 10**15},
    ],
    ids=str,
)
def test_challenge_that_could_say_two_things_is_refused(change) -> None:
    """Ours: lines are joined by line feeds, so no value may have one."""
    with pytest.raises(Refusal) as refused:
        replace(CHALLENGE, **change)

    assert refused.value.fault is MESSAGE_INVALID


@given(st.text())
def test_no_text_is_a_proof(text) -> None:
    """Ours: whatever a peer answers, it is refused and nothing breaks."""
    with pytest.raises(Refusal):
        check_proof(CHALLENGE, text, KEY.public)


def test_keys_are_read_from_pem() -> None:
    """RFC 8410, as openssl writes them: a key file needs no other tool."""
    private = new_private_key()
    der = bytes.fromhex("302e020100300506032b656e04220420") + base64_text.decode(private)
    pem = f"-----BEGIN PRIVATE KEY-----\n{base64_text.encode(der)}\n-----END PRIVATE KEY-----\n"
    public = f"-----BEGIN PUBLIC KEY-----\n{public_half(private)}\n-----END PUBLIC KEY-----\n"

    assert public_half(pem) == public_half(private)
    check_public(public)


@given(st.text())
def test_what_is_encrypted_is_read_again(text) -> None:
    """The published form, both ways, for any text."""
    own, other = new_private_key(), new_private_key()

    assert decrypt(encrypt(text, own, public_half(other)), other, public_half(own)) == text


@given(st.one_of(st.text(), st.binary().map(base64_text.encode)))
def test_no_text_breaks_the_reading_of_a_challenge(text) -> None:
    """Ours: any challenge gives a text or a refusal. (One in 256 has good padding by chance.)"""
    own, other = base64_text.encode(bytes(range(32))), public_half(base64_text.encode(bytes(range(1, 33))))

    try:
        assert isinstance(decrypt(text, own, other), str)
    except Refusal as refusal:
        assert refusal.fault is CHALLENGE_FAILED  # noqa: PT017


@given(st.one_of(st.text(), st.binary().map(base64_text.encode)))
def test_no_text_breaks_the_reading_of_a_key(text) -> None:
    """Ours: any text is a usable key or refused as one."""
    try:
        check_public(text)
    except Refusal as refusal:
        assert refusal.fault is KEY_UNUSABLE  # noqa: PT017


@pytest.mark.parametrize("public", SMALL_ORDER)
def test_public_key_of_small_order_is_refused(public) -> None:
    """RFC 7748 section 6.1: an all-zero secret is refused."""
    with pytest.raises(Refusal, match="small order"):
        check_public(public)


def test_keys_of_another_kind_are_refused() -> None:
    """Ours: an Ed25519 key in DER is no X25519 key, and a private one no public one."""
    private = new_private_key()
    pkcs8 = base64_text.encode(bytes.fromhex("302e020100300506032b656e04220420") + base64_text.decode(private))

    for text in (KEY.public.spki_base64(), pkcs8):
        with pytest.raises(Refusal):
            check_public(text)
