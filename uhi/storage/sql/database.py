"""The database of a program: one writer that groups, many readers, whichever of the two databases it is.

Above: whatever keeps rows. Its SQL is written as plain functions on a SQLAlchemy connection. Below: `groups`,
`engines`. Source: reliability rules "SQLite and PostgreSQL" and "Backpressure".
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TypeVar

from sqlalchemy import URL, Connection, text
from sqlalchemy.exc import SQLAlchemyError

from uhi.errors import Refusal, SetupError
from uhi.ports import Clock
from uhi.storage.addresses import address_of, shown
from uhi.storage.sql.engines import Engines, PostgresEngines, SqliteEngines, is_stale
from uhi.storage.sql.groups import Batch, Conditions, GroupCounts, GroupWriter, named, overloaded

I = TypeVar("I")  # noqa: E741
R = TypeVar("R")

MOST_READING = 1_000


class Database:
    """One open database. Use it from one event loop at a time; a later loop takes it over from one that has ended."""

    def __init__(self, location: URL, *, conditions: Conditions, exclusive: bool = False) -> None:
        self._location = location
        self._conditions = conditions
        self._is_exclusive = exclusive
        self._lock: int | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._engines = _engines(location)
        self._writer = GroupWriter(self._engines, conditions)
        self._reading = 0

    @classmethod
    def open(
        cls,
        url: str,
        *,
        clock: Clock,
        exclusive: bool = False,
        during: Callable[[], AbstractContextManager[object]] = nullcontext,
        before_commit: Callable[[], None] = lambda: None,
    ) -> Database:
        """A database by its address. Nothing is touched yet: connections are made when they are needed, and again when
        they are lost.

        `exclusive` makes this the one serving process of a SQLite file, from `start` on. `during` is entered while the
        database is asked, `before_commit` called within a transaction before it is committed: both are for tests.
        Raises: SetupError for an address that cannot be used.
        """
        conditions = Conditions(clock, during, before_commit)
        return cls(address_of(url), conditions=conditions, exclusive=exclusive)

    async def start(self) -> None:
        """See that the database answers. A SQLite file that is not there is made, for its owner only.

        Raises: SetupError when it does not answer, or another process serves the file.
        """
        if self._is_exclusive and self._lock is None and _is_sqlite(self._location):
            self._lock = _lock(Path(str(self._location.database)))
        try:
            await self.ping()
        except Refusal as refusal:
            self._unlock()
            raise SetupError(
                f"the database {shown(self._location)} cannot be used: {refusal.what}",
                next_step="see that it is there, and that its user, password and name are right",
            ) from refusal

    async def ping(self) -> None:
        """See that the database answers: the shortest question there is.

        Raises: Refusal(OVERLOADED) when it does not.
        """
        await self.read(lambda connection: connection.execute(text("SELECT 1")).scalar_one())

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engines.dialect

    @property
    def clock(self) -> Clock:
        """The clock that its rows' times come from."""
        return self._conditions.clock

    @property
    def groups(self) -> GroupCounts:
        """What was written together so far."""
        return self._writer.counts

    async def grouped(self, batch: Batch[I, R], item: I, *, size: int = 0, is_vital: bool = False) -> R:
        """Write an item in the next group, and return its result once that is committed.

        `batch` gets the items of one group together, in order, and returns a result for each. `size` is about how many
        bytes the item has. What `is_vital` ends or keeps something that is under way, and is taken however much waits.
        An item whose caller is cancelled is written all the same.
        Raises: Refusal(OVERLOADED) when it may not have been written; Refusal(INTERNAL) when the database will never
        take it; whatever `batch` raises for this item alone.
        """
        self._attach()
        return await self._writer.grouped(batch, item, size=size, is_vital=is_vital)

    async def write(self, work: Callable[[Connection], R], *, is_vital: bool = False) -> R:
        """Run `work` in the next group; what it raises undoes only its own changes and reaches the caller.

        `is_vital`: see `grouped`.
        Raises: Refusal(OVERLOADED) when it may not have been written.
        """
        self._attach()
        return await self._writer.write(work, is_vital=is_vital)

    async def apart(self, work: Callable[[Connection], R]) -> R:
        """Run `work` in a small transaction of its own, which no group waits for: on PostgreSQL beside them, on SQLite
        between two. Whatever fails is not repeated.

        Raises: Refusal(OVERLOADED) when it may not have been written.
        """
        self._attach()
        try:
            with self._conditions.during():
                return await self._engines.transact(work)
        except self._engines.failures as error:
            raise overloaded(f"the database cannot be written at the moment ({named(error)})") from error

    async def read(self, query: Callable[[Connection], R]) -> R:
        """Run `query` on a reading connection and return what it returns.

        Raises: Refusal(OVERLOADED) when the database cannot be asked.
        """
        self._attach()
        if self._reading >= MOST_READING:
            raise overloaded("too many wait to read the database")
        self._reading += 1
        try:
            with self._conditions.during():
                return await self._query(query)
        except self._engines.failures as error:
            raise overloaded(f"the database cannot be read at the moment ({named(error)})") from error
        finally:
            self._reading -= 1

    def later(self, batch: Batch[I, R], item: I) -> None:
        """Write an item in some group soon; nobody waits for it. Dropped, and counted, when too many wait."""
        self._attach()
        self._writer.later(batch, item)

    async def aclose(self) -> None:
        """Write what waits, close every connection, let go of the file."""
        self._attach()
        await self._writer.aclose()
        await self._engines.aclose()
        self._unlock()

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _attach(self) -> None:
        """Connections and waiting callers belong to an event loop."""
        loop = asyncio.get_running_loop()
        if self._loop is loop:
            return
        if self._loop is not None:
            self._engines = self._engines.on_other_loop()
            self._writer.move(self._engines)
        self._loop = loop

    async def _query(self, query: Callable[[Connection], R]) -> R:
        try:
            return await self._engines.query(query)
        except SQLAlchemyError as error:
            if not is_stale(error):
                raise
        return await self._engines.query(query)


def _is_sqlite(location: URL) -> bool:
    return location.get_backend_name() == "sqlite"


def _engines(location: URL) -> Engines:
    return SqliteEngines(Path(str(location.database))) if _is_sqlite(location) else PostgresEngines(location)


def _lock(path: Path) -> int:
    """The lock of the one process that serves a SQLite file."""
    try:
        lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise SetupError(
            f"the database file {path} cannot be served: {error.strerror}",
            next_step="see that its folder is there and can be written",
        ) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise SetupError(
            f"another process serves the database file {path}",
            expected="one serving process for each SQLite file",
            next_step="stop the other one, or use PostgreSQL for several: UHI_DATABASE_URL=postgresql://...",
        ) from None
    return lock
