"""The two ways of signing as values; everything else in this package takes one of them as an argument.

Sources: vectors of NHA's signing document (UHI) and Beckn document BECKN-006 (BECKN).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType


class HeaderForm(Enum):
    """How the header value is spelled: a flat JSON object, or `Signature name="value",…`."""

    JSON = "json"
    SIGNATURE = "signature"


@dataclass(frozen=True, slots=True)
class Profile:
    """A way of signing, pinned to a subscriber's key.

    `joiner` stands between the parts of the signing string. `hashes_signing_string`: Ed25519 signs the base64 text of
    its BLAKE2b-512 instead of the string itself. `form` and `lifetime` (seconds) are what we emit; either form is
    read. `replays_are_refused`: a header that was used before is refused; otherwise it is accepted without effect.
    """

    name: str
    joiner: str
    hashes_signing_string: bool
    form: HeaderForm
    lifetime: int
    replays_are_refused: bool


UHI = Profile(
    name="uhi",
    joiner=" ",
    hashes_signing_string=True,
    form=HeaderForm.JSON,
    lifetime=10,
    replays_are_refused=True,
)
BECKN = Profile(
    name="beckn",
    joiner="\n",
    hashes_signing_string=False,
    form=HeaderForm.SIGNATURE,
    lifetime=300,
    replays_are_refused=False,
)

PROFILES: Mapping[str, Profile] = MappingProxyType({profile.name: profile for profile in (UHI, BECKN)})
"""The profiles by name (`uhi`, `beckn`), for settings, registry records and the command line."""
