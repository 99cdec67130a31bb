"""Ed25519 keys as values: checked once when made, then used without further checks.

Below: `key_forms` (spellings); above: `sign` and `verify`. Source of the rules: the network's registry and key rules;
PyNaCl does the arithmetic, since other libraries accept keys of low order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from nacl.bindings import crypto_core_ed25519_is_valid_point, crypto_sign, crypto_sign_seed_keypair
from nacl.utils import random

from uhi.errors import Refusal
from uhi.faults import KEY_UNUSABLE
from uhi.signing import base64_text, key_forms

_LENGTH = 32
_SIGNATURE_LENGTH = 64


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An Ed25519 public key: 32 raw bytes, canonical, in the main subgroup. Making one costs about as much as a
    verification, so keep it.

    Raises: Refusal(KEY_UNUSABLE) for another length and for all-zero, low-order and non-canonical keys.
    """

    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) != _LENGTH:
            raise Refusal(KEY_UNUSABLE, "public key is not acceptable", got=f"{len(self.raw)} bytes", expected="32")
        if not crypto_core_ed25519_is_valid_point(self.raw):
            raise Refusal(
                KEY_UNUSABLE,
                "public key is not acceptable",
                got="an all-zero, low-order or non-canonical key",
                expected="a canonical point of the main subgroup",
                next_step="make a new key pair",
            )

    @classmethod
    def read(cls, text: str | bytes) -> PublicKey:
        """A key from base64 of 32 raw bytes, base64 of 44 bytes of SPKI DER, or PEM; outer white space is ignored.

        Raises: Refusal(KEY_UNUSABLE) for any other form, X25519 keys and private keys among them.
        """
        return cls(key_forms.read_public(text))

    def raw_base64(self) -> str:
        """Base64 of the 32 raw bytes: the form of Beckn registries."""
        return base64_text.encode(self.raw)

    def spki_base64(self) -> str:
        """Base64 of SPKI DER (44 bytes): the form of UHI registries."""
        return base64_text.encode(key_forms.spki(self.raw))

    def pem(self) -> str:
        """PEM text, with a newline at the end."""
        return key_forms.pem(key_forms.spki(self.raw), key_forms.PUBLIC_LABEL)


class PrivateKey:
    """An Ed25519 private key around its 32-byte seed. It shows only its public half, and is not pickled or copied.

    Raises: Refusal(KEY_UNUSABLE) for a seed of another length.
    """

    __slots__ = ("_public", "_secret")

    def __init__(self, seed: bytes) -> None:
        if len(seed) != _LENGTH:
            raise Refusal(KEY_UNUSABLE, "private key is not acceptable", got=f"{len(seed)} bytes", expected="32")
        public, self._secret = crypto_sign_seed_keypair(seed)
        self._public = PublicKey(public)

    @classmethod
    def new(cls) -> PrivateKey:
        """A new key from the system's random source."""
        return cls(random(_LENGTH))

    @classmethod
    def read(cls, text: str | bytes) -> PrivateKey:
        """A key from base64 of a 32-byte seed, of seed and public half (64 bytes), of PKCS#8 DER (48 or 83 bytes),
        or from PEM; outer white space is ignored.

        Raises: Refusal(KEY_UNUSABLE) for any other form, X25519 keys among them, and where an embedded public half
        does not belong to the seed.
        """
        parts = key_forms.read_private(text)
        key = cls(parts.seed)
        if parts.public is not None and parts.public != key.public.raw:
            raise Refusal(
                KEY_UNUSABLE,
                "private key is not acceptable",
                got="a public half that does not belong to it",
                next_step="export the key pair again",
            )
        return key

    @property
    def public(self) -> PublicKey:
        """The public half."""
        return self._public

    def sign(self, message: bytes) -> bytes:
        """The Ed25519 signature of `message` (64 bytes), always the same for the same message."""
        return crypto_sign(message, self._secret)[:_SIGNATURE_LENGTH]

    def seed_base64(self) -> str:
        """Base64 of the 32-byte seed. Secret."""
        return base64_text.encode(self._secret[:_LENGTH])

    def pkcs8_base64(self) -> str:
        """Base64 of PKCS#8 DER (48 bytes): the form of UHI's examples. Secret."""
        return base64_text.encode(key_forms.pkcs8(self._secret[:_LENGTH]))

    def pem(self) -> str:
        """PEM text, with a newline at the end. Secret."""
        return key_forms.pem(key_forms.pkcs8(self._secret[:_LENGTH]), key_forms.PRIVATE_LABEL)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PrivateKey) and self._public == other._public

    def __hash__(self) -> int:
        return hash(self._public)

    def __repr__(self) -> str:
        return f"PrivateKey(hidden, public={self._public.raw_base64()})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a private key is not pickled or copied; write it to a key file")
