"""Signing a body: from bytes, a signer and times to the header value.

Below: `keys`, `signing_string`, `authorization`; above: `exchange.send` and the command line.
Sources: NHA's signing document and Beckn document BECKN-006, as in `profiles`.
"""

from __future__ import annotations

from dataclasses import dataclass

from uhi.errors import SetupError
from uhi.signing import authorization
from uhi.signing.authorization import SignatureHeader
from uhi.signing.keys import PrivateKey
from uhi.signing.profiles import Profile
from uhi.signing.signing_string import body_digest, signed_bytes, signing_string


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs and how.

    Raises: SetupError when an id cannot stand in a keyId (1–255 letters, digits and `._:-`).
    """

    subscriber_id: str
    key_id: str
    key: PrivateKey
    profile: Profile

    def __post_init__(self) -> None:
        for name, part in (("subscriber id", self.subscriber_id), ("key id", self.key_id)):
            if not authorization.KEY_ID_PART.fullmatch(part):
                raise SetupError(
                    f"{name} cannot be written into a signature header",
                    got=ascii(part)[:60],
                    expected="1 to 255 letters, digits and ._:-",
                )


def sign(body: bytes, signer: Signer, *, created: int, expires: int | None = None) -> str:
    """The header value for exactly these body bytes; times in Unix seconds, `expires` by default after the profile's
    lifetime."""
    return sign_digest(body_digest(body), signer, created=created, expires=expires)


def sign_digest(digest: str, signer: Signer, *, created: int, expires: int | None = None) -> str:
    """As `sign`, from a digest that `body_digest` has made already."""
    profile = signer.profile
    if expires is None:
        expires = created + profile.lifetime
    text = signing_string(profile, created=created, expires=expires, digest=digest)
    signature = signer.key.sign(signed_bytes(profile, text))
    header = SignatureHeader(signer.subscriber_id, signer.key_id, created, expires, signature)
    return authorization.write(header, profile.form)
