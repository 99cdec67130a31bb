"""Several processes of one server on one port: started, watched, started again after a crash, stopped together.

A worker is a command of its own. It tells that it is up by a line of JSON on its standard output, and ends when its
standard input does, which is when its supervisor is gone. Above: `gateway serve`; below: `loop`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import click

from cli.loop import serve_until_stopped, stop_signals
from cli.problems import USAGE
from uhi.http.server import cannot_listen

log = logging.getLogger(__name__)

T = TypeVar("T")

_STDIN = 0
_LONGEST_LINE = 1024 * 1024
# Without the current folder, whose modules could be anybody's; the sources beside this one, installed or not.
_PROGRAM = "import sys; sys.path.append(sys.argv.pop(1)); from cli.main import main; main(prog_name='uhi')"
_SOURCES = str(Path(__file__).resolve().parents[1])


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds. A worker that ended is started again after `first_pause`, doubled up to `longest_pause` while it does
    not last `steady`; a stop may take `stop`, then who is left is killed."""

    first_pause: float = 0.2
    longest_pause: float = 10.0
    steady: float = 10.0
    stop: float = 30.0


@dataclass(frozen=True, slots=True)
class Crew:
    """So many workers, and the command line of the one with an index, counted from 0."""

    count: int
    command: Callable[[int], Sequence[str]]
    patience: Patience = Patience()


def again(*arguments: str) -> tuple[str, ...]:
    """The command line that runs `uhi` with these arguments in a process of its own."""
    return (sys.executable, "-P", "-c", _PROGRAM, _SOURCES, *arguments)


@contextmanager
def held_port(host: str, port: int) -> Iterator[int]:
    """Keep a port for workers that share it, and from everybody else; yields its number, also where 0 was asked for.

    Raises: SetupError when somebody has it.
    """
    with ExitStack() as stack:
        try:
            for family, _, _, _, address in socket.getaddrinfo(
                host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            ):
                # All addresses of a name get the port that the first one got.
                held = stack.enter_context(_held(family, (address[0], port, *address[2:])))
                port = held.getsockname()[1]
        except OSError as error:
            raise cannot_listen(host, port, error) from None
        yield port


async def supervise(crew: Crew, announce: Callable[[], None]) -> int:
    """Keep a crew at work until SIGINT or SIGTERM, which every worker then gets; returns the exit code.

    The first worker is started alone: if its setup is wrong, it has said so, once, and 2 is returned. Calls `announce`
    when all are up. A second signal ends everything at once.
    """
    with stop_signals() as stopped:
        workers = [_Worker(index, crew, stopped) for index in range(crew.count)]
        async with asyncio.TaskGroup() as group:
            beginning = group.create_task(_begin(workers, group, announce))
            await stopped.wait()
            beginning.cancel()
            await _end(workers, crew.patience.stop)
    return 0 if beginning.cancelled() else beginning.result()


async def work(server: AbstractAsyncContextManager[T], announce: Callable[[T], None]) -> None:
    """Serve as a worker: until a signal, or until the supervisor is gone."""
    loop = asyncio.get_running_loop()

    def heard() -> None:
        if not os.read(_STDIN, 4_096):
            loop.remove_reader(_STDIN)
            signal.raise_signal(signal.SIGTERM)

    loop.add_reader(_STDIN, heard)
    try:
        await serve_until_stopped(server, announce)
    finally:
        loop.remove_reader(_STDIN)


def mark_lines(worker: int) -> None:
    """Let every log line of this process tell which worker it is; after `configure_logging`."""

    def mark(record: logging.LogRecord) -> bool:
        record.worker = worker
        return True

    for handler in logging.getLogger().handlers:
        handler.addFilter(mark)


class _Worker:
    """One place in a crew: a process, and after it the next one. `begun` is 0 once it is up for the first time, or the
    exit code of a setup that cannot work."""

    def __init__(self, index: int, crew: Crew, stopped: asyncio.Event) -> None:
        self.index = index
        self.begun: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.keeping: asyncio.Task[None] | None = None
        self._crew = crew
        self._stopped = stopped
        self._process: Process | None = None

    def start(self, group: asyncio.TaskGroup) -> None:
        self.keeping = group.create_task(self._keep())

    def signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    def stop(self) -> None:
        """The whole crew ends."""
        self._stopped.set()

    async def _keep(self) -> None:
        loop, patience = asyncio.get_running_loop(), self._crew.patience
        pause = patience.first_pause
        while not self._stopped.is_set():
            started = loop.time()
            ended = await self._live()
            if ended == USAGE and not self.begun.done():
                self.begun.set_result(USAGE)
                return
            if loop.time() - started >= patience.steady:
                pause = patience.first_pause
            await self._rest(ended, pause)
            pause = min(2 * pause, patience.longest_pause)

    async def _rest(self, ended: int | None, pause: float) -> None:
        if self._stopped.is_set():
            return
        log.warning("worker %d %s; it is started again in %g s", self.index, _how(ended), pause)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopped.wait(), pause)

    async def _live(self) -> int | None:
        try:
            # A session of its own: Ctrl-C reaches the supervisor alone, which passes it on once.
            process = await asyncio.create_subprocess_exec(
                *self._crew.command(self.index), stdin=PIPE, stdout=PIPE, limit=_LONGEST_LINE, start_new_session=True
            )
        except OSError:
            return None
        self._process = process
        try:
            if self._stopped.is_set():
                self.signal(signal.SIGTERM)
            await self._listen(process.stdout)
            return await process.wait()
        finally:
            if process.returncode is None:
                self.signal(signal.SIGKILL)

    async def _listen(self, lines: asyncio.StreamReader | None) -> None:
        if lines is None:
            return
        async for line in lines:
            if not _says_up(line):
                click.echo(line, nl=False)
            elif not self.begun.done():
                self.begun.set_result(0)
            else:
                log.info("worker %d is up again", self.index)


async def _begin(workers: Sequence[_Worker], group: asyncio.TaskGroup, announce: Callable[[], None]) -> int:
    for some in (workers[:1], workers[1:]):
        for each in some:
            each.start(group)
        for each in some:
            code = await each.begun
            if code:
                each.stop()
                return code
    announce()
    return 0


async def _end(workers: Sequence[_Worker], seconds: float) -> None:
    for each in workers:
        each.signal(signal.SIGTERM)
    _, left = await asyncio.wait([each.keeping for each in workers if each.keeping is not None], timeout=seconds)
    if not left:
        return
    log.warning("%d workers did not end within %g s and are killed", len(left), seconds)
    for each in workers:
        each.signal(signal.SIGKILL)


@contextmanager
def _held(family: int, address: tuple[str | int, ...]) -> Iterator[socket.socket]:
    # A bind that shares nothing fails where anybody has the port; one that shares would join another crew.
    with _socket(family, socket.SO_REUSEADDR) as alone:
        alone.bind(address)
        port = alone.getsockname()[1]
    with _socket(family, socket.SO_REUSEADDR, socket.SO_REUSEPORT) as held:
        held.bind((address[0], port, *address[2:]))
        # Needed only to pass by connections of an earlier life; from here on it would let strangers in.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        yield held


def _socket(family: int, *options: int) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    for option in options:
        made.setsockopt(socket.SOL_SOCKET, option, 1)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    return made


def _says_up(line: bytes) -> bool:
    try:
        value = json.loads(line)
    except ValueError:
        return False
    return isinstance(value, dict) and value.get("ok") is True


def _how(ended: int | None) -> str:
    if ended is None:
        return "could not be started"
    return f"was ended by signal {-ended}" if ended < 0 else f"ended with code {ended}"
