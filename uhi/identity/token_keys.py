"""The RSA keys that access tokens are signed with: files of one folder, new ones published before they sign.

The processes of one machine share the folder; a file is named for the Unix second from which it signs, so that they all
pick the same key. Above: `tokens`; below: private files. Source: security rules "IAM", the row on access tokens.
"""

from __future__ import annotations

import fcntl
import logging
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc.jwk import RSAKey

from uhi.errors import SetupError
from uhi.ports import Clock
from uhi.signing.key_files import read_private_bytes, write_private_text

_A_DAY = 86_400.0
_BITS = 2_048
_FOLDER_MODE = 0o700
_LOOK_SECONDS = 60.0
_ENDING = ".pem"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rotation:
    """How long a key signs, how long before that it is published, and how long after: all in seconds.

    `after` has to be longer than a token lives, with the leeway of whoever reads it.
    """

    signs: float = 90 * _A_DAY
    before: float = _A_DAY
    after: float = 3_600.0


@dataclass(frozen=True, slots=True)
class TokenKey:
    """One key pair: `id` is its RFC 7638 thumbprint, `signs_from` Unix seconds."""

    id: str
    signs_from: int
    pair: RSAKey


class TokenKeys:
    """The keys in a folder, as of now. Its folder is looked at again once a minute."""

    def __init__(self, folder: Path, *, clock: Clock, rotation: Rotation = Rotation()) -> None:
        self._folder = folder
        self._clock = clock
        self._rotation = rotation
        self._keys: tuple[TokenKey, ...] = ()
        self._look_at = 0.0

    @classmethod
    def open(cls, folder: Path, *, clock: Clock, rotation: Rotation = Rotation()) -> TokenKeys:
        """The keys in `folder`, which is made with a first key when it is not there.

        Raises: SetupError when the folder or a file in it is open to others (modes beyond 0700 and 0600), belongs to
        another user, cannot be written, or holds a file that is no RSA key of at least 2,048 bits.
        """
        keys = cls(folder, clock=clock, rotation=rotation)
        keys._look(clock.now(), waits=True)
        return keys

    def current(self) -> TokenKey:
        """The key that signs now."""
        return _signing(self._published(), self._clock.now())

    def by_id(self, key_id: str) -> TokenKey | None:
        """The published key of this id, which is compared and nothing else."""
        return next((key for key in self._published() if key.id == key_id), None)

    def jwks(self) -> dict[str, object]:
        """The public halves of all published keys, as a JSON Web Key Set (RFC 7517)."""
        return {"keys": [_public(key) for key in self._published()]}

    def _published(self) -> tuple[TokenKey, ...]:
        now = self._clock.now()
        if now >= self._look_at or now < self._look_at - 2 * _LOOK_SECONDS:
            self._look_at = now + _LOOK_SECONDS
            try:
                self._look(now, waits=False)
            except SetupError as error:
                _log.error("the keys known before are used on: %s", error)
        return self._keys

    def _look(self, now: float, *, waits: bool) -> None:
        """Read the folder, make the key that is due, delete those that nobody needs any more."""
        with _alone(self._folder, waits=waits):
            known = {key.signs_from: key for key in self._keys}
            keys = [known.get(at) or _read(self._folder, at) for at in _times(self._folder)]
            due = self._due(keys, now)
            if due is not None:
                keys.append(_make(self._folder, due))
            over = [key for key in keys if self._is_over(key, keys, now)]
            for key in over:
                _path(self._folder, key.signs_from).unlink(missing_ok=True)
        self._keys = tuple(key for key in keys if key not in over)
        self._look_at = now + _LOOK_SECONDS

    def _due(self, keys: list[TokenKey], now: float) -> int | None:
        """From when the key signs that has to be made now, None for no such key."""
        if not keys:
            return int(now)
        follows = keys[-1].signs_from + self._rotation.signs
        if follows - self._rotation.before > now:
            return None
        return int(max(follows, now + self._rotation.before))

    def _is_over(self, key: TokenKey, keys: list[TokenKey], now: float) -> bool:
        later = [each.signs_from for each in keys if each.signs_from > key.signs_from]
        return bool(later) and now > min(later) + self._rotation.after


def _signing(keys: tuple[TokenKey, ...], now: float) -> TokenKey:
    started = [key for key in keys if key.signs_from <= now]
    # With a clock that was set back nothing has started yet: then the oldest one signs.
    return started[-1] if started else keys[0]


def _public(key: TokenKey) -> dict[str, object]:
    return {**key.pair.as_dict(private=False), "kid": key.id, "use": "sig", "alg": "RS256"}


@contextmanager
def _alone(folder: Path, *, waits: bool) -> Iterator[None]:
    """One process at a time works in the folder. One that serves does not wait for another that may stand still."""
    try:
        folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        _check_owned(folder)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise _failure(folder, f"cannot be used: {error.strerror}", "see that it can be made and written") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX if waits else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except OSError as error:
        raise _failure(folder, f"cannot be used: {error.strerror}", "see that it can be written") from None
    finally:
        os.close(lock)


def _check_owned(folder: Path) -> None:
    state = folder.stat()
    mode = stat.S_IMODE(state.st_mode)
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.geteuid():
        raise _failure(folder, "is not a folder of our own", "name one that belongs to the user of this program")
    if mode & ~_FOLDER_MODE:
        raise _failure(folder, f"is open to others (mode {mode:04o})", f"chmod 700 {folder}")


def _times(folder: Path) -> list[int]:
    names = (entry.name.removesuffix(_ENDING) for entry in folder.iterdir() if entry.name.endswith(_ENDING))
    return sorted(int(name) for name in names if name.isascii() and name.isdigit())


def _path(folder: Path, signs_from: int) -> Path:
    return folder / f"{signs_from}{_ENDING}"


def _make(folder: Path, signs_from: int) -> TokenKey:
    pair = RSAKey.generate_key(_BITS)
    unfinished = folder / f"{signs_from}.new"
    unfinished.unlink(missing_ok=True)
    write_private_text(unfinished, pair.as_pem(private=True).decode("ascii"))
    unfinished.rename(_path(folder, signs_from))
    return TokenKey(pair.thumbprint(), signs_from, pair)


def _read(folder: Path, signs_from: int) -> TokenKey:
    path = _path(folder, signs_from)
    try:
        private = load_pem_private_key(read_private_bytes(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        private = None
    if not isinstance(private, RSAPrivateKey) or private.key_size < _BITS:
        raise _failure(path, f"holds no RSA private key of at least {_BITS} bits", "delete it: another one is made")
    pair = RSAKey.import_key(private)
    return TokenKey(pair.thumbprint(), signs_from, pair)


def _failure(path: Path, what: str, next_step: str) -> SetupError:
    return SetupError(f"for the keys of access tokens: {path} {what}", next_step=next_step)
