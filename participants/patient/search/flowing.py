"""A search as a stream of events: what is there, then every answer as it comes, then that it is done, then its end.

Every event of an answer has the answer's number as its id, so a reader goes on where it broke off. Above: `routes`;
below: `hub`, `kept`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from participants.patient.search.answers import Progress, SearchNews, doctor_answer, progress_of
from participants.patient.search.hub import Reader
from participants.patient.search.kept import Search
from participants.patient.search.merging import Answered, Board, Changed
from participants.patient.search.searches import Searches
from participants.patient.search.sorting import Order, in_order
from uhi.api.routes import Ended, Event, Stream
from uhi.api.streams import TOO_SLOW

DOCTORS, DONE, END = "doctors", "done", "end"
MOST_IN_AN_EVENT = 200
_GONE = Ended(1000, "deleted")


def stream_of(searches: Searches, search: Search, *, after: str) -> Stream | None:
    """The events of a search after the one with an id; None where it is over and there are none."""
    told = int(after) if after.isascii() and after.isdecimal() else 0
    if searches.clock.now() >= search.over_at and 0 < search.seq <= told:
        return None
    return _Telling(searches, search, told).events()


@dataclass(slots=True)
class _Telling:
    """One reader's view of a search. `told` is the number of the newest answer that the reader has seen already."""

    searches: Searches
    search: Search
    told: int
    is_done: bool = False
    board: Board = field(init=False)

    def __post_init__(self) -> None:
        self.board = Board(self.search.id)

    async def events(self) -> AsyncIterator[Event | Ended]:
        with self.searches.hub.joined(self.search.id) as reader:
            waiting = await self._missed()
            while True:
                for answer in waiting:
                    changed = self.board.take(answer)
                    if answer.seq > self.told:
                        yield self._event(answer, changed)
                now = self.searches.clock.now()
                if now >= self.search.until and not self.is_done:
                    self.is_done = True
                    yield Event(DONE, SearchNews(progress=self._progress(now)))
                if now >= self.search.over_at:
                    yield Event(END, SearchNews(progress=self._progress(now)))
                    return
                news = await self._next(reader)
                if isinstance(news, Ended):
                    yield news
                    return
                waiting = news

    async def _next(self, reader: Reader) -> list[Answered] | Ended:
        taken = await reader.take(until=self.search.over_at if self.is_done else self.search.until)
        if reader.dropped:
            return TOO_SLOW
        new = sorted((answer for answer in taken if answer.seq > self.board.seq), key=lambda answer: answer.seq)
        if taken and not new:
            return []
        if new and new[-1].seq - self.board.seq == len(new):
            return new
        # Another process has something to tell, the search is not as it was, or it is time to make sure.
        search = await self.searches.kept.search(self.search.id)
        if search is None:
            return _GONE
        self.search = search
        return await self._missed()

    async def _missed(self) -> list[Answered]:
        return await self.searches.kept.answers(self.search.id, after=self.board.seq)

    def _event(self, answer: Answered, changed: Changed) -> Event:
        wanted, now = self.search.wanted, self.searches.clock.now()
        entries = in_order(changed.entries, Order.RELEVANCE, wanted)
        shown = tuple(doctor_answer(entry, wanted, now=now) for entry in entries[:MOST_IN_AN_EVENT])
        news = SearchNews(
            progress=self._progress(now),
            provider_id=answer.provider_id,
            doctors=shown,
            gone=changed.gone,
            more=len(shown) < len(entries),
        )
        return Event(DOCTORS, news, id=str(answer.seq))

    def _progress(self, now: float) -> Progress:
        return progress_of(self.search, self.board, now=now)
