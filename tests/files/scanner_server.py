"""A stand-in for clamd that speaks its protocol: it finds EICAR's test file, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

# In two parts, so that no scanner takes this file for the real one.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-" + b"ANTIVIRUS-TEST-FILE!$H+H*"


@dataclass
class ScannerServer:
    """What it heard; `limit` is after how many bytes it has heard enough, `answer` what it says instead."""

    url: str = ""
    scanned: list[bytes] = field(default_factory=list)
    limit: int = 6 * 1_048_576
    answer: bytes | None = None

    @asynccontextmanager
    async def running(self, socket: Path | None = None) -> AsyncIterator[ScannerServer]:
        """Run on a port of this machine, or on a socket."""
        if socket is not None:
            server = await asyncio.start_unix_server(self._hear, socket)
            self.url = f"unix://{socket}"
        else:
            server = await asyncio.start_server(self._hear, "127.0.0.1", 0)
            self.url = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server:
            yield self

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readuntil(b"\0") == b"zINSTREAM\0"
        content = b""
        while size := int.from_bytes(await reader.readexactly(4), "big"):
            content += await reader.readexactly(size)
            if len(content) > self.limit:
                writer.write(b"INSTREAM size limit exceeded. ERROR\0")
                break
        else:
            self.scanned.append(content)
            found = b"stream: Win.Test.EICAR_HDB-1 FOUND\0" if EICAR in content else b"stream: OK\0"
            writer.write(found if self.answer is None else self.answer)
        await writer.drain()
        writer.close()
