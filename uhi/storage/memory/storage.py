"""`MemoryStorage`: every step is made without an await, so it is atomic in one event loop.

Implements `uhi.ports.Storage`. Above: composition roots and tests; below: journal, requests and outbox in memory.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from uhi.ports import (
    Arrival,
    Arrived,
    Backlog,
    Callback,
    CallLog,
    Change,
    Clock,
    Ending,
    Kept,
    Leased,
    Letter,
    OpenRequest,
    Retention,
    Tripped,
)
from uhi.storage.memory.journal import MemoryJournal
from uhi.storage.memory.outbox import MemoryOutbox
from uhi.storage.memory.requests import MemoryRequests

MOST_ROWS = 200_000


@dataclass(slots=True)
class MemoryStorage:
    """Everything a program promised, as long as the process lives: `most` rows of each kind.

    `log` takes the hops that belong to a change.
    """

    clock: Clock
    log: CallLog | None = None
    most: int = MOST_ROWS
    _journal: MemoryJournal = field(init=False)
    _requests: MemoryRequests = field(init=False)
    _outbox: MemoryOutbox = field(default_factory=MemoryOutbox)
    _causes: OrderedDict[str, None] = field(default_factory=OrderedDict)
    _tripped: dict[str, Tripped] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._journal = MemoryJournal(self.most)
        self._requests = MemoryRequests(self.most)

    @property
    def is_durable(self) -> bool:
        """It ends with the process."""
        return False

    @property
    def is_shared(self) -> bool:
        """It is this process's own."""
        return False

    async def accept(self, arrival: Arrival) -> Arrived:
        """See `uhi.ports.Journal`."""
        arrived = self._journal.weigh(arrival)
        if arrived is not Arrived.NEW:
            return arrived
        if arrival.answers is not None and not self._requests.claim(arrival.answers, arrival.message_id):
            return Arrived.ANSWERED
        if arrival.opens is not None:
            self._requests.open(arrival.opens)
        self._journal.keep(arrival)
        return Arrived.NEW

    async def commit(self, change: Change) -> Sequence[Letter]:
        """See `uhi.ports.Storage`."""
        if change.finishes and not self._journal.finish(change.finishes):
            return ()
        if change.opens is not None:
            self._requests.open(change.opens)
        if self.log is not None:
            for hop in change.hops:
                self.log.write(hop)
        for letter in change.letters:
            if letter.cause:
                self._causes[letter.cause] = None
        while len(self._causes) > self.most:
            self._outbox.forget_cause(self._causes.popitem(last=False)[0])
        return self._outbox.add(change.letters, now=self.clock.now())

    async def take_up(self, *, now: float, most: int) -> Sequence[Kept]:
        """See `uhi.ports.Journal`."""
        return tuple(self._journal.take_up(now=now, most=most))

    async def put_off(self, row: str, *, until: float) -> None:
        """See `uhi.ports.Journal`. It is this process's own: nobody else could read it either."""

    async def answers_to(self, owner: str, message_id: str, *, known: Collection[str]) -> Sequence[Kept]:
        """No other process accepts anything for this one."""
        return ()

    async def fitting(self, callback: Callback) -> OpenRequest | None:
        """See `uhi.ports.Requests`."""
        return self._requests.fitting(callback)

    async def talks_with(self, owner: str, counterpart: str, transaction_id: str) -> bool:
        """See `uhi.ports.Requests`."""
        pair = (owner, counterpart, transaction_id)
        return self._requests.talks_with(*pair) or self._journal.knows(*pair)

    async def search_of(
        self, owner: str, transaction_id: str, *, asker: str, provider: str, now: float
    ) -> OpenRequest | None:
        """See `uhi.ports.Requests`."""
        searches = self._requests.searches(owner, transaction_id, now=now)
        if not asker and len({search.asker.id for search in searches if search.asker}) != 1:
            return None
        for search in reversed(searches):
            if search.asker and asker in ("", search.asker.id) and self._outbox.has_asked(search.cause, provider):
                return search
        return None

    async def lease(self, *, now: float, most: int, without: Collection[str] = ()) -> Leased:
        """See `uhi.ports.Outbox`."""
        return self._outbox.lease(now=now, most=most, without=without)

    async def waiting_for(self) -> Collection[str]:
        """See `uhi.ports.Outbox`."""
        return self._outbox.waiting_for()

    async def hasten(self, destination: str, *, now: float) -> None:
        """See `uhi.ports.Outbox`."""
        self._outbox.hasten(destination, now=now)

    async def settle(self, ending: Ending) -> None:
        """See `uhi.ports.Outbox`."""
        self._outbox.settle(ending)

    async def renew(self, *, now: float) -> None:
        """Nobody else takes anything."""

    async def backlog(self, *, now: float) -> Backlog:
        """See `uhi.ports.Outbox`."""
        return self._outbox.backlog(unfinished=len(self._journal))

    async def trip(self, tripped: Tripped) -> None:
        """See `uhi.ports.Outbox`."""
        if tripped.trips:
            self._tripped[tripped.destination] = tripped
        else:
            self._tripped.pop(tripped.destination, None)

    async def tripped(self) -> Sequence[Tripped]:
        """See `uhi.ports.Outbox`."""
        return tuple(self._tripped.values())

    async def reclaim(self, *, now: float) -> None:
        """See `uhi.ports.Storage`."""
        self._journal.free_all()
        self._outbox.free_all()

    async def release(self) -> None:
        """See `uhi.ports.Storage`."""
        self._journal.free_all()
        self._outbox.free_all()

    async def purge(self, retention: Retention, *, now: float) -> None:
        """Forget the searches that are over; the rest is bounded by number."""
        for cause in self._requests.close_passed(now):
            self._outbox.forget_cause(cause)
            self._causes.pop(cause, None)
