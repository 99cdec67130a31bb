"""Proof that a subscriber holds a private key: a signature over a nonce that can be mistaken for nothing else.

Below: `keys`; above: the registry that asks and the participant that answers. Source: this network's `on_subscribe`.
"""

from __future__ import annotations

from dataclasses import dataclass

from uhi.errors import Refusal
from uhi.faults import CHALLENGE_FAILED, MESSAGE_INVALID
from uhi.signing import base64_text
from uhi.signing.authorization import KEY_ID_PART
from uhi.signing.keys import PrivateKey, PublicKey
from uhi.signing.verify import verify_bytes

CHALLENGE_SECONDS = 300
"""The longest a challenge may live."""

_PURPOSE = "uhi-subscribe-challenge:v1"
_NONCE_BYTES = 32
_LAST_SECOND = 253_402_300_799


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a registry asks one key of one subscriber to sign.

    Ids are 1 to 255 letters, digits and `._:-`; `nonce` is base64 of 32 random bytes; `expires` Unix seconds.
    Raises: Refusal(MESSAGE_INVALID) for other values, since one with a line feed could say two things.
    """

    registry_id: str
    subscriber_id: str
    key_id: str
    challenge_id: str
    nonce: str
    expires: int

    def __post_init__(self) -> None:
        for name in ("registry_id", "subscriber_id", "key_id", "challenge_id"):
            if not KEY_ID_PART.fullmatch(getattr(self, name)):
                raise _malformed(name, "1 to 255 letters, digits and ._:-")
        if not _is_nonce(self.nonce):
            raise _malformed("nonce", f"base64 of {_NONCE_BYTES} bytes")
        if not 0 <= self.expires <= _LAST_SECOND:
            raise _malformed("expires", "Unix seconds")

    def signed_bytes(self) -> bytes:
        """What Ed25519 signs: purpose, registry, subscriber, key, challenge, nonce and end, each on its line."""
        parts = (self.registry_id, self.subscriber_id, self.key_id, self.challenge_id, self.nonce, str(self.expires))
        return "\n".join((_PURPOSE, *parts)).encode("ascii")


def prove(challenge: Challenge, private: PrivateKey) -> str:
    """The answer to a challenge: base64 of the Ed25519 signature."""
    return base64_text.encode(private.sign(challenge.signed_bytes()))


def check_proof(challenge: Challenge, proof: str, public: PublicKey) -> None:
    """Check that the holder of `public` answered this very challenge; its time is not looked at here.

    Raises: Refusal(CHALLENGE_FAILED).
    """
    try:
        verify_bytes(challenge.signed_bytes(), base64_text.decode(proof), key=public)
    except (Refusal, ValueError):
        raise Refusal(
            CHALLENGE_FAILED,
            f"{challenge.subscriber_id} did not prove that it holds key {challenge.key_id}",
            got="a signature by another key or over something else",
            expected="padded base64 of an Ed25519 signature over the challenge",
            next_step="sign with the private half of the key that was applied for",
        ) from None


def _is_nonce(text: str) -> bool:
    try:
        return len(base64_text.decode(text)) == _NONCE_BYTES
    except ValueError:
        return False


def _malformed(name: str, expected: str) -> Refusal:
    return Refusal(MESSAGE_INVALID, "the challenge is malformed", expected=f"{name}: {expected}", path=f"$.{name}")
