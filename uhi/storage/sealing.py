"""Bodies and PINs on disk are encrypted: AES-256-GCM, bound to the row they belong to, with keys from a file.

Above: the stores on SQL; composition roots read the key file. Source: decision on PINs, the issue's "Journal".
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from uhi.errors import SetupError
from uhi.signing.key_files import read_private_bytes

KEY_BYTES = 32
_VERSION = b"\x01"
_KEY_ID_BYTES = 4
_NONCE_BYTES = 12
_HEAD = 1 + _KEY_ID_BYTES
_BEFORE_TEXT = _HEAD + _NONCE_BYTES
_MOST_KEYS = 64


class Sealing:
    """Encrypts with the first of its keys, decrypts with any. Keys are 32 bytes each, newest first.

    Raises: SetupError for no key, or one of another length.
    """

    def __init__(self, keys: Iterable[bytes]) -> None:
        each = tuple(keys)
        if not each or any(len(key) != KEY_BYTES for key in each):
            raise SetupError("bodies cannot be encrypted without a key", expected="keys of 32 bytes, the newest first")
        # Of two keys with the same short id the newer one would hide the older one.
        self._keys = {_key_id(key): AESGCM(key) for key in each}
        if len(self._keys) != len(set(each)):
            raise SetupError("two body keys have the same id", next_step="make another one with: uhi db key")
        self._each = each
        self._head = _VERSION + _key_id(each[0])
        self._newest = self._keys[_key_id(each[0])]

    def __repr__(self) -> str:
        return f"Sealing({', '.join(key_id.hex() for key_id in self._keys)})"

    @classmethod
    def for_development(cls) -> Sealing:
        """A key that ends with the process: what it sealed cannot be read afterwards."""
        return cls([secrets.token_bytes(KEY_BYTES)])

    def seal(self, plain: bytes, *, about: str) -> bytes:
        """Encrypt; it opens again only as what it is `about`, which is an id."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return self._head + nonce + self._newest.encrypt(nonce, plain, about.encode())

    def derived(self, purpose: str) -> tuple[bytes, ...]:
        """Keys of 32 bytes for another purpose, one made of each of ours, the newest first."""
        return tuple(hmac.digest(key, f"uhi {purpose}".encode(), "sha256") for key in self._each)

    def open(self, blob: bytes, *, about: str) -> bytes:
        """Decrypt what `seal` made.

        Raises: SetupError when its key is not among ours, or it is not what was sealed about this id.
        """
        key_id = blob[1:_HEAD]
        key = self._keys.get(key_id)
        if blob[:1] != _VERSION or key is None:
            raise SetupError(
                "something encrypted cannot be read: its key is not in the body key file",
                got=f"key {key_id.hex()}",
                expected=f"one of {', '.join(each.hex() for each in self._keys)}",
                next_step="add the earlier key to UHI_BODY_KEY_FILE again, below the newest",
            )
        try:
            return key.decrypt(blob[_HEAD:_BEFORE_TEXT], blob[_BEFORE_TEXT:], about.encode())
        except (InvalidTag, ValueError):
            raise SetupError(
                "something encrypted cannot be read: it is damaged, or belongs to another row",
                got=f"a text sealed with key {key_id.hex()} that does not open",
                next_step="restore the database from a backup",
            ) from None


def new_body_key() -> str:
    """A line for a body key file: a fresh key."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode() + "\n"


def read_body_key_file(path: Path) -> Sealing:
    """The keys in a file: one on each line, 32 bytes in base64, the newest first.

    Raises: SetupError when the file cannot be read, belongs to another user, is open to others (any mode bit beyond
    0600) or holds anything else.
    """
    return body_keys_in(read_private_bytes(path), where=f"body key file {path}")


def body_keys_in(raw: bytes, *, where: str) -> Sealing:
    """The keys in what was read from somewhere, as `read_body_key_file` reads them.

    Raises: SetupError that names `where`, never what stood there.
    """
    lines = [line.strip() for line in raw.splitlines()]
    keys = [_key(line) for line in lines if line]
    if not keys or None in keys or len(keys) > _MOST_KEYS:
        raise SetupError(
            f"{where} holds no usable keys",
            expected=f"lines of base64, each of {KEY_BYTES} bytes, the newest first",
            next_step="make a new first line, and keep the others below it",
        )
    return Sealing(key for key in keys if key is not None)


def _key(line: bytes) -> bytes | None:
    try:
        key = base64.b64decode(line, validate=True)
    except binascii.Error:
        return None
    return key if len(key) == KEY_BYTES else None


def _key_id(key: bytes) -> bytes:
    return sha256(b"uhi body key\x00" + key).digest()[:_KEY_ID_BYTES]
