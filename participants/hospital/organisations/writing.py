"""One change on its way into the database: the record, the version of everything, the audit rows; all or nothing.

Above: the rules of this package; below: `shelf`, `head_rows`, `uhi.audit.trail`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from sqlalchemy import Connection

from participants.hospital.organisations.head_rows import lock, move_on
from participants.hospital.organisations.shelf import R, Record, Shelf, Tenants, columns_of
from uhi.audit import Acting, Entry, digest_of
from uhi.audit.trail import append
from uhi.errors import Refusal
from uhi.exchange.row_ids import new_row_id
from uhi.faults import STATE_REFUSED

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Seen:
    """The record that is to be changed, as it was when it was looked at, and whose it may be."""

    id: str
    version: int
    tenants: Tenants = None


@dataclass(frozen=True, slots=True)
class Writing:
    """A transaction, when it is made and by whom. Nobody else changes anything here until it ends."""

    connection: Connection
    now: float
    acting: Acting
    noted: list[Entry] = field(default_factory=list)

    def new_id(self) -> str:
        """An id for a new record."""
        return new_row_id(self.now)

    def seen(self, shelf: Shelf[R], seen: Seen) -> R:
        """A record that is still as it was looked at.

        Raises: Refusal(RECORD_MISSING); Refusal(STATE_REFUSED) when somebody else changed it meanwhile.
        """
        found = shelf.get(self.connection, seen.id, seen.tenants)
        check_version(found, seen.version)
        return found

    def add(self, shelf: Shelf[R], record: R) -> R:
        """Put a new record in."""
        shelf.insert(self.connection, record)
        self.note(f"{shelf.name}.create", f"{shelf.name} {record.id}", after=digest(record))
        return record

    def add_all(self, shelf: Shelf[R], records: Sequence[R]) -> None:
        """Put new records in, together."""
        if records:
            shelf.insert(self.connection, *records)
        for record in records:
            self.note(f"{shelf.name}.create", f"{shelf.name} {record.id}", after=digest(record))

    def change(self, shelf: Shelf[R], before: R, after: R, action: str = "change", *, reason: str = "") -> R:
        """Write a record that has other values now; one that has the same stays as it is."""
        if after == before:
            return before
        kept: R = replace(after, version=before.version + 1, updated_at=self.now)  # type: ignore[type-var]
        shelf.replace(self.connection, kept)
        about = f"{shelf.name} {before.id}"
        self.note(f"{shelf.name}.{action}", about, before=digest(before), after=digest(kept), reason=reason)
        return kept

    def note(self, action: str, about: str, *, before: str = "", after: str = "", reason: str = "") -> None:
        """Have something audited when the transaction ends."""
        entry = self.acting.entry(action, about, at=self.now, before=before, after=after, reason=reason)
        self.noted.append(entry)


def writes(work: Callable[[Writing], T], *, now: float, acting: Acting) -> Callable[[Connection], T]:
    """The work as a transaction of its own, for `Database.write`."""

    def within(connection: Connection) -> T:
        lock(connection)
        writing = Writing(connection, now, acting)
        done = work(writing)
        if writing.noted:
            move_on(connection)
            append(connection, *writing.noted)
        return done

    return within


def check_version(record: Record, seen: int) -> None:
    """See that what is changed is what was looked at.

    Raises: Refusal(STATE_REFUSED) when somebody else changed it meanwhile.
    """
    if record.version != seen:
        raise Refusal(
            STATE_REFUSED,
            "the record was changed meanwhile",
            got=f"version {seen}",
            expected=f"version {record.version}",
            next_step="read it again and decide again",
        )


def digest(record: Record) -> str:
    """The digest of a record for the audit trail."""
    return digest_of(dict(columns_of(record)))
