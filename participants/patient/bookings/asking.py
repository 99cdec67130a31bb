"""How a hospital's silence, refusals and mistakes become answers that say what to do next.

Above: `desk`; below: `uhi.booking`. Source: reliability rules "Slots, holds, bookings" (business codes).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from uhi.errors import (
    BookingDeclined,
    BookingError,
    DeliveryError,
    IncompleteMessage,
    NoAnswer,
    PriceMismatch,
    Refusal,
    StateConflict,
    UhiError,
)
from uhi.faults import (
    HOSPITAL_AWAY,
    HOSPITAL_DECLINED,
    HOSPITAL_SILENT,
    OUTCOMES,
    REQUEST_INVALID,
    SLOT_UNAVAILABLE,
    STATE_REFUSED,
    Fault,
)

_SENTENCES = {outcome.code: outcome.sentence for outcome in OUTCOMES.values()}

_ANSWERS: tuple[tuple[type[UhiError], Fault, str], ...] = (
    (PriceMismatch, HOSPITAL_DECLINED, "was confirmed at another price and is being called off; search again"),
    (StateConflict, STATE_REFUSED, ""),
    (NoAnswer, HOSPITAL_SILENT, "send the same request again in a moment"),
    (DeliveryError, HOSPITAL_AWAY, "try again later, or look for another hospital"),
    (IncompleteMessage, REQUEST_INVALID, ""),
)


@contextmanager
def asking_hospital(what: str) -> Iterator[None]:
    """What a hospital is asked within the block fails as a refusal; `what` is where in the request it belongs.

    Raises: Refusal(HOSPITAL_DECLINED, HOSPITAL_SILENT, HOSPITAL_AWAY, STATE_REFUSED, REQUEST_INVALID).
    """
    try:
        yield
    except (BookingError, NoAnswer, DeliveryError, IncompleteMessage) as error:
        fault, text = _told(error)
    else:
        return
    refusal = Refusal(fault, next_step=text)
    refusal.mistakes = ((what, text),)
    raise refusal


def _told(error: BookingError | NoAnswer | DeliveryError | IncompleteMessage) -> tuple[Fault, str]:
    if isinstance(error, BookingDeclined):
        return HOSPITAL_DECLINED, _declined(error.code)
    for kind, fault, text in _ANSWERS:
        if isinstance(error, kind):
            return fault, text or error.what
    return HOSPITAL_AWAY, error.what


def _declined(code: str) -> str:
    sentence = _SENTENCES.get(code, "The hospital gave no reason that is known here.")
    then = " Choose another slot." if code == SLOT_UNAVAILABLE.code else ""
    return f"{code}: {sentence}{then}" if code else sentence
