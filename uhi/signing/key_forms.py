"""The spellings of Ed25519 keys: base64 of raw bytes or DER, and PEM, read into raw bytes and written from them.

Above: the key values in `keys`. Sources: RFC 8410 (SPKI, PKCS#8), RFC 5958 (the 83-byte form that BouncyCastle
writes, with the public half inside), libsodium's 64 bytes (seed, then public half) as BECKN-006 prints them.
"""

from __future__ import annotations

from typing import NamedTuple

from uhi.errors import Refusal
from uhi.faults import KEY_UNUSABLE
from uhi.signing import base64_text

PUBLIC_LABEL = "PUBLIC KEY"
PRIVATE_LABEL = "PRIVATE KEY"

_LONGEST_TEXT = 4_096
_RAW = 32
_SEED_AND_PUBLIC = 64
_SPKI = bytes.fromhex("302a300506032b6570032100")
_PKCS8 = bytes.fromhex("302e020100300506032b657004220420")
_PKCS8_WITH_PUBLIC = bytes.fromhex("3051020101300506032b657004220420")
_BEFORE_PUBLIC = bytes.fromhex("812100")
_ED25519 = bytes.fromhex("06032b6570")
_X25519 = bytes.fromhex("06032b656e")
_SPKI_LENGTH = len(_SPKI) + _RAW
_PKCS8_LENGTH = len(_PKCS8) + _RAW
_PKCS8_WITH_PUBLIC_LENGTH = len(_PKCS8_WITH_PUBLIC) + _RAW + len(_BEFORE_PUBLIC) + _RAW
_PRIVATE_LENGTHS = frozenset({_SEED_AND_PUBLIC, _PKCS8_LENGTH, _PKCS8_WITH_PUBLIC_LENGTH})


class PrivateParts(NamedTuple):
    """A private key as it was spelled: the 32-byte seed, and the public half where the form carries one."""

    seed: bytes
    public: bytes | None

    def __repr__(self) -> str:
        return "PrivateParts(hidden)"


def read_public(text: str | bytes) -> bytes:
    """The 32 raw bytes of a public key in base64 (raw or SPKI DER) or PEM.

    Raises: Refusal(KEY_UNUSABLE) for any other form; whether the point is usable is not looked at here.
    """
    raw = _decode(text, PUBLIC_LABEL)
    if len(raw) == _RAW:
        return raw
    if len(raw) == _SPKI_LENGTH and raw.startswith(_SPKI):
        return raw[len(_SPKI) :]
    if _X25519 in raw[:16]:
        raise _refusal("public key", got="an X25519 key", expected="an Ed25519 key", next_step="take the signing key")
    if len(raw) in _PRIVATE_LENGTHS:
        raise _refusal("public key", got="what looks like a private key", next_step="never hand out the private key")
    is_other = len(raw) == _SPKI_LENGTH
    raise _refusal(
        "public key",
        got=f"{len(raw)} bytes" + (" that are no SPKI DER of an Ed25519 key" if is_other else ""),
        expected="32 raw bytes, or the 44 bytes of SPKI DER that uhi keys show prints",
    )


def read_private(text: str | bytes) -> PrivateParts:
    """Seed and public half of a private key in base64 (seed, seed and public, PKCS#8 DER of 48 or 83 bytes) or PEM.

    Raises: Refusal(KEY_UNUSABLE) for any other form.
    """
    raw = _decode(text, PRIVATE_LABEL)
    length = len(raw)
    if length == _RAW:
        return PrivateParts(raw, None)
    if length == _SEED_AND_PUBLIC:
        return PrivateParts(raw[:_RAW], raw[_RAW:])
    if length == _PKCS8_LENGTH and raw.startswith(_PKCS8):
        return PrivateParts(raw[len(_PKCS8) :], None)
    if length == _PKCS8_WITH_PUBLIC_LENGTH and raw.startswith(_PKCS8_WITH_PUBLIC):
        seed_end = len(_PKCS8_WITH_PUBLIC) + _RAW
        if raw[seed_end:-_RAW] == _BEFORE_PUBLIC:
            return PrivateParts(raw[len(_PKCS8_WITH_PUBLIC) : seed_end], raw[-_RAW:])
    if _X25519 in raw[:16]:
        raise _refusal("private key", got="an X25519 key", expected="an Ed25519 key", next_step="take the signing key")
    if length == _SPKI_LENGTH:
        raise _refusal("private key", got="what looks like a public key", next_step="take the private half")
    raise _refusal("private key", got=f"{length} bytes", expected="32, 64, or PKCS#8 DER of 48 or 83 bytes")


def spki(public: bytes) -> bytes:
    """SPKI DER (44 bytes) of a raw public key."""
    return _SPKI + public


def pkcs8(seed: bytes) -> bytes:
    """PKCS#8 DER (48 bytes) of a seed."""
    return _PKCS8 + seed


def pem(der: bytes, label: str) -> str:
    """PEM text of `der`; both of our forms fit one line of 64 characters."""
    return f"-----BEGIN {label}-----\n{base64_text.encode(der)}\n-----END {label}-----\n"


def _decode(text: str | bytes, label: str) -> bytes:
    what = label.lower()
    if len(text) > _LONGEST_TEXT:
        raise _refusal(what, got=f"{len(text)} characters", expected=f"at most {_LONGEST_TEXT}")
    try:
        spelled = (text if isinstance(text, str) else text.decode("ascii")).strip(" \t\r\n")
        if not spelled.startswith("-----BEGIN "):
            return base64_text.decode(spelled)
        raw = base64_text.decode(_pem_content(spelled, label))
    except ValueError:
        raw = b""
    if _ED25519 in raw[:16] or _X25519 in raw[:16]:
        return raw
    raise _refusal(
        what,
        got="text that cannot be decoded",
        expected=f"padded standard base64, or PEM that begins with -----BEGIN {label}-----",
    )


def _pem_content(text: str, label: str) -> str:
    first, *lines, last = (line.strip() for line in text.splitlines())
    if first != f"-----BEGIN {label}-----" or last != f"-----END {label}-----":
        raise ValueError("another PEM label")
    return "".join(lines)


def _refusal(what: str, *, got: str, expected: str = "", next_step: str = "") -> Refusal:
    return Refusal(KEY_UNUSABLE, f"{what} is not acceptable", got=got, expected=expected, next_step=next_step)
