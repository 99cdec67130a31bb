"""Holds: how long a slot is kept for a patient, how many may be kept, and what a confirmation finds.

Pure: `now` is an argument. Source: NHA Physical Consultation v2.0, slots and hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from uhi.booking.states import OrderState
from uhi.errors import SlotUnavailable

HOLD = timedelta(minutes=15)
"""From init, unless a policy says otherwise; nothing extends it."""

CLAIM = timedelta(minutes=1)
"""How long a slot is kept while a late confirmation books it."""

FURTHEST = timedelta(days=366)
"""How far ahead a slot may be booked."""


def is_bookable(start: datetime, *, now: datetime) -> bool:
    """Whether a slot may be held or booked: it has not begun, and begins within a year."""
    return now < start <= now + FURTHEST


def hold_until(now: datetime, length: timedelta = HOLD) -> datetime:
    """Return when a hold made now ends."""
    return now + length


def is_live(until: datetime, *, now: datetime) -> bool:
    """Whether a hold still keeps its slot: at `until` itself it does not any more."""
    return now < until


class Finding(Enum):
    """What a confirmation finds."""

    HELD = "the slot is held: book it"
    LAPSED = "the hold is over: book if the slot is still free at the same price"
    ANSWERED = "the order was answered before: answer the same"


def find(state: OrderState, until: datetime, *, now: datetime) -> Finding:
    """Return what a confirmation finds for an order in this state whose hold ends at `until`."""
    if state.travels:
        return Finding.ANSWERED
    held = state is OrderState.HELD and is_live(until, now=now)
    return Finding.HELD if held else Finding.LAPSED


_LATER = "confirm one, or wait until one lapses"


@dataclass(frozen=True, slots=True)
class HoldLimits:
    """How many live holds one consumer may have: for one patient, and in all (None: not limited).

    A patient's holds count per consumer, so no consumer can use up what the patient may hold through another. They are
    counted before the hold is made: inits that several processes deal with at one moment may exceed them by a few.
    `day_share` is how much of a doctor's day one consumer may hold, where the hospital says how many slots the day has
    (`Slot.day_capacity`). It is rounded down, so that the rest stays bookable for others (case BK-10); one slot a
    consumer may hold in any case. Of 5 % a day has to have 40 slots before it gives two.
    """

    per_patient: int = 2
    per_consumer: int | None = 20
    day_share: float | None = 0.05


def check_limits(limits: HoldLimits, *, of_patient: int, of_consumer: int) -> None:
    """Refuse one more hold where a patient or a consumer has as many live ones as it may.

    Raises: SlotUnavailable.
    """
    if of_patient >= limits.per_patient:
        raise SlotUnavailable(
            "the patient holds as many slots as one may",
            got=str(of_patient),
            expected=f"fewer than {limits.per_patient}",
            next_step=_LATER,
        )
    if limits.per_consumer is not None and of_consumer >= limits.per_consumer:
        raise SlotUnavailable(
            "the consumer holds as many slots as one may",
            got=str(of_consumer),
            expected=f"fewer than {limits.per_consumer}",
            next_step=_LATER,
        )


def check_day(limits: HoldLimits, *, of_day: int, capacity: int) -> None:
    """Refuse one more hold where a consumer has as many of a doctor's day as it may; `capacity` 0: not known.

    Raises: SlotUnavailable.
    """
    if limits.day_share is None or not capacity:
        return
    # A share of 0.29 of 100 is 28.999… to a computer.
    most = max(1, int(round(capacity * limits.day_share, 6)))
    if of_day >= most:
        raise SlotUnavailable(
            "the consumer holds as much of the doctor's day as one may",
            got=str(of_day),
            expected=f"fewer than {most} of the day's {capacity} slots",
            next_step=_LATER,
        )
