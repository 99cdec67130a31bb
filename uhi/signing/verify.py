"""Checks of a signature header against time, body and key. Each returns nothing or raises; none answers yes or no.

Below: `keys`, `signing_string`, `authorization`; above: the doors of `exchange`. Sources: BECKN-006 (times must not be
processed outside their window), the network's signature limits, RFC 8032 as PyNaCl applies it.
"""

from __future__ import annotations

from dataclasses import dataclass

from nacl.bindings import crypto_sign_open
from nacl.exceptions import CryptoError

from uhi.errors import Refusal, SetupError
from uhi.faults import SIGNATURE_INVALID
from uhi.signing.authorization import SignatureHeader
from uhi.signing.keys import PublicKey
from uhi.signing.profiles import Profile
from uhi.signing.signing_string import body_digest, signed_bytes, signing_string

_SIGNATURE_LENGTH = 64
_LARGEST_FUTURE = 10


@dataclass(frozen=True, slots=True)
class Window:
    """How far a header's times may lie, in seconds: `future` is the tolerance for `created` (0–10), `lifetime` the
    longest `expires - created` (at least 1).

    Raises: SetupError for other values.
    """

    future: int = 5
    lifetime: int = 3_600

    def __post_init__(self) -> None:
        if not 0 <= self.future <= _LARGEST_FUTURE:
            raise SetupError("signature tolerance is out of range", got=f"{self.future} s", expected="0 to 10 s")
        if self.lifetime < 1:
            raise SetupError("signature lifetime is out of range", got=f"{self.lifetime} s", expected="at least 1 s")


DEFAULT_WINDOW = Window()


def check_window(header: SignatureHeader, *, now: float, window: Window = DEFAULT_WINDOW) -> None:
    """Check the header's times against `now` (Unix seconds, of which the whole ones count).

    Holds: created <= now + future, expires >= now, 1 <= expires - created <= lifetime.

    Raises: Refusal(SIGNATURE_INVALID) that names both times, the server's, the difference and the tolerance.
    """
    server = int(now)
    lifetime = header.expires - header.created
    if header.expires < server:
        raise _out_of_window(header, server, f"expired {server - header.expires} s ago", tolerance="0 s")
    if header.created > server + window.future:
        ahead = header.created - server
        raise _out_of_window(header, server, f"was created {ahead} s in the future", tolerance=f"{window.future} s")
    if not 1 <= lifetime <= window.lifetime:
        raise _out_of_window(
            header,
            server,
            f"lives {lifetime} s",
            tolerance=f"1 to {window.lifetime} s",
            next_step="sign for a time within this server's limit",
        )


def check_digest_header(value: str, *, digest: str) -> None:
    """Check a `Digest` header against the body's digest (from `body_digest`).

    Raises: Refusal(SIGNATURE_INVALID) unless it is `BLAKE-512=` and that digest.
    """
    if value != f"BLAKE-512={digest}":
        raise Refusal(
            SIGNATURE_INVALID,
            "Digest header does not fit the body",
            got=f"{len(value)} characters",
            expected=f"BLAKE-512={digest}",
            next_step="send the very bytes that were hashed, or leave the header out",
        )


def verify(body: bytes, header: SignatureHeader, *, key: PublicKey, profile: Profile) -> None:
    """Check that `key` signed exactly these body bytes with the header's times, in the way of `profile`.

    Raises: Refusal(SIGNATURE_INVALID). The times themselves are checked by `check_window`.
    """
    verify_digest(body_digest(body), header, key=key, profile=profile)


def verify_digest(digest: str, header: SignatureHeader, *, key: PublicKey, profile: Profile) -> None:
    """As `verify`, from a digest that `body_digest` has made already."""
    text = signing_string(profile, created=header.created, expires=header.expires, digest=digest)
    try:
        verify_bytes(signed_bytes(profile, text), header.signature, key=key)
    except Refusal:
        raise Refusal(
            SIGNATURE_INVALID,
            f"signature of {header.subscriber_id} (key {header.key_id}) does not fit the body",
            got=f"a signature over something else or by another key (body digest {digest})",
            expected=f"profile {profile.name} over the bytes as they arrived",
            next_step="check that the body is sent as it was signed, the registered key and the profile; "
            "uhi verify --explain shows each step",
        ) from None


def verify_bytes(message: bytes, signature: bytes, *, key: PublicKey) -> None:
    """Check the Ed25519 signature (64 bytes) of `message`.

    Raises: Refusal(SIGNATURE_INVALID).
    """
    if len(signature) != _SIGNATURE_LENGTH:
        raise Refusal(
            SIGNATURE_INVALID, "signature has the wrong length", got=f"{len(signature)} bytes", expected="64 bytes"
        )
    try:
        crypto_sign_open(signature + message, key.raw)
    except CryptoError:
        raise Refusal(SIGNATURE_INVALID, "signature does not fit the message and the key") from None


def _out_of_window(header: SignatureHeader, server: int, what: str, *, tolerance: str, next_step: str = "") -> Refusal:
    return Refusal(
        SIGNATURE_INVALID,
        f"signature of {header.subscriber_id} (key {header.key_id}) {what}",
        got=f"created {header.created}, expires {header.expires}, server time {server}",
        expected=f"a tolerance of {tolerance}",
        next_step=next_step or "check the sender's clock",
    )
