"""Practitioners with their practices and fees as CSV: one row for each practitioner and location, read and written.

A cell that a spreadsheet would take for a formula is written with an apostrophe before it, which reading takes away.
Pure. Above: `importing`, `exporting`; below: `texts`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import ValidationError

from participants.hospital.organisations.texts import (
    Amount,
    Code,
    Gender,
    HprAddress,
    HprNumber,
    Line,
    Name,
    PlaceCode,
    Registration,
    Years,
)
from uhi.api.problems import unacceptable
from uhi.api.routes import Body

MOST_CSV = 1_024 * 1_024
"""The most characters of a file."""

MOST_ROWS = 1_000

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "'")
_MARK = "\ufeff"


YesOrNo = Literal["", "yes", "no"]


class Row(Body):
    """One row. `location` and `department` are the organisation's own names, `system` and `speciality` codes of the
    tree. An empty fee says that this kind of consultation is not offered. Cells that are needed are empty only where
    they could not be read.
    """

    hpr_address: HprAddress = ""
    name: Name = ""
    hpr_id: HprNumber = ""
    gender: Gender = ""
    registration_number: Registration = ""
    council: Line = ""
    education: Line = ""
    languages: Line = ""
    experience: Years = ""
    location: PlaceCode = ""
    department: Line = ""
    system: Code = "ALLOPATHY"
    speciality: Code = ""
    physical_fee: Amount = ""
    physical_registration_fee: Amount = ""
    physical_taxed: YesOrNo = ""
    online_fee: Amount = ""
    online_registration_fee: Amount = ""
    online_taxed: YesOrNo = ""


COLUMNS = tuple(Row.model_fields)
PARTICULARS = ("hpr_id", "name", "gender", "registration_number", "council", "education", "languages", "experience")
_NEEDED = ("hpr_address", "name", "location", "speciality")


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong in a file: in which line (1 is the header) and column, and what it has to be."""

    line: int
    column: str
    message: str


@dataclass(frozen=True, slots=True)
class Numbered:
    """A row and the line it begins in; `unread` are the columns of which nobody can tell what they say."""

    line: int
    row: Row
    unread: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file says, as far as it can be read."""

    rows: tuple[Numbered, ...]
    mistakes: tuple[Mistake, ...] = ()


def read_rows(text: str) -> Reading:
    """Read a file: every row as far as it can be read, and every mistake in what stands in single cells."""
    if len(text) > MOST_CSV:
        return Reading((), (Mistake(1, "", f"is to have at most {MOST_CSV} characters"),))
    reader = csv.reader(io.StringIO(text.removeprefix(_MARK), newline=""), strict=True)
    rows: list[Numbered] = []
    mistakes: list[Mistake] = []
    try:
        header = next(reader, [])
        mistakes += _wrong_in_header(header)
        # Whoever misspelled a column may have meant any that is not there.
        unread = frozenset(COLUMNS).difference(header) if mistakes else frozenset[str]()
        unread |= {each.column for each in mistakes}
        for count, (line, cells) in enumerate(_lines(reader)):
            if count == MOST_ROWS:
                mistakes.append(Mistake(line, "", f"is one too many: at most {MOST_ROWS} rows are taken at once"))
                break
            if len(cells) != len(header):
                mistakes.append(Mistake(line, "", f"is to have {len(header)} cells"))
                continue
            wrong, numbered = _read(line, dict(zip(header, cells, strict=True)), unread)
            mistakes += wrong
            rows.append(numbered)
    except csv.Error:
        mistakes.append(Mistake(reader.line_num, "", "is to be CSV, with commas and double quotes"))
    return Reading(tuple(rows), tuple(mistakes))


def write_rows(rows: Iterable[Mapping[str, str]]) -> str:
    """Write a file."""
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([_safe(row.get(name, "")) for name in COLUMNS])
    return written.getvalue()


def _read(line: int, cells: Mapping[str, str], unread: frozenset[str]) -> tuple[list[Mistake], Numbered]:
    given = {name: _unsafe(cell) for name, cell in cells.items() if name in COLUMNS}
    if not given.get("system"):
        # An empty cell of these is a column that is not there.
        given.pop("system", None)
    try:
        return [], Numbered(line, Row.model_validate(given), unread)
    except ValidationError as error:
        wrong = [Mistake(line, column, message) for column, message in unacceptable(error).mistakes]
    unread |= {each.column for each in wrong}
    readable = {name: cell for name, cell in given.items() if name not in unread}
    return wrong, Numbered(line, Row.model_validate(readable), unread)


def _lines(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """The rows with something in them, each with the line it begins in."""
    begins = reader.line_num + 1  # type: ignore[attr-defined]  # csv's reader counts them
    for cells in reader:
        if any(cells):
            yield begins, cells
        begins = reader.line_num + 1  # type: ignore[attr-defined]


def _wrong_in_header(header: Sequence[str]) -> Iterator[Mistake]:
    for number, name in enumerate(header, start=1):
        if name not in COLUMNS:
            yield Mistake(1, f"{number}", f"is to be one of {', '.join(COLUMNS)}")
        elif name in header[: number - 1]:
            yield Mistake(1, name, "is to be there once")
    for name in _NEEDED:
        if name not in header:
            yield Mistake(1, name, "is required")


def _safe(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _unsafe(cell: str) -> str:
    cell = cell.strip()
    return cell[1:] if cell.startswith("'") else cell
