"""Takes a hospital that a YAML file describes into the database, as the operator at the command line vouches for it.

Doing it again changes what the file has changed. What was added otherwise stays. Above: `uhi hospital load`, `uhi dev`;
below: `participants.demo_hospital.data`, the rules of this package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TypeVar

from pydantic import ValidationError

from participants.demo_hospital.data import HospitalData
from participants.demo_hospital.data import Practice as FilePractice
from participants.hospital.organisations import organising, people, places, practising, specialities
from participants.hospital.organisations.forms import (
    LocationBody,
    OrganisationBody,
    PractitionerBody,
    given,
)
from participants.hospital.organisations.records import Location, Organisation, Practitioner
from participants.hospital.organisations.shelf import LOCATIONS, PRACTICES
from participants.hospital.organisations.tree import find_by_code
from participants.hospital.organisations.writing import Seen, Writing, writes
from uhi.api.problems import unacceptable
from uhi.api.routes import Body
from uhi.audit import Acting
from uhi.booking.hospital import Facility
from uhi.booking.quotes import CGST, CONSULTATION, REGISTRATION, Quote
from uhi.errors import Refusal, SetupError
from uhi.faults import ACCESS_DENIED, OVERLOADED
from uhi.messages.values import ONLINE, Place
from uhi.storage.sql.database import Database

F = TypeVar("F", bound=Body)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a file became: its organisation, its practices by their ids here, and the HPR addresses of those who are
    not offered online as the file says, since it names no registration of theirs.
    """

    organisation_id: str
    practices: Mapping[str, FilePractice] = field(default_factory=dict)
    without_registration: tuple[str, ...] = ()


async def load_hospital_data(database: Database, data: HospitalData, *, acting: Acting) -> Loaded:
    """Take in the hospital that a file describes, as one verified organisation, with all its practices.

    Its schedules are in `Loaded.practices`, for whoever keeps those.
    Raises: SetupError naming what in the file cannot be used; Refusal(ACCESS_DENIED) for anybody but the operator at
    the command line; Refusal(OVERLOADED) when it may not have been written.
    """
    work = writes(lambda writing: _load(writing, data), now=database.clock.now(), acting=acting)
    return await database.apart(work)


def organisation_id_of(data: HospitalData) -> str:
    """The id that the organisation of a file has: that of its name."""
    return blake2b(f"hospital file {data.name}".encode(), digest_size=16).hexdigest()


def _load(writing: Writing, data: HospitalData) -> Loaded:
    organisation = _organisation(writing, data)
    practices: dict[str, FilePractice] = {}
    without: list[str] = []
    for practice in data.practices:
        about = f"{practice.doctor.id} at {practice.doctor.facility.id}"
        try:
            location = _location(writing, organisation, practice.doctor.facility)
            practitioner = _practitioner(writing, organisation, practice)
            practice_id = _practice(writing, organisation, practice, location)
            practices[practice_id] = practice
            for kind in practice.doctor.fulfilments:
                if kind == ONLINE and not practitioner.may_consult_online:
                    without.append(practitioner.hpr_address)
                    continue
                _consultation(writing, organisation, practice_id, kind, practice.quote)
        except Refusal as refusal:
            raise _unusable(about, refusal) from None
    return Loaded(organisation.id, practices, tuple(without))


def _organisation(writing: Writing, data: HospitalData) -> Organisation:
    """The organisation of a file, which has the numbers of its first facility."""
    first = data.practices[0].doctor.facility if data.practices else None
    if first is None:
        raise SetupError("the hospital has no doctors", got=data.name, expected="one facility with one doctor or more")
    form = _read(
        OrganisationBody,
        data.name,
        {
            "name": data.name,
            "legal_name": data.name,
            "hfr_id": first.hfr_id,
            "hip_id": first.hip_id,
            "phone": first.helpline_number,
        },
    )
    try:
        return organising.admit(writing, {"id": organisation_id_of(data), "kind": "hospital", **given(form)})
    except Refusal as refusal:
        raise _unusable(data.name, refusal) from None


def _location(writing: Writing, organisation: Organisation, facility: Facility) -> Location:
    form = _read(
        LocationBody,
        facility.id,
        {
            "code": facility.id,
            "name": facility.name,
            "short_desc": facility.short_desc,
            "long_desc": facility.long_desc,
            "hfr_id": facility.hfr_id,
            "address": facility.address,
            "pincode": facility.pincode,
            "gps": f"{facility.point.latitude:.6f},{facility.point.longitude:.6f}" if facility.point else "",
            "city": _place(facility.city),
            "district": _place(facility.district),
            "state": _place(facility.state),
            "helpline": facility.helpline_number,
        },
    )
    table = LOCATIONS.table
    same = (table.c.organisation_id == organisation.id, table.c.code == facility.id)
    known = LOCATIONS.find(writing.connection, *same)
    if known is None:
        return places.add_location(writing, organisation.id, given(form))
    return places.change_location(writing, Seen(known.id, known.version), given(form))


def _practitioner(writing: Writing, organisation: Organisation, practice: FilePractice) -> Practitioner:
    doctor = practice.doctor
    form = _read(
        PractitionerBody,
        doctor.id,
        {
            "hpr_address": doctor.id,
            "name": doctor.name,
            "hpr_id": doctor.hpr_id,
            "gender": doctor.gender,
            "education": doctor.education,
            "languages": doctor.languages,
            "experience": doctor.experience,
            # What the file does not say may have been added here.
            **({"registration_number": doctor.registration_number} if doctor.registration_number else {}),
            **({"council": doctor.council} if doctor.council else {}),
        },
    )
    known = people.with_address(writing.connection, form.hpr_address)
    if known is None:
        return people.add_practitioner(writing, organisation.id, given(form))
    if known.organisation_id != organisation.id:
        return known
    return people.change_practitioner(writing, Seen(known.id, known.version), given(form))


def _practice(writing: Writing, organisation: Organisation, practice: FilePractice, location: Location) -> str:
    speciality = _speciality(writing, organisation, practice)
    practitioner = people.with_address(writing.connection, practice.doctor.id.lower())
    practice_id = practising.practice_id(practitioner.id, location.id) if practitioner is not None else ""
    known = PRACTICES.find(writing.connection, PRACTICES.table.c.id == practice_id)
    if known is None:
        wanted = practising.WantedPractice(
            hpr_address=practice.doctor.id.lower(), location_id=location.id, speciality_id=speciality
        )
        return practising.add_practice(writing, organisation.id, wanted).id
    changes = {"speciality_id": speciality}
    return practising.change_practice(writing, Seen(known.id, known.version), changes).id


def _speciality(writing: Writing, organisation: Organisation, practice: FilePractice) -> str:
    """The speciality of the tree; what is not in it is added to it."""
    wanted = practice.doctor.speciality
    if wanted is None:
        raise SetupError("a doctor has no speciality", got=practice.doctor.id, expected="a speciality with its code")
    tree = specialities.own_tree(writing.connection, organisation.id)
    found = find_by_code(tree, wanted.system_code, wanted.code)
    if found is not None:
        return found.id
    systems = (each.id for each in tree.values() if not each.parent_id and each.code == wanted.system_code)
    system = (
        next(systems, "")
        or specialities.add_speciality(
            writing, organisation.id, parent_id="", code=wanted.system_code, name=wanted.system_name
        ).id
    )
    return specialities.add_speciality(
        writing, organisation.id, parent_id=system, code=wanted.code, name=wanted.name
    ).id


def _consultation(writing: Writing, organisation: Organisation, practice_id: str, kind: str, quote: Quote) -> None:
    amounts = {line.title: int(line.amount.scaleb(2)) for line in quote.lines}
    wanted = practising.WantedConsultation(
        practice_id=practice_id,
        kind=kind,
        fee_paise=amounts.get(CONSULTATION, 0),
        registration_paise=amounts.get(REGISTRATION, 0),
        is_taxed=amounts.get(CGST, 0) > 0,
    )
    known = practising.of_kind(writing.connection, practice_id, kind)
    if known is None:
        practising.add_consultation(writing, organisation.id, wanted)
        return
    changes = {
        "fee_paise": wanted.fee_paise,
        "registration_paise": wanted.registration_paise,
        "is_taxed": wanted.is_taxed,
        "is_active": True,
    }
    practising.change_consultation(writing, Seen(known.id, known.version), changes)


def _place(place: Place | None) -> Mapping[str, str]:
    return {"name": place.name or "", "code": place.code or ""} if place is not None else {"name": "", "code": ""}


def _read(form: type[F], about: str, values: Mapping[str, object]) -> F:
    try:
        return form.model_validate(values)
    except ValidationError as error:
        mistakes = unacceptable(error).mistakes
    raise SetupError(
        f"{about} cannot be taken in",
        got="; ".join(sorted({path for path, _ in mistakes})),
        expected="; ".join(f"{path} {message}" for path, message in mistakes),
        next_step="correct the file",
    )


def _unusable(about: str, refusal: Refusal) -> SetupError:
    """A mistake in the file, unless it is none of the file's."""
    if refusal.fault in (ACCESS_DENIED, OVERLOADED):
        raise refusal
    return SetupError(
        f"{about} cannot be taken in: {refusal.what}",
        got=refusal.got,
        expected=refusal.expected,
        next_step="correct it",
    )
