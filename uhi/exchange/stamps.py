"""Makes the signature headers we send, and never the same one twice for one body and receiver.

A header depends on bytes and time alone, so two sends within a second would carry the same one, and a receiver of
profile UHI refuses the second. Then `expires` grows by one.
"""

from __future__ import annotations

from uhi.errors import SetupError
from uhi.signing import Signer
from uhi.signing.sign import sign_digest

_SWEEP_AT = 50_000
_EVERYBODY = ""
_LONGEST_LIFE = 3_600


class Stamps:
    """The headers of one signer. Single-threaded, as everything on one event loop."""

    def __init__(self, signer: Signer) -> None:
        self.signer = signer
        self._spent: dict[str, dict[str, int]] = {}
        self._sweep_at = _SWEEP_AT

    def switch(self, signer: Signer) -> None:
        """Sign with another key of the same subscriber from now on.

        Raises: SetupError for another subscriber's.
        """
        if signer.subscriber_id != self.signer.subscriber_id:
            raise SetupError("a key is changed for another of the same subscriber", got=signer.subscriber_id)
        self.signer = signer

    def header(self, digest: str, *, receiver: str, now: float) -> str:
        """A header over the body with this base64 digest, new for this receiver; `now` in Unix seconds."""
        created = int(now)
        spent = self._spent.setdefault(digest, {})
        seen = spent.values() if receiver == _EVERYBODY else (spent.get(receiver, 0), spent.get(_EVERYBODY, 0))
        lifetime = self.signer.profile.lifetime
        expires = max(created + lifetime, max(seen, default=0) + 1)
        if expires - created > _LONGEST_LIFE:
            # Our clock was ahead and has been set back: nobody takes a signature that lives so long.
            expires = created + lifetime
        spent[receiver] = expires
        self._sweep(created)
        return sign_digest(digest, self.signer, created=created, expires=expires)

    def unseen(self, digest: str, *, now: float) -> str:
        """A header over this body that nobody has seen: for an attempt of our own or an audit copy, and for the first
        round of a fan-out, whose many receivers see it once each."""
        return self.header(digest, receiver=_EVERYBODY, now=now)

    def _sweep(self, now: int) -> None:
        """Forget bodies whose headers have all expired; seldom enough that the living ones cost little."""
        if len(self._spent) > self._sweep_at:
            self._spent = {digest: spent for digest, spent in self._spent.items() if max(spent.values()) >= now}
            self._sweep_at = max(_SWEEP_AT, 2 * len(self._spent))
