"""How programs run: on uvloop, with settled memory, until a signal, and no further than that."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from cli.loop import run, serve_until_stopped


@pytest.fixture(autouse=True)
def memory_as_it_was() -> Iterator[None]:
    """The collector's settings are the process's."""
    thresholds = gc.get_threshold()
    gc.unfreeze()
    gc.set_threshold(700, 10, 10)
    yield
    gc.freeze()
    gc.set_threshold(*thresholds)


def test_programs_run_on_uvloop():
    """Decision on dependencies: uvloop where it exists."""

    async def loop_of() -> str:
        return type(asyncio.get_running_loop()).__module__

    assert run(loop_of()).startswith("uvloop")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_leaves_the_server_in_order(number):
    """Issue section 4: SIGTERM and SIGINT stop cleanly; the server's own end runs to its end."""
    happened: list[str] = []

    @asynccontextmanager
    async def server() -> AsyncIterator[str]:
        yield "up"
        await asyncio.sleep(0)
        happened.append("drained")

    def announce(name: str) -> None:
        happened.append(name)
        os.kill(os.getpid(), number)

    run(serve_until_stopped(server(), announce))

    assert happened == ["up", "drained"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_second_interruption_ends_it_at_once():
    """Ours: who does not want to wait for what is under way need not."""

    @asynccontextmanager
    async def server() -> AsyncIterator[None]:
        yield
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.Event().wait()

    with pytest.raises(KeyboardInterrupt):
        run(serve_until_stopped(server(), lambda _: os.kill(os.getpid(), signal.SIGINT)))


def test_end_without_an_end_is_cut_off(caplog):
    """Reliability rules "Shutdown": a program ends within 30 s; what is left is taken up at the next start."""
    happened: list[str] = []

    @asynccontextmanager
    async def server() -> AsyncIterator[None]:
        try:
            yield
            await asyncio.Event().wait()
        finally:
            happened.append("closed")

    run(serve_until_stopped(server(), lambda _: os.kill(os.getpid(), signal.SIGTERM), seconds=0.05))

    assert happened == ["closed"]
    assert caplog.messages == ["what was under way did not end within 0.05 s and is left as it is"]


def test_memory_is_settled_once_the_server_is_up():
    """Decision on speed: after start-up `gc.freeze()` and the thresholds 50,000, 20, 100."""
    seen: list[object] = []

    @asynccontextmanager
    async def server() -> AsyncIterator[None]:
        seen.append(gc.get_freeze_count())
        yield

    def announce(_: None) -> None:
        seen.extend([gc.get_freeze_count() > 0, gc.get_threshold()])
        os.kill(os.getpid(), signal.SIGTERM)

    run(serve_until_stopped(server(), announce))

    assert seen == [0, True, (50_000, 20, 100)]
