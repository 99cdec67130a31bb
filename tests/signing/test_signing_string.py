"""Body digest, signing string and the two profiles."""

from __future__ import annotations

import pytest

from uhi.signing import BECKN, PROFILES, UHI, HeaderForm, body_digest, signed_bytes, signing_string


def test_digest_is_blake2b_512_of_the_raw_bytes() -> None:
    """Check value of BECKN-006; the label BLAKE-512 names no other hash."""
    digest = body_digest(b"The quick brown fox jumps over the lazy dog")

    assert digest == "qK3Uvd39k+SHfSdG5igXsRY2Sh+nvBSNlQkLxzM7NnP4JAHPeqLkyx7NkCluPxTLVBP47Xe+cwRbE5FM3NapGA=="


def test_digest_of_nothing_is_a_digest_too() -> None:
    """An empty body is signed like any other."""
    assert len(body_digest(b"")) == 88


def test_uhi_joins_with_spaces_and_signs_a_hash() -> None:
    """Self-check of the UHI signing form (body `hello`)."""
    text = signing_string(UHI, created=1678684246, expires=1678684256, digest=body_digest(b"hello"))

    assert text.startswith("(created): 1678684246 (expires): 1678684256 digest: BLAKE-512=5M+jmj03vjHF")
    assert signed_bytes(UHI, text) == (
        b"lQnny8835avBVLWwIW1GJMTYBOvXmtjfORKfy6bQsTCvfXACosHz7wY2V0E0sZPZIUH3vatg9ofyHtwznLV4Tw=="
    )


def test_beckn_joins_with_line_feeds_and_signs_the_string() -> None:
    """BECKN-006: line feeds between the parts, none at the end."""
    text = signing_string(BECKN, created=1, expires=2, digest="D==")

    assert text == "(created): 1\n(expires): 2\ndigest: BLAKE-512=D=="
    assert signed_bytes(BECKN, text) == text.encode()


def test_profiles_differ_as_the_networks_do() -> None:
    """UHI: JSON header, 10 s, a second use is refused; Beckn: Signature header, 300 s, a second use has no effect."""
    assert (UHI.form, UHI.lifetime, UHI.replays_are_refused) == (HeaderForm.JSON, 10, True)
    assert (BECKN.form, BECKN.lifetime, BECKN.replays_are_refused) == (HeaderForm.SIGNATURE, 300, False)


def test_profiles_are_found_by_name_and_cannot_be_added() -> None:
    """Two profiles exist; a third is refused."""
    assert dict(PROFILES) == {"uhi": UHI, "beckn": BECKN}
    with pytest.raises(TypeError):
        PROFILES["third"] = UHI  # type: ignore[index]
