"""The two databases, opened as they must be to keep what they were told: SQLite and PostgreSQL.

Below `database`. A transaction is a plain function on a SQLAlchemy connection. PostgreSQL runs it through SQLAlchemy's
asyncio layer; SQLite in a thread, as a whole: one hop per transaction, not several per statement. Source: reliability
rules "SQLite and PostgreSQL".
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Protocol, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DataError, DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

R = TypeVar("R")

MOST_CONNECTIONS = 20
ACQUIRE_SECONDS = 2.0
STATEMENT_SECONDS = 10.0
_POSTGRES_WRITERS = 4
_SQLITE_READERS = 4
_SQLITE_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "foreign_keys=ON", "temp_store=MEMORY")
# Pages that are written again and again reach the file itself once in a while only; 32 MB of log are read back quickly.
_SQLITE_WRITER = ("wal_autocheckpoint=8000", "journal_size_limit=67108864", "cache_size=-65536")
_SQLITE_READER = ("query_only=ON",)
_REPEATABLE_STATES = frozenset({"40001", "40P01"})
_REPEATABLE_CODES = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_AWAY_CLASSES = frozenset({"08", "53", "57", "58"})
_READ_ONLY_STATE = "25006"
# Data exceptions, broken constraints, rows beyond what the database can hold at all.
_UNTAKABLE_CLASSES = frozenset({"22", "23", "54"})
_UNTAKABLE_CODES = frozenset({sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH})
_AWAY_CODES = frozenset(
    {
        *(sqlite3.SQLITE_PERM, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR),
        *(sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOTADB),
    }
)


class Engines(Protocol):
    """One database, as the running event loop reaches it."""

    dialect: str
    failures: tuple[type[Exception], ...]
    """What the database and the way to it raise."""

    async def transact(self, work: Callable[[Connection], R]) -> R:
        """Run `work` in one writing transaction and commit it."""

    async def query(self, query: Callable[[Connection], R]) -> R:
        """Run `query` on a reading connection."""

    def on_other_loop(self) -> Engines:
        """The same database, once the event loop that used it has ended."""

    async def aclose(self) -> None:
        """Close every connection."""


class SqliteEngines:
    """One writing connection in a thread of its own, and a few reading ones."""

    dialect = "sqlite"
    failures: tuple[type[Exception], ...] = (SQLAlchemyError, OSError)

    def __init__(self, path: Path) -> None:
        self._writer = _sqlite_engine(path, begin="BEGIN IMMEDIATE", further=_SQLITE_WRITER)
        self._readers = _sqlite_engine(path, begin="BEGIN", further=_SQLITE_READER)
        self._writing = ThreadPoolExecutor(1, thread_name_prefix="uhi-sqlite-writer")
        self._reading = ThreadPoolExecutor(_SQLITE_READERS, thread_name_prefix="uhi-sqlite-reader")

    async def transact(self, work: Callable[[Connection], R]) -> R:
        """See `Engines`."""
        return await asyncio.get_running_loop().run_in_executor(self._writing, self._transact, work)

    async def query(self, query: Callable[[Connection], R]) -> R:
        """See `Engines`."""
        return await asyncio.get_running_loop().run_in_executor(self._reading, self._query, query)

    def on_other_loop(self) -> SqliteEngines:
        """See `Engines`."""
        return self

    async def aclose(self) -> None:
        """See `Engines`."""
        await asyncio.get_running_loop().run_in_executor(None, self._close)

    def _transact(self, work: Callable[[Connection], R]) -> R:
        with self._writer.begin() as connection:
            return work(connection)

    def _query(self, query: Callable[[Connection], R]) -> R:
        with self._readers.connect() as connection:
            return query(connection)

    def _close(self) -> None:
        self._writing.shutdown()
        self._reading.shutdown()
        self._readers.dispose()
        self._writer.dispose()


class PostgresEngines:
    """At most 20 connections, some of them for writing only, so that no writer waits for a place behind readers; reads
    need no transaction of their own."""

    dialect = "postgresql"

    def __init__(self, url: URL) -> None:
        # What asyncpg raises while it connects reaches us as it is; SQLite needs no asyncpg.
        driver = import_module("asyncpg")
        self.failures: tuple[type[Exception], ...] = (
            *(SQLAlchemyError, OSError),
            *(driver.PostgresError, driver.InterfaceError),
        )
        self._writers = _postgres_engine(url, most=_POSTGRES_WRITERS, isolation_level="READ COMMITTED")
        self._readers = _postgres_engine(url, most=MOST_CONNECTIONS - _POSTGRES_WRITERS, isolation_level="AUTOCOMMIT")

    async def transact(self, work: Callable[[Connection], R]) -> R:
        """See `Engines`."""
        async with self._writers.begin() as connection:
            return await connection.run_sync(work)

    async def query(self, query: Callable[[Connection], R]) -> R:
        """See `Engines`."""
        async with self._readers.connect() as connection:
            return await connection.run_sync(query)

    def on_other_loop(self) -> PostgresEngines:
        """See `Engines`."""
        for each in (self._writers, self._readers):
            each.sync_engine.dispose(close=False)
        return PostgresEngines(self._writers.url)

    async def aclose(self) -> None:
        """See `Engines`."""
        await self._writers.dispose()
        await self._readers.dispose()


def _postgres_engine(url: URL, *, most: int, isolation_level: str) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_size=most,
        max_overflow=0,
        pool_timeout=ACQUIRE_SECONDS,
        # The connection that was used last has its statements prepared.
        pool_use_lifo=True,
        isolation_level=isolation_level,
        connect_args={
            "timeout": ACQUIRE_SECONDS,
            "command_timeout": STATEMENT_SECONDS,
            "server_settings": {"application_name": "uhi", "jit": "off"},
        },
    )


def is_repeatable(error: BaseException) -> bool:
    """Whether the database rolled back for reasons of its own, and the same transaction may well succeed again:
    serialization failure, deadlock, SQLITE_BUSY."""
    if not isinstance(error, DBAPIError):
        return False
    if isinstance(error.orig, sqlite3.Error):
        return _sqlite_code(error.orig) in _REPEATABLE_CODES
    return _sql_state(error) in _REPEATABLE_STATES


def is_stale(error: BaseException) -> bool:
    """Whether a connection turned out to be closed; a new one may work."""
    return isinstance(error, DBAPIError) and error.connection_invalidated


def is_away(error: BaseException) -> bool:
    """Whether the database cannot be reached, was lost on the way, or cannot write."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, (OSError, TimeoutError, PoolTimeout)) or _is_of_asyncpg(error)
    if isinstance(error.orig, sqlite3.Error):
        return _sqlite_code(error.orig) in _AWAY_CODES
    state = _sql_state(error)
    return error.connection_invalidated or state[:2] in _AWAY_CLASSES or state == _READ_ONLY_STATE


def is_untakable(error: BaseException) -> bool:
    """Whether the database refused what was to be written for what it is: however often, it will not be taken."""
    if not isinstance(error, DBAPIError):
        return False
    if isinstance(error.orig, sqlite3.Error):
        return _sqlite_code(error.orig) in _UNTAKABLE_CODES
    # What asyncpg itself cannot encode has no state.
    return _sql_state(error)[:2] in _UNTAKABLE_CLASSES or isinstance(error, DataError)


def is_of_database(error: BaseException) -> bool:
    """Whether an error comes from the database or the way to it, and not from the code that uses it."""
    return isinstance(error, (SQLAlchemyError, OSError, TimeoutError)) or _is_of_asyncpg(error)


def _sqlite_code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _sql_state(error: DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or ""


def _is_of_asyncpg(error: BaseException) -> bool:
    """What asyncpg raises while it connects reaches us as it is; SQLite needs no asyncpg."""
    return type(error).__module__.partition(".")[0] == "asyncpg"


def _sqlite_engine(path: Path, *, begin: str, further: tuple[str, ...]) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        pool_size=_SQLITE_READERS,
        max_overflow=0,
        pool_timeout=ACQUIRE_SECONDS,
        connect_args={"check_same_thread": False},
    )

    @event.listens_for(engine, "do_connect")
    def _make(*_unused: object) -> None:
        # SQLite itself would make a file that others may read; the files beside it get its mode. One that is there must
        # not even be opened: closing it again gives up the locks of every connection of this process.
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
        # Python's own handling of transactions would begin a deferred one, which fails as soon as it has read and
        # then writes beside another writer, whatever the busy timeout is.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (*_SQLITE_PRAGMAS, *further):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
