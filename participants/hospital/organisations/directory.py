"""The directory: a snapshot of everything that can be booked, kept in memory and made again when something changed.

A question costs one row as long as nothing did. Above: schedules, the hospital port; below: `bookable`.
"""

from __future__ import annotations

import asyncio
import logging

from participants.hospital.organisations.bookable import read_snapshot
from participants.hospital.organisations.head_rows import version_of
from participants.hospital.organisations.snapshot import Practice, Site, Snapshot
from uhi.errors import Refusal
from uhi.storage.sql.database import Database

__all__ = ["POLL_SECONDS", "Directory", "Practice", "Site", "Snapshot"]

POLL_SECONDS = 1.0

_log = logging.getLogger(__name__)


class Directory:
    """What can be booked, of one database. `refresh` it at the start; let `follow` run while it is used."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._refreshing = asyncio.Lock()
        self.snapshot = Snapshot()
        """As of the last `refresh`; replaced as a whole, never changed."""

    async def refresh(self) -> Snapshot:
        """Bring the snapshot up to date with the database; returns it.

        Raises: Refusal(OVERLOADED) when the database does not answer.
        """
        async with self._refreshing:
            if await self._database.read(version_of) != self.snapshot.version:
                self.snapshot = await self._database.read(read_snapshot)
            return self.snapshot

    async def follow(self) -> None:
        """Notice, within a second, what other processes change; go on until cancelled."""
        while True:
            await self._database.clock.sleep(POLL_SECONDS)
            await self.catch_up()

    async def catch_up(self) -> None:
        """Refresh where that is possible now; where it is not, `follow` does it later."""
        try:
            await self.refresh()
        except Refusal as refusal:
            _log.warning("the directory cannot be read: %s", refusal)
