"""Practitioners: one record for each HPR address of the program, kept by the organisation that made it.

Others at which the practitioner practises may read it. Functions on a `Writing`, or a connection. Above:
`practitioner_routes`, `importing`; below: `shelf`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import ColumnElement, Connection, delete, insert, or_, select

from participants.hospital.organisations.pictures import Picture
from participants.hospital.organisations.records import Photo, Practitioner
from participants.hospital.organisations.shelf import CONSULTATIONS, ORGANISATIONS, PRACTICES, PRACTITIONERS, Tenants
from participants.hospital.organisations.tables import photo
from participants.hospital.organisations.writing import Seen, Writing, check_version
from uhi.audit import digest_of
from uhi.errors import Refusal
from uhi.faults import ALREADY_TAKEN, RECORD_MISSING, STATE_REFUSED
from uhi.messages.values import ONLINE

Changes = Mapping[str, object]


def add_practitioner(writing: Writing, organisation_id: str, particulars: Changes) -> Practitioner:
    """Make the record of a practitioner.

    Raises: Refusal(ALREADY_TAKEN) where the HPR address has one: a practice is all that is needed then.
    """
    ORGANISATIONS.get(writing.connection, organisation_id)
    made: Practitioner = Practitioner(
        id=writing.new_id(),
        organisation_id=organisation_id,
        created_at=writing.now,
        updated_at=writing.now,
        **particulars,  # type: ignore[arg-type]  # the form names texts
    )
    if with_address(writing.connection, made.hpr_address) is not None:
        raise Refusal(
            ALREADY_TAKEN,
            "this HPR address has a record already",
            path="hpr_address",
            expected="the HPR address of somebody who is not known here",
            next_step="add a practice with this HPR address",
        )
    return writing.add(PRACTITIONERS, made)


def change_practitioner(writing: Writing, seen: Seen, changes: Changes) -> Practitioner:
    """Change what a practitioner is said to be.

    Raises: Refusal(RECORD_MISSING); Refusal(STATE_REFUSED) where another organisation keeps the record, or who consults
    online would be without a registration.
    """
    before = kept(writing, seen)
    after: Practitioner = replace(before, **changes)  # type: ignore[arg-type]  # the form names texts
    if before.may_consult_online and not after.may_consult_online and _consults_online(writing.connection, after):
        raise Refusal(
            STATE_REFUSED,
            "who consults online shows number and council of their registration",
            path="registration_number" if not after.registration_number else "council",
            expected="both, as long as something is offered online",
            next_step="deactivate the online services first",
        )
    return writing.change(PRACTITIONERS, before, after)


def turn_practitioner(writing: Writing, seen: Seen, *, on: bool) -> Practitioner:
    """Make a practitioner active, or inactive wherever they practise.

    Raises: Refusal(RECORD_MISSING, STATE_REFUSED).
    """
    before = kept(writing, seen)
    return writing.change(PRACTITIONERS, before, replace(before, is_active=on), "activate" if on else "deactivate")


def keep_photo(writing: Writing, seen: Seen, picture: Picture) -> Practitioner:
    """Keep a practitioner's picture; the record has a new version then.

    Raises: Refusal(RECORD_MISSING, STATE_REFUSED).
    """
    before = kept(writing, seen)
    writing.connection.execute(delete(photo).where(photo.c.practitioner_id == before.id))
    values = {"media_type": picture.media_type, "data": picture.data, "updated_at": writing.now}
    writing.connection.execute(insert(photo).values(practitioner_id=before.id, **values))
    return _touched(writing, before, "keep_photo", picture.digest)


def drop_photo(writing: Writing, seen: Seen) -> Practitioner:
    """Delete a practitioner's picture.

    Raises: Refusal(RECORD_MISSING, STATE_REFUSED).
    """
    before = kept(writing, seen)
    if photo_of(writing.connection, before.id) is None:
        raise Refusal(RECORD_MISSING, "there is no picture")
    writing.connection.execute(delete(photo).where(photo.c.practitioner_id == before.id))
    return _touched(writing, before, "drop_photo", "")


def photo_of(connection: Connection, practitioner_id: str) -> Photo | None:
    """A practitioner's picture, None where there is none."""
    query = select(photo).where(photo.c.practitioner_id == practitioner_id)
    row = connection.execute(query).mappings().one_or_none()
    return Photo(**row) if row is not None else None


def visible(connection: Connection, practitioner_id: str, tenants: Tenants, *, path: str = "") -> Practitioner:
    """A practitioner whose record one of these organisations keeps, or who practises there; `path` as of `Shelf.get`.

    Raises: Refusal(RECORD_MISSING).
    """
    table = PRACTITIONERS.table
    found = PRACTITIONERS.find(connection, table.c.id == practitioner_id, *in_sight(tenants))
    if found is None:
        raise Refusal(
            RECORD_MISSING,
            "there is no such practitioner, or only elsewhere",
            path=path,
            expected="the id of one who practises in the organisation",
        )
    return found


def in_sight(tenants: Tenants) -> tuple[ColumnElement[bool], ...]:
    """The condition that a practitioner is visible to these organisations."""
    if tenants is None:
        return ()
    table, practices = PRACTITIONERS.table, PRACTICES.table
    there = practices.select().where(
        practices.c.practitioner_id == table.c.id, practices.c.organisation_id.in_(sorted(tenants))
    )
    return (or_(table.c.organisation_id.in_(sorted(tenants)), there.exists()),)


def with_address(connection: Connection, hpr_address: str) -> Practitioner | None:
    """The practitioner with an HPR address, None if nobody here has it."""
    return PRACTITIONERS.find(connection, PRACTITIONERS.table.c.hpr_address == hpr_address)


def kept(writing: Writing, seen: Seen) -> Practitioner:
    """A practitioner's record that is to be changed by who keeps it.

    Raises: Refusal(RECORD_MISSING); Refusal(STATE_REFUSED) where another organisation keeps it, or it was changed.
    """
    found = visible(writing.connection, seen.id, seen.tenants)
    if seen.tenants is not None and found.organisation_id not in seen.tenants:
        raise Refusal(
            STATE_REFUSED,
            "another organisation keeps this practitioner's record",
            expected="a change by the organisation that made the record",
            next_step="ask it, or the operator of the program",
        )
    check_version(found, seen.version)
    return found


def _touched(writing: Writing, before: Practitioner, action: str, digest: str) -> Practitioner:
    after = replace(before, version=before.version + 1, updated_at=writing.now)
    PRACTITIONERS.replace(writing.connection, after)
    writing.note(f"practitioner.{action}", f"practitioner {before.id}", after=digest_of(digest or None))
    return after


def _consults_online(connection: Connection, practitioner: Practitioner) -> bool:
    table, practices = CONSULTATIONS.table, PRACTICES.table
    theirs = practices.select().where(
        practices.c.id == table.c.practice_id, practices.c.practitioner_id == practitioner.id
    )
    takes_part = or_(theirs.exists(), table.c.group_ids.contains(practitioner.id, autoescape=True))
    return CONSULTATIONS.find(connection, table.c.kind == ONLINE, table.c.is_active, takes_part) is not None
