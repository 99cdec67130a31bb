"""What organisations add to the tree of specialities, and how the whole tree is listed.

Functions on a `Writing`, or a connection. Above: `speciality_routes`, `loading`; below: `shelf`, `tree`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import Connection

from participants.hospital.organisations.records import SpecialityRecord
from participants.hospital.organisations.shelf import ORGANISATIONS, SPECIALITIES, Leaf, Listed, Tenants
from participants.hospital.organisations.tree import tree_with
from participants.hospital.organisations.writing import Seen, Writing
from uhi.errors import Refusal
from uhi.faults import ALREADY_TAKEN, REQUEST_INVALID

MOST = 500
"""The most entries that one organisation may add."""


def add_speciality(writing: Writing, organisation_id: str, *, parent_id: str, code: str, name: str) -> SpecialityRecord:
    """Add a speciality, or a system of medicine where there is no parent.

    Raises: Refusal(REQUEST_INVALID) for a parent that is no active system; Refusal(ALREADY_TAKEN) where it is in the
    tree.
    """
    ORGANISATIONS.get(writing.connection, organisation_id)
    tree = own_tree(writing.connection, organisation_id)
    parent = tree.get(parent_id)
    if parent_id and (parent is None or parent.parent_id or not parent.is_active):
        expected = "the id of a system of medicine, or none"
        next_step = "GET /v1/specialities shows them: those without a parent"
        what = "the parent is no system of medicine"
        raise Refusal(REQUEST_INVALID, what, expected=expected, path="parent_id", next_step=next_step)
    if any((each.parent_id, each.code) == (parent_id, code) for each in tree.values()):
        raise Refusal(
            ALREADY_TAKEN,
            "this code is in the tree already",
            path="code",
            expected="a code that is not there",
            next_step="use the one that is: GET /v1/specialities shows it",
        )
    if sum(each.organisation_id == organisation_id for each in tree.values()) >= MOST:
        raise Refusal(REQUEST_INVALID, "the tree is too large", expected=f"at most {MOST} entries of one's own")
    made = SpecialityRecord(
        id=writing.new_id(),
        organisation_id=organisation_id,
        parent_id=parent_id,
        code=code,
        name=name,
        created_at=writing.now,
        updated_at=writing.now,
    )
    return writing.add(SPECIALITIES, made)


def rename_speciality(writing: Writing, seen: Seen, changes: Mapping[str, object]) -> SpecialityRecord:
    """Change the name of what an organisation added.

    Raises: Refusal(RECORD_MISSING), also for what ships; Refusal(STATE_REFUSED).
    """
    before = writing.seen(SPECIALITIES, seen)
    after: SpecialityRecord = replace(before, **changes)  # type: ignore[arg-type]  # the form names texts
    return writing.change(SPECIALITIES, before, after)


def list_tree(
    connection: Connection, tenants: Tenants, leaf: Leaf, *, system: str = "", active: str = ""
) -> Listed[SpecialityRecord]:
    """A part of the tree as these organisations see it, by id; `system` is the id of the system it is about."""
    tree = tree_with(SPECIALITIES.all(connection, *SPECIALITIES.within(tenants)))
    wanted = leaf.q.casefold()
    found = [
        each
        for each in sorted(tree.values(), key=lambda each: each.id)
        if each.id > leaf.after
        and (not active or each.is_active == (active == "yes"))
        and (not system or system in (each.id, each.parent_id))
        and (wanted in each.name.casefold() or wanted in each.code.casefold())
    ]
    rest = found[leaf.most - 1].id if len(found) > leaf.most else ""
    return Listed(tuple(found[: leaf.most]), rest)


def get_speciality(connection: Connection, speciality_id: str, tenants: Tenants) -> SpecialityRecord:
    """An entry of the tree as these organisations see it.

    Raises: Refusal(RECORD_MISSING).
    """
    found = tree_with(()).get(speciality_id)
    return found if found is not None else SPECIALITIES.get(connection, speciality_id, tenants)


def own_tree(connection: Connection, organisation_id: str) -> dict[str, SpecialityRecord]:
    """The tree as an organisation sees it, by id."""
    return tree_with(SPECIALITIES.all(connection, *SPECIALITIES.within(frozenset({organisation_id}))))
