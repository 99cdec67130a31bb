"""Reading and changing organisations, one transaction each; the directory here knows of a change at once.

Above: the groups of routes; below: `writing`, the database.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from participants.hospital.organisations.directory import Directory
from participants.hospital.organisations.writing import Writing, writes
from uhi.audit import Acting
from uhi.ports import Clock
from uhi.storage.sql.database import Database

T = TypeVar("T")


class Ledger:
    """The organisations of one database."""

    def __init__(self, database: Database, *, clock: Clock, directory: Directory) -> None:
        self._database = database
        self._clock = clock
        self._directory = directory

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Ask something.

        Raises: Refusal(OVERLOADED) when the database cannot be asked; what `query` raises.
        """
        return await self._database.read(query)

    async def write(self, work: Callable[[Writing], T], *, acting: Acting) -> T:
        """Change something, with its audit rows; then bring the directory up to date.

        Raises: Refusal(OVERLOADED) when it may not have been written; what `work` raises, nothing being changed then.
        """
        # Apart: whoever waits for an import to end must not keep the messages of the network waiting.
        done = await self._database.apart(writes(work, now=self._clock.now(), acting=acting))
        await self._directory.catch_up()
        return done
