"""The rows of an import on their way into the database: weighed in memory, written together at the end.

A thousand rows are a few dozen statements, so that nobody waits for long. Above: `importing`; below: `csv_rows`,
`people`, `practising`, `writing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from participants.hospital.organisations import people, practising
from participants.hospital.organisations.csv_rows import PARTICULARS, Mistake, Numbered, Row
from participants.hospital.organisations.forms import paise
from participants.hospital.organisations.records import Consultation, PracticeRecord, Practitioner, SpecialityRecord
from participants.hospital.organisations.shelf import (
    CONSULTATIONS,
    DEPARTMENTS,
    LOCATIONS,
    PRACTICES,
    PRACTITIONERS,
)
from participants.hospital.organisations.specialities import own_tree
from participants.hospital.organisations.tree import find_by_code
from participants.hospital.organisations.writing import Seen, Writing
from uhi.errors import Refusal
from uhi.messages.values import ONLINE, PHYSICAL

NEW, CHANGED, SAME = "new", "changed", "same"

_KINDS = {PHYSICAL: "physical", ONLINE: "online"}
_COLUMNS = {"group": "online_fee"}
_OF_PEOPLE = frozenset({"hpr_address", *PARTICULARS})
_MOST_NAMED = 500


@dataclass(slots=True)
class Known:
    """What is there: ids of locations by code and of departments by name, the tree; people by HPR address, practices by
    id, offers by practice and kind, which grow with the rows.
    """

    locations: Mapping[str, str]
    departments: Mapping[str, str]
    tree: Mapping[str, SpecialityRecord]
    people: dict[str, Practitioner]
    practices: dict[str, PracticeRecord]
    offers: dict[tuple[str, str], Consultation]

    @classmethod
    def read(cls, connection: Connection, organisation_id: str, rows: Iterable[Numbered]) -> Known:
        """Read what these rows may be about."""
        own = frozenset({organisation_id})
        found = _people(connection, sorted({each.row.hpr_address for each in rows}))
        return cls(
            {each.code: each.id for each in LOCATIONS.all(connection, *LOCATIONS.within(own))},
            {each.name: each.id for each in DEPARTMENTS.all(connection, *DEPARTMENTS.within(own))},
            own_tree(connection, organisation_id),
            {each.hpr_address: each for each in found},
            {each.id: each for each in PRACTICES.all(connection, *PRACTICES.within(own))},
            {(e.practice_id, e.kind): e for e in CONSULTATIONS.all(connection, *CONSULTATIONS.within(own))},
        )


@dataclass(slots=True)
class Taking:
    """The rows of one file for one organisation, and what was wrong with them. `finish` writes what is new."""

    writing: Writing
    organisation_id: str
    known: Known
    mistakes: list[Mistake] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys((NEW, CHANGED, SAME), 0))
    _new_people: list[Practitioner] = field(default_factory=list)
    _new_practices: list[PracticeRecord] = field(default_factory=list)
    _new_offers: list[Consultation] = field(default_factory=list)
    _told: dict[tuple[str, str], str] = field(default_factory=dict)
    _seen: set[tuple[str, str]] = field(default_factory=set)

    def take(self, numbered: Numbered) -> None:
        """Take one row in as far as it can be, and note all that is wrong with it."""
        row, before, is_new = numbered.row, self._written(), False
        wrong = [each for each in self._wrong(row, numbered.unread) if each[0] not in numbered.unread]
        unusable = numbered.unread.union(column for column, _ in wrong)
        try:
            if not unusable & _OF_PEOPLE:
                practitioner = self._practitioner(row)
                if row.online_fee:
                    practising.check_may_consult_online(practitioner, path="online_fee")
                if not unusable:
                    is_new = self._write(row, practitioner)
        except Refusal as refusal:
            wrong.append((_COLUMNS.get(refusal.path, refusal.path), str(refusal)))
        self.mistakes += (Mistake(numbered.line, column, message) for column, message in wrong)
        self.counts[NEW if is_new else CHANGED if self._written() > before else SAME] += 1

    def finish(self) -> None:
        """Write what is new."""
        self.writing.add_all(PRACTITIONERS, self._new_people)
        self.writing.add_all(PRACTICES, self._new_practices)
        self.writing.add_all(CONSULTATIONS, self._new_offers)

    def _written(self) -> int:
        return len(self.writing.noted) + len(self._new_people) + len(self._new_practices) + len(self._new_offers)

    def _wrong(self, row: Row, unread: frozenset[str]) -> Iterator[tuple[str, str]]:
        """What a row contradicts, or names although it is not there, by column; also for columns that are unread."""
        if row.hpr_address:
            yield from self._wrong_of_person(row, unread)
        if row.location not in self.known.locations:
            yield "location", "is to be the code of a location of the organisation"
        if row.department and row.department not in self.known.departments:
            yield "department", "is to be the name of a department of the organisation, or empty"
        if "system" not in unread and find_by_code(self.known.tree, row.system, row.speciality) is None:
            yield "speciality", "is to be the code of a speciality of this system of medicine"
        for start in _KINDS.values():
            if getattr(row, f"{start}_registration_fee") and not getattr(row, f"{start}_fee"):
                yield f"{start}_fee", "is required beside a registration fee"

    def _wrong_of_person(self, row: Row, unread: frozenset[str]) -> Iterator[tuple[str, str]]:
        if row.location and (row.hpr_address, row.location) in self._seen:
            yield "location", "is to be another: this practitioner has a row for it already"
        self._seen.add((row.hpr_address, row.location))
        known = self.known.people.get(row.hpr_address)
        is_elsewhere = known is not None and known.organisation_id != self.organisation_id
        for name in (each for each in PARTICULARS if each not in unread):
            value = getattr(row, name)
            if value != self._told.setdefault((row.hpr_address, name), value):
                yield name, "is to be the same in every row of this practitioner"
            elif is_elsewhere and value not in ("", getattr(known, name)):
                yield name, "is to be empty, or as it is: another organisation keeps this record"

    def _write(self, row: Row, practitioner: Practitioner) -> bool:
        """Take what a row says of a practitioner's work; whether the practice is new."""
        practice, is_new = self._practice(row, practitioner)
        for kind, start in _KINDS.items():
            if f"{start}_fee" in row.model_fields_set:
                self._offer(practice, kind, _Priced.read(row, start))
        return is_new

    def _practitioner(self, row: Row) -> Practitioner:
        columns = row.model_dump(include=set(PARTICULARS), exclude_unset=True)
        known = self.known.people.get(row.hpr_address)
        if known is None:
            made = Practitioner(
                id=self.writing.new_id(),
                organisation_id=self.organisation_id,
                hpr_address=row.hpr_address,
                created_at=self.writing.now,
                updated_at=self.writing.now,
                **columns,
            )
            self._new_people.append(made)
        elif known.organisation_id != self.organisation_id or replace(known, **columns) == known:
            return known
        else:
            made = people.change_practitioner(self.writing, Seen(known.id, known.version), columns)
        self.known.people[row.hpr_address] = made
        return made

    def _practice(self, row: Row, practitioner: Practitioner) -> tuple[PracticeRecord, bool]:
        location_id = self.known.locations[row.location]
        speciality = find_by_code(self.known.tree, row.system, row.speciality)
        speciality_id = speciality.id if speciality is not None else ""
        department_id = self.known.departments.get(row.department, "")
        practice_id = practising.practice_id(practitioner.id, location_id)
        known = self.known.practices.get(practice_id)
        if known is not None:
            is_told = "department" in row.model_fields_set
            after = replace(
                known, speciality_id=speciality_id, department_id=department_id if is_told else known.department_id
            )
            return self.writing.change(PRACTICES, known, after), False
        made = PracticeRecord(
            id=practice_id,
            organisation_id=self.organisation_id,
            practitioner_id=practitioner.id,
            location_id=location_id,
            department_id=department_id,
            speciality_id=speciality_id,
            created_at=self.writing.now,
            updated_at=self.writing.now,
        )
        self._new_practices.append(made)
        return made, True

    def _offer(self, practice: PracticeRecord, kind: str, priced: _Priced | None) -> None:
        known = self.known.offers.get((practice.id, kind))
        if priced is None:
            if known is not None:
                self.writing.change(CONSULTATIONS, known, replace(known, is_active=False), "deactivate")
            return
        if known is None:
            made = Consultation(
                id=self.writing.new_id(),
                organisation_id=self.organisation_id,
                practice_id=practice.id,
                kind=kind,
                fee_paise=priced.fee_paise,
                registration_paise=priced.registration_paise or 0,
                is_taxed=priced.is_taxed or False,
                created_at=self.writing.now,
                updated_at=self.writing.now,
            )
            self._new_offers.append(made)
            return
        after = priced.put_on(known)
        if not known.is_active and known.group:
            # Whether the others may still take part is not in the file.
            practising.check_offer(self.writing.connection, after, practice)
        self.writing.change(CONSULTATIONS, known, after)


@dataclass(frozen=True, slots=True)
class _Priced:
    """What one kind of consultation costs; None for what the file does not say."""

    fee_paise: int
    registration_paise: int | None
    is_taxed: bool | None

    @classmethod
    def read(cls, row: Row, start: str) -> _Priced | None:
        """The prices in a row; None where this kind is not offered."""
        fee, registration = getattr(row, f"{start}_fee"), getattr(row, f"{start}_registration_fee")
        if not fee:
            return None
        told, taxed = row.model_fields_set, getattr(row, f"{start}_taxed")
        return cls(
            paise(fee),
            paise(registration or "0") if f"{start}_registration_fee" in told else None,
            taxed == "yes" if f"{start}_taxed" in told else None,
        )

    def put_on(self, offer: Consultation) -> Consultation:
        """What is offered, for these prices."""
        registration = offer.registration_paise if self.registration_paise is None else self.registration_paise
        is_taxed = offer.is_taxed if self.is_taxed is None else self.is_taxed
        return replace(
            offer, is_active=True, fee_paise=self.fee_paise, registration_paise=registration, is_taxed=is_taxed
        )


def _people(connection: Connection, addresses: list[str]) -> Iterator[Practitioner]:
    table = PRACTITIONERS.table
    for start in range(0, len(addresses), _MOST_NAMED):
        yield from PRACTITIONERS.all(connection, table.c.hpr_address.in_(addresses[start : start + _MOST_NAMED]))
