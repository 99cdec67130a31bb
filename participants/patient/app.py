"""A patient's application as a participant; start reading here.

`uhi.booking.Bookings` does the work. Above: `uhi serve`, the demo network, whatever shows it to people.
"""

from __future__ import annotations

from uhi.booking.consumer import Bookings
from uhi.participant import Participant
from uhi.subscribers import Role


class PatientApp:
    """A consumer with its bookings. `events` are all news since the application was made, for one reader."""

    def __init__(self, participant: Participant) -> None:
        self.participant = participant
        self.bookings = Bookings(participant)
        self.events = self.bookings.events()
        participant.include(self.bookings.handlers)

    @classmethod
    def from_env(cls) -> PatientApp:
        """Return the application that the `UHI_…` settings describe.

        Raises: SetupError naming what is missing or wrong.
        """
        return cls(Participant.from_env(Role.CONSUMER))


def app() -> Participant:
    """Return the participant of the application that the `UHI_…` settings describe.

    Raises: SetupError naming what is missing or wrong.
    """
    return PatientApp.from_env().participant
