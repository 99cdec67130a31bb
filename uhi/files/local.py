"""Files in a folder of this machine, which only its owner can read.

A file is written beside its place, brought to the disk and renamed, so that a crash leaves the old one, the new one or
none, never half of one. Implements `uhi.files.store.ObjectStore`.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from stat import S_IMODE
from typing import TypeVar

from uhi.errors import FileMissing, SetupError
from uhi.files.store import SECONDS, away, check_key

R = TypeVar("R")

_FOLDER_MODE = 0o700
_FILE_MODE = 0o600


class LocalFolder:
    """A store in the folder `root`, which is made with mode 0700 where it is not there.

    Raises: SetupError when the folder cannot be used, belongs to another user, or is open to others.
    """

    def __init__(self, root: Path, *, seconds: float = SECONDS) -> None:
        self._root = _prepared(root)
        self._seconds = seconds

    def __repr__(self) -> str:
        return f"LocalFolder({str(self._root)!r})"

    async def put(self, key: str, content: bytes, *, content_type: str = "application/octet-stream") -> None:
        """See `ObjectStore`; a folder keeps no types."""
        await self._run(key, lambda path: _write(path, content, root=self._root))

    async def get(self, key: str) -> bytes:
        """See `ObjectStore`."""
        return await self._run(key, _read)

    async def has(self, key: str) -> bool:
        """See `ObjectStore`."""
        return await self._run(key, Path.is_file)

    async def delete(self, key: str) -> None:
        """See `ObjectStore`."""
        await self._run(key, _remove)

    async def aclose(self) -> None:
        """There is nothing to let go of."""

    async def _run(self, key: str, work: Callable[[Path], R]) -> R:
        check_key(key)
        async with self._failures():
            return await asyncio.to_thread(lambda: work(self._place(key)))

    def _place(self, key: str) -> Path:
        path = self._root / key
        # A link inside the folder must not lead out of it.
        if not path.resolve().is_relative_to(self._root):
            raise away("a file's place leads out of the folder of files", "a link in it")
        return path

    @asynccontextmanager
    async def _failures(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._seconds):
                yield
        except TimeoutError:
            raise away("the folder of files does not answer", f"nothing within {self._seconds:g} s") from None
        except OSError as error:
            raise away("the folder of files cannot be used", error.strerror or type(error).__name__) from None


def _prepared(root: Path) -> Path:
    try:
        root.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        place = root.resolve(strict=True)
        state = place.stat()
    except OSError as error:
        raise SetupError(
            f"the folder of files {root} cannot be used: {error.strerror}", next_step="check the path and its owner"
        ) from None
    if state.st_uid != os.geteuid():
        raise SetupError(f"the folder of files {root} belongs to another user", next_step="use a folder of your own")
    mode = S_IMODE(state.st_mode)
    if mode & ~_FOLDER_MODE:
        raise SetupError(
            f"the folder of files {root} is open to others",
            got=f"mode {mode:04o}",
            expected="0700",
            next_step=f"chmod 700 {root}",
        )
    return place


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, IsADirectoryError):
        raise FileMissing("there is no such file in the store") from None


def _write(path: Path, content: bytes, *, root: Path) -> None:
    path.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    # No key begins a part with a dot, so this is nobody's file.
    beside = path.parent / f".{secrets.token_hex(8)}"
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
    try:
        with open(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.rename(path)
    except OSError:
        with suppress(OSError):
            beside.unlink()
        raise
    for folder in (path.parent, *path.parent.parents):
        _to_disk(folder)
        if folder == root:
            break


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _to_disk(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
