"""Several workers on one port, as processes: all answer, a crash is made good, a stop or a lost supervisor ends all."""

from __future__ import annotations

import http.client
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.workers import Crew, Patience, held_port, supervise
from uhi.errors import SetupError

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
UP = "import time; print('{\"ok\":true}', flush=True); time.sleep(60)"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {UP}"


@dataclass
class Running:
    """A crew that runs, and what answers on its port."""

    process: subprocess.Popen[str]
    port: int = 0

    def ask(self) -> int | None:
        """The process that answers on a new connection; None where the one it waited for has died."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/")
            return int(connection.getresponse().read())
        except (ConnectionError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def seen(self, enough: Callable[[set[int]], bool]) -> set[int]:
        """Every process that answered, until these are enough."""
        seen: set[int] = set()
        end = time.monotonic() + 30
        while not enough(seen):
            assert time.monotonic() < end, f"only {seen} answered"
            answered = self.ask()
            seen |= set() if answered is None else {answered}
        return seen

    def ended(self, *signals: signal.Signals) -> tuple[int, str]:
        """Signal the supervisor; its exit code and what all of them logged, once the last one has ended."""
        for number in signals:
            self.process.send_signal(number)
        # Every worker holds standard error too, so its end is the end of all of them.
        _, logged = self.process.communicate(timeout=30)
        return self.process.returncode, logged


Start = Callable[..., Running]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a crew of stand-ins on a free port and waits until it is up."""
    with ExitStack() as stack:

        def start(count: int = 2, fault: str = "none", port: int = 0) -> Running:
            command = subprocess.Popen(
                [sys.executable, str(HERE / "stand_in.py"), str(port), str(count), fault],
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            process = stack.enter_context(command)
            stack.callback(process.kill)
            line = process.stdout.readline()
            return Running(process, json.loads(line)["port"] if line else 0)

        yield start


def test_every_worker_answers_on_the_one_port(start):
    """Decision 41: `--workers N` are processes that share a port."""
    crew = start(2)

    seen = crew.seen(lambda pids: len(pids) == 2)

    assert crew.process.pid not in seen


def test_killed_worker_leaves_the_port_up_and_comes_back(start):
    """Issue "more than one process": one crash does not take the port down."""
    crew = start(2)
    killed, other = crew.seen(lambda pids: len(pids) == 2)

    os.kill(killed, signal.SIGKILL)
    seen = crew.seen(lambda pids: bool(pids - {killed, other}) and other in pids)
    code, logged = crew.ended(signal.SIGTERM)

    assert len(seen - {killed}) == 2
    assert code == 0
    assert "was ended by signal 9; it is started again" in logged


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_to_the_supervisor_ends_all_in_order(start, number):
    """Reliability rules "Shutdown": one signal, and whoever stops it gets the port back."""
    crew = start(2)
    crew.seen(lambda pids: len(pids) == 2)

    code, logged = crew.ended(number)

    assert (code, logged) == (0, "")
    assert crew.ask() is None


def test_workers_end_when_their_supervisor_is_killed(start):
    """Ours: workers that nobody watches would keep the port from the next start."""
    crew = start(2)

    code, _ = crew.ended(signal.SIGKILL)

    assert code == -signal.SIGKILL
    assert crew.ask() is None


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_second_signal_ends_all_at_once(start, second):
    """Ours: who does not want to wait for what is under way need not."""
    crew = start(1, fault="endless")
    crew.process.send_signal(signal.SIGTERM)
    assert crew.process.stderr.readline() == "never ends\n"

    code, _ = crew.ended(second)

    assert code != 0


def test_wrong_setup_is_said_once_whatever_the_number_of_workers(start):
    """Ours: the operator's own mistake is one error with exit code 2, and no reason to try again."""
    crew = start(4, fault="setup")

    code, logged = crew.ended()

    assert (code, logged) == (2, "the setup is wrong\n")


def test_held_port_is_nobody_elses():
    """Ours: another program must not get the port while a worker is starting again."""
    with held_port("127.0.0.1", 0) as port:
        with pytest.raises(OSError, match="in use"):
            socket.create_server(("127.0.0.1", port))
        with pytest.raises(SetupError, match=f"cannot listen on 127.0.0.1:{port}"), held_port("127.0.0.1", port):
            pass

        socket.create_server(("127.0.0.1", port), reuse_port=True).close()

    socket.create_server(("127.0.0.1", port)).close()


@pytest.mark.parametrize("reuse_port", [True, False])
def test_taken_port_is_a_setup_error(reuse_port):
    """Ours: also where the other program would share it, since half of the messages would go there."""
    with socket.create_server(("127.0.0.1", 0), reuse_port=reuse_port) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(SetupError, match=f"cannot listen on 127.0.0.1:{port}"), held_port("127.0.0.1", port):
            pass


async def test_worker_that_ends_again_and_again_is_started_after_longer_and_longer_pauses(caplog):
    """Ours: a crash is answered at once, a crash loop costs little."""
    caplog.set_level(logging.WARNING, "cli.workers")
    log = logging.getLogger("cli.workers")
    log.addFilter(lambda record: len(caplog.records) < 3 or signal.raise_signal(signal.SIGTERM) or True)
    crew = Crew(1, lambda _: (sys.executable, "-c", "raise SystemExit(3)"), Patience(0.001, 0.003))

    try:
        await supervise(crew, lambda: None)
    finally:
        log.filters.clear()

    pauses = [message.partition(" again in ")[2] for message in caplog.messages]
    assert pauses[:4] == ["0.001 s", "0.002 s", "0.003 s", "0.003 s"]
    assert caplog.messages[0].startswith("worker 0 ended with code 3")


async def test_worker_that_does_not_end_is_killed(caplog):
    """Reliability rules "Shutdown": it ends within 30 s; kill -9 is safe at any moment."""
    crew = Crew(2, lambda index: (sys.executable, "-c", UP if index else DEAF), Patience(stop=0.2))

    code = await supervise(crew, lambda: signal.raise_signal(signal.SIGTERM))

    assert code == 0
    assert "1 workers did not end within 0.2 s and are killed" in caplog.messages


@pytest.mark.parametrize("url", ["", "memory:", "sqlite:///gateway.db"])
def test_several_workers_need_a_storage_they_can_share(uhi, key_file, monkeypatch, url):
    """Decision 41: SQLite, which has one writer, and memory are a SetupError with more than one worker."""
    settings = {"SUBSCRIBER_ID": "gateway.example", "KEY_ID": "k1", "KEY_FILE": str(key_file), "DATABASE_URL": url}
    addresses = {"URL": "http://127.0.0.1:1/uhi", "REGISTRY_URL": "http://127.0.0.1:1/networkregistry"}
    for name, value in {**settings, **addresses}.items():
        monkeypatch.setenv(f"UHI_{name}", value)

    done = uhi("gateway", "serve", "--workers", "2", "--port", "0")

    assert done.exit_code == 2
    assert "2 workers cannot share this storage" in done.stderr
    assert "UHI_DATABASE_URL=postgresql://" in done.stderr
