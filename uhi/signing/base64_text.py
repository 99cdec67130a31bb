"""Standard base64 with exactly one spelling per value (RFC 4648 section 3.5): padded, no white space.

Python's own decoders take several spellings of one value, which would let a signature be respelled.
"""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64


def encode(raw: bytes) -> str:
    """`raw` in base64, on one line."""
    return b2a_base64(raw, newline=False).decode("ascii")


def decode(text: str) -> bytes:
    """The bytes that `text` spells.

    Raises: ValueError unless `text` is the one canonical spelling of them.
    """
    raw = a2b_base64(text)
    if b2a_base64(raw, newline=False) != text.encode("ascii"):
        raise ValueError("not canonical base64")
    return raw
