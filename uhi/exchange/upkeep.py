"""What a program does beside its messages while it runs: takes up what an earlier life left, keeps its leases, forgets
what is old.

Above: participants and the gateway; below: deliveries and the storage port.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field

from uhi.errors import Refusal
from uhi.exchange.background import Background
from uhi.exchange.deliveries import Deliveries
from uhi.exchange.pressure import Pressure
from uhi.ports import Clock, Kept, Retention, Storage

log = logging.getLogger(__name__)

LEASE_SECONDS = 15.0
PURGE_SECONDS = 600.0
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
        self.deliveries.wake()
        self.meanwhile(self._take_up_left)
        if self.storage.is_durable:
            self.meanwhile(self._purge)
            self.meanwhile(self._watch)

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
        while True:
            await self._take_up_all()
            if not self.storage.is_durable:
                return
            await self.clock.sleep(LEASE_SECONDS / 3)

    async def _take_up_all(self) -> None:
        while (left := await self._left()) != ():
            for kept in left or ():
                self.take_up(kept)
            while self.deliveries.waiting > _MOST_UNDER_WAY:
                await self.clock.sleep(_PAUSE)

    async def _left(self) -> tuple[Kept, ...] | None:
        """What nobody works on; None where the journal cannot be read just now."""
        try:
            return tuple(await self.storage.take_up(now=self.clock.now(), most=_MOST_TAKEN_UP))
        except Refusal as refusal:
            log.warning("the journal cannot be read: %s", refusal)
            await self.clock.sleep(1.0)
            return None

    async def _watch(self) -> None:
        """Keep our leases, and know how much waits."""
        while True:
            try:
                await self.storage.renew(now=self.clock.now())
                self.pressure.stored(await self.storage.backlog(now=self.clock.now()))
                if self.storage.is_shared:
                    self.deliveries.way_out.breakers.learn(await self.storage.tripped(), self.clock.now())
            except Refusal as refusal:
                log.warning("the storage does not answer: %s", refusal)
            await self.clock.sleep(LEASE_SECONDS / 5)

    async def _purge(self) -> None:
        while True:
            try:
                await self.storage.purge(self.retention, now=self.clock.now())
            except Refusal as refusal:
                log.warning("what is old could not be forgotten: %s", refusal)
            await self.clock.sleep(PURGE_SECONDS)
