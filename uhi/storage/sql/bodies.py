"""Bodies on SQL, encrypted, and what every write of one process carries: who we are, and until when something is ours.

Above: `inbox`, `outbox`, `changes`; below: `tables`, `many`. The id of a journal row's body is the row's own.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from uhi.errors import SetupError
from uhi.ports import Clock
from uhi.storage.sealing import Sealing
from uhi.storage.sql.many import insert_rows, look_up
from uhi.storage.sql.tables import body

_COLUMNS = ("id", "sealed", "created_at")
_FETCH = "SELECT id, sealed FROM body WHERE id IN (SELECT a FROM {given})"
_FORGET = """
DELETE FROM body WHERE id IN (SELECT a FROM {given})
AND NOT EXISTS (SELECT 1 FROM outbox WHERE inbox_id = body.id AND body_id = body.id AND state IN ('READY', 'LEASED'))
"""
_FORGET_SOON = "UPDATE body SET created_at = 0 WHERE id IN (SELECT a FROM {given})"
# Whoever ends the last letter of a body sees that it is the last, also where another process ends one just now.
_LOCK_SECRETS = """
SELECT id FROM body WHERE id IN (SELECT body_id FROM outbox WHERE id IN (SELECT a FROM {given}))
ORDER BY id /*pg FOR UPDATE */
"""
_FORGET_SECRETS = """
DELETE FROM body WHERE id IN (SELECT a FROM {given})
AND NOT EXISTS (SELECT 1 FROM outbox WHERE body_id = body.id AND state IN ('READY', 'LEASED', 'DEAD'))
AND NOT EXISTS (SELECT 1 FROM inbox WHERE inbox.id = body.id AND status = 'NEW')
"""

_log = logging.getLogger("uhi.storage")


@dataclass(frozen=True, slots=True)
class Ours:
    """One process: its name among those on the database, its keys, and how long it keeps what it does not renew."""

    owner: str
    sealing: Sealing
    clock: Clock
    lease_seconds: float
    has_events: bool

    def lease(self) -> float:
        """Until when what is taken now is ours."""
        return self.clock.now() + self.lease_seconds


def insert_bodies(connection: Connection, ours: Ours, bodies: Mapping[str, bytes]) -> None:
    """Keep bodies by their ids."""
    now = ours.clock.now()
    rows = [(row, ours.sealing.seal(plain, about=row), now) for row, plain in bodies.items()]
    if rows:
        insert_rows(connection, body, _COLUMNS, rows)


def open_bodies(connection: Connection, ours: Ours, ids: Iterable[str]) -> dict[str, bytes]:
    """The bodies by their ids; one that is gone, or cannot be opened, is left out, and the log says why."""
    wanted = [(each,) for each in dict.fromkeys(ids)]
    opened: dict[str, bytes] = {}
    for row in look_up(connection, _FETCH, wanted).all() if wanted else ():
        plain = opened_body(ours, row.id, row.sealed)
        if plain is not None:
            opened[row.id] = plain
    return opened


def opened_body(ours: Ours, row: str, sealed: bytes) -> bytes | None:
    """A body, or None where it cannot be opened: the log says why."""
    try:
        return ours.sealing.open(sealed, about=row)
    except SetupError as error:
        _log.error("body %s: %s", row, error)
        return None


def forget_bodies(connection: Connection, ids: Iterable[str]) -> None:
    """Delete bodies of the journal; what a letter still has to bring goes with the first purge after that."""
    gone = [(each,) for each in ids]
    if gone and look_up(connection, _FORGET, gone).rowcount < len(gone):
        look_up(connection, _FORGET_SOON, gone)


def forget_bodies_soon(connection: Connection, ids: Iterable[str]) -> None:
    """Leave bodies to the next purge: another process may still wait to hear what they say."""
    gone = [(each,) for each in ids]
    if gone:
        look_up(connection, _FORGET_SOON, gone)


def forget_secrets(connection: Connection, letters: Iterable[str]) -> None:
    """Delete the bodies of letters that have come to an end, as far as nothing else has to bring them."""
    ended = [(each,) for each in letters]
    kept = look_up(connection, _LOCK_SECRETS, ended).all() if ended else ()
    if kept:
        look_up(connection, _FORGET_SECRETS, [(row.id,) for row in kept])
