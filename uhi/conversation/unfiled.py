"""Documents on their way: put down before they are laid in the file store, so that none stays there that nobody has.

What a process leaves behind that dies in between is removed an hour later, and what nobody is to have any more at
once. Above: `vault`; below: `rows`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, delete, insert, select

from uhi.booking.speaker import Speaker
from uhi.storage.sql.conversation_tables import laid_file
from uhi.storage.sql.database import Database

LONGEST_SECONDS = 3_600.0
"""How long after it was put down a document may still become part of a message."""

_MOST = 100


class Unfiled:
    """The keys of documents that no message of a subscriber has yet."""

    def __init__(self, database: Database, speaker: Speaker) -> None:
        self._database = database
        self._owner = speaker.subscriber_id
        self._clock = speaker.clock

    async def put_down(self, key: str) -> None:
        """Remember a key before a document is laid under it.

        Raises: Refusal(OVERLOADED).
        """
        row = {"key": key, "owner": self._owner, "at": self._clock.now()}
        await self._database.write(lambda connection: connection.execute(insert(laid_file), row).rowcount)

    async def left(self) -> Sequence[str]:
        """Return some of the keys that are too old; take their documents away, then forget them.

        Raises: Refusal(OVERLOADED).
        """
        until = self._clock.now() - LONGEST_SECONDS
        old = select(laid_file.c.key).where(laid_file.c.owner == self._owner, laid_file.c.at < until).limit(_MOST)
        return await self._database.read(lambda connection: connection.execute(old).scalars().all())

    async def forget(self, key: str) -> None:
        """Forget a key whose document is gone.

        Raises: Refusal(OVERLOADED).
        """
        await self._database.write(lambda connection: file(connection, key))


def file(connection: Connection, key: str) -> bool:
    """Let a document be part of a message, in the caller's transaction; whether it may be."""
    return connection.execute(delete(laid_file).where(laid_file.c.key == key)).rowcount == 1


def unfile(connection: Connection, owner: str, keys: Iterable[str]) -> None:
    """Let documents be part of no message any more, in the caller's transaction; they are taken away next."""
    rows = [{"key": key, "owner": owner, "at": 0.0} for key in keys]
    if rows:
        connection.execute(insert(laid_file), rows)
