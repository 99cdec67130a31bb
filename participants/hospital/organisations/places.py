"""Departments and locations as they are added and changed, and how anything is made inactive and active again.

Functions on a `Writing`. Above: `place_routes`, `loading`; below: `shelf`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from participants.hospital.organisations.organising import VOUCHED, check_reachable, hfr_id_taken
from participants.hospital.organisations.records import Department, Location
from participants.hospital.organisations.shelf import DEPARTMENTS, LOCATIONS, ORGANISATIONS, R, Shelf
from participants.hospital.organisations.writing import Seen, Writing
from uhi.errors import Refusal
from uhi.faults import ALREADY_TAKEN

Changes = Mapping[str, object]


def add_department(writing: Writing, organisation_id: str, name: str) -> Department:
    """Add a department.

    Raises: Refusal(ALREADY_TAKEN) for the name of another one.
    """
    ORGANISATIONS.get(writing.connection, organisation_id)
    made = Department(
        id=writing.new_id(),
        organisation_id=organisation_id,
        name=name,
        created_at=writing.now,
        updated_at=writing.now,
    )
    _check_name(writing, made)
    return writing.add(DEPARTMENTS, made)


def change_department(writing: Writing, seen: Seen, changes: Changes) -> Department:
    """Change a department.

    Raises: Refusal(RECORD_MISSING, STATE_REFUSED, ALREADY_TAKEN).
    """
    before = writing.seen(DEPARTMENTS, seen)
    after: Department = replace(before, **changes)  # type: ignore[arg-type]  # the form names texts
    _check_name(writing, after)
    return writing.change(DEPARTMENTS, before, after)


def add_location(writing: Writing, organisation_id: str, particulars: Changes) -> Location:
    """Add a location.

    Raises: Refusal(ALREADY_TAKEN) for the code of another one, or another organisation's HFR id; Refusal(STATE_REFUSED)
    without a helpline where the organisation is verified.
    """
    made: Location = Location(
        id=writing.new_id(),
        organisation_id=organisation_id,
        created_at=writing.now,
        updated_at=writing.now,
        **particulars,  # type: ignore[arg-type]  # the form names texts
    )
    _check_place(writing, made)
    return writing.add(LOCATIONS, made)


def change_location(writing: Writing, seen: Seen, changes: Changes) -> Location:
    """Change a location.

    Raises: Refusal(RECORD_MISSING); otherwise as `add_location`.
    """
    before = writing.seen(LOCATIONS, seen)
    after: Location = replace(before, **changes)  # type: ignore[arg-type]  # the form names texts
    _check_place(writing, after)
    return writing.change(LOCATIONS, before, after)


def turn(writing: Writing, shelf: Shelf[R], seen: Seen, *, on: bool) -> R:
    """Make a record active, or inactive; one that is so already stays as it is.

    Raises: Refusal(RECORD_MISSING, STATE_REFUSED).
    """
    before = writing.seen(shelf, seen)
    after: R = replace(before, is_active=on)  # type: ignore[type-var]
    if isinstance(after, Location):
        _check_place(writing, after)
    return writing.change(shelf, before, after, "activate" if on else "deactivate")


def _check_name(writing: Writing, department: Department) -> None:
    table = DEPARTMENTS.table
    same = (table.c.organisation_id == department.organisation_id, table.c.name == department.name)
    if DEPARTMENTS.find(writing.connection, *same, table.c.id != department.id) is not None:
        raise Refusal(
            ALREADY_TAKEN,
            "another department has this name",
            path="name",
            expected="a name that none has",
            next_step="GET /v1/departments shows them, also those that are not active",
        )


def _check_place(writing: Writing, location: Location) -> None:
    table = LOCATIONS.table
    same = (table.c.organisation_id == location.organisation_id, table.c.code == location.code)
    if LOCATIONS.find(writing.connection, *same, table.c.id != location.id) is not None:
        raise Refusal(
            ALREADY_TAKEN,
            "another location has this code",
            path="code",
            expected="a code that none has",
            next_step="GET /v1/locations shows them, also those that are not active",
        )
    check_reachable(ORGANISATIONS.get(writing.connection, location.organisation_id), location)
    if location.hfr_id:
        _check_hfr_id(writing, location)


def _check_hfr_id(writing: Writing, location: Location) -> None:
    """A facility of the register is one organisation's: of those that are vouched for, none else has the number."""
    places, owners = LOCATIONS.table, ORGANISATIONS.table
    others = owners.c.id != location.organisation_id
    vouched = (others, owners.c.state.in_(VOUCHED))
    is_owners = ORGANISATIONS.find(writing.connection, *vouched, owners.c.hfr_id == location.hfr_id)
    of_places = (places.c.hfr_id == location.hfr_id, places.c.organisation_id == owners.c.id)
    is_places = ORGANISATIONS.find(writing.connection, *vouched, places.select().where(*of_places).exists())
    if is_owners is not None or is_places is not None:
        raise hfr_id_taken()
