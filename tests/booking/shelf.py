"""Where the booking tests keep orders: in memory, or on a database that several processes might have open."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy import text

from uhi.booking.sql_bookings import SqlBookings
from uhi.booking.sql_diary import SqlDiary
from uhi.booking.store import BookingStore, MemoryBookings
from uhi.clock import SystemClock
from uhi.ports import Letter
from uhi.storage.sealing import Sealing
from uhi.storage.sql.database import Database
from uhi.storage.sql.invariants import violations
from uhi.storage.sql.sealers import Sealers
from uhi.storage.sql.storage import SqlStorage

PROVIDER = "clinic.example"


class Shelf(Protocol):
    """One place, as each process opens it."""

    def store(self) -> BookingStore:
        """The store of one more process."""

    async def letters(self) -> list[str]:
        """The ids of the letters that are kept."""


class Tray:
    """An outbox that only remembers."""

    def __init__(self) -> None:
        self.kept: list[Letter] = []

    async def commit(self, change):
        self.kept += change.letters
        return change.letters


@dataclass
class MemoryShelf:
    """Memory belongs to one process: all share the one store."""

    tray: Tray = field(default_factory=Tray)

    def __post_init__(self) -> None:
        self._store = MemoryBookings(self.tray)  # type: ignore[arg-type]

    def store(self) -> MemoryBookings:
        return self._store

    async def letters(self) -> list[str]:
        return [letter.id for letter in self.tray.kept]


@dataclass
class SqlShelf:
    """One database. On SQLite one process writes, on PostgreSQL each has connections of its own."""

    databases: list[Database]
    url: str
    sealing: Sealing

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str) -> AsyncIterator[SqlShelf]:
        shelf = cls([], url, Sealing.for_development())
        try:
            shelf.databases.append(Database.open(url, clock=SystemClock()))
            yield shelf
        finally:
            for database in shelf.databases:
                await database.aclose()

    @property
    def database(self) -> Database:
        return self.databases[0]

    def store(self, *, provider_id: str = PROVIDER, has_events: bool = False) -> SqlBookings:
        database = self.database
        if database.dialect == "postgresql":
            database = Database.open(self.url, clock=SystemClock())
            self.databases.append(database)
        storage = SqlStorage(database, self.sealing, owner=f"process-{len(self.databases)}", has_events=has_events)
        return SqlBookings(storage, provider_id=provider_id)

    def diary(self, *, consumer_id: str = "app.example", sealers: Sealers | None = None) -> SqlDiary:
        storage = SqlStorage(self.database, self.sealing, owner="a process")
        return SqlDiary(storage, consumer_id=consumer_id, sealers=sealers)

    async def letters(self) -> list[str]:
        return [str(row) for (row,) in await self.rows("SELECT id FROM outbox ORDER BY id")]

    async def rows(self, query: str) -> list[tuple[object, ...]]:
        found = await self.database.read(lambda connection: connection.execute(text(query)).all())
        return [tuple(row) for row in found]

    async def run(self, statement: str) -> None:
        await self.database.write(lambda connection: connection.execute(text(statement)).rowcount)

    async def wrong(self, now: float, **bounds: float) -> list[str]:
        return await self.database.read(lambda connection: violations(connection, now, **bounds))
