"""Signing bodies."""

from __future__ import annotations

import pytest

from uhi.errors import SetupError
from uhi.signing import BECKN, UHI, PrivateKey, Profile, Signer, authorization, body_digest, sign, sign_digest, verify

BODY = b'{"context":{"action":"search"},"message":{}}'
KEY = PrivateKey(bytes(range(32)))
BOTH_PROFILES = pytest.mark.parametrize("profile", [UHI, BECKN], ids=lambda profile: profile.name)


@BOTH_PROFILES
def test_signed_body_verifies_under_its_profile(profile: Profile) -> None:
    """What we send, a peer with our key accepts."""
    value = sign(BODY, Signer("clinic.hspa", "k1", KEY, profile), created=1_700_000_000)

    header = authorization.parse(value)
    verify(BODY, header, key=KEY.public, profile=profile)
    assert (header.subscriber_id, header.key_id) == ("clinic.hspa", "k1")


@BOTH_PROFILES
def test_header_lives_as_long_as_the_profile_says(profile: Profile) -> None:
    """10 s for UHI, 300 s for Beckn, unless the caller says otherwise."""
    signer = Signer("clinic.hspa", "k1", KEY, profile)

    usual = authorization.parse(sign(BODY, signer, created=1_700_000_000))
    chosen = authorization.parse(sign(BODY, signer, created=1_700_000_000, expires=1_700_000_011))

    assert (usual.created, usual.expires) == (1_700_000_000, 1_700_000_000 + profile.lifetime)
    assert chosen.expires == 1_700_000_011


@BOTH_PROFILES
def test_signing_a_digest_gives_the_same_header(profile: Profile) -> None:
    """A forwarder hashes the body once, for its check and for its own signature."""
    signer = Signer("gateway", "g1", KEY, profile)

    assert sign_digest(body_digest(BODY), signer, created=5) == sign(BODY, signer, created=5)


@pytest.mark.parametrize("part", ["", "a b", "a|b", 'a"b', "é", "a" * 256, "a\n"])
def test_id_that_cannot_stand_in_a_header_is_the_operators_mistake(part: str) -> None:
    """Found when the signer is made, not at the peer."""
    with pytest.raises(SetupError):
        Signer(part, "k1", KEY, UHI)
    with pytest.raises(SetupError):
        Signer("clinic.hspa", part, KEY, UHI)


def test_signer_does_not_show_its_key() -> None:
    """Settings are printed in logs and tracebacks."""
    assert KEY.seed_base64() not in repr(Signer("clinic.hspa", "k1", KEY, UHI))
