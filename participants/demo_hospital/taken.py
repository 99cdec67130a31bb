"""Which times of which doctor are taken, by holds that lapse and by appointments that stay.

Nothing here awaits, so each step is atomic in one event loop. Above: `participants.demo_hospital.hospital`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime

from uhi.booking.holds import is_live
from uhi.booking.hospital import Slot, Window
from uhi.errors import SlotUnavailable
from uhi.messages.values import IST

FOR_GOOD = datetime.max.replace(tzinfo=IST)


@dataclass(frozen=True, slots=True)
class Taken:
    """A slot that is somebody's until a time; `patient_id` is who holds it, None for an appointment."""

    slot: Slot
    until: datetime
    patient_id: str | None = None


@dataclass(frozen=True, slots=True)
class TakenTimes:
    """Taken slots by name of whoever has them, for each doctor and day, whatever the facility."""

    _days: dict[tuple[str, date], dict[str, Taken]] = field(default_factory=dict)

    def is_free(self, slot: Slot, *, now: datetime) -> bool:
        """Whether nobody has a time of this doctor that overlaps the slot."""
        day = self._days.get(_day(slot), {})
        return not any(_in_the_way(taken, slot.window, now) for taken in day.values())

    def prolong(self, wanted: Taken, *, now: datetime) -> tuple[str, datetime] | None:
        """Prolong the hold that a patient has of a slot; returns its name and until when it lasts, if there is one."""
        day = self._days.get(_day(wanted.slot), {})
        for name, taken in day.items():
            is_theirs = (taken.slot.id, taken.patient_id) == (wanted.slot.id, wanted.patient_id)
            if is_theirs and is_live(taken.until, now=now):
                until = max(taken.until, wanted.until)
                day[name] = replace(taken, until=until)
                return name, until
        return None

    def take(self, name: str, wanted: Taken, *, now: datetime) -> None:
        """Take a slot; holds of that day that have lapsed are forgotten.

        Raises: SlotUnavailable when it is taken, or overlaps one that is.
        """
        if not self.is_free(wanted.slot, now=now):
            raise SlotUnavailable("the slot is taken, or overlaps one that is")
        day = self._days.setdefault(_day(wanted.slot), {})
        for lapsed in [each for each, taken in day.items() if not is_live(taken.until, now=now)]:
            del day[lapsed]
        day[name] = wanted

    def restore(self, name: str, taken: Taken) -> None:
        """Take a slot that was taken before, whatever else is: that was decided then."""
        self._days.setdefault(_day(taken.slot), {})[name] = taken

    def turn(self, name: str, slot: Slot, *, into: str, now: datetime) -> Slot:
        """Turn a hold into an appointment with a name of its own; returns the slot as it was taken.

        Raises: SlotUnavailable when the hold has lapsed, was given back or was turned before.
        """
        day = self._days.get(_day(slot), {})
        held = day.get(name)
        if held is None or not is_live(held.until, now=now):
            raise SlotUnavailable("the slot is not held any more")
        del day[name]
        day[into] = Taken(held.slot, FOR_GOOD)
        return held.slot

    def give_back(self, name: str, slot: Slot) -> None:
        """Free what was taken under a name, if it still is."""
        self._days.get(_day(slot), {}).pop(name, None)


def _day(slot: Slot) -> tuple[str, date]:
    # No slot crosses midnight, so slots of different days never overlap.
    return slot.doctor.id, slot.start.astimezone(IST).date()


def _in_the_way(taken: Taken, window: Window, now: datetime) -> bool:
    return is_live(taken.until, now=now) and taken.slot.window.overlaps(window)
