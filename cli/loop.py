"""How the command runs programs: the event loop, memory settings after start-up, and a stop that drops nothing.

Above: `serve`, `gateway serve`, `registry serve`, `dev` and `demo`.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from importlib import import_module
from typing import TypeVar

from cli.lazy import SELDOM

log = logging.getLogger(__name__)

T = TypeVar("T")

STOP_SECONDS = 27.0
"""How long a program may take to end, of the 30 that whoever stops it waits."""

_STOPS = (signal.SIGINT, signal.SIGTERM)


def run(main: Coroutine[object, object, T]) -> T:
    """Run a coroutine to its end on uvloop where it is installed, else on asyncio's own loop."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(main)


def settle_memory() -> None:
    """Call once a program is up: what is loaded now stays, so garbage collection need not look at it again.

    On bodies of 100 KB this halves the cost of a full receive.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*SELDOM)


async def serve_until_stopped(
    server: AbstractAsyncContextManager[T], announce: Callable[[T], None], *, seconds: float = STOP_SECONDS
) -> None:
    """Enter the server, announce it, and leave it at SIGINT or SIGTERM, so that what is under way is finished first.

    What takes longer than `seconds` is left as it is. A second signal while it finishes ends it at once.
    """
    with stop_signals() as stopped:
        limit = asyncio.timeout(None)
        try:
            async with limit, server as running:
                settle_memory()
                announce(running)
                await stopped.wait()
                limit.reschedule(asyncio.get_running_loop().time() + seconds)
        except TimeoutError:
            if not limit.expired():
                raise
            log.warning("what was under way did not end within %g s and is left as it is", seconds)


@contextmanager
def stop_signals() -> Iterator[asyncio.Event]:
    """An event that the first SIGINT or SIGTERM sets; from then on they mean what they mean to Python."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()

    def stop() -> None:
        # For those who do not want to wait for the end.
        restore()
        stopped.set()

    def restore() -> None:
        for each in _STOPS:
            loop.remove_signal_handler(each)

    for each in _STOPS:
        loop.add_signal_handler(each, stop)
    try:
        yield stopped
    finally:
        restore()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        factory: Callable[[], asyncio.AbstractEventLoop] = import_module("uvloop").new_event_loop
    except ImportError:
        return None
    return factory
