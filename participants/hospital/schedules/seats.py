"""Seats this process gave out a moment ago, before the database knows of them: askers at one time get different ones.

The database decides all the same; nothing here is needed for a slot to be sold once. Above: the hospital's port.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
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
    """What was given out in the last seconds, by the doctors whose time it takes."""

    def __init__(self) -> None:
        self._given: dict[str, Given] = {}
        self._of_doctor: dict[str, dict[str, Given]] = {}

    def again(self, slot_id: str, patient_id: str, *, doctor: str, now: float) -> Given | None:
        """Return what a patient was given of a slot of a doctor a moment ago."""
        of_doctor = self._recent(now).get(doctor, {}).values()
        return next((each for each in of_doctor if (each.slot_id, each.patient_id) == (slot_id, patient_id)), None)

    def put_on(self, board: Board, doctors: Collection[str], *, now: float) -> None:
        """Put down on a board what was given out of these doctors' time a moment ago."""
        recent = self._recent(now)
        given_out = {hold_id: given for doctor in doctors for hold_id, given in recent.get(doctor, {}).items()}
        for given in given_out.values():
            board.put(given.doctors, given.taken)

    def give(self, given: Given) -> None:
        """Remember a seat."""
        self._given[given.hold_id] = given
        for doctor in given.doctors:
            self._of_doctor.setdefault(doctor, {})[given.hold_id] = given

    def forget(self, hold_id: str) -> None:
        """Forget a seat that is given back, or whose order has come to an end."""
        given = self._given.pop(hold_id, None)
        for doctor in given.doctors if given else ():
            of_doctor = self._of_doctor[doctor]
            del of_doctor[hold_id]
            if not of_doctor:
                del self._of_doctor[doctor]

    def _recent(self, now: float) -> Mapping[str, Mapping[str, Given]]:
        # They stand in the order in which they were given.
        while self._given:
            oldest = next(iter(self._given.values()))
            if now - oldest.at < REMEMBERED:
                break
            self.forget(oldest.hold_id)
        return self._of_doctor
