"""Practices and what they offer: who works where, in which speciality, which consultations cost what.

Functions on a `Writing`. Above: `practice_routes`, `importing`, `loading`; below: `shelf`, `people`. Source: NHA
Physical Consultation v2.0; telemedicine rules (registration number and council for everything online).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b

from sqlalchemy import Connection

from participants.hospital.organisations.people import visible, with_address
from participants.hospital.organisations.records import GROUP_BETWEEN, Consultation, PracticeRecord, Practitioner
from participants.hospital.organisations.shelf import (
    CONSULTATIONS,
    DEPARTMENTS,
    LOCATIONS,
    PRACTICES,
    PRACTITIONERS,
    SPECIALITIES,
)
from participants.hospital.organisations.tree import as_booked, tree_with
from participants.hospital.organisations.writing import Seen, Writing
from uhi.errors import Refusal
from uhi.faults import ALREADY_TAKEN, RECORD_MISSING, REQUEST_INVALID, STATE_REFUSED
from uhi.messages.values import ONLINE

Changes = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedPractice:
    """Who is to practise where. The department may be empty."""

    hpr_address: str
    location_id: str
    speciality_id: str
    department_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedConsultation:
    """What a practice is to offer. `group` are ids of practitioners."""

    practice_id: str
    kind: str
    fee_paise: int
    registration_paise: int = 0
    is_taxed: bool = False
    group: tuple[str, ...] = ()


def practice_id(practitioner_id: str, location_id: str) -> str:
    """The id of a practice: sixteen hex digits that follow from who practises where."""
    return blake2b(f"{practitioner_id} {location_id}".encode(), digest_size=8).hexdigest()


def add_practice(writing: Writing, organisation_id: str, wanted: WantedPractice) -> PracticeRecord:
    """Have a practitioner, known by HPR address, practise at a location of the organisation.

    Raises: Refusal(RECORD_MISSING) for one that is unknown here, or a location or department of another organisation;
    Refusal(ALREADY_TAKEN) where they practise there already; Refusal(REQUEST_INVALID) for what is no speciality.
    """
    connection = writing.connection
    practitioner = with_address(connection, wanted.hpr_address)
    if practitioner is None:
        raise Refusal(
            RECORD_MISSING,
            "nobody here has this HPR address",
            path="hpr_address",
            expected="that of a practitioner's record",
            next_step="make it with POST /v1/practitioners",
        )
    location = LOCATIONS.get(connection, wanted.location_id, frozenset({organisation_id}), path="location_id")
    made = PracticeRecord(
        id=practice_id(practitioner.id, location.id),
        organisation_id=organisation_id,
        practitioner_id=practitioner.id,
        location_id=location.id,
        department_id=wanted.department_id,
        speciality_id=wanted.speciality_id,
        created_at=writing.now,
        updated_at=writing.now,
    )
    _check_practice(connection, made)
    if PRACTICES.find(connection, PRACTICES.table.c.id == made.id) is not None:
        raise Refusal(
            ALREADY_TAKEN,
            "the practitioner practises at this location already",
            path="location_id",
            expected="another location",
            next_step=f"change or activate practice {made.id}",
        )
    return writing.add(PRACTICES, made)


def change_practice(writing: Writing, seen: Seen, changes: Changes) -> PracticeRecord:
    """Change department or speciality of a practice.

    Raises: Refusal(RECORD_MISSING, STATE_REFUSED, REQUEST_INVALID).
    """
    before = writing.seen(PRACTICES, seen)
    after: PracticeRecord = replace(before, **changes)  # type: ignore[arg-type]  # the form names texts
    _check_practice(writing.connection, after, known=before.speciality_id)
    return writing.change(PRACTICES, before, after)


def add_consultation(writing: Writing, organisation_id: str, wanted: WantedConsultation) -> Consultation:
    """Have a practice offer a kind of consultation.

    Raises: Refusal(RECORD_MISSING) for another organisation's practice, or practitioners of the group who are not known
    to this one; Refusal(ALREADY_TAKEN) where it offers that kind already; Refusal(STATE_REFUSED) for online
    consultations of somebody whose registration is not known.
    """
    practice = PRACTICES.get(writing.connection, wanted.practice_id, frozenset({organisation_id}), path="practice_id")
    made = Consultation(
        id=writing.new_id(),
        organisation_id=organisation_id,
        practice_id=practice.id,
        kind=wanted.kind,
        fee_paise=wanted.fee_paise,
        registration_paise=wanted.registration_paise,
        is_taxed=wanted.is_taxed,
        group_ids=GROUP_BETWEEN.join(wanted.group),
        created_at=writing.now,
        updated_at=writing.now,
    )
    known = of_kind(writing.connection, practice.id, made.kind)
    if known is not None:
        raise Refusal(
            ALREADY_TAKEN,
            "the practice has a service of this kind already",
            path="kind",
            expected="another kind",
            next_step=f"change or activate service {known.id}",
        )
    check_offer(writing.connection, made, practice)
    return writing.add(CONSULTATIONS, made)


def change_consultation(writing: Writing, seen: Seen, changes: Changes, *, action: str = "change") -> Consultation:
    """Change what a consultation costs, who takes part besides, or whether it is offered.

    Raises: Refusal(RECORD_MISSING, STATE_REFUSED).
    """
    before = writing.seen(CONSULTATIONS, seen)
    after: Consultation = replace(before, **changes)  # type: ignore[arg-type]  # the form names what fits
    if after.is_active:
        check_offer(writing.connection, after, PRACTICES.get(writing.connection, after.practice_id))
    return writing.change(CONSULTATIONS, before, after, action)


def of_kind(connection: Connection, practice: str, kind: str) -> Consultation | None:
    """What a practice offers of one kind, active or not."""
    table = CONSULTATIONS.table
    return CONSULTATIONS.find(connection, table.c.practice_id == practice, table.c.kind == kind)


def check_may_consult_online(practitioner: Practitioner, *, path: str) -> None:
    """See that patients can be shown the registration of whoever they consult online.

    Raises: Refusal(STATE_REFUSED).
    """
    if not practitioner.may_consult_online:
        raise Refusal(
            STATE_REFUSED,
            "an online consultation takes the registration number of the practitioner",
            path=path,
            expected="a practitioner with registration number and council",
            next_step="add both to the practitioner's record",
        )


def check_offer(connection: Connection, offer: Consultation, practice: PracticeRecord) -> None:
    """See that those who take part may, and who they are is known to the organisation.

    Raises: Refusal(REQUEST_INVALID) for a group that names somebody twice; Refusal(RECORD_MISSING) for strangers;
    Refusal(STATE_REFUSED) where it is online and the registration of one is not known.
    """
    own = frozenset({offer.organisation_id})
    if len(set(offer.group)) < len(offer.group) or practice.practitioner_id in offer.group:
        expected = "others than the practice's own, each once"
        raise Refusal(REQUEST_INVALID, "the group names somebody twice", expected=expected, path="group")
    group = [visible(connection, each, own, path="group") for each in offer.group]
    if offer.kind == ONLINE:
        check_may_consult_online(PRACTITIONERS.get(connection, practice.practitioner_id), path="kind")
        for each in group:
            check_may_consult_online(each, path="group")


def _check_practice(connection: Connection, practice: PracticeRecord, *, known: str = "") -> None:
    own = frozenset({practice.organisation_id})
    if practice.department_id:
        DEPARTMENTS.get(connection, practice.department_id, own, path="department_id")
    tree = tree_with(SPECIALITIES.all(connection, *SPECIALITIES.within(own)))
    found = tree.get(practice.speciality_id)
    is_offered = found is not None and (found.is_active or found.id == known)
    if not is_offered or as_booked(practice.speciality_id, tree) is None:
        expected = "the id of a speciality, such as ALLOPATHY.CARDIOLOGY"
        raise Refusal(REQUEST_INVALID, "there is no such speciality", expected=expected, path="speciality_id")
