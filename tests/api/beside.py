"""An event loop in a thread of its own: for what is served while a test waits for its answers."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


class Beside:
    """Runs coroutines over there until it is stopped."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[object, object, T]) -> T:
        """What a coroutine gives."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def stop(self) -> None:
        """End it."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
