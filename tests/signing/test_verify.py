"""Checking a header against time, body, key and profile."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uhi.errors import Refusal, SetupError
from uhi.faults import SIGNATURE_INVALID
from uhi.signing import (
    BECKN,
    UHI,
    PrivateKey,
    Profile,
    SignatureHeader,
    Signer,
    Window,
    authorization,
    body_digest,
    check_digest_header,
    check_window,
    sign,
    verify,
    verify_bytes,
    verify_digest,
)

BODY = b'{"context":{"action":"search","consumer_id":"app.eua"},"message":{"intent":{}}}'
KEY = PrivateKey(bytes(range(32)))
NOW = 1_700_000_000
BOTH_PROFILES = pytest.mark.parametrize("profile", [UHI, BECKN], ids=lambda profile: profile.name)


def signed(profile: Profile, body: bytes = BODY) -> SignatureHeader:
    return authorization.parse(sign(body, Signer("clinic.hspa", "k1", KEY, profile), created=NOW))


def timed(created: int, expires: int) -> SignatureHeader:
    return SignatureHeader("clinic.hspa", "k1", created, expires, bytes(64))


def refused_at(now: float, header: SignatureHeader, window: Window | None = None) -> str:
    with pytest.raises(Refusal) as caught:
        check_window(header, now=now, window=window or Window())
    assert caught.value.fault is SIGNATURE_INVALID
    return str(caught.value)


def refused_for(body: bytes, header: SignatureHeader, profile: Profile, key: PrivateKey = KEY) -> str:
    with pytest.raises(Refusal) as caught:
        verify(body, header, key=key.public, profile=profile)
    assert caught.value.fault is SIGNATURE_INVALID
    return str(caught.value)


# --- time ------------------------------------------------------------------------------------------------------------


@pytest.mark.case("SIG-06")
def test_expired_signature_is_refused() -> None:
    """`expires` >= now, without tolerance."""
    check_window(timed(NOW - 10, NOW), now=NOW)

    assert "expired 1 s ago" in refused_at(NOW, timed(NOW - 11, NOW - 1))


@pytest.mark.case("SIG-07")
def test_signature_from_the_future_is_refused_beyond_5_seconds() -> None:
    """`created` <= now + 5 s."""
    check_window(timed(NOW + 4, NOW + 14), now=NOW)
    check_window(timed(NOW + 5, NOW + 15), now=NOW)

    assert "6 s in the future" in refused_at(NOW, timed(NOW + 6, NOW + 16))


def test_whole_seconds_of_the_clock_count() -> None:
    """Headers hold whole seconds; a fraction must not shorten a signature's last second."""
    check_window(timed(NOW - 10, NOW), now=NOW + 0.99)

    refused_at(NOW + 0.99, timed(NOW + 6, NOW + 16))
    refused_at(NOW + 1.0, timed(NOW - 10, NOW))


@pytest.mark.case("SIG-08")
@pytest.mark.parametrize(("created", "expires"), [(NOW + 1, NOW), (NOW, NOW), (NOW - 1, NOW + 3_600)])
def test_lifetime_outside_1_second_to_1_hour_is_refused(created: int, expires: int) -> None:
    """A signature that never expires could be replayed for ever."""
    assert f"lives {expires - created} s" in refused_at(NOW, timed(created, expires))


@pytest.mark.parametrize("lifetime", [1, 3_600])
def test_lifetime_of_1_second_and_of_1_hour_is_taken(lifetime: int) -> None:
    """The limits themselves are inside."""
    check_window(timed(NOW, NOW + lifetime), now=NOW)


def test_window_is_a_setting() -> None:
    """Both the tolerance and the longest lifetime."""
    window = Window(future=0, lifetime=10)

    check_window(timed(NOW, NOW + 10), now=NOW, window=window)

    refused_at(NOW, timed(NOW + 1, NOW + 2), window)
    refused_at(NOW, timed(NOW, NOW + 11), window)


@pytest.mark.parametrize("values", [{"future": -1}, {"future": 11}, {"lifetime": 0}, {"lifetime": -5}])
def test_window_that_protects_nothing_is_the_operators_mistake(values: dict[str, int]) -> None:
    """Found before the first request."""
    with pytest.raises(SetupError):
        Window(**values)


def test_refusal_tells_the_operator_all_times() -> None:
    """Most first signatures fail for a clock: both times, the server's, the difference, the tolerance, what to do."""
    text = refused_at(NOW, timed(NOW - 24, NOW - 14))

    assert text == (
        f"signature of clinic.hspa (key k1) expired 14 s ago, got created {NOW - 24}, expires {NOW - 14}, "
        f"server time {NOW}, expected a tolerance of 0 s; check the sender's clock"
    )


# --- Digest header ---------------------------------------------------------------------------------------------------


def test_digest_header_must_be_the_bodys() -> None:
    """Optional, but where it is present it has to be right."""
    digest = body_digest(BODY)

    check_digest_header(f"BLAKE-512={digest}", digest=digest)

    for value in (
        f"BLAKE-512={body_digest(BODY + b' ')}",
        digest,
        f"SHA-256={digest}",
        f"BLAKE-512={digest} ",
        "",
        "é",
    ):
        with pytest.raises(Refusal) as caught:
            check_digest_header(value, digest=digest)
        assert caught.value.fault is SIGNATURE_INVALID


# --- body, key, profile ----------------------------------------------------------------------------------------------


@pytest.mark.case("SIG-04")
@BOTH_PROFILES
def test_any_flipped_bit_of_the_body_is_refused(profile: Profile) -> None:
    """64 bits, spread over the body."""
    header = signed(profile)
    for bit in random.Random(1).sample(range(len(BODY) * 8), 64):
        changed = bytearray(BODY)
        changed[bit // 8] ^= 1 << bit % 8

        refused_for(bytes(changed), header, profile)


@pytest.mark.case("SIG-05")
@BOTH_PROFILES
def test_same_json_in_other_bytes_is_refused(profile: Profile) -> None:
    """Bytes are signed, not meanings: indented, with its members sorted, or with one space more."""
    header, value = signed(profile), json.loads(BODY)

    for body in (json.dumps(value, indent=1), json.dumps(value, sort_keys=True), json.dumps(value)):
        refused_for(body.encode(), header, profile)
    refused_for(BODY + b"\n", header, profile)


@BOTH_PROFILES
def test_changed_times_are_refused(profile: Profile) -> None:
    """Times are part of what is signed, so a header cannot be kept alive."""
    header = signed(profile)

    for created, expires in ((NOW + 1, header.expires), (NOW, header.expires + 1)):
        refused_for(BODY, SignatureHeader("clinic.hspa", "k1", created, expires, header.signature), profile)


@BOTH_PROFILES
def test_other_key_is_refused(profile: Profile) -> None:
    """The registry says which key; the text says whose signature it was."""
    text = refused_for(BODY, signed(profile), profile, key=PrivateKey(bytes(32)))

    assert text.startswith("signature of clinic.hspa (key k1) does not fit the body")


@pytest.mark.case("SIG-15")
@pytest.mark.parametrize(("used", "pinned"), [(BECKN, UHI), (UHI, BECKN)], ids=["beckn-for-uhi", "uhi-for-beckn"])
def test_valid_signature_of_the_other_profile_is_refused(used: Profile, pinned: Profile) -> None:
    """The profile is pinned to the key; the form of the header says nothing about it."""
    refused_for(BODY, signed(used), pinned)


@BOTH_PROFILES
def test_digest_in_place_of_the_body_gives_the_same_verdict(profile: Profile) -> None:
    """Two signatures over one body are checked with one hash."""
    header = signed(profile)

    verify_digest(body_digest(BODY), header, key=KEY.public, profile=profile)

    with pytest.raises(Refusal):
        verify_digest(body_digest(BODY + b" "), header, key=KEY.public, profile=profile)


@pytest.mark.case("SIG-12")
@pytest.mark.parametrize("length", [0, 1, 32, 63, 65, 96, 128])
def test_signature_of_another_length_is_refused(length: int) -> None:
    """PyNaCl answers this with an error of another kind."""
    signature = KEY.sign(BODY).ljust(length, b"\0")[:length]

    with pytest.raises(Refusal) as caught:
        verify_bytes(BODY, signature, key=KEY.public)

    assert caught.value.fault is SIGNATURE_INVALID


def test_text_of_a_refusal_holds_neither_body_nor_signature() -> None:
    """It goes to logs."""
    header = signed(UHI, b"asha.rao@example")

    text = refused_for(b"asha.rao@example ", header, UHI)

    assert "asha" not in text
    assert header.signature.hex() not in text


@settings(deadline=None, max_examples=50)
@given(message=st.binary(max_size=200), signature=st.binary(max_size=80))
def test_chance_bytes_never_verify(message: bytes, signature: bytes) -> None:
    """And are refused in the one way."""
    with pytest.raises(Refusal):
        verify_bytes(message, signature, key=KEY.public)
