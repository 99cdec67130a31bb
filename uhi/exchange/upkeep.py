"""What a program does beside its messages while it runs: takes up what an earlier life left, keeps its leases, forgets
what is old.

Above: participants and the gateway; below: deliveries and the storage port.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field

from uhi.errors import Refusal
from uhi.exchange.background import Background, repeatedly
from uhi.exchange.deliveries import Deliveries
from uhi.exchange.pressure import Pressure
from uhi.ports import Clock, Kept, Retention, Storage

log = logging.getLogger(__name__)

LEASE_SECONDS = 15.0
PURGE_SECONDS = 600.0
WAIT_FOR_SECONDS = 60.0
_MOST_TAKEN_UP = 100
_MOST_UNDER_WAY = 500
_PAUSE = 0.05

TakeUp = Callable[[Kept], None]
Work = Callable[[], Coroutine[object, object, None]]


@dataclass(slots=True)
class Upkeep:
    """The background of one program; `take_up` goes on with a message from the journal."""

    storage: Storage
    deliveries: Deliveries
    clock: Clock
    take_up: TakeUp
    pressure: Pressure
    retention: Retention = field(default_factory=Retention)
    _tasks: Background = field(default_factory=lambda: Background("background work"))

    async def start(self) -> None:
        """Take back what an earlier life of this process had, then go on with it in the background.

        Raises: Refusal(OVERLOADED) when the storage cannot be reached.
        """
        await self.storage.reclaim(now=self.clock.now())
        self.deliveries.way_out.breakers.restore(await self.storage.tripped())
        self.deliveries.wait_for(await self.storage.waiting_for())
        self.deliveries.wake()
        if not self.storage.is_durable:
            self.meanwhile(self._take_up_all)
            return
        for step, name in (
            (self._take_up_left, "taking up what is left"),
            (self._purge, "forgetting what is old"),
            (self._watch, "keeping what is ours"),
            (self._wait_for, "looking for whom letters wait"),
        ):
            self._tasks.start(repeatedly(step, name, self.clock))

    def meanwhile(self, work: Work) -> None:
        """Run something until the program stops; its failure is logged and ends it alone."""
        self._tasks.start(work())

    async def stop(self) -> None:
        """End the background."""
        await self._tasks.stop()

    async def release(self) -> None:
        """Leave what is left to whoever is there, or comes next."""
        try:
            await self.storage.release()
            self.deliveries.tell_others()
        except Refusal as refusal:
            log.warning("what is left could not be given back, its leases run out: %s", refusal)

    async def _take_up_left(self) -> None:
        """At the start, and again and again: another process may have died, or the word of a commit was lost."""
        await self._take_up_all()
        await self.clock.sleep(LEASE_SECONDS / 3)

    async def _take_up_all(self) -> None:
        while left := await self.storage.take_up(now=self.clock.now(), most=_MOST_TAKEN_UP):
            for kept in left:
                self.take_up(kept)
            while self.deliveries.waiting > _MOST_UNDER_WAY:
                await self.clock.sleep(_PAUSE)

    async def _watch(self) -> None:
        """Keep our leases, and know how much waits."""
        await self.storage.renew(now=self.clock.now())
        self.pressure.stored(await self.storage.backlog(now=self.clock.now()))
        if self.storage.is_shared:
            self.deliveries.way_out.breakers.learn(await self.storage.tripped(), self.clock.now())
        await self.clock.sleep(LEASE_SECONDS / 5)

    async def _wait_for(self) -> None:
        """Other processes' letters wait too."""
        await self.clock.sleep(WAIT_FOR_SECONDS)
        self.deliveries.wait_for(await self.storage.waiting_for())

    async def _purge(self) -> None:
        await self.storage.purge(self.retention, now=self.clock.now())
        await self.clock.sleep(PURGE_SECONDS)
