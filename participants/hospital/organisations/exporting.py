"""Practitioners, their practices and fees into a CSV file, as an import takes it.

Above: `transfer_routes`, the command line; below: `csv_rows`, the rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection

from participants.hospital.organisations.answers import rupees_text
from participants.hospital.organisations.csv_rows import PARTICULARS, write_rows
from participants.hospital.organisations.records import Consultation, PracticeRecord
from participants.hospital.organisations.shelf import (
    CONSULTATIONS,
    DEPARTMENTS,
    LOCATIONS,
    PRACTICES,
    PRACTITIONERS,
)
from participants.hospital.organisations.specialities import own_tree
from participants.hospital.organisations.tree import as_booked
from uhi.messages.values import ONLINE, PHYSICAL


def export_practitioners(connection: Connection, organisation_id: str) -> tuple[str, int]:
    """The active practices of an organisation as a file, and how many rows it has."""
    rows = sorted(_rows(connection, organisation_id), key=lambda row: (row["hpr_address"], row["location"]))
    return write_rows(rows), len(rows)


def _rows(connection: Connection, organisation_id: str) -> Iterator[Mapping[str, str]]:
    own = frozenset({organisation_id})
    tree = own_tree(connection, organisation_id)
    departments = {each.id: each.name for each in DEPARTMENTS.all(connection, *DEPARTMENTS.within(own))}
    locations = {each.id: each.code for each in LOCATIONS.all(connection, *LOCATIONS.within(own))}
    offers = _offers(connection, own)
    practices = PRACTICES.all(connection, *PRACTICES.within(own), PRACTICES.table.c.is_active)
    ids = sorted({each.practitioner_id for each in practices})
    people = {each.id: each for each in PRACTITIONERS.all(connection, PRACTITIONERS.table.c.id.in_(ids))}
    for practice in practices:
        practitioner, speciality = people[practice.practitioner_id], as_booked(practice.speciality_id, tree)
        yield {
            "hpr_address": practitioner.hpr_address,
            **{name: getattr(practitioner, name) for name in PARTICULARS},
            "location": locations[practice.location_id],
            "department": departments.get(practice.department_id, ""),
            "system": speciality.system_code if speciality is not None else "",
            "speciality": speciality.code if speciality is not None else "",
            **_fees(practice, offers),
        }


def _offers(connection: Connection, own: frozenset[str]) -> dict[tuple[str, str], Consultation]:
    found = CONSULTATIONS.all(connection, *CONSULTATIONS.within(own), CONSULTATIONS.table.c.is_active)
    return {(each.practice_id, each.kind): each for each in found}


def _fees(practice: PracticeRecord, offers: Mapping[tuple[str, str], Consultation]) -> dict[str, str]:
    fees: dict[str, str] = {}
    for kind, start in ((PHYSICAL, "physical"), (ONLINE, "online")):
        offer = offers.get((practice.id, kind))
        if offer is not None:
            fees[f"{start}_fee"] = rupees_text(offer.fee_paise)
            fees[f"{start}_registration_fee"] = rupees_text(offer.registration_paise)
            fees[f"{start}_taxed"] = "yes" if offer.is_taxed else "no"
    return fees
