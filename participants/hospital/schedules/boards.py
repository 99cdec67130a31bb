"""The board of a question: live claims of the doctors it is about, put down for everybody who takes part.

Above: the hospital's port, previews; below: the library's claims.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Connection

from participants.hospital.organisations.snapshot import Practice, Snapshot
from participants.hospital.schedules.board import Board, Taken, practice_of
from participants.hospital.schedules.hours import read_slot_id
from participants.hospital.schedules.week import Times
from uhi.booking.claims import Claim, claims_within
from uhi.booking.hospital import Window


@dataclass(frozen=True, slots=True)
class Groups:
    """Who takes part in whose consultations besides: a doctor is taken by them too, though another one is booked."""

    _leads: dict[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, snapshot: Snapshot) -> Groups:
        """The groups there are."""
        leads: dict[str, frozenset[str]] = {}
        for practice in snapshot.practices.values():
            for doctor in practice.group:
                leads[doctor.id] = leads.get(doctor.id, frozenset()) | {practice.doctor.id}
        return cls(leads)

    def whose_claims(self, doctors: Iterable[str]) -> set[str]:
        """The doctors whose claims may be in the way of these."""
        return {each for doctor in doctors for each in (doctor, *self._leads.get(doctor, ()))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which claims are read: of one provider, around these doctors, within a span; `now` is Unix seconds."""

    provider_id: str
    snapshot: Snapshot
    doctors: Collection[str]
    span: Times
    now: float


def read_board(connection: Connection, asked: Question, groups: Groups) -> Board:
    """Return what is taken of the doctors' time in the span."""
    claims = claims_within(
        connection,
        provider_id=asked.provider_id,
        practitioner_ids=groups.whose_claims(asked.doctors),
        window=Window(*(datetime.fromtimestamp(moment, UTC) for moment in asked.span)),
        now=asked.now,
    )
    board = Board()
    for claim in claims:
        board.put(_who(claim, asked.snapshot), _taken(claim))
    return board


def _who(claim: Claim, snapshot: Snapshot) -> Iterable[str]:
    practice: Practice | None = snapshot.practices.get(practice_of(claim.slot_id))
    name = read_slot_id(claim.slot_id) if practice is not None and practice.groups else None
    if practice is None or name is None:
        return (claim.practitioner_id,)
    return (claim.practitioner_id, *(doctor.id for doctor in practice.groups.get(name.fulfilment, ())))


def _taken(claim: Claim) -> Taken:
    times = Times(int(claim.starts_at), int(claim.ends_at))
    return Taken(times, claim.seat, practice_of(claim.slot_id), claim.is_booked)
