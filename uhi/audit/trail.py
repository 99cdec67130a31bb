"""The audit trail in the database: rows are added, never changed, and each is chained to the one before.

Above: whoever changes or reads what must be provable; below: `uhi.storage.sql`. Source: security rules "Audit log".
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, insert, select, update

from uhi.audit.chain import NAMES, Head, Link, link_after
from uhi.audit.entries import Entry
from uhi.errors import AuditBroken
from uhi.storage.sql.audit_tables import audit, audit_head
from uhi.storage.sql.database import Database

MOST_ROWS = 1_000

_COLUMNS = [audit.c[name] for name in NAMES]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which rows: those that have all that is not empty here. An action ending in a dot stands for all it begins;
    `since` and `until` are Unix seconds, the second exclusive.
    """

    actor: str = ""
    action: str = ""
    object: str = ""
    outcome: str = ""
    tenant: str = ""
    since: float | None = None
    until: float | None = None


EVERYTHING = Wanted()


def append(connection: Connection, *entries: Entry) -> None:
    """Add rows within the caller's transaction: they are there if, and only if, what they tell of is.

    Until that ends nobody else can append, so do it last. Rows of one call follow one another.
    """
    if not entries:
        return
    head = head_of(connection, for_update=True)
    links: list[Link] = []
    for entry in entries:
        links.append(link_after(head, entry))
        head = links[-1].head
    connection.execute(insert(audit), [{name: getattr(link, name) for name in NAMES} for link in links])
    connection.execute(update(audit_head).values(seq=head.seq, hash=head.hash))


def head_of(connection: Connection, *, for_update: bool = False) -> Head:
    """Where the trail ends, as the database says. `for_update` keeps others from appending until the caller is done."""
    # SQLite has one writer at a time anyhow, and leaves the words out.
    query = select(audit_head.c.seq, audit_head.c.hash)
    return Head(*connection.execute(query.with_for_update() if for_update else query).one())


def rows_of(
    connection: Connection, *, after: int = 0, most: int = MOST_ROWS, wanted: Wanted = EVERYTHING, newest: bool = False
) -> list[Link]:
    """Rows by their place. `after` is the seq where the page before ended, 0 for the first page; `newest` goes backward
    from the newest row, or from `after`.
    """
    query = select(*_COLUMNS).where(*_conditions(wanted)).limit(most)
    if newest:
        query = query.order_by(audit.c.seq.desc())
        query = query.where(audit.c.seq < after) if after else query
    else:
        query = query.order_by(audit.c.seq).where(audit.c.seq > after)
    return [Link(**row) for row in connection.execute(query).mappings()]


class AuditTrail:
    """The trail of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, *entries: Entry) -> None:
        """Add rows; they are kept when this returns.

        Raises: Refusal(OVERLOADED) when they may not have been written.
        """
        await self._database.write(lambda connection: append(connection, *entries))

    def later(self, entry: Entry) -> None:
        """Add a row soon; nobody waits for it. Dropped, and counted, when too many wait."""
        self._database.later(write_audit_rows, entry)

    async def rows(
        self, *, after: int = 0, most: int = MOST_ROWS, wanted: Wanted = EVERYTHING, newest: bool = False
    ) -> list[Link]:
        """A page of rows, see `rows_of`.

        Raises: Refusal(OVERLOADED) when the database cannot be asked.
        """
        return await self._database.read(
            lambda connection: rows_of(connection, after=after, most=most, wanted=wanted, newest=newest)
        )

    async def each(self, *, after: int = 0) -> AsyncIterator[Link]:
        """Every row after a seq, in order, read in pages; rows that are added meanwhile come too.

        Raises: Refusal(OVERLOADED) when the database cannot be asked.
        """
        while page := await self.rows(after=after):
            for link in page:
                yield link
            after = page[-1].seq

    async def head(self) -> Head:
        """Where the trail ends.

        Raises: AuditBroken when the place that says so is gone; Refusal(OVERLOADED) when the database cannot be asked.
        """
        query = select(audit_head.c.seq, audit_head.c.hash)
        found = await self._database.read(lambda connection: connection.execute(query).all())
        if len(found) != 1 or not isinstance(found[0].seq, int):
            raise AuditBroken("the database's own head of the trail is gone", next_step="compare it with a backup")
        return Head(*found[0])


def write_audit_rows(connection: Connection, entries: Sequence[Entry]) -> Sequence[None]:
    """Add rows that nobody waits for; see `Database.later`."""
    append(connection, *entries)
    return [None] * len(entries)


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    for column, value in (
        (audit.c.actor, wanted.actor),
        (audit.c.object, wanted.object),
        (audit.c.outcome, wanted.outcome),
        (audit.c.tenant, wanted.tenant),
    ):
        if value:
            conditions.append(column == value)
    if wanted.action.endswith("."):
        conditions.append(audit.c.action.startswith(wanted.action, autoescape=True))
    elif wanted.action:
        conditions.append(audit.c.action == wanted.action)
    if wanted.since is not None:
        conditions.append(audit.c.at >= wanted.since)
    if wanted.until is not None:
        conditions.append(audit.c.at < wanted.until)
    return conditions
