"""Who reads which search in this process; an answer reaches every reader at once, and waits for none.

Other processes are told by a signal and read the answer from the database. Above: `searches`; below: `uhi.ports`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from participants.patient.search.merging import Answered
from uhi.ports import Clock, Signals

TOPIC = "patient_searches"
LONGEST_QUEUE = 64


class Reader:
    """What one reader has yet to take. One who falls too far behind is `dropped` and gets no more."""

    def __init__(self, clock: Clock, longest: int) -> None:
        self._clock = clock
        self._longest = longest
        self._waiting: deque[Answered] = deque()
        self._something = asyncio.Event()
        self.dropped = False

    def put(self, answer: Answered | None) -> None:
        """Hand over an answer; None: there is something to read from the database."""
        if answer is not None and not self.dropped:
            if len(self._waiting) >= self._longest:
                self.dropped = True
                self._waiting.clear()
            else:
                self._waiting.append(answer)
        self._something.set()

    async def take(self, *, until: float) -> list[Answered]:
        """Return what has come, once something has, or the time has; nothing also where the database has more."""
        if not self._something.is_set():
            waking = asyncio.ensure_future(self._something.wait())
            timer = asyncio.ensure_future(self._clock.sleep(max(0.0, until - self._clock.now())))
            try:
                await asyncio.wait({waking, timer}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                waking.cancel()
                timer.cancel()
        self._something.clear()
        taken = list(self._waiting)
        self._waiting.clear()
        return taken


class Hub:
    """All readers of one process."""

    def __init__(self, signals: Signals, clock: Clock, *, longest: int = LONGEST_QUEUE) -> None:
        self._signals = signals
        self._clock = clock
        self._longest = longest
        self._readers: dict[str, list[Reader]] = {}
        signals.hear(TOPIC, self._heard)

    @contextmanager
    def joined(self, search_id: str) -> Iterator[Reader]:
        """A reader of a search, while the block runs."""
        reader = Reader(self._clock, self._longest)
        self._readers.setdefault(search_id, []).append(reader)
        try:
            yield reader
        finally:
            readers = self._readers[search_id]
            readers.remove(reader)
            if not readers:
                del self._readers[search_id]

    def tell(self, search_id: str, answer: Answered | None) -> None:
        """Tell everybody who reads a search, here and elsewhere: of an answer that is kept, or that the search is no
        longer as it was."""
        for reader in self._readers.get(search_id, ()):
            reader.put(answer)
        self._signals.tell(TOPIC, search_id)

    def _heard(self, search_id: str) -> None:
        for reader in self._readers.get(search_id, ()):
            reader.put(None)
