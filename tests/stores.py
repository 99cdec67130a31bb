"""Storages of tests: one in memory, and around it what a test wants to be otherwise: slow, away, shared, surviving."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field

from uhi.errors import Refusal
from uhi.faults import OVERLOADED
from uhi.keeping import Keeping
from uhi.ports import Arrival, Arrived, Change, Clock, Ending, Kept, Leased, Letter, Signals, Storage
from uhi.signals.local import LocalSignals, LocalWindows
from uhi.storage.memory import MemoryStorage

Before = Callable[[str], Awaitable[None]]


async def nothing(step: str) -> None:
    """What comes before a step where nothing does."""


async def others_first(step: str) -> None:
    """Let everybody else go on before each step, as a database does."""
    for _ in range(3):
        await asyncio.sleep(0)


@dataclass
class Stored:
    """`uhi.ports.Storage` around another one; `before` is awaited with the name of each step.

    `accepted` is every message it took, `endings` how attempts ended, `changes` what became true.
    """

    inner: MemoryStorage
    is_durable: bool = False
    is_shared: bool = False
    before: Before = nothing
    accepted: list[Arrival] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    endings: list[Ending] = field(default_factory=list)

    def __getattr__(self, name: str) -> object:
        step = getattr(self.inner, name)

        async def made(*given: object, **named: object) -> object:
            await self.before(name)
            return await step(*given, **named)

        return made

    async def accept(self, arrival: Arrival) -> Arrived:
        """See `uhi.ports.Journal`."""
        await self.before("accept")
        arrived = await self.inner.accept(arrival)
        if arrived is Arrived.NEW:
            self.accepted.append(arrival)
        return arrived

    async def commit(self, change: Change) -> Sequence[Letter]:
        """See `uhi.ports.Storage`."""
        await self.before("commit")
        self.changes.append(change)
        return await self.inner.commit(change)

    async def lease(self, *, now: float, most: int, without: Collection[str] = ()) -> Leased:
        """See `uhi.ports.Outbox`."""
        await self.before("lease")
        return await self.inner.lease(now=now, most=most, without=without)

    async def settle(self, ending: Ending) -> None:
        """See `uhi.ports.Outbox`."""
        await self.before("settle")
        self.endings.append(ending)
        await self.inner.settle(ending)

    async def answers_to(self, owner: str, message_id: str, *, known: Collection[str]) -> Sequence[Kept]:
        """See `uhi.ports.Journal`."""
        await self.before("answers_to")
        return [
            kept(each)
            for each in sorted(self.accepted, key=lambda each: each.id)
            if each.receiver == owner
            and each.answers is not None
            and each.answers.message_id == message_id
            and each.id not in known
        ][:100]

    async def reclaim(self, *, now: float) -> None:
        """What another process of the same program has stays its own."""
        await self.before("reclaim")
        if not self.is_shared:
            await self.inner.reclaim(now=now)

    async def release(self) -> None:
        """See `reclaim`."""
        await self.before("release")
        if not self.is_shared:
            await self.inner.release()


@dataclass
class Away:
    """A `before` that refuses the steps in `steps`, so many times each (-1: always)."""

    steps: dict[str, int]
    refused: int = 0

    async def __call__(self, step: str) -> None:
        if self.steps.get(step, 0):
            self.steps[step] -= 1
            self.refused += 1
            raise Refusal(OVERLOADED, "the database does not answer")


def kept(arrival: Arrival) -> Kept:
    """An arrival as it is taken up again."""
    return Kept(
        id=arrival.id,
        path_role=arrival.path_role,
        message_id=arrival.message_id,
        received_at=arrival.received_at,
        deadline=arrival.deadline,
        digest=arrival.digest,
        body=arrival.body,
        authorization=arrival.authorization,
        facts=arrival.facts,
    )


@dataclass
class Shelves:
    """`Options.keeping`: what each program keeps, by its id, and keeps for its next life."""

    is_durable: bool = False
    before: Before = nothing
    stores: dict[str, Stored] = field(default_factory=dict)

    def __call__(self, subscriber_id: str, clock: Clock) -> Keeping:
        if subscriber_id not in self.stores:
            self.stores[subscriber_id] = Stored(MemoryStorage(clock), self.is_durable, before=self.before)
        return keeping(self.stores[subscriber_id], clock)


def keeping(storage: Storage, clock: Clock, *, signals: Signals | None = None) -> Keeping:
    """A program's storage and what goes with it."""
    signals = signals or LocalSignals()
    return Keeping(
        storage=storage,
        signals=signals,
        windows=LocalWindows(clock),
        opening=(signals.start,),
        closing=(signals.aclose,),
    )
