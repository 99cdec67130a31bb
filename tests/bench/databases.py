"""The databases that durable programs are measured on: a SQLite file, and PostgreSQL where this machine has it."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from tests.bench.hop import Kept
from tests.server_process import Missing
from tests.services import PostgresServer
from uhi.signing.key_files import write_private_text
from uhi.storage.migrating import upgrade
from uhi.storage.sealing import new_body_key

SQLITE, POSTGRES = "SQLite", "PostgreSQL"
_SYNCS = 200


@dataclass
class Databases:
    """A folder for files, and a server if there is one."""

    folder: Path
    server: PostgresServer | None
    _numbers: count[int] = field(default_factory=count)

    @property
    def names(self) -> tuple[str, ...]:
        """What can be measured here."""
        return (SQLITE, POSTGRES) if self.server else (SQLITE,)

    def sync_ms(self) -> float:
        """Median milliseconds for this disk to keep 4 KB for certain: what a journal cannot be faster than."""
        took = []
        with (self.folder / "sync").open("wb", buffering=0) as file:
            for _ in range(_SYNCS):
                file.write(bytes(4_096))
                started = time.perf_counter()
                os.fdatasync(file.fileno())
                took.append(time.perf_counter() - started)
        return median(took) * 1e3

    @property
    def body_key(self) -> str:
        """A file with a key."""
        path = self.folder / "body.key"
        if not path.exists():
            write_private_text(path, new_body_key())
        return str(path)

    async def fresh(self, name: str) -> Kept:
        """An empty database with the newest schema."""
        if name == POSTGRES and self.server is not None:
            url = self.server.url(self.server.create())
        else:
            url = f"sqlite:///{self.folder}/{next(self._numbers)}.db"
        await upgrade(url)
        return Kept(url, self.body_key)


@asynccontextmanager
async def databases() -> AsyncIterator[Databases]:
    """What this machine has, as long as the block runs; what it lacks is said."""
    async with AsyncExitStack() as stack:
        server = None
        try:
            server = stack.enter_context(PostgresServer.started())
        except Missing as missing:
            print(f"\nPostgreSQL is left out: {missing}")
        folder = stack.enter_context(TemporaryDirectory(prefix="uhi-bench-"))
        yield Databases(Path(folder), server)
