"""One server process of a test run: it has a folder of its own, listens on the loopback alone, and ends with us."""

from __future__ import annotations

import atexit
import ctypes
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

HOST = "127.0.0.1"
_SECONDS = 60.0
_ATTEMPTS = 20
_PAUSE = 0.02
_PR_SET_PDEATHSIG = 1
_RANDOM = random.SystemRandom()


class Missing(Exception):
    """A server's program is not on this machine."""


class NotStarted(Exception):
    """A server ended before it was ready."""


@dataclass(eq=False)
class Child:
    """One server process: its folder, what it says, and the port it keeps over restarts.

    It ends when this process does, however this one ends: `at_our_end` is the signal it then gets (Linux). It hangs on
    the thread that starts it, so start a server from a thread that stays.
    """

    name: str
    at_our_end: signal.Signals = signal.SIGKILL
    user: str | None = None
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    folder: Path = field(init=False)

    def __post_init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"uhi-{self.name}-"))
        if self.user is not None:
            account = pwd.getpwnam(self.user)
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        atexit.register(self.remove)

    @property
    def pid(self) -> int:
        """The process id."""
        assert self.process is not None, f"{self.name} is not running"
        return self.process.pid

    def start(self, command: Callable[[int], Sequence[str]], is_ready: Callable[[], bool]) -> None:
        """Start the server on its port, or on a free one the first time, and wait until it is ready."""
        kept = self.port
        for attempt in range(_ATTEMPTS):
            self.port = kept or free_port()
            try:
                return self._start(command(self.port), is_ready)
            except NotStarted:
                if attempt == _ATTEMPTS - 1:
                    raise
                time.sleep(_PAUSE)
        return None

    def stop(self, how: signal.Signals) -> None:
        """Send a signal and wait for the end; nothing where it has ended already."""
        process, self.process = self.process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(how)
        try:
            process.wait(_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def remove(self) -> None:
        """End it and delete its folder."""
        self.stop(self.at_our_end)
        shutil.rmtree(self.folder, ignore_errors=True)
        atexit.unregister(self.remove)

    def run(self, *command: str) -> str:
        """Run a program as the server's user and return what it prints."""
        done = subprocess.run(command, cwd=self.folder, user=self.user, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command[0]}: {done.stdout}{done.stderr}"
        return done.stdout

    def _start(self, command: Sequence[str], is_ready: Callable[[], bool]) -> None:
        log = self.folder / "log"
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                command,
                cwd=self.folder,
                user=self.user,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                preexec_fn=_ending_with_us(self.at_our_end),  # noqa: PLW1509  # one C call, no lock
            )
        until = time.monotonic() + _SECONDS
        while self.process.poll() is None and time.monotonic() < until:
            if is_ready():
                return
            time.sleep(_PAUSE)
        self.stop(signal.SIGKILL)
        raise NotStarted(f"{self.name} on port {self.port}: {log.read_text(errors='replace')[-2_000:]}")


class Startable(Protocol):
    """A server that has a process of its own."""

    def start(self) -> None: ...

    def remove(self) -> None: ...


S = TypeVar("S", bound=Startable)


@contextmanager
def running(server: S) -> Iterator[S]:
    """A server that runs within the block, and is gone after it."""
    try:
        server.start()
        yield server
    finally:
        server.remove()


def free_port() -> int:
    """A port that nobody listens on, below those that the system gives to outgoing connections."""
    while True:
        port = _RANDOM.randrange(15_000, 31_000)
        with suppress(OSError):
            socket.create_server((HOST, port)).close()
            return port


def _ending_with_us(how: signal.Signals) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, int(how))

    return ask


def said(port: int, question: bytes) -> bytes:
    """What a server says when it is connected to and asked: until it hangs up, or one second has passed."""
    told = b""
    try:
        with socket.create_connection((HOST, port), timeout=1) as connection:
            connection.sendall(question)
            while part := connection.recv(65_536):
                told += part
                if not question:
                    break
    except OSError:
        pass
    return told


def program(name: str, package: str) -> str:
    """Where a program is, on the path or beside this Python.

    Raises: Missing.
    """
    beside = Path(sys.executable).parent
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}{os.pathsep}{beside}")
    if found is None:
        raise Missing(f"the program {name} is not here; install the package {package}")
    return found
