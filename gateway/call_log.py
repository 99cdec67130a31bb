"""The call log as a file: one JSON object per line and hop: who, what, when, outcome, milliseconds. Never a body.

A thread of its own writes the lines, since a hop must not wait for a disk. The file is opened for appending and can be
rotated by copying and truncating.
"""

from __future__ import annotations

import json
import logging
import os
from contextlib import suppress
from pathlib import Path
from queue import Empty, Full, Queue
from threading import Thread
from types import TracebackType
from typing import Self

from uhi.errors import SetupError
from uhi.observability.scrubbing import scrub
from uhi.observability.timeline import hop_json
from uhi.ports import Hop

log = logging.getLogger(__name__)

_MOST_WAITING = 100_000
_MOST_AT_ONCE = 1_000
_LAST_SECONDS = 10.0
_OWNER_ONLY = 0o600


class JsonLinesCalls:
    """A call log in a file of mode 0600; use it as a context manager, or `close` it, to have the last lines written.

    Beyond 100,000 lines that wait for a disk further ones are dropped, and their number is logged at the end.

    Raises: SetupError when the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, _OWNER_ONLY)
        except OSError as error:
            raise SetupError(f"call log {path} cannot be written", got=error.strerror or type(error).__name__) from None
        self._waiting: Queue[bytes | None] = Queue(_MOST_WAITING)
        self._refused = 0
        self._failed = 0
        self._thread = Thread(target=self._run, name="call-log", daemon=True)
        self._thread.start()

    def write(self, hop: Hop) -> None:
        """See `uhi.ports.CallLog`."""
        try:
            self._waiting.put_nowait(hop_line(hop))
        except Full:
            self._refused += 1

    def close(self) -> None:
        """Write what waits, for ten seconds at most, and close the file; the second time nothing happens."""
        if self._thread.is_alive():
            with suppress(Full):
                self._waiting.put(None, timeout=_LAST_SECONDS)
            self._thread.join(_LAST_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self) -> None:
        is_open = True
        while is_open:
            waiting = self._next_lines()
            is_open = None not in waiting
            lines = [line for line in waiting if line is not None]
            try:
                _write_all(self._file, b"".join(lines))
            except OSError:
                self._failed += len(lines)
        os.close(self._file)
        if self._refused or self._failed:
            log.error("%d lines of the call log could not be written", self._refused + self._failed)

    def _next_lines(self) -> list[bytes | None]:
        lines = [self._waiting.get()]
        while len(lines) < _MOST_AT_ONCE:
            try:
                lines.append(self._waiting.get_nowait())
            except Empty:
                break
        return lines


def hop_line(hop: Hop) -> bytes:
    """One hop as one line of JSON in ASCII, its time as UTC in ISO 8601."""
    shown = {name: scrub(item) if isinstance(item, str) else item for name, item in hop_json(hop).items()}
    return json.dumps(shown, separators=(",", ":")).encode() + b"\n"


def _write_all(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]
