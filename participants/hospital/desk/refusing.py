"""How the rules of a booking say no at the desk: as refusals of a REST interface, with the reason in our own words.

Above: `counter`; below: `uhi.errors`. No text of these errors holds anything about a patient.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from uhi.errors import (
    DeliveryError,
    IncompleteMessage,
    OrderChanged,
    OrderUnknown,
    Refusal,
    SlotUnavailable,
    StateConflict,
    UhiError,
)
from uhi.faults import ALREADY_TAKEN, OVERLOADED, RECORD_MISSING, REQUEST_INVALID, STATE_REFUSED, Fault

_FAULTS: dict[type[UhiError], Fault] = {
    OrderUnknown: RECORD_MISSING,
    StateConflict: STATE_REFUSED,
    OrderChanged: STATE_REFUSED,
    SlotUnavailable: ALREADY_TAKEN,
    IncompleteMessage: REQUEST_INVALID,
    DeliveryError: OVERLOADED,
}
_FREE_ONES = "GET /v1/practices/{id}/slots shows them"
TOLD = (RECORD_MISSING, STATE_REFUSED, ALREADY_TAKEN)
"""The faults among them that a description names beside those of every route."""


@contextmanager
def refusing() -> Iterator[None]:
    """Tell what a booking's rules forbid as a refusal.

    Raises: Refusal(RECORD_MISSING, STATE_REFUSED, ALREADY_TAKEN, REQUEST_INVALID, OVERLOADED).
    """
    try:
        yield
    except tuple(_FAULTS) as error:
        refused = _refusal(error)
    else:
        return
    raise refused


def _refusal(error: UhiError) -> Refusal:
    fault = _FAULTS[type(error)]
    if fault is ALREADY_TAKEN:
        # What the error says to do is for the patient's application.
        return Refusal(fault, error.what, path="slot_id", got=error.got, expected="a free slot", next_step=_FREE_ONES)
    return Refusal(fault, error.what, got=error.got, expected=error.expected, next_step=error.next_step)
