"""Organisations as they are made, changed and verified: what each step demands, beside the table of `states`.

Functions on a `Writing`. Above: `organisation_routes`, `loading`; below: `shelf`, `states`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from participants.hospital.organisations.records import Location, Organisation
from participants.hospital.organisations.shelf import LOCATIONS, ORGANISATIONS
from participants.hospital.organisations.states import ANOTHER_OPERATOR, MOVES, SUBMITTED, SUSPENDED, VERIFIED, Step
from participants.hospital.organisations.writing import Seen, Writing
from uhi.errors import Refusal
from uhi.faults import ALREADY_TAKEN, ANOTHER_PERSON_REQUIRED, STATE_REFUSED
from uhi.identity.moves import ABSENT

VOUCHED = (VERIFIED, SUSPENDED)
"""The states of what was verified once and not changed since."""

VOUCHED_FOR = ("kind", "legal_name", "hfr_id", "hip_id")
"""What verification is about: changing one of these takes another one."""

Particulars = Mapping[str, object]


def create(writing: Writing, particulars: Particulars) -> Organisation:
    """Take an organisation in, as a draft.

    Raises: Refusal(ACCESS_DENIED) for whoever may not.
    """
    state = MOVES.after(ABSENT, Step.CREATE, writing.acting.kind)
    return writing.add(ORGANISATIONS, _new(writing, {"id": writing.new_id(), **particulars}, state))


def admit(writing: Writing, particulars: Particulars) -> Organisation:
    """Take an organisation in as verified, or vouch for one that is there, at the word of the operator at the command
    line. `particulars` name its id.

    Raises: Refusal(ACCESS_DENIED) for anybody else; Refusal(ALREADY_TAKEN) for another's HFR id; Refusal(STATE_REFUSED)
    for one that is suspended.
    """
    before = ORGANISATIONS.find(writing.connection, ORGANISATIONS.table.c.id == particulars["id"])
    state = MOVES.after(before.state if before is not None else ABSENT, Step.ADMIT, writing.acting.kind)
    if before is None:
        made = _new(writing, particulars, state)
        _check_hfr_id(writing, made)
        return writing.add(ORGANISATIONS, made)
    after: Organisation = replace(before, state=state, **particulars)  # type: ignore[arg-type]  # the form names texts
    _check_hfr_id(writing, after)
    return writing.change(ORGANISATIONS, before, after, Step.ADMIT.value)


def amend(writing: Writing, seen: Seen, changes: Particulars) -> Organisation:
    """Change what an organisation says of itself. Of a verified one, some changes send it back to be verified again.

    Raises: Refusal(RECORD_MISSING, STATE_REFUSED).
    """
    before = writing.seen(ORGANISATIONS, seen)
    after: Organisation = replace(before, **changes)  # type: ignore[arg-type]  # the form names texts
    if any(getattr(after, name) != getattr(before, name) for name in VOUCHED_FOR):
        state = MOVES.after(before.state, Step.AMEND, writing.acting.kind)
        by = writing.acting.actor if state == SUBMITTED else before.submitted_by
        after = replace(after, state=state, submitted_by=by)
        if state == SUBMITTED:
            _check_complete(writing, after)
    return writing.change(ORGANISATIONS, before, after, Step.AMEND.value)


def take(writing: Writing, seen: Seen, step: Step, *, reason: str = "") -> Organisation:
    """Take a step of verification.

    Raises: Refusal(RECORD_MISSING, STATE_REFUSED, ACCESS_DENIED); Refusal(ANOTHER_PERSON_REQUIRED) for who submitted it
    and would verify it; Refusal(ALREADY_TAKEN) when another organisation with the same HFR id is verified.
    """
    before = writing.seen(ORGANISATIONS, seen)
    state = MOVES.after(before.state, step, writing.acting.kind)
    after = replace(before, state=state, reason=reason)
    if MOVES.table[before.state, step].by is ANOTHER_OPERATOR and before.submitted_by == writing.acting.actor:
        raise Refusal(
            ANOTHER_PERSON_REQUIRED,
            "whoever submitted an organisation does not verify it",
            expected=ANOTHER_OPERATOR.words,
            next_step="ask another operator; `uhi hospital admin list` shows who there is",
        )
    if step is Step.SUBMIT:
        after = replace(after, submitted_by=writing.acting.actor)
    if step in (Step.SUBMIT, Step.VERIFY):
        _check_complete(writing, after)
    return writing.change(ORGANISATIONS, before, after, step.value, reason=reason)


def check_reachable(organisation: Organisation, location: Location) -> None:
    """See that patients can ring up wherever a verified organisation receives them.

    Raises: Refusal(STATE_REFUSED).
    """
    if organisation.state in (*VOUCHED, SUBMITTED) and location.is_active and not location.helpline:
        raise Refusal(
            STATE_REFUSED,
            "a location of a verified organisation has no helpline",
            path="helpline",
            expected="a telephone number, or a location that is not active",
        )


def _new(writing: Writing, particulars: Particulars, state: str) -> Organisation:
    made: Organisation = Organisation(
        **particulars,  # type: ignore[arg-type]  # the form names texts
        state=state,
        created_at=writing.now,
        updated_at=writing.now,
    )
    return made


def _check_complete(writing: Writing, organisation: Organisation) -> None:
    table = LOCATIONS.table
    places = LOCATIONS.all(writing.connection, table.c.organisation_id == organisation.id, table.c.is_active)
    missing = [
        name
        for name, is_there in (
            ("an HFR id", bool(organisation.hfr_id)),
            ("a legal name", bool(organisation.legal_name)),
            ("a location", bool(places)),
            ("a helpline at every location", all(place.helpline for place in places)),
        )
        if not is_there
    ]
    if missing:
        raise Refusal(
            STATE_REFUSED,
            "the organisation cannot be verified like this",
            got=f"no {missing[0].split(' ', 1)[1]}",
            expected=", ".join(missing),
            next_step="add what is missing, and submit it again",
        )
    _check_hfr_id(writing, organisation)


def _check_hfr_id(writing: Writing, organisation: Organisation) -> None:
    table = ORGANISATIONS.table
    vouched = (table.c.hfr_id == organisation.hfr_id, table.c.state.in_(VOUCHED), table.c.id != organisation.id)
    if organisation.hfr_id and ORGANISATIONS.find(writing.connection, *vouched) is not None:
        raise hfr_id_taken()


def hfr_id_taken() -> Refusal:
    """The refusal of an HFR id of somebody else's."""
    return Refusal(
        ALREADY_TAKEN,
        "another organisation that is verified has this HFR id",
        path="hfr_id",
        expected="the HFR id of one's own facility",
        next_step="see how it is spelled; where it is yours, ask the operator of the program",
    )
