"""Practitioners, their practices and fees out of a CSV file: all of it, or nothing and every mistake.

Doing it again changes nothing: practitioners are known by HPR address, practices by practitioner and location. Who is
not in the file stays as they are. Above: `transfer_routes`, the command line; below: `csv_rows`, `taking`.
"""

from __future__ import annotations

from dataclasses import dataclass

from participants.hospital.organisations.belonging import check_organisation
from participants.hospital.organisations.csv_rows import Mistake, Reading, read_rows
from participants.hospital.organisations.taking import CHANGED, NEW, SAME, Known, Taking
from participants.hospital.organisations.writing import Writing, writes
from uhi.audit import Acting
from uhi.errors import Refusal
from uhi.faults import REQUEST_INVALID
from uhi.storage.sql.database import Database

MOST_MISTAKES = 200
"""How many are told at once."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What was, or would be, done with the rows of a file; `mistakes` are there only where nothing was."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    mistakes: tuple[Mistake, ...] = ()


class _Undo(Exception):
    """Ends a transaction of which nothing is to stay."""

    def __init__(self, outcome: Imported) -> None:
        super().__init__()
        self.outcome = outcome


async def import_practitioners(
    database: Database, organisation_id: str, text: str, *, acting: Acting, dry_run: bool = False
) -> Imported:
    """Take a file in; with `dry_run` only say what it would do, and all that is wrong with it.

    Raises: Refusal(REQUEST_INVALID) with every mistake by line and column; Refusal(RECORD_MISSING) for an organisation
    that is not there; Refusal(OVERLOADED) when it may not have been written.
    """
    reading = read_rows(text)
    work = writes(
        lambda writing: _take(writing, organisation_id, reading, dry_run), now=database.clock.now(), acting=acting
    )
    try:
        # Many rows take their time: others need not wait for them.
        return await database.apart(work)
    except _Undo as undo:
        outcome = undo.outcome
    if outcome.mistakes and not dry_run:
        raise mistaken(outcome.mistakes)
    return outcome


def mistaken(mistakes: tuple[Mistake, ...]) -> Refusal:
    """The refusal of a file with these mistakes."""
    refusal = Refusal(
        REQUEST_INVALID,
        "the file cannot be imported",
        got=f"{len(mistakes)} mistakes",
        expected="none; nothing was written",
        next_step="correct them and import it again",
    )
    refusal.mistakes = tuple(
        (f"line {each.line}" + (f", {each.column}" if each.column else ""), each.message) for each in mistakes
    )
    return refusal


def _take(writing: Writing, organisation_id: str, reading: Reading, dry_run: bool) -> Imported:
    check_organisation(writing.connection, organisation_id, path="organisation_id")
    taking = Taking(writing, organisation_id, Known.read(writing.connection, organisation_id, reading.rows))
    for numbered in reading.rows:
        taking.take(numbered)
    if reading.mistakes or taking.mistakes:
        raise _Undo(Imported(mistakes=_sorted([*reading.mistakes, *taking.mistakes])))
    done = Imported(taking.counts[NEW], taking.counts[CHANGED], taking.counts[SAME])
    if dry_run:
        raise _Undo(done)
    taking.finish()
    writing.note("practitioner.import", f"organisation {organisation_id}")
    return done


def _sorted(found: list[Mistake]) -> tuple[Mistake, ...]:
    """Mistakes by line, as many as somebody may want to read."""
    found.sort(key=lambda each: (each.line, each.column))
    shown, rest = found[:MOST_MISTAKES], found[MOST_MISTAKES:]
    if rest:
        shown.append(Mistake(rest[0].line, "", f"and {len(rest)} further mistakes from here on, which are not shown"))
    return tuple(shown)
