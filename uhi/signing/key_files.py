"""Private keys in files that only their owner can read, and the published keys that nobody may run with.

Above: composition roots and the command line. Source: the network's key storage rules (file mode 0600, own user).
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from uhi.errors import Refusal, SetupError
from uhi.signing.keys import PrivateKey, PublicKey

_OWNER_ONLY = stat.S_IRUSR | stat.S_IWUSR
_LARGEST_FILE = 4_096

PUBLISHED_PUBLIC_KEYS: frozenset[str] = frozenset(
    {
        # NHA signing document: the consumer's and the gateway's example key
        "f40c23b4c0724a08e47f7731da9cc062df292f5a809618a5dd652e9424a91672",
        "708c7efac36f0e8936ff7561ff18ca674b0ba2f82c159cf6022ce8e4055bef84",
        # Beckn document BECKN-006: the consumer's and the gateway's example key
        "6b018f8d12ba8bf560fe55abfb4c4e6dc955c65c195ef4e3598b65bba35e3879",
        "ed84595d5788274fd56b9eaf620cd3d548ab83a9a7ab7158d0c05963d0c97edd",
        # ONDC reference implementations, Python signing README: example key
        "48cdd440c8747a624c071b6b9f384fb5da5b1b251c011781ea77b75410e65992",
    }
)
"""Public halves (hex) of private keys that are printed in public documents: anyone can sign with them."""


def read_private_key_file(path: Path) -> PrivateKey:
    """The private key in the file `path`, in any form that `PrivateKey.read` takes.

    Raises: SetupError when the file cannot be read, belongs to another user, is open to others (any mode bit beyond
    0600) or holds no acceptable key.
    """
    return private_key_in(read_private_bytes(path), where=f"key file {path}")


def private_key_in(raw: bytes, *, where: str) -> PrivateKey:
    """The private key in what was read from somewhere, in any form that `PrivateKey.read` takes.

    Raises: SetupError that names `where`, never what stood there.
    """
    try:
        return PrivateKey.read(raw)
    except Refusal as refusal:
        problem = str(refusal)
    raise SetupError(
        f"{where} holds no usable private key ({problem})",
        expected="an Ed25519 key: PKCS#8 PEM, or base64 of a seed or PKCS#8 DER",
        next_step="make one with: uhi keys new",
    )


def write_private_key_file(path: Path, key: PrivateKey) -> None:
    """Write `key` as PKCS#8 PEM into a new file of mode 0600, on disk when this returns.

    Raises: SetupError when the file exists already or cannot be written.
    """
    write_private_text(path, key.pem())


def write_private_text(path: Path, text: str) -> None:
    """Write a private key in any of its spellings into a new file of mode 0600, on disk when this returns.

    Raises: SetupError when the file exists already or cannot be written.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    except FileExistsError:
        raise _failure(
            path, "exists already", next_step="choose another name; an existing key is never overwritten"
        ) from None
    except OSError as error:
        raise _failure(path, f"cannot be written: {error.strerror}") from None
    try:
        with open(handle, "w", encoding="ascii") as file:
            os.fchmod(handle, _OWNER_ONLY)
            file.write(text)
            file.flush()
            os.fsync(handle)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise _failure(path, f"cannot be written: {error.strerror}") from None


def read_private_bytes(path: Path) -> bytes:
    """What stands in a small file of secrets, of ours or of another kind.

    Raises: SetupError when it cannot be read, belongs to another user, or is open to others (any mode bit beyond 0600).
    """
    try:
        # The opened file is the one whose mode is checked; without O_NONBLOCK a named pipe would stop us here.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            _check_owned(path, os.fstat(handle))
            return os.read(handle, _LARGEST_FILE + 1)
        finally:
            os.close(handle)
    except OSError as error:
        raise _failure(path, f"cannot be read: {error.strerror}", next_step="check the path and its owner") from None


def refuse_published(key: PublicKey) -> None:
    """Refuse to run with a key whose private half stands in a public document. Composition roots call this.

    Raises: SetupError.
    """
    if key.raw.hex() in PUBLISHED_PUBLIC_KEYS:
        raise SetupError(
            f"the private half of public key {key.raw_base64()} is published, so anyone can sign with it",
            expected="a key of your own: known published private keys are refused outside dev and tests",
            next_step="make one with: uhi keys new",
        )


def _check_owned(path: Path, state: os.stat_result) -> None:
    if not stat.S_ISREG(state.st_mode):
        raise _failure(path, "is not a regular file")
    if state.st_uid != os.geteuid():
        raise _failure(path, "belongs to another user", got=f"user {state.st_uid}", expected=f"user {os.geteuid()}")
    mode = stat.S_IMODE(state.st_mode)
    if mode & ~_OWNER_ONLY:
        raise _failure(
            path, "is open to others", got=f"mode {mode:04o}", expected="0600", next_step=f"chmod 600 {path}"
        )


def _failure(path: Path, what: str, *, got: str = "", expected: str = "", next_step: str = "") -> SetupError:
    return SetupError(f"key file {path} {what}", got=got, expected=expected, next_step=next_step)
