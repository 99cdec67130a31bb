"""The hospital as a participant; start reading here.

`bootstrap` puts it together: `organisations` (who practises where), `schedules` (when), the library's bookings above
them, `desk` (what the staff see and do), `conversations` (chat and files). Above: `uhi serve hospital`.
"""

from __future__ import annotations

from participants.hospital.bootstrap import hospital_program
from participants.hospital.settings import HospitalSettings
from uhi.participant import Participant


def app() -> Participant:
    """Return the hospital that the `UHI_…` settings describe, with its staff's interface beside the network's paths.

    Raises: SetupError naming what is missing or wrong.
    """
    return hospital_program(HospitalSettings.read()).participant
