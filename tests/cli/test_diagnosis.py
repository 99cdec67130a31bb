"""Why a signature does not fit: the causes of first integrations, each found and named."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.diagnosis import find_cause, find_header_cause
from uhi.signing import BECKN, UHI, PrivateKey, Profile, SignatureHeader, Signer, authorization, body_digest, sign

KEY = PrivateKey(bytes(range(32)))
NOW = 1_790_000_000
VALUE = {"name": "अपोलो", "price": 500.0, "items": [1, 2]}
BODY = json.dumps(VALUE, ensure_ascii=False, separators=(",", ":")).encode()


def header_over(body: bytes, profile: Profile = UHI) -> SignatureHeader:
    return authorization.parse(sign(body, Signer("c", "k", KEY, profile), created=NOW))


def header_signing(message: bytes) -> SignatureHeader:
    return SignatureHeader("c", "k", NOW, NOW + 10, KEY.sign(message))


def cause(header: SignatureHeader, body: bytes = BODY, profile: Profile = UHI) -> str:
    return find_cause(body, header, key=KEY.public, profile=profile)


def string(digest: str, joiner: str = " ") -> bytes:
    return joiner.join([f"(created): {NOW}", f"(expires): {NOW + 10}", f"digest: BLAKE-512={digest}"]).encode()


@pytest.mark.parametrize(("made_with", "read_as"), [(UHI, BECKN), (BECKN, UHI)])
def test_other_profile_is_named(made_with, read_as):
    """The two profiles differ in joiner and hashing; a header does not say which one it was made with."""
    assert f"made with profile {made_with.name}" in cause(header_over(BODY, made_with), profile=read_as)


@pytest.mark.parametrize(
    ("signed", "words"),
    [
        (BODY + b"\n", "with a newline at its end"),
        (BODY + b"\r\n", "with CR LF at its end"),
        (b"\xef\xbb\xbf" + BODY, "with a byte order mark"),
        (b"", "an empty body"),
        (json.dumps(VALUE).encode(), "json.dumps writes it, other letters than ASCII escaped"),
        (json.dumps(VALUE, ensure_ascii=False).encode(), "json.dumps writes it:"),
        (json.dumps(VALUE, indent=2, ensure_ascii=False).encode(), "indented by 2"),
        (json.dumps(VALUE, sort_keys=True, separators=(",", ":")).encode(), "with sorted names"),
        (BODY.replace(b"500.0", b"500"), "as JavaScript writes it"),
    ],
)
def test_body_that_was_changed_on_the_way_is_named(signed, words):
    """Echo adds a newline, frameworks parse and write again: the commonest failures of first signatures."""
    assert words in cause(header_over(signed))


@pytest.mark.parametrize(
    ("received", "words"),
    [
        (BODY + b"\n", "without the newline at its end"),
        (b" " + BODY + b" \t", "without the white space around it"),
        (BODY.replace(b",", b",\r\n"), "with LF in place of CR LF"),
    ],
)
def test_body_that_was_changed_here_is_named(received, words):
    """The same from the other side: what came is not what was signed."""
    signed = {b"\n": BODY, b"\t": BODY}.get(received[-1:], received.replace(b"\r\n", b"\n"))

    assert words in cause(header_over(signed), received)


@pytest.mark.parametrize(
    ("digest", "words"),
    [
        (hashlib.blake2b(BODY).hexdigest(), "in hex"),
        (base64.b64encode(hashlib.sha512(BODY).digest()).decode(), "SHA-512"),
        (base64.b64encode(hashlib.blake2b(BODY, digest_size=32).digest()).decode(), "BLAKE2b-256"),
    ],
)
def test_other_hash_of_the_body_is_named(digest, words):
    """`BLAKE-512` is only a label: libraries offer several hashes under such names."""
    message = base64.b64encode(hashlib.blake2b(string(digest)).digest())

    assert words in cause(header_signing(message))


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (string(body_digest(BODY)), "the signing string itself signed"),
        (base64.b64encode(hashlib.blake2b(string(body_digest(BODY), "\n")).digest()), "joined by newlines"),
        (hashlib.blake2b(string(body_digest(BODY))).digest(), "the raw hash"),
        (hashlib.blake2b(string(body_digest(BODY))).hexdigest().encode(), "in hex"),
    ],
)
def test_mixture_of_the_profiles_is_named(message, words):
    """Code that was ported from one network to the other changes one half."""
    assert words in cause(header_signing(message))


def test_nothing_is_said_where_nothing_fits():
    """Another key, or another body altogether."""
    header = authorization.parse(sign(BODY, Signer("c", "k", PrivateKey(bytes(32)), UHI), created=NOW))

    assert cause(header) == ""
    assert cause(header_over(b"another body")) == ""


@given(st.binary(max_size=200))
def test_any_body_can_be_looked_into(body):
    """Bodies come from anywhere: no JSON, no text, half a BOM."""
    assert find_cause(body, header_over(body + b"x"), key=KEY.public, profile=UHI) == ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: f"Authorization: {text}", "the header's name"),
        (lambda text: text.replace('"', '\\"'), "its quotes are escaped"),
        (lambda text: f"'{text}'", "quotes of its own"),
        (lambda text: text.replace('"', ""), "the shell has taken them"),
    ],
)
def test_header_that_was_copied_wrong_is_named(change, words):
    """What shells, logs and consoles do to a JSON header."""
    text = sign(BODY, Signer("c", "k", KEY, UHI), created=NOW)

    assert words in find_header_cause(change(text))
    assert find_header_cause("Basic dXNlcg==") == ""
