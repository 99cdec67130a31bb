"""Where entries come from while a participant runs: fixed ones, or the rows of a table, read when they are needed.

`Source` is the seam: an embedding team's own implementation stands beside these. Above: `origin`, the listings.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Generic, NoReturn, Protocol, TypeVar

from sqlalchemy import Connection, Select, literal_column, select
from sqlalchemy import table as named_table

from uhi.errors import Refusal, SetupError
from uhi.listing.entries import Entry, Table
from uhi.ports import Clock
from uhi.storage.sql.database import Database

log = logging.getLogger(__name__)

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Source(Protocol[T_co]):
    """A list, as it is now."""

    async def read(self) -> Sequence[T_co]:
        """Return every entry."""


class Fixed(Generic[T]):
    """Entries that do not change."""

    def __init__(self, entries: Sequence[T]) -> None:
        self._entries = tuple(entries)

    async def read(self) -> Sequence[T]:
        """Return every entry."""
        return self._entries


class SqlRows(Generic[T]):
    """The rows of a table or view of that name, or of a select of one's own with the table's column names.

    A row that cannot be read is left out and logged by its place, its content never; the others stay.
    """

    def __init__(self, database: Database, table: Table[T], *, rows: Select[tuple[object, ...]] | None = None) -> None:
        self._database = database
        self._table = table
        self._rows = rows if rows is not None else select(literal_column("*")).select_from(named_table(table.name))

    async def read(self) -> Sequence[T]:
        """Return every row that can be read.

        Raises: SetupError when a required column is not there; Refusal(OVERLOADED) when the database cannot be asked.
        """
        found: list[T] = []
        for place, row in enumerate(await self._database.read(self._query), start=1):
            try:
                found.append(self._table.read(self._entry(row, f"row {place} of {self._table.name}")))
            except _RowUnreadable as error:
                log.warning("%s", error)
        return found

    async def check(self) -> None:
        """See that the table is there, with its columns.

        Raises: SetupError.
        """
        try:
            await self.read()
        except Refusal as refusal:
            raise SetupError(
                f"the table {self._table.name} cannot be read: {refusal.what}",
                expected=f"a table or view with the columns {' '.join(self._table.required)}",
                next_step="see that it is there, and that its owner lets this program read it",
            ) from refusal

    def _entry(self, row: Mapping[str, str], where: str) -> Entry:
        def fail(column: str, what: str, expected: str) -> NoReturn:
            raise _RowUnreadable(f"{where}, column {column}: {what}, expected {expected}; the row is left out")

        for name in self._table.required:
            if name not in row:
                fail(name, "this is empty", "a value")
        return Entry(row, fail)

    def _query(self, connection: Connection) -> list[dict[str, str]]:
        result = connection.execute(self._rows)
        names = [str(name) for name in result.keys()]  # noqa: SIM118  # a result is no mapping
        missing = [name for name in self._table.required if name not in names]
        if missing:
            raise SetupError(
                f"the table {self._table.name} lacks columns",
                got=f"no {', '.join(missing)}",
                expected=" ".join(self._table.required),
                next_step="add them, or make a view that has them",
            )
        used = set(self._table.columns)
        return [
            {name: text for name, value in zip(names, row, strict=True) if name in used and (text := _text(value))}
            for row in result
        ]


class Refreshed(Generic[T]):
    """Another source, read again once `seconds` have passed: for long lists that change seldom."""

    def __init__(self, source: Source[T], *, clock: Clock, seconds: float) -> None:
        self._source = source
        self._clock = clock
        self._seconds = seconds
        self._read_at: float | None = None
        self._entries: Sequence[T] = ()
        self._reading = asyncio.Lock()

    async def read(self) -> Sequence[T]:
        """Return every entry, at most `seconds` old; many who ask at once have it read once."""
        async with self._reading:
            now = self._clock.now()
            if self._read_at is None or not 0 <= now - self._read_at < self._seconds:
                self._entries = await self._source.read()
                self._read_at = now
            return self._entries


class _RowUnreadable(Exception):
    """A row lacks what its table requires."""


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
