"""Prescriptions of consultations online: a port that weighs what is prescribed before it is sent.

Which medicines may be prescribed without seeing the patient is the law's to say; no list of them comes with this.
Above: `conversations`. Source: privacy rules "Teleconsultation" (lists O, A, B; nothing of Schedule X or the NDPS Act).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

PRESCRIPTION = "prescription"


@dataclass(frozen=True, slots=True)
class Prescription:
    """What a doctor prescribes in a consultation online: the medicines by the names that came with the document."""

    order_id: str
    doctor_id: str = field(repr=False)
    medicines: tuple[str, ...] = field(repr=False)
    document: bytes = field(repr=False)


class Formulary(Protocol):
    """Knows which medicines may be prescribed online."""

    async def check(self, prescription: Prescription) -> None:
        """Return where all of it may be prescribed online.

        Raises: ContentRefused with the reason MEDICINE_NOT_TAKEN; nothing is kept or sent then.
        """


class AnyMedicine:
    """A formulary that takes everything: the doctor answers for what is prescribed."""

    async def check(self, prescription: Prescription) -> None:
        """Take it."""
