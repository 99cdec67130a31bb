"""The challenge of Beckn registries: a text encrypted with AES-256-ECB under the X25519 secret both sides share.

Pure; below: PyNaCl and cryptography. It proves that an encryption key is held and protects nothing: the secret is used
without derivation, and equal blocks look equal. Source: the published ONDC examples of `on_subscribe`.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from nacl.bindings import crypto_scalarmult, crypto_scalarmult_base
from nacl.exceptions import CryptoError
from nacl.utils import random

from uhi.errors import Refusal
from uhi.faults import CHALLENGE_FAILED, KEY_UNUSABLE
from uhi.signing import base64_text

LONGEST_CHALLENGE = 4_096
"""The most characters of an encrypted challenge that are read."""

_BLOCK = 16
_LENGTH = 32
_LONGEST_KEY = 256
_SPKI = bytes.fromhex("302a300506032b656e032100")
_PKCS8 = bytes.fromhex("302e020100300506032b656e04220420")


def new_private_key() -> str:
    """A new X25519 private key: base64 of 32 bytes. Secret."""
    return base64_text.encode(random(_LENGTH))


def public_half(private: str) -> str:
    """The public key that belongs to a private one, as base64 of SPKI DER.

    Raises: Refusal(KEY_UNUSABLE).
    """
    return base64_text.encode(_SPKI + crypto_scalarmult_base(_read(private, _PKCS8, "private encryption key")))


def check_public(public: str) -> None:
    """Check that a text is an X25519 public key that a secret can be shared with.

    Raises: Refusal(KEY_UNUSABLE).
    """
    _shared(new_private_key(), public)


def encrypt(text: str, own_private: str, their_public: str) -> str:
    """The challenge for a text that only the holder of the other private key can read; keys in base64, raw or DER, or
    in PEM.

    Raises: Refusal(KEY_UNUSABLE).
    """
    raw = text.encode()
    padding = _BLOCK - len(raw) % _BLOCK
    encryptor = _cipher(_shared(own_private, their_public)).encryptor()
    return base64_text.encode(encryptor.update(raw + bytes([padding]) * padding) + encryptor.finalize())


def decrypt(challenge: str, own_private: str, their_public: str) -> str:
    """The text of a challenge; keys in base64, raw or DER, or in PEM.

    Raises: Refusal(KEY_UNUSABLE); Refusal(CHALLENGE_FAILED) for what was not encrypted for this key.
    """
    raw = _blocks(challenge)
    decryptor = _cipher(_shared(own_private, their_public)).decryptor()
    padded = decryptor.update(raw) + decryptor.finalize()
    count = padded[-1]
    if not 1 <= count <= _BLOCK or padded[-count:] != bytes([count]) * count:
        raise _failed("another padding", "PKCS#7 under the secret both sides share")
    try:
        return padded[:-count].decode()
    except UnicodeDecodeError:
        raise _failed("bytes that are no text", "UTF-8") from None


def _blocks(challenge: str) -> bytes:
    if len(challenge) > LONGEST_CHALLENGE:
        raise _failed(f"{len(challenge)} characters", f"at most {LONGEST_CHALLENGE}")
    try:
        raw = base64_text.decode(challenge)
    except ValueError:
        raise _failed("text that cannot be decoded", "padded standard base64") from None
    if not raw or len(raw) % _BLOCK:
        raise _failed(f"{len(raw)} bytes", "whole blocks of 16 bytes")
    return raw


def _shared(own_private: str, their_public: str) -> bytes:
    private = _read(own_private, _PKCS8, "private encryption key")
    public = _read(their_public, _SPKI, "public encryption key")
    try:
        shared = crypto_scalarmult(private, public)
    except CryptoError:
        shared = bytes(_LENGTH)
    if shared == bytes(_LENGTH):
        raise _unusable("public encryption key", "a key of small order", "a key that a secret can be shared with")
    return shared


def _cipher(secret: bytes) -> Cipher[modes.ECB]:
    return Cipher(algorithms.AES(secret), modes.ECB())  # noqa: S305  # what registries of the Beckn family ask for


def _read(text: str, prefix: bytes, what: str) -> bytes:
    if len(text) > _LONGEST_KEY:
        raise _unusable(what, f"{len(text)} characters", "base64 of 32 bytes or of DER")
    try:
        raw = base64_text.decode(_without_pem(text.strip(" \t\r\n")))
    except ValueError:
        raise _unusable(what, "text that cannot be decoded", "padded standard base64") from None
    if len(raw) == len(prefix) + _LENGTH and raw.startswith(prefix):
        raw = raw[len(prefix) :]
    if len(raw) != _LENGTH:
        raise _unusable(what, f"{len(raw)} bytes", "an X25519 key of 32 bytes, raw or in DER")
    return raw


def _without_pem(text: str) -> str:
    """The base64 inside PEM as `openssl genpkey -algorithm X25519` writes it; what is no PEM as it is."""
    lines = text.splitlines()
    is_pem = len(lines) > 2 and lines[0].startswith("-----BEGIN ") and lines[-1].startswith("-----END ")
    return "".join(lines[1:-1]) if is_pem else text


def _unusable(what: str, got: str, expected: str) -> Refusal:
    return Refusal(KEY_UNUSABLE, f"{what} is not acceptable", got=got, expected=expected)


def _failed(got: str, expected: str) -> Refusal:
    return Refusal(CHALLENGE_FAILED, "the challenge cannot be read", got=got, expected=expected)
