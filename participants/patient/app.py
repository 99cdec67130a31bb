"""A patient's application as a participant; start reading here.

`PatientApp` is the bookings alone, for the demo network and for whoever shows them to people in another way. `app` is
the whole application, which `bootstrap` puts together: `people` (family, consents), `search`, `bookings`,
`conversations`. Above: `uhi serve patient`, the demo network.
"""

from __future__ import annotations

from participants.patient.bootstrap import patient_program
from participants.patient.settings import PatientSettings
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
        participant.meanwhile(self.bookings.watch)

    @classmethod
    def from_env(cls) -> PatientApp:
        """Return the application that the `UHI_…` settings describe.

        Raises: SetupError naming what is missing or wrong.
        """
        return cls(Participant.from_env(Role.CONSUMER))


def app() -> Participant:
    """Return the application that the `UHI_…` settings describe, with its interface for people beside the network's
    paths.

    Raises: SetupError naming what is missing or wrong.
    """
    return patient_program(PatientSettings.read()).participant
