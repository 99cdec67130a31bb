"""Links to one file that work for a few minutes, for whoever has them.

A link holds an id, a time and a code; the file's name, which may tell of a patient, is bound by the code and does not
stand in it. Above: `uhi.conversation`. Source: security rules on signed links (HMAC-SHA256, constant time).
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from uhi.errors import Refusal, SetupError
from uhi.faults import LINK_INVALID

SECONDS = 300
"""How long a link works, in seconds."""

_KEY_BYTES = 32
_LATEST = 2**53
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_SIGNATURE = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class SignedLink:
    """What a link holds: the file's id, when it ends (Unix seconds), and the code over both."""

    id: str
    expires: int
    signature: str = field(repr=False)


class SignedUrls:
    """Makes links below `path` with the first of its keys, checks them with any. Keys are 32 bytes each, newest first.

    Raises: SetupError for no key, or one of another length.
    """

    def __init__(self, keys: Sequence[bytes], *, path: str, seconds: int = SECONDS) -> None:
        if not keys or any(len(key) != _KEY_BYTES for key in keys):
            raise SetupError("links cannot be signed", expected=f"keys of {_KEY_BYTES} bytes, the newest first")
        self._keys = tuple(keys)
        self._path = path
        self._seconds = seconds

    def __repr__(self) -> str:
        return f"SignedUrls({self._path!r})"

    def make(self, file_id: str, *, name: str, now: float) -> str:
        """A path with its query, to GET a file under a name; `now` is Unix seconds."""
        expires = int(now) + self._seconds
        signature = self._code(self._keys[0], file_id, expires, name)
        return f"{self._path}/{file_id}?{urlencode({'expires': expires, 'signature': signature})}"

    def check(self, link: SignedLink, *, name: str, now: float) -> None:
        """Let a link pass that was made here for this file and name, and has not ended.

        Raises: Refusal(LINK_INVALID).
        """
        is_readable = _ID.fullmatch(link.id) and _SIGNATURE.fullmatch(link.signature) and 0 < link.expires < _LATEST
        codes = [self._code(key, link.id, link.expires, name) for key in self._keys] if is_readable else []
        if not any(hmac.compare_digest(code, link.signature) for code in codes):
            raise Refusal(LINK_INVALID, "a link to a file was not made here", next_step="ask for the file's link again")
        if now >= link.expires:
            raise Refusal(LINK_INVALID, "a link to a file has ended", next_step="ask for the file's link again")

    def _code(self, key: bytes, file_id: str, expires: int, name: str) -> str:
        # The name comes last, since it alone may hold any character.
        text = "\n".join(("GET", self._path, file_id, str(expires), name))
        return hmac.digest(key, text.encode("utf-8", "surrogatepass"), "sha256").hex()
