"""Codes of an authenticator app (RFC 6238): six digits, a new one every 30 seconds, one step off allowed either way.

Pure. Above: `second_factors`; below: pyotp. Source: security rules "IAM" (TOTP).
"""

from __future__ import annotations

import base64
import hmac
import secrets
from dataclasses import dataclass

import pyotp

SECONDS = 30
SECRET_BYTES = 20
_OFF = 1


@dataclass(frozen=True, slots=True, repr=False)
class TotpEnrolment:
    """A new secret, as text to type (base32) and as the URI that an app reads from a picture. Shown once."""

    secret: str
    uri: str

    def __repr__(self) -> str:
        return "TotpEnrolment(***)"

    @classmethod
    def of(cls, secret: bytes, *, issuer: str, email: str) -> TotpEnrolment:
        """How a secret is shown."""
        text = base64.b32encode(secret).decode()
        return cls(text, pyotp.TOTP(text).provisioning_uri(name=email, issuer_name=issuer))


def new_secret() -> bytes:
    """20 random bytes."""
    return secrets.token_bytes(SECRET_BYTES)


def step_of(secret: bytes, code: str, *, now: float, after: int) -> int | None:
    """The time step whose code this is, None for none: this one or one beside it, and only one after the last that was
    accepted (`after`).
    """
    totp = pyotp.TOTP(base64.b32encode(secret).decode(), interval=SECONDS)
    current = int(now) // SECONDS
    given = code.strip().encode("utf-8", "surrogatepass")
    found = [
        step
        for step in range(current - _OFF, current + _OFF + 1)
        if hmac.compare_digest(totp.generate_otp(step).encode(), given) and step > after
    ]
    return max(found, default=None)
