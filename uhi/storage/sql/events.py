"""Events in the database: written in the transaction they tell of, taken by one process at a time, deleted when out.

Implements `uhi.signals.event_relay.EventSource`. Above: composition roots, and the transactions that insert; below:
`database`, `tables`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from uuid import uuid4

import orjson
from sqlalchemy import Connection, delete, insert, select, text

from uhi.ports import Event
from uhi.storage.sql.database import Database
from uhi.storage.sql.tables import event as table

_TURN = "events"
_TURN_SECONDS = 60.0

_MAY_TAKE = text(
    "SELECT 1 FROM event WHERE NOT EXISTS"
    " (SELECT 1 FROM turn WHERE name = :name AND owner <> :owner AND until >= :now) LIMIT 1"
)
_TAKE = text(
    "INSERT INTO turn (name, owner, until) VALUES (:name, :owner, :until)"
    " ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until"
    " WHERE turn.owner = excluded.owner OR turn.until < :now RETURNING name"
)
_GIVE_UP = text("DELETE FROM turn WHERE name = :name AND owner = :owner")


def insert_events(connection: Connection, events: Sequence[Event]) -> None:
    """Write events in the caller's transaction: they are told if, and only if, it is committed."""
    rows = [
        {"id": each.id, "kind": each.kind, "at": each.at, "facts": orjson.dumps(dict(each.facts)).decode()}
        for each in events
    ]
    if rows:
        connection.execute(insert(table), rows)


class SqlEvents:
    """The events that wait, of all processes on one database, ordered by id.

    One process at a time has the turn to publish, so that two never publish the same batch and the order is kept. It
    keeps the turn while it publishes; if it dies, another has it a minute later at most. A process that stands still
    for a minute while it publishes may be overtaken: then a batch comes twice.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._owner = uuid4().hex

    async def events(self, most: int) -> Sequence[Event]:
        """See `EventSource`; what others have the turn for is theirs to publish."""
        now = self._database.clock.now()
        if not await self._database.read(partial(_may_take, self._owner, now)):
            return ()
        return await self._database.write(partial(_take, self._owner, now, most))

    async def forget_events(self, ids: Sequence[str]) -> None:
        """See `EventSource`."""
        if ids:
            await self._database.write(partial(_forget, ids))

    async def release(self) -> None:
        """Give up the turn: another process may go on at once. Called when the relay has stopped."""
        await self._database.write(partial(_give_up, self._owner))


def _may_take(owner: str, now: float, connection: Connection) -> bool:
    """Whether anything waits and nobody else has the turn: asked without writing, since it is asked every second."""
    return connection.execute(_MAY_TAKE, {"name": _TURN, "owner": owner, "now": now}).first() is not None


def _take(owner: str, now: float, most: int, connection: Connection) -> list[Event]:
    turn = {"name": _TURN, "owner": owner, "now": now, "until": now + _TURN_SECONDS}
    if connection.execute(_TAKE, turn).first() is None:
        return []
    rows = connection.execute(select(table).order_by(table.c.id).limit(most))
    return [Event(row.id, row.kind, row.at, orjson.loads(row.facts)) for row in rows]


def _forget(ids: Sequence[str], connection: Connection) -> None:
    connection.execute(delete(table).where(table.c.id.in_(ids)))


def _give_up(owner: str, connection: Connection) -> None:
    connection.execute(_GIVE_UP, {"name": _TURN, "owner": owner})
