"""The board of a question: the live claims of the doctors it is about.

Above: the hospital's port, previews; below: the library's claims, of which an order has one for each who takes part.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection

from participants.hospital.schedules.board import Board, Taken, practice_of
from participants.hospital.schedules.week import Times
from uhi.booking.claims import Claim, claims_within
from uhi.booking.hospital import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which claims are read: of one provider, of these doctors, within a span; `now` is Unix seconds."""

    provider_id: str
    doctors: Collection[str]
    span: Times
    now: float


def read_board(connection: Connection, asked: Question) -> Board:
    """Return what is taken of the doctors' time in the span."""
    claims = claims_within(
        connection,
        provider_id=asked.provider_id,
        practitioner_ids=asked.doctors,
        window=Window(*(datetime.fromtimestamp(moment, UTC) for moment in asked.span)),
        now=asked.now,
    )
    board = Board()
    for claim in claims:
        board.put((claim.practitioner_id,), _taken(claim))
    return board


def _taken(claim: Claim) -> Taken:
    times = Times(int(claim.starts_at), int(claim.ends_at))
    return Taken(times, claim.seat, practice_of(claim.slot_id), claim.is_booked)
