"""Who has what, on SQL: messages to deal with and letters to send belong to one process for as long as it says so.

Sync functions on a `Connection`. Above: `storage`; below: `many`, `tables`. Source: reliability rules "Send side".
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection

from uhi.storage.sql.bodies import Ours
from uhi.storage.sql.many import look_up, run

_RENEW_MESSAGES = """
UPDATE inbox SET lease_until = :until WHERE status = 'NEW' AND owner = :owner AND id IN (SELECT a FROM {given})
"""
_RENEW_LETTERS = """
UPDATE outbox SET lease_until = :until WHERE state = 'LEASED' AND owner = :owner AND id IN (SELECT a FROM {given})
"""
_FREE = (
    "UPDATE inbox SET owner = NULL, lease_until = NULL WHERE status = 'NEW'",
    "UPDATE outbox SET state = 'READY', owner = NULL, lease_until = NULL WHERE state = 'LEASED'",
)


@dataclass(slots=True)
class Held:
    """The ids of what this process knows that it has."""

    messages: set[str] = field(default_factory=set)
    letters: set[str] = field(default_factory=set)

    def copy(self) -> Held:
        """As it is now."""
        return Held(set(self.messages), set(self.letters))


def renew(connection: Connection, ours: Ours, held: Held, *, now: float) -> None:
    """What is held stays ours, unless somebody else has it by now."""
    more = {"owner": ours.owner, "until": now + ours.lease_seconds}
    for sql, ids in ((_RENEW_MESSAGES, held.messages), (_RENEW_LETTERS, held.letters)):
        if ids:
            look_up(connection, sql, [(each,) for each in sorted(ids)], more)


def free(connection: Connection, owner: str | None) -> None:
    """What one owner has, or without an owner everybody, is anybody's."""
    for sql in _FREE:
        if owner is None:
            run(connection, sql, {})
        else:
            run(connection, f"{sql} AND owner = :owner", {"owner": owner})
