"""One change of a schedule on its way into the database: its rows, its number and its audit row, all or nothing.

Above: `changing`; below: `head_rows`, `uhi.audit.trail`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import Connection

from participants.hospital.schedules import head_rows
from participants.hospital.schedules.records import Scope
from uhi.audit import Acting, Entry, digest_of
from uhi.audit.trail import append
from uhi.errors import Refusal
from uhi.faults import STATE_REFUSED

T = TypeVar("T")


def nobody_asks(organisation_id: str) -> None:
    """Any organisation may be touched: a program or its operator acts, and not somebody through a route."""


@dataclass(frozen=True, slots=True)
class Writing:
    """A transaction, when it is made and by whom. Until it ends nobody else changes any schedule.

    `permit` raises where whoever acts may not touch an organisation.
    """

    connection: Connection
    now: float
    acting: Acting
    permit: Callable[[str], None] = nobody_asks
    scopes: list[Scope] = field(default_factory=list)
    noted: list[Entry] = field(default_factory=list)

    def touch(self, *practice_ids: str, organisation_id: str = "") -> None:
        """These timetables are others now."""
        self.scopes.extend(Scope(head_rows.PRACTICE, each) for each in practice_ids)
        if organisation_id:
            self.scopes.append(Scope(head_rows.ORGANISATION, organisation_id))

    def note(self, action: str, about: str, *, before: object = None, after: object = None) -> None:
        """Have something audited; of what was and is there only digests are kept."""
        digests = digest_of(before), digest_of(after)
        entry = self.acting.entry(f"schedule.{action}", about, at=self.now, before=digests[0], after=digests[1])
        self.noted.append(entry)


def writes(
    work: Callable[[Writing], T], *, now: float, acting: Acting, permit: Callable[[str], None] = nobody_asks
) -> Callable[[Connection], T]:
    """The work as one transaction, for `Database.write`."""

    def within(connection: Connection) -> T:
        version = head_rows.move_on(connection)
        writing = Writing(connection, now, acting, permit)
        done = work(writing)
        head_rows.put_change(connection, version, writing.scopes)
        append(connection, *writing.noted)
        return done

    return within


def check_version(kept: int, seen: int) -> None:
    """See that what is changed is what was looked at; 0 is what is not there.

    Raises: Refusal(STATE_REFUSED).
    """
    if kept != seen:
        raise Refusal(
            STATE_REFUSED,
            "this was changed meanwhile",
            got=f"version {seen}",
            expected=f"version {kept}",
            path="version",
            next_step="read it again and decide again",
        )
