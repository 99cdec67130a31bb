"""From body bytes to the bytes that Ed25519 signs: digest, signing string, and the profile's last step.

Sources: vectors of NHA's signing document; Beckn document BECKN-006. `BLAKE-512` is only a label: it is BLAKE2b-512.
"""

from __future__ import annotations

from binascii import b2a_base64
from hashlib import blake2b

from uhi.signing.profiles import Profile


def body_digest(body: bytes) -> str:
    """Base64 of the unkeyed BLAKE2b-512 of the body as it is on the wire (88 characters)."""
    return b2a_base64(blake2b(body).digest(), newline=False).decode("ascii")


def signing_string(profile: Profile, *, created: int, expires: int, digest: str) -> str:
    """The text of the three parts; `created` and `expires` in Unix seconds, `digest` from `body_digest`."""
    joiner = profile.joiner
    return f"(created): {created}{joiner}(expires): {expires}{joiner}digest: BLAKE-512={digest}"


def signed_bytes(profile: Profile, text: str) -> bytes:
    """What Ed25519 signs for the signing string `text`: the string itself, or base64 of its BLAKE2b-512."""
    raw = text.encode()
    if profile.hashes_signing_string:
        return b2a_base64(blake2b(raw).digest(), newline=False)
    return raw
