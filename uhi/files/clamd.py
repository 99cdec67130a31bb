"""A virus scanner that runs beside us: clamd, over TCP or a socket of this machine.

Its command INSTREAM takes the content in chunks, so it needs no file of ours. Implements `uhi.files.scanning.Scanner`.
Source: clamd(8).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from urllib.parse import SplitResult, urlsplit

from uhi.errors import Refusal, SetupError
from uhi.faults import OVERLOADED
from uhi.files.scanning import Verdict

SECONDS = 4.0
"""The longest that a scan takes: whoever hands a file in waits for it."""

_CHUNK = 64 * 1_024
_LONGEST_ANSWER = 1_024
_FORMS = "tcp://host:3310, or unix:///run/clamav/clamd.sock"


class Clamd:
    """A scanner at an address: `tcp://host:port` or `unix:///path`.

    Raises: SetupError for an address of another form.
    """

    def __init__(self, url: str, *, seconds: float = SECONDS) -> None:
        self._at = _place(url)
        self._seconds = seconds

    async def scan(self, content: bytes) -> Verdict:
        """See `Scanner`."""
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._asked(content)
        except TimeoutError:
            raise _away(f"nothing within {self._seconds:g} s") from None
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise _away(type(error).__name__) from None
        # The answer may name what was found, never what it was found in.
        if answer == b"stream: OK":
            return Verdict.CLEAN
        if answer.startswith(b"stream: ") and answer.endswith(b" FOUND"):
            return Verdict.INFECTED
        raise _away("an answer that is neither OK nor FOUND")

    async def _asked(self, content: bytes) -> bytes:
        reader, writer = await self._connected()
        try:
            writer.write(b"zINSTREAM\0")
            # One that has heard enough hangs up, and its answer is there to be read all the same.
            with suppress(ConnectionError):
                for start in range(0, len(content), _CHUNK):
                    chunk = content[start : start + _CHUNK]
                    writer.write(len(chunk).to_bytes(4, "big") + chunk)
                    await writer.drain()
                writer.write(bytes(4))
                await writer.drain()
            return (await reader.readuntil(b"\0")).removesuffix(b"\0").strip()
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._at, str):
            return await asyncio.open_unix_connection(self._at, limit=_LONGEST_ANSWER)
        return await asyncio.open_connection(*self._at, limit=_LONGEST_ANSWER)


def _place(url: str) -> tuple[str, int] | str:
    try:
        parts: SplitResult = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _unreadable() from None
    if parts.scheme == "unix" and not parts.netloc and len(parts.path) > 1:
        return parts.path
    if parts.scheme == "tcp" and host and port and not parts.path:
        return host, port
    raise _unreadable()


def _unreadable() -> SetupError:
    return SetupError("the address of the virus scanner has another form", expected=_FORMS)


def _away(got: str) -> Refusal:
    return Refusal(
        OVERLOADED, "the virus scanner does not say", got=got, next_step="see that clamd runs and takes files of 5 MiB"
    )
