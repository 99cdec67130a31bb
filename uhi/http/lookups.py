"""Looks hosts up on a few threads of its own: a name whose DNS stalls delays nothing that is to be sent.

Below: the system's resolver; above: `addresses`.
"""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import Future, ThreadPoolExecutor
from threading import BoundedSemaphore

from uhi.errors import Refusal
from uhi.faults import OVERLOADED

THREADS = 4
MOST_AT_ONCE = 20
"""Those that are looked up, and those that wait for a thread."""

_RETRY_AFTER = 30


class Lookups:
    """Looks hosts up, `threads` at a time; the threads are made when they are needed."""

    def __init__(self, *, threads: int = THREADS, most: int = MOST_AT_ONCE) -> None:
        self._threads = threads
        self._room = BoundedSemaphore(most)
        self._pool: ThreadPoolExecutor | None = None

    async def numbers(self, host: str, port: int | None, *, seconds: float) -> tuple[str, ...]:
        """All the numbers of a host, waiting at most `seconds`.

        Raises: OSError when it has none, or nobody says; Refusal(OVERLOADED) when no thread was free in that time.
        """
        if not self._room.acquire(blocking=False):
            raise _busy()
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="look-up")
        asked = self._pool.submit(_look_up, host, port)
        asked.add_done_callback(self._make_room)
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.wrap_future(asked)
        except TimeoutError:
            if asked.cancel():
                raise _busy() from None
            raise

    def _make_room(self, _: Future[tuple[str, ...]]) -> None:
        self._room.release()


def _look_up(host: str, port: int | None) -> tuple[str, ...]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return tuple(str(number[0]) for *_, number in found)


def _busy() -> Refusal:
    refusal = Refusal(
        OVERLOADED,
        "the host of the address cannot be resolved now",
        next_step=f"try again in {_RETRY_AFTER} s",
        path="$.subscriber_url",
    )
    refusal.retry_after = _RETRY_AFTER
    return refusal
