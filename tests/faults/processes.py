"""Real programs as processes: started, watched, killed, started again on the same port.

They are started by `tests.faults.crash_at` and write into a folder of their own. Above: `town`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import SystemRandom

from tests.faults.crash_at import KILLED
from tests.server_process import _ending_with_us

ROOT = Path(__file__).parents[2]
HOST = "127.0.0.1"
PATIENCE = 30.0
"""Seconds within which whatever is waited for must be there; a deadline, not a pause."""
_PAUSE = 0.02


def seed() -> int:
    """This run's seed, printed; `UHI_FAULT_SEED` gives one back."""
    chosen = int(os.environ.get("UHI_FAULT_SEED") or SystemRandom().randrange(10**6))
    print(f"UHI_FAULT_SEED={chosen}")
    return chosen


async def until(holds: Callable[[], Awaitable[object] | object], what: str, *, within: float = PATIENCE) -> None:
    """Return when something holds; fails when it does not in time."""
    end = asyncio.get_running_loop().time() + within
    while True:
        outcome = holds()
        if isinstance(outcome, Awaitable):
            outcome = await outcome
        if outcome:
            return
        assert asyncio.get_running_loop().time() < end, f"not within {within:g} s: {what}"
        await asyncio.sleep(_PAUSE)


@asynccontextmanager
async def busy(work: Callable[[], Awaitable[None]], *, at_once: int) -> AsyncIterator[None]:
    """Somebody works all the time while the block runs; leaving it finishes what was begun."""
    is_over = asyncio.Event()

    async def one() -> None:
        while not is_over.is_set():
            await work()

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(one())
        yield
        is_over.set()


@dataclass
class Program:
    """One program: its command line and settings, and the process that runs it at the moment."""

    name: str
    arguments: Sequence[str]
    folder: Path
    port: int
    settings: Mapping[str, str] = field(default_factory=dict)
    process: asyncio.subprocess.Process | None = None

    @property
    def log(self) -> Path:
        """What it said, in all its lives."""
        return self.folder / f"{self.name}.log"

    @property
    def crashes_file(self) -> Path:
        """Has a line for each time it has crashed since it was started."""
        return self.folder / f"{self.name}.crashed"

    @property
    def crashes(self) -> int:
        """How often a worker of it has crashed since it was started."""
        return len(self.crashes_file.read_text().splitlines()) if self.crashes_file.exists() else 0

    @property
    def pid(self) -> int:
        """The process id."""
        assert self.process is not None
        return self.process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.process is not None and self.process.returncode is None

    async def start(self, *, crash_at: str = "") -> None:
        """Start it and wait until it says that it is up."""
        said = self.log.stat().st_size if self.log.exists() else 0
        self.crashes_file.unlink(missing_ok=True)
        own = {"CRASH_AT": crash_at, "CRASHED": str(self.crashes_file), "HASTE": "1"}
        # Without bytecode on disk most of a start would be compiling.
        left = ("UHI_", "PYTHONDONTWRITEBYTECODE")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(left)}
        with self.log.open("ab") as out:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.faults.crash_at", *self.arguments, "--port", str(self.port), "--json"),
                cwd=ROOT,
                env={**inherited, **self.settings, **own, "PYTHONPATH": str(ROOT)},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                preexec_fn=_ending_with_us(signal.SIGKILL),
            )
        await until(lambda: not self.is_running or self._says_up(said), f"{self.name} is up")
        assert self.is_running or self.process.returncode == KILLED, f"{self.name} ended: {self.said()[-3_000:]}"

    async def crashed(self, *, within: float = PATIENCE) -> None:
        """Return when it has ended by its bomb."""
        assert self.process is not None
        async with asyncio.timeout(within):
            assert await self.process.wait() == KILLED, self.said()[-3_000:]

    async def dies_at(self, points: Sequence[str]) -> None:
        """Live one life for each of the points, then one that is not ended."""
        for each in points:
            await self.start(crash_at=each)
            await self.crashed()
        await self.start()

    async def stop(self, *, within: float = PATIENCE) -> int:
        """Ask it to end, as an operator does; returns its exit code."""
        assert self.process is not None
        if self.is_running:
            self.process.terminate()
        async with asyncio.timeout(within):
            return await self.process.wait()

    async def kill(self) -> None:
        """End it at once, as `kill -9` does."""
        if self.process is not None and self.is_running:
            self.process.kill()
            await self.process.wait()

    @asynccontextmanager
    async def ending(self) -> AsyncIterator[None]:
        """It does not outlive the block."""
        try:
            yield
        finally:
            await self.kill()

    def workers(self) -> list[int]:
        """The process ids of its workers, none where it works alone."""
        return [int(each) for each in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]

    def said(self) -> str:
        """Everything it said."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    async def is_ready(self) -> bool:
        """Whether its health page says that messages may come."""
        try:
            answer = await asyncio.to_thread(urllib.request.urlopen, f"http://{HOST}:{self.port}/readyz", timeout=5)
        except (urllib.error.URLError, OSError):
            return False
        return answer.status == 200

    def _says_up(self, since: int) -> bool:
        return b'"ok": true' in (tail := self.log.read_bytes()[since:]) or b'"ok":true' in tail
