"""The one writer of a process: everything that waits is written in one transaction, so that many share one fsync.

Below `database`. A group is rolled back and repeated as a whole; a group that one of its members spoils is written
member by member. Source: the issue's "Journal", reliability rules "SQLite and PostgreSQL" and "Backpressure".
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from random import SystemRandom
from typing import TypeVar, cast

from sqlalchemy import Connection

from uhi.errors import Refusal
from uhi.faults import INTERNAL, OVERLOADED
from uhi.ports import Clock
from uhi.storage.sql.engines import Engines, is_away, is_of_database, is_repeatable, is_stale, is_untakable

I = TypeVar("I")  # noqa: E741
R = TypeVar("R")
Batch = Callable[[Connection, Sequence[I]], Sequence[R]]

MOST_IN_GROUP = 256
MOST_BYTES_IN_GROUP = 16 * 1024 * 1024
MOST_WAITING = 4_096
MOST_BYTES_WAITING = 64 * 1024 * 1024
MOST_LATER = 20_000
_REPEATS = 3
_LATER_SECONDS = 0.05
_AWAY_SECONDS = 1.0

_log = logging.getLogger("uhi.storage")


@dataclass(slots=True)
class GroupCounts:
    """How many groups were committed, how many items were in them, and in the largest; what was dropped."""

    groups: int = 0
    items: int = 0
    largest: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Conditions:
    """What surrounds the writing: the clock, a context while the database is asked, a call before each commit."""

    clock: Clock
    during: Callable[[], AbstractContextManager[object]]
    before_commit: Callable[[], None]


@dataclass(frozen=True, slots=True)
class _Raised:
    error: BaseException


@dataclass(slots=True, eq=False)
class _Member:
    """What waits: an item of a batch, or with `batch` None a function of its own; without a future nobody waits."""

    batch: Batch[object, object] | None
    item: object
    size: int = 0
    told: asyncio.Future[object] | None = None

    def tell(self, outcome: object) -> None:
        if self.told is None or self.told.done():
            return
        if isinstance(outcome, _Raised):
            self.told.set_exception(outcome.error)
        else:
            self.told.set_result(outcome)


@dataclass(slots=True)
class GroupWriter:
    """Collects, writes, tells. `grouped` and `write` of one event loop at a time."""

    engines: Engines
    conditions: Conditions
    counts: GroupCounts = field(default_factory=GroupCounts)
    _waiting: deque[_Member] = field(default_factory=deque)
    _later: deque[_Member] = field(default_factory=deque)
    _bytes: int = 0
    _task: asyncio.Task[None] | None = None
    _timer: asyncio.TimerHandle | None = None
    _is_closed: bool = False

    async def grouped(self, batch: Batch[I, R], item: I, *, size: int, is_vital: bool) -> R:
        """See `Database.grouped`."""
        told = self._join(_Member(cast("Batch[object, object]", batch), item, size), is_vital=is_vital)
        return cast("R", await told)

    async def write(self, work: Callable[[Connection], R], *, is_vital: bool) -> R:
        """See `Database.write`."""
        return cast("R", await self._join(_Member(None, work), is_vital=is_vital))

    def later(self, batch: Batch[I, R], item: I) -> None:
        """See `Database.later`."""
        if self._is_closed or len(self._later) >= MOST_LATER:
            self.counts.dropped += 1
            return
        self._later.append(_Member(cast("Batch[object, object]", batch), item))
        self._start_later(_LATER_SECONDS)

    async def aclose(self) -> None:
        """Write what waits; nothing is taken after this."""
        self._is_closed = True
        while self._task is not None and not self._task.done():
            await asyncio.wait([self._task])
        if self._later:
            await asyncio.wait([self._start()])
        if self._timer is not None:
            self._timer.cancel()
        self.counts.dropped += len(self._later)

    def move(self, engines: Engines) -> None:
        """Go on under another event loop: those who waited under the earlier one are gone with it."""
        self.engines = engines
        self._waiting.clear()
        self._bytes = 0
        self._task = self._timer = None

    def _join(self, member: _Member, *, is_vital: bool) -> asyncio.Future[object]:
        if self._is_closed:
            raise overloaded("the database is closed")
        is_full = len(self._waiting) >= MOST_WAITING or self._bytes + member.size > MOST_BYTES_WAITING
        if is_full and not is_vital:
            raise overloaded("too much waits to be written to the database")
        member.told = asyncio.get_running_loop().create_future()
        self._waiting.append(member)
        self._bytes += member.size
        self._start()
        return member.told

    def _start(self) -> asyncio.Task[None]:
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run(), name="uhi-database-writer")
        return self._task

    def _start_later(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        if self._later:
            self._start()

    async def _run(self) -> None:
        # Whoever is ready in this turn of the loop joins the first group.
        await asyncio.sleep(0)
        while group := self._take():
            if not await self._finish(group) and not self._waiting:
                break
        if self._later and not self._is_closed:
            self._start_later(_AWAY_SECONDS)

    def _take(self) -> list[_Member]:
        group: list[_Member] = []
        size = 0
        while self._waiting and len(group) < MOST_IN_GROUP:
            size += self._waiting[0].size
            if group and size > MOST_BYTES_IN_GROUP:
                break
            group.append(self._waiting.popleft())
            self._bytes -= group[-1].size
        while self._later and len(group) < MOST_IN_GROUP:
            group.append(self._later.popleft())
        return group

    async def _finish(self, group: list[_Member]) -> bool:
        """Write a group and tell everybody how it ended; returns whether the database could be asked."""
        outcomes = await self._attempt(group)
        if not isinstance(outcomes, _Raised):
            self._count(group)
            for member, outcome in zip(group, outcomes, strict=True):
                member.tell(outcome)
            return True
        if is_away(outcomes.error) or is_repeatable(outcomes.error):
            self._put_off(group, outcomes.error)
            return False
        if len(group) > 1:
            return all([await self._finish([member]) for member in group])
        self._spoiled(group[0], outcomes.error)
        return True

    async def _attempt(self, group: list[_Member]) -> list[object] | _Raised:
        """Write a group as often as that makes sense."""
        for repeats in range(_REPEATS):
            written: list[bool] = []
            outcomes = await self._once(group, written)
            if not isinstance(outcomes, _Raised):
                return outcomes
            if is_repeatable(outcomes.error):
                await self.conditions.clock.sleep(SystemRandom().uniform(0, 0.02 * 2**repeats))
            elif not is_stale(outcomes.error) or written or repeats:
                # Lost during the commit it may be written or not: that is for the callers to find out.
                return outcomes
        return await self._once(group, [])

    async def _once(self, group: list[_Member], written: list[bool]) -> list[object] | _Raised:
        def work(connection: Connection) -> list[object]:
            outcomes = _written(connection, group)
            self.conditions.before_commit()
            written.append(True)
            return outcomes

        try:
            with self.conditions.during():
                return await self.engines.transact(work)
        except Exception as error:
            return _Raised(error)

    def _count(self, group: list[_Member]) -> None:
        self.counts.groups += 1
        self.counts.items += len(group)
        self.counts.largest = max(self.counts.largest, len(group))

    def _put_off(self, group: list[_Member], error: BaseException) -> None:
        """Nothing of this group is known to be written: whoever waits is told, what nobody waits for is kept."""
        _log.error("the database did not take a group of %d: %s", len(group), named(error))
        for member in reversed(group):
            if member.told is None:
                self._later.appendleft(member)
            else:
                member.tell(_Raised(overloaded("the database cannot be written at the moment")))

    def _spoiled(self, member: _Member, error: BaseException) -> None:
        if member.told is None:
            self.counts.dropped += 1
        if is_of_database(error):
            _log.error("the database refused a change: %s", named(error))
            error = _untakable() if is_untakable(error) else overloaded("the database refused a change")
        member.tell(_Raised(error))


def overloaded(what: str) -> Refusal:
    """The refusal of what cannot be remembered now."""
    refusal = Refusal(OVERLOADED, what, next_step="try again in a moment")
    refusal.retry_after = 1
    return refusal


def _untakable() -> Refusal:
    return Refusal(
        INTERNAL,
        "the database will never take this",
        expected="text without NUL, within what a row may hold",
        next_step="look for the error of the database in the log; trying again does not help",
    )


def named(error: BaseException) -> str:
    """An error of a database without its text, which may quote what was to be written."""
    origin = getattr(error, "orig", None) or error
    code = getattr(origin, "sqlstate", None) or getattr(origin, "sqlite_errorname", None)
    return f"{type(origin).__name__} {code}" if code else type(origin).__name__


def _written(connection: Connection, group: list[_Member]) -> list[object]:
    """Do everything of a group, batches first and in the same order in every process: so two groups do not wait for
    each other."""
    batches: dict[Batch[object, object], list[_Member]] = {}
    outcomes: dict[_Member, object] = {}
    for member in group:
        if member.batch is not None:
            batches.setdefault(member.batch, []).append(member)
    for batch in sorted(batches, key=lambda each: each.__qualname__):
        members = batches[batch]
        told = batch(connection, [member.item for member in members])
        outcomes.update(zip(members, told, strict=True))
    for member in group:
        if member.batch is None:
            outcomes[member] = _in_savepoint(connection, cast("Callable[[Connection], object]", member.item))
    return [outcomes[member] for member in group]


def _in_savepoint(connection: Connection, work: Callable[[Connection], object]) -> object:
    try:
        with connection.begin_nested():
            return work(connection)
    except Exception as error:
        if is_repeatable(error) or is_away(error):
            raise
        return _Raised(error)
