"""A folder with a file for each account, which holds the account's own key, sealed: apart from the database, so that a
copy of that opens nothing that was erased since.

Sync: called where the database is. Above: `data_keys`. Source: case IAM-17.
"""

from __future__ import annotations

import os
import secrets
import stat
from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from uhi.errors import SetupError
from uhi.signing.key_files import read_private_bytes, write_private_text

_FOLDER_MODE = 0o700


@dataclass(frozen=True, slots=True)
class KeyFolder:
    """The files in one folder (0700, made where it is missing); every process of the program has the same one."""

    path: Path

    def check(self) -> None:
        """See to it that the folder, if it is there, is ours alone.

        Raises: SetupError.
        """
        if self.path.exists():
            self._check()

    def read(self, account_id: str) -> bytes | None:
        """What is kept for an account; None for nothing.

        Raises: SetupError when the folder or the file is open to others, or cannot be read.
        """
        self._check()
        file = self._file(account_id)
        return b64decode(read_private_bytes(file)) if file.exists() else None

    def write(self, account_id: str, sealed: bytes) -> None:
        """Keep something for an account, on disk when this returns.

        Raises: SetupError, as `read`.
        """
        self._check()
        file = self._file(account_id)
        unfinished = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
        write_private_text(unfinished, b64encode(sealed).decode())
        try:
            unfinished.replace(file)
            self._sync()
        except OSError as error:
            raise _failure(self.path, f"cannot be written: {error.strerror}") from None

    def has(self, account_id: str) -> bool:
        """Whether something is kept for an account."""
        return self._file(account_id).exists()

    def delete(self, account_id: str) -> None:
        """Keep nothing for an account any more.

        Raises: SetupError when it cannot be deleted.
        """
        try:
            self._file(account_id).unlink(missing_ok=True)
            if self.path.exists():
                self._sync()
        except OSError as error:
            raise _failure(self.path, f"cannot be written: {error.strerror}") from None

    def _file(self, account_id: str) -> Path:
        return self.path / sha256(account_id.encode()).hexdigest()

    def _check(self) -> None:
        try:
            self.path.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
            state = self.path.stat()
        except OSError as error:
            raise _failure(self.path, f"cannot be used: {error.strerror}") from None
        if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.geteuid():
            raise _failure(self.path, "is not a folder of our own")
        if stat.S_IMODE(state.st_mode) & ~_FOLDER_MODE:
            raise _failure(self.path, "is open to others", f"chmod 700 {self.path}")

    def _sync(self) -> None:
        handle = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _failure(folder: Path, what: str, next_step: str = "see that the program's user owns it") -> SetupError:
    return SetupError(f"the folder of accounts' keys {folder} {what}", next_step=next_step)
