"""Brings a database to this program's schema, and says how far it is.

Above: `uhi db`, and a program's start and `/readyz`. Below: Alembic, on asyncpg or sqlite3, in a
thread.
Source: reliability rules "Migrations, backup, restore".
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Protocol, TypeVar

from alembic import command
from alembic.util import CommandError
from sqlalchemy import URL, Connection, NullPool, create_engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from uhi.errors import SetupError
from uhi.storage.addresses import address_of, shown
from uhi.storage.schema import SchemaState, Steps, branch_of, steps

R = TypeVar("R")

_LOCK = int.from_bytes(b"uhi", "big")
_WAIT_FOR_ANOTHER = 60
_WAIT_FOR_A_TABLE = 2
_CONNECT = 10

# Alembic's `op` is one name for the whole process.
_ONE_AT_A_TIME = threading.Lock()


class Reads(Protocol):
    """An open database that can be asked."""

    async def read(self, query: Callable[[Connection], R]) -> R:
        """Run a query and return what it returns."""


async def upgrade(url: str, *, revision: str = "heads", further: Sequence[Path] = ()) -> tuple[str, ...]:
    """Apply what is pending, up to a revision; returns what was applied, oldest first, empty where there was nothing.

    Two processes that upgrade at once do it once: the second waits for the first. Whatever interrupts it, running it
    again completes it. A new SQLite file is for its owner only. `further` are folders with steps of one's own.
    Raises: SetupError when the database cannot be reached, refuses, or is ahead of this program.
    """

    def work(connection: Connection, known: Steps) -> tuple[str, ...]:
        before = known.state_on(connection)
        if not before.pending:
            return ()
        if before.ahead:
            raise _is_ahead(before)
        _run(connection, lambda: command.upgrade(known.config(connection), revision))
        left = set(known.state_on(connection).pending)
        return tuple(name for name in before.pending if name not in left)

    return await _changing(url, further, work)


async def downgrade(url: str, revision: str, *, further: Sequence[Path] = ()) -> tuple[str, ...]:
    """Undo steps down to a revision (`uhi_0001`, `uhi@-1`, `base`), and lose what they keep; returns what was undone.

    Raises: SetupError when the database cannot be reached or refuses, or there is no such revision.
    """

    def work(connection: Connection, known: Steps) -> tuple[str, ...]:
        before = known.state_on(connection)
        if before.ahead:
            raise _is_ahead(before)
        if revision.startswith("-") and len(before.applied) > 1:
            raise SetupError(
                "so many steps back of which branch?",
                got=revision,
                expected=" or ".join(f"{branch_of(name)}@{revision}" for name in before.applied),
            )
        _run(connection, lambda: command.downgrade(known.config(connection), revision))
        return tuple(name for name in known.state_on(connection).pending if name not in before.pending)

    return await _changing(url, further, work)


async def current(url: str, *, further: Sequence[Path] = ()) -> SchemaState:
    """How far a database is. An SQLite file that is not there is not made.

    Raises: SetupError when the database cannot be reached.
    """
    address = address_of(url)
    known = steps(tuple(further))
    if _is_missing(address):
        return known.state(())
    return await asyncio.to_thread(_on_a_connection, address, known.state_on, begin="BEGIN")


async def check_current(url: str) -> None:
    """Find out before the first request that a database lacks what this program needs.

    Raises: SetupError when steps are pending, or the database cannot be reached.
    """
    state = await current(url)
    if not state.is_current:
        raise SetupError(
            "the database's schema is older than this program",
            got=", ".join(state.applied) or "an empty database",
            expected=f"{', '.join(state.pending)} applied too",
            next_step="run uhi db upgrade",
        )


async def schema_state(database: Reads) -> SchemaState:
    """How far an open database is: one short query."""
    return await database.read(steps().state_on)


async def _changing(url: str, further: Sequence[Path], work: Callable[[Connection, Steps], R]) -> R:
    address = address_of(url)
    known = steps(tuple(further))

    def alone(connection: Connection) -> R:
        _exclude_others(connection)
        return work(connection, known)

    def in_a_thread() -> R:
        with _ONE_AT_A_TIME:
            return _on_a_connection(address, alone)

    if _is_sqlite(address):
        _make_file(Path(str(address.database)))
    return await asyncio.to_thread(in_a_thread)


def _exclude_others(connection: Connection) -> None:
    """On PostgreSQL a lock of the session, which a crash frees; on SQLite its transaction is the lock already."""
    if connection.dialect.name == "postgresql":
        # What waits for a table keeps everybody behind it waiting, so it gives up soon.
        connection.execute(text(f"SET lock_timeout = '{_WAIT_FOR_ANOTHER}s'"))
        connection.execute(text(f"SELECT pg_advisory_lock({_LOCK})"))
        connection.execute(text(f"SET lock_timeout = '{_WAIT_FOR_A_TABLE}s'"))


def _run(connection: Connection, step: Callable[[], None]) -> None:
    if connection.dialect.name == "postgresql":
        # From here on the transactions are Alembic's: one for each step.
        connection.commit()
    try:
        step()
    except CommandError as error:
        raise SetupError("there is no such way", got=str(error), next_step="uhi db current lists the steps") from None


def _on_a_connection(address: URL, work: Callable[[Connection], R], *, begin: str = "BEGIN IMMEDIATE") -> R:
    try:
        return _on_sqlite(address, work, begin) if _is_sqlite(address) else asyncio.run(_on_postgres(address, work))
    except ModuleNotFoundError as error:
        raise SetupError(
            "the database's driver is not installed",
            got=f"no module {error.name}",
            next_step="install uhi-network again with its extra postgres",
        ) from None
    except _failures(address) as error:
        raise SetupError(
            f"the database {shown(address)} cannot be used",
            got=_in_a_line(error),
            next_step="see that it runs and lets this user in; what was not completed can be run again",
        ) from None


def _on_sqlite(address: URL, work: Callable[[Connection], R], begin: str) -> R:
    engine = create_engine(address, poolclass=NullPool, connect_args={"timeout": _WAIT_FOR_ANOTHER})
    event.listen(engine, "connect", _transactions_are_ours)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    with engine.begin() as connection:
        return work(connection)


async def _on_postgres(address: URL, work: Callable[[Connection], R]) -> R:
    engine = create_async_engine(address, poolclass=NullPool, connect_args={"timeout": _CONNECT})
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


def _transactions_are_ours(connection: DBAPIConnection, _: object) -> None:
    connection.isolation_level = None


def _is_missing(address: URL) -> bool:
    return _is_sqlite(address) and not Path(str(address.database)).exists()


def _make_file(path: Path) -> None:
    try:
        # One that is there must not even be opened: closing it gives up the locks that this process has on it.
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise SetupError(
            f"the database file {path} cannot be made",
            got=error.strerror or type(error).__name__,
            next_step="see that its folder is there and can be written",
        ) from None


def _is_sqlite(address: URL) -> bool:
    return address.get_backend_name() == "sqlite"


def _failures(address: URL) -> tuple[type[Exception], ...]:
    if _is_sqlite(address):
        return (SQLAlchemyError, OSError)
    driver = import_module("asyncpg")
    return (SQLAlchemyError, OSError, driver.PostgresError, driver.InterfaceError)


def _in_a_line(error: Exception) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    return (str(cause).splitlines() or [type(cause).__name__])[0]


def _is_ahead(state: SchemaState) -> SetupError:
    return SetupError(
        "the database is ahead of this program",
        got=", ".join(state.ahead),
        expected="steps that this program knows",
        next_step="take the newer release for this",
    )
