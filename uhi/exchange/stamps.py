"""Makes the signature headers we send, and never the same one twice for one body and receiver.

A header depends on bytes and time alone, so two sends within a second would carry the same one, and a receiver of
profile UHI refuses the second. Then `expires` grows by one.
"""

from __future__ import annotations

from uhi.signing import Signer
from uhi.signing.sign import sign_digest

_SWEEP_AT = 50_000
_EVERYBODY = ""


class Stamps:
    """The headers of one signer. Single-threaded, as everything on one event loop."""

    def __init__(self, signer: Signer) -> None:
        self.signer = signer
        self._last: dict[tuple[str, str], int] = {}

    def header(self, digest: str, *, receiver: str, now: float) -> str:
        """A header over the body with this base64 digest, new for this receiver; `now` in Unix seconds."""
        created = int(now)
        expires = created + self.signer.profile.lifetime
        spent = max(self._last.get((digest, receiver), 0), self._last.get((digest, _EVERYBODY), 0))
        if spent >= expires:
            expires = spent + 1
        self._last[digest, receiver] = expires
        if len(self._last) > _SWEEP_AT:
            self._last = {key: value for key, value in self._last.items() if value >= created}
        return sign_digest(digest, self.signer, created=created, expires=expires)

    def first_round(self, digest: str, *, now: float) -> str:
        """One header for many receivers, each of whom sees it once."""
        return self.header(digest, receiver=_EVERYBODY, now=now)
