"""What a consumer is told between its questions, as an async iterator that several may read.

Above: `uhi.booking.consumer`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from weakref import WeakSet

from uhi.booking.appointments import Booking
from uhi.booking.found import FoundDoctor

LONGEST_QUEUE = 1_000


@dataclass(frozen=True, slots=True)
class BookingNews:
    """A booking has changed. `about` is the message that said so; `code` is the provider's where it said no."""

    booking: Booking
    about: str
    late: bool = False
    code: str = ""


@dataclass(frozen=True, slots=True)
class LateDoctors:
    """Doctors of a search that has stopped waiting."""

    doctors: tuple[FoundDoctor, ...]


News = BookingNews | LateDoctors


class Events:
    """News from now on; iterate. Of a reader that falls more than a thousand behind the oldest news is dropped."""

    def __init__(self) -> None:
        self._waiting: deque[News] = deque(maxlen=LONGEST_QUEUE)
        self._something = asyncio.Event()

    def __aiter__(self) -> AsyncIterator[News]:
        return self

    async def __anext__(self) -> News:
        while not self._waiting:
            self._something.clear()
            await self._something.wait()
        return self._waiting.popleft()

    def put(self, news: News) -> None:
        """Append news."""
        self._waiting.append(news)
        self._something.set()


class Readers:
    """Everybody who reads the news; a reader that is gone is forgotten."""

    def __init__(self) -> None:
        self._readers: WeakSet[Events] = WeakSet()

    def join(self) -> Events:
        """Return a new reader's news."""
        events = Events()
        self._readers.add(events)
        return events

    def tell(self, news: News) -> None:
        """Give news to every reader."""
        for reader in tuple(self._readers):
            reader.put(news)
