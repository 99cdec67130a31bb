"""Seats this process gave out a moment ago, before the database knows of them: askers at one time get different ones.

The database decides all the same; nothing here is needed for a slot to be sold once. Above: the hospital's port.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from participants.hospital.schedules.board import Board, Taken

REMEMBERED = 5.0
"""For how long, in seconds: by then the order is kept, or was refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A seat as it was given out: the hold's id, the slot's, whose time it takes, and for which patient."""

    hold_id: str
    slot_id: str
    doctors: tuple[str, ...]
    taken: Taken
    patient_id: str = field(repr=False)
    at: float


class GivenSeats:
    """What was given out in the last seconds."""

    def __init__(self) -> None:
        self._given: dict[str, Given] = {}

    def again(self, slot_id: str, patient_id: str, *, now: float) -> Given | None:
        """Return what a patient was given of a slot a moment ago."""
        return next(
            (each for each in self._recent(now) if (each.slot_id, each.patient_id) == (slot_id, patient_id)), None
        )

    def put_on(self, board: Board, *, now: float) -> None:
        """Put down on a board what was given out a moment ago."""
        for given in self._recent(now):
            board.put(given.doctors, given.taken)

    def give(self, given: Given) -> None:
        """Remember a seat."""
        self._given[given.hold_id] = given

    def forget(self, hold_id: str) -> None:
        """Forget a seat that is given back, or whose order has come to an end."""
        self._given.pop(hold_id, None)

    def _recent(self, now: float) -> Iterable[Given]:
        # They stand in the order in which they were given.
        for hold_id, given in list(self._given.items()):
            if now - given.at < REMEMBERED:
                break
            del self._given[hold_id]
        return self._given.values()
