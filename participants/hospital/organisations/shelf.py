"""Records of one kind in their table: read, put in, changed. Plain functions on a connection, for every kind alike.

Above: the rules of this package; below: `tables`. `SHELVES` are the kinds there are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import ColumnElement, Connection, Table, func, insert, or_, select, update

from participants.hospital.organisations import tables
from participants.hospital.organisations.records import (
    Consultation,
    Department,
    Location,
    Organisation,
    PracticeRecord,
    Practitioner,
    SpecialityRecord,
)
from uhi.errors import Refusal
from uhi.faults import RECORD_MISSING

Tenants = frozenset[str] | None
"""Organisations whose records count; None for all of them."""


class Record(Protocol):
    """What every record has."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def version(self) -> int:
        """How often it was written; 1 for a new one."""


R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A part of a list: those after an id, at most so many; `q` is looked for in what names them."""

    after: str = ""
    most: int = 50
    q: str = ""


@dataclass(frozen=True, slots=True)
class Listed(Generic[R]):
    """Records by id; `next` is the `after` of what follows, empty where nothing does."""

    records: tuple[R, ...]
    next: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf(Generic[R]):
    """One kind: what it is called in the audit trail, its table, its value, the columns that name a record, and whose
    a record is.
    """

    name: str
    table: Table
    make: Callable[..., R]
    named_by: tuple[str, ...]
    owner: str = "organisation_id"

    def find(self, connection: Connection, *conditions: ColumnElement[bool]) -> R | None:
        """The first record that fits, None if none does."""
        row = connection.execute(select(self.table).where(*conditions).limit(1)).mappings().one_or_none()
        return self.make(**row) if row is not None else None

    def get(self, connection: Connection, record_id: str, tenants: Tenants = None, *, path: str = "") -> R:
        """A record of one of these organisations; `path` is where a request names it, other than in its address.

        Raises: Refusal(RECORD_MISSING), a foreign one being answered as one that is not there.
        """
        found = self.find(connection, self.table.c.id == record_id, *self.within(tenants))
        if found is None:
            raise Refusal(
                RECORD_MISSING,
                f"there is no such {self.name}, or it is another organisation's",
                path=path,
                expected="the id of one of the organisation's own",
            )
        return found

    def all(self, connection: Connection, *conditions: ColumnElement[bool]) -> list[R]:
        """Every record that fits, by id."""
        query = select(self.table).where(*conditions).order_by(self.table.c.id)
        return [self.make(**row) for row in connection.execute(query).mappings()]

    def page(self, connection: Connection, leaf: Leaf, *conditions: ColumnElement[bool]) -> Listed[R]:
        """A part of those that fit, by id."""
        query = select(self.table).where(*conditions).order_by(self.table.c.id).limit(leaf.most + 1)
        if leaf.after:
            query = query.where(self.table.c.id > leaf.after)
        if leaf.q:
            query = query.where(or_(*(self._holds(name, leaf.q) for name in self.named_by)))
        found = [self.make(**row) for row in connection.execute(query).mappings()]
        rest = found[leaf.most - 1].id if len(found) > leaf.most else ""
        return Listed(tuple(found[: leaf.most]), rest)

    def within(self, tenants: Tenants) -> tuple[ColumnElement[bool], ...]:
        """The condition that a record is one of these organisations'."""
        return () if tenants is None else (self.table.c[self.owner].in_(sorted(tenants)),)

    def active(self, asked: str) -> tuple[ColumnElement[bool], ...]:
        """The condition that a record is active (`yes`) or not (`no`); none where it does not matter."""
        return (self.table.c.is_active == (asked == "yes"),) if asked else ()

    def insert(self, connection: Connection, *records: R) -> None:
        """Put new ones in."""
        connection.execute(insert(self.table), [columns_of(record) for record in records])

    def replace(self, connection: Connection, record: R) -> None:
        """Write one anew."""
        connection.execute(update(self.table).where(self.table.c.id == record.id).values(columns_of(record)))

    def _holds(self, column: str, text: str) -> ColumnElement[bool]:
        return func.lower(self.table.c[column]).contains(text.lower(), autoescape=True)


def columns_of(record: Record) -> Mapping[str, Any]:
    """A record as the values of its columns."""
    return asdict(record)  # type: ignore[call-overload, no-any-return]  # every record is a dataclass


ORGANISATIONS = Shelf(
    name="organisation",
    table=tables.organisation,
    make=Organisation,
    named_by=("name", "legal_name", "hfr_id"),
    owner="id",
)
DEPARTMENTS = Shelf(name="department", table=tables.department, make=Department, named_by=("name",))
LOCATIONS = Shelf(name="location", table=tables.location, make=Location, named_by=("name", "code", "hfr_id", "pincode"))
PRACTITIONERS = Shelf(
    name="practitioner", table=tables.practitioner, make=Practitioner, named_by=("name", "hpr_address", "hpr_id")
)
SPECIALITIES = Shelf(name="speciality", table=tables.speciality, make=SpecialityRecord, named_by=("name", "code"))
PRACTICES = Shelf(name="practice", table=tables.practice, make=PracticeRecord, named_by=("id",))
CONSULTATIONS = Shelf(name="service", table=tables.consultation, make=Consultation, named_by=("kind",))
