"""Who has what, on SQL: messages to deal with and letters to send belong to one process for as long as it says so.

A lease that ran out tells others that its process may have died; whoever holds it knows better. Sync functions on a
`Connection`. Above: `storage`, `journal`, `outbox`; below: `many`, `tables`. Source: reliability rules "Send side".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
_PUT_OFF = "UPDATE inbox SET lease_until = :until WHERE id = :row AND status = 'NEW'"
_LAPSED_MESSAGES = "SELECT id FROM inbox WHERE status = 'NEW' AND owner = :owner AND lease_until < :now"
_LAPSED_LETTERS = """
SELECT id, owner FROM outbox WHERE state = 'LEASED' AND lease_until < :now LIMIT 5000 /*pg FOR UPDATE SKIP LOCKED */
"""
_FREE_LETTERS = """
UPDATE outbox SET state = 'READY', owner = NULL, lease_until = NULL
WHERE state = 'LEASED' AND id IN (SELECT a FROM {given})
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
    for sql, ids in ((_RENEW_MESSAGES, held.messages), (_RENEW_LETTERS, held.letters)):
        _for_each(connection, sql, sorted(ids), _more(ours, now))


def put_off(connection: Connection, row: str, *, until: float) -> None:
    """See `uhi.ports.Journal`."""
    run(connection, _PUT_OFF, {"row": row, "until": until})


def keep_messages(connection: Connection, ours: Ours, held: Held, *, now: float) -> None:
    """What we still deal with is not anybody's because the clock was set, or the database was away for a while."""
    rows = run(connection, _LAPSED_MESSAGES, {"owner": ours.owner, "now": now}).all()
    _for_each(connection, _RENEW_MESSAGES, [row.id for row in rows if row.id in held.messages], _more(ours, now))


def free_lapsed_letters(connection: Connection, ours: Ours, held: Held, *, now: float) -> None:
    """Letters whose lease ran out are anybody's, but for those that we are still sending."""
    lapsed = {row.id: row.owner for row in run(connection, _LAPSED_LETTERS, {"now": now}).all()}
    kept = [each for each, owner in lapsed.items() if owner == ours.owner and each in held.letters]
    _for_each(connection, _RENEW_LETTERS, kept, _more(ours, now))
    _for_each(connection, _FREE_LETTERS, sorted(lapsed.keys() - set(kept)), {})


def free(connection: Connection, owner: str | None) -> None:
    """What one owner has, or without an owner everybody, is anybody's."""
    for sql in _FREE:
        if owner is None:
            run(connection, sql, {})
        else:
            run(connection, f"{sql} AND owner = :owner", {"owner": owner})


def _for_each(connection: Connection, sql: str, ids: Sequence[str], more: Mapping[str, object]) -> None:
    if ids:
        look_up(connection, sql, [(each,) for each in ids], more)


def _more(ours: Ours, now: float) -> Mapping[str, object]:
    return {"owner": ours.owner, "until": now + ours.lease_seconds}
