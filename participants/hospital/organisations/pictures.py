"""Pictures of practitioners: PNG or JPEG by what they are, not by what they are called, and small.

Pure. Above: `practitioner_routes`, `people`.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from hashlib import sha256

import puremagic

from uhi.errors import Refusal
from uhi.faults import REQUEST_INVALID

MOST_BYTES = 200 * 1_024
MOST_TEXT = 4 * (-(-MOST_BYTES // 3))

_STARTS = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}
_ENDS = {"image/png": b"IEND\xaeB`\x82", "image/jpeg": b"\xff\xd9"}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that was looked at."""

    media_type: str
    data: bytes = field(repr=False)

    @property
    def digest(self) -> str:
        """Its SHA-256, in hexadecimal digits."""
        return sha256(self.data).hexdigest()


def read_picture(text: str) -> Picture:
    """Read a picture in base64.

    Raises: Refusal(REQUEST_INVALID) for what is no base64, too large, or neither PNG nor JPEG from beginning to end.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _unusable("no base64") from None
    if not data or len(data) > MOST_BYTES:
        raise _unusable(f"{len(data)} bytes")
    media_type = _sniffed(data)
    if media_type not in _STARTS or not data.startswith(_STARTS[media_type]):
        raise _unusable("another kind of file")
    if not data.endswith(_ENDS[media_type]):
        raise _unusable("a picture that does not end where its file does")
    return Picture(media_type, data)


def _sniffed(data: bytes) -> str:
    try:
        return str(puremagic.from_string(data, mime=True))
    except (puremagic.PureError, ValueError):
        return ""


def _unusable(got: str) -> Refusal:
    expected = f"a PNG or JPEG picture of at most {MOST_BYTES // 1_024} KiB, in base64"
    return Refusal(REQUEST_INVALID, "the picture cannot be used", got=got, expected=expected, path="image")
