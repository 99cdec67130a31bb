"""Reading, checking and writing Ed25519 keys in every accepted form."""

from __future__ import annotations

import base64
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uhi.errors import Refusal
from uhi.faults import KEY_UNUSABLE
from uhi.signing import PrivateKey, PublicKey

SEED = bytes(range(32))
KEY = PrivateKey(SEED)
PUBLIC = KEY.public.raw
ORDER_OF_FIELD = 2**255 - 19


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def pem(raw: bytes, label: str, line: int = 64) -> str:
    text = b64(raw)
    lines = [text[start : start + line] for start in range(0, len(text), line)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


SPKI = bytes.fromhex("302a300506032b6570032100") + PUBLIC
PKCS8 = bytes.fromhex("302e020100300506032b657004220420") + SEED
BOUNCY_CASTLE = bytes.fromhex("3051020101300506032b657004220420") + SEED + bytes.fromhex("812100") + PUBLIC
X25519_SPKI = bytes.fromhex("302a300506032b656e032100") + PUBLIC
X25519_PKCS8 = bytes.fromhex("302e020100300506032b656e04220420") + SEED


def refused_public(text: str | bytes) -> str:
    with pytest.raises(Refusal) as caught:
        PublicKey.read(text)
    assert caught.value.fault is KEY_UNUSABLE
    return str(caught.value)


def refused_private(text: str | bytes) -> str:
    with pytest.raises(Refusal) as caught:
        PrivateKey.read(text)
    assert caught.value.fault is KEY_UNUSABLE
    return str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        b64(PUBLIC),
        b64(PUBLIC).encode(),
        b64(PUBLIC) + "\n",
        b64(SPKI),
        pem(SPKI, "PUBLIC KEY"),
        pem(SPKI, "PUBLIC KEY", line=20).replace("\n", "\r\n").encode(),
    ],
)
def test_public_key_is_read_in_every_accepted_form(text: str | bytes) -> None:
    """Raw 32 bytes as Beckn registries hold it, SPKI DER as UHI does, PEM; a file's last newline is no part of it."""
    assert PublicKey.read(text) == KEY.public


@pytest.mark.parametrize(
    "text",
    [
        b64(SEED),
        b64(SEED).encode() + b"\n",
        b64(SEED + PUBLIC),
        b64(PKCS8),
        b64(BOUNCY_CASTLE),
        pem(PKCS8, "PRIVATE KEY"),
        pem(BOUNCY_CASTLE, "PRIVATE KEY").encode(),
    ],
)
def test_private_key_is_read_in_every_accepted_form(text: str | bytes) -> None:
    """Seed, libsodium's 64 bytes, PKCS#8 of 48 bytes and of 83 as BouncyCastle writes it, PEM."""
    assert PrivateKey.read(text).seed_base64() == b64(SEED)


def test_every_form_that_is_written_is_read_back() -> None:
    """Converting keys loses nothing."""
    key = PrivateKey.new()

    for text in (key.seed_base64(), key.pkcs8_base64(), key.pem()):
        assert PrivateKey.read(text) == key
    for text in (key.public.raw_base64(), key.public.spki_base64(), key.public.pem()):
        assert PublicKey.read(text) == key.public


def test_written_forms_are_the_standard_ones() -> None:
    """RFC 8410: SPKI of 44 bytes, PKCS#8 of 48 bytes."""
    assert KEY.public.spki_base64() == b64(SPKI)
    assert KEY.public.spki_base64().startswith("MCowBQYDK2VwAyEA")
    assert KEY.pkcs8_base64() == b64(PKCS8)
    assert KEY.pem() == pem(PKCS8, "PRIVATE KEY")
    assert KEY.public.pem() == pem(SPKI, "PUBLIC KEY")


@pytest.mark.case("SIG-14")
@pytest.mark.parametrize("length", [0, 1, 31, 33, 44, 64])
def test_public_key_of_another_length_is_refused(length: int) -> None:
    """A key is 32 bytes; libsodium would read beyond a shorter one."""
    with pytest.raises(Refusal) as caught:
        PublicKey(PUBLIC.ljust(length, b"x")[:length])

    assert caught.value.fault is KEY_UNUSABLE
    refused_public(b64(PUBLIC.ljust(length, b"x")[:length]))


@pytest.mark.case("SIG-14")
@pytest.mark.parametrize(
    "raw",
    [
        bytes(32),
        (ORDER_OF_FIELD).to_bytes(32, "little"),
        (ORDER_OF_FIELD + 1).to_bytes(32, "little"),
        (ORDER_OF_FIELD + 3).to_bytes(32, "little"),
        (ORDER_OF_FIELD - 1).to_bytes(32, "little"),
        (1).to_bytes(32, "little"),
        (2).to_bytes(32, "little"),
        b"\xff" * 32,
    ],
)
def test_zero_low_order_and_non_canonical_keys_are_refused(raw: bytes) -> None:
    """Under a low-order key one signature fits many messages."""
    with pytest.raises(Refusal) as caught:
        PublicKey(raw)

    assert caught.value.fault is KEY_UNUSABLE


@pytest.mark.parametrize("text", [b64(X25519_SPKI), pem(X25519_SPKI, "PUBLIC KEY")])
def test_x25519_public_key_is_refused(text: str) -> None:
    """Registries hold encryption keys beside signing keys, in almost the same bytes."""
    assert "X25519" in refused_public(text)


@pytest.mark.parametrize("text", [b64(X25519_PKCS8), pem(X25519_PKCS8, "PRIVATE KEY")])
def test_x25519_private_key_is_refused(text: str) -> None:
    """As for public keys."""
    assert "X25519" in refused_private(text)


def test_right_length_is_not_told_as_what_is_wrong() -> None:
    """Ours: 44 bytes are expected, and these are others."""
    assert "44 bytes that are no SPKI DER of an Ed25519 key" in refused_public(b64(bytes(44)))


@pytest.mark.parametrize("raw", [SEED + PUBLIC, PKCS8, BOUNCY_CASTLE])
def test_private_key_in_the_place_of_a_public_one_is_refused(raw: bytes) -> None:
    """Registry records have held private keys; such a record must not be stored or used."""
    text = refused_public(b64(raw))

    assert "private key" in text
    assert b64(raw)[-20:] not in text
    refused_public(pem(raw, "PRIVATE KEY"))


@pytest.mark.parametrize(
    "raw",
    [
        SEED + bytes(32),
        SEED + PrivateKey(bytes(32)).public.raw,
        BOUNCY_CASTLE[:-1] + bytes([BOUNCY_CASTLE[-1] ^ 1]),
    ],
)
def test_public_half_of_another_key_is_refused(raw: bytes) -> None:
    """Signing with a public half that does not fit gives the seed away."""
    assert "does not belong" in refused_private(b64(raw))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        SEED[:31],
        SEED + b"x",
        PKCS8[:-1],
        PKCS8 + b"x",
        BOUNCY_CASTLE[:-1],
        BOUNCY_CASTLE.replace(bytes.fromhex("812100"), bytes.fromhex("812101")),
        b"\x31" + PKCS8[1:],
        SPKI,
    ],
)
def test_other_bytes_are_no_private_key(raw: bytes) -> None:
    """Only the four forms; nothing is guessed."""
    refused_private(b64(raw))


@pytest.mark.parametrize(
    "text",
    [
        b64(PUBLIC).rstrip("="),
        b64(PUBLIC) + "=",
        b64(PUBLIC)[:10] + " " + b64(PUBLIC)[10:],
        b64(PUBLIC)[:10] + "\n" + b64(PUBLIC)[10:],
        b64(PUBLIC)[:-2] + chr(ord(b64(PUBLIC)[-2]) + 1) + "=",
        base64.urlsafe_b64encode(b"\xfb\xff" * 16).decode(),
        b64(PUBLIC)[:-1] + "é",
        "",
        "=",
        "-----BEGIN PUBLIC KEY-----",
        pem(PUBLIC, "PUBLIC KEY"),
        pem(SPKI, "ED25519 PUBLIC KEY"),
        pem(SPKI, "PUBLIC KEY").replace("END", "FIN"),
        b"\xff\xfe",
        "A" * 5_000,
    ],
)
def test_other_spellings_are_refused(text: str | bytes) -> None:
    """One spelling per value: padded standard base64 without stray bits, or plain PEM around DER."""
    refused_public(text)
    refused_private(text)


@given(text=st.one_of(st.text(max_size=150), st.binary(max_size=150), st.binary(max_size=90).map(b64)))
@settings(deadline=None)
def test_reading_any_text_gives_a_key_or_a_refusal(text: str | bytes) -> None:
    """Keys come from registries and files, so no text may raise anything else."""
    faults = {KEY_UNUSABLE}
    for reader in (PublicKey.read, PrivateKey.read):
        try:
            reader(text)
        except Refusal as refusal:
            faults.add(refusal.fault)

    assert faults == {KEY_UNUSABLE}


@given(seed=st.binary(min_size=32, max_size=32))
@settings(deadline=None, max_examples=30)
def test_any_seed_makes_a_key_that_is_read_back(seed: bytes) -> None:
    """Every 32 bytes are a seed, and its public half is always usable."""
    key = PrivateKey(seed)

    assert PrivateKey.read(key.pem()) == key
    assert PublicKey.read(key.public.pem()) == key.public


def test_private_key_does_not_show_itself() -> None:
    """It must not reach a log, a traceback or another process by accident."""
    shown = f"{KEY} {KEY!r}"

    assert KEY.public.raw_base64() in shown
    assert KEY.seed_base64() not in shown
    assert SEED.hex() not in shown
    with pytest.raises(TypeError):
        pickle.dumps(KEY)


def test_keys_are_values() -> None:
    """They can be compared and used as dictionary keys."""
    assert PublicKey(PUBLIC) == PublicKey(bytes(PUBLIC))
    assert len({PublicKey(PUBLIC), KEY.public}) == 1
    assert PrivateKey(SEED) == KEY
    assert len({PrivateKey(SEED), KEY, PrivateKey.new()}) == 2
    assert KEY not in {KEY.public}


def test_new_keys_differ() -> None:
    """They come from the system's random source."""
    assert PrivateKey.new() != PrivateKey.new()


def test_seed_of_another_length_is_refused() -> None:
    """A seed is 32 bytes."""
    with pytest.raises(Refusal):
        PrivateKey(SEED + b"x")
