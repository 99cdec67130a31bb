"""Where all lists of one participant come from: one data file, or the tables of one database.

A part of the composition roots: it gives the participant what opens and closes the database. Above: participants.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Protocol, TypeVar

from uhi.errors import SetupError
from uhi.listing.data_file import DataFile, read_data
from uhi.listing.entries import Table
from uhi.listing.settings import ListingSettings
from uhi.listing.sources import Fixed, Refreshed, Source, SqlRows
from uhi.messages.values import Descriptor
from uhi.ports import Clock
from uhi.storage.sql.database import Database

T = TypeVar("T")
_Work = Callable[[], Coroutine[object, object, None]]


class Host(Protocol):
    """What runs the lists: `uhi.Participant`, or a fake one."""

    @property
    def clock(self) -> Clock:
        """The time by which lists grow old."""

    def at_start(self, work: _Work) -> None:
        """Have something done before the first message is taken."""

    def meanwhile(self, work: _Work) -> None:
        """Have something run until the participant stops."""


class Origin(Protocol):
    """Gives the lists of one participant, and the heading over what it answers."""

    @property
    def heading(self) -> Descriptor:
        """What stands over the catalogues."""

    def source(self, table: Table[T], *, is_of_the_moment: bool = False) -> Source[T]:
        """Return one of the lists; one that `is_of_the_moment` is never older than the search it answers.

        Raises: SetupError for a mistake in it.
        """


class FileOrigin:
    """Lists of a YAML file, read once."""

    def __init__(self, data: DataFile) -> None:
        self._data = data

    @property
    def heading(self) -> Descriptor:
        """The name and texts of the file."""
        texts = {name: self._data.text(name) or None for name in ("name", "short_desc", "long_desc")}
        return Descriptor(**texts, images=self._data.text("image") or None)

    def source(self, table: Table[T], *, is_of_the_moment: bool = False) -> Source[T]:
        """Return the list of that name."""
        return Fixed(self._data.entries(table))


class SqlOrigin:
    """Tables of a database; `host` opens it when it starts, sees that every table is there, and closes it."""

    def __init__(self, database: Database, host: Host, *, heading: str, refresh_seconds: float) -> None:
        self._database = database
        self._clock = host.clock
        self._heading = heading
        self._seconds = refresh_seconds
        self._checks: list[_Work] = []
        host.at_start(self._open)
        host.meanwhile(self._close_at_the_end)

    @property
    def database(self) -> Database:
        """The database, for what is kept beside the lists."""
        return self._database

    @property
    def heading(self) -> Descriptor:
        """The name from the settings."""
        return Descriptor(name=self._heading)

    def source(self, table: Table[T], *, is_of_the_moment: bool = False) -> Source[T]:
        """Return the table of that name."""
        rows = SqlRows(self._database, table)
        self.check_at_start(rows.check)
        return rows if is_of_the_moment else Refreshed(rows, clock=self._clock, seconds=self._seconds)

    def check_at_start(self, check: _Work) -> None:
        """Have something seen to once the database is open."""
        self._checks.append(check)

    async def _open(self) -> None:
        await self._database.start()
        try:
            for check in self._checks:
                await check()
        except SetupError:
            await self._database.aclose()
            raise

    async def _close_at_the_end(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await self._database.aclose()


def origin_of(settings: ListingSettings, host: Host, *, lists: tuple[str, ...], heading: str) -> Origin:
    """Return where the settings say the lists are; `heading` is what a database's answers are called if they do not.

    Raises: SetupError for a file that cannot be read, or an address that cannot be used.
    """
    if settings.file is not None:
        return file_origin(settings.file, *lists)
    database = Database.open(settings.database_url, clock=host.clock)
    return SqlOrigin(database, host, heading=settings.heading or heading, refresh_seconds=settings.refresh_seconds)


def file_origin(path: Path, *lists: str) -> FileOrigin:
    """Return the lists of a file.

    Raises: SetupError when it cannot be read, or holds something else.
    """
    return FileOrigin(read_data(path, *lists))
