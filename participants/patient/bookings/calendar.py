"""Bookings as a calendar file (RFC 5545): who, where and when, and nothing about health.

Pure. Above: `routes`; below: icalendar.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from icalendar import Calendar, Event

from participants.patient.bookings.desk import Shown
from uhi.booking.states import OrderState

MEDIA = "text/calendar"
_STATUS = {OrderState.CANCELLED: "CANCELLED", OrderState.HELD: "TENTATIVE"}


def write_calendar(shown: Iterable[Shown], *, host: str, at: float) -> bytes:
    """Return the file; `host` makes the events' ids unique in the world, `at` is when it is written."""
    calendar = Calendar()
    calendar.add("prodid", "-//uhi-network//patient//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    for each in shown:
        calendar.add_component(_event(each, host, datetime.fromtimestamp(at, UTC)))
    return bytes(calendar.to_ical())


def _event(shown: Shown, host: str, at: datetime) -> Event:
    slot = shown.booking.slot
    facility = slot.doctor.facility
    event = Event()
    event.add("uid", f"{shown.ours.id}@{host}")
    event.add("dtstamp", at)
    event.add("dtstart", slot.start.astimezone(UTC))
    event.add("dtend", slot.end.astimezone(UTC))
    event.add("summary", _line(f"{slot.doctor.name}, {facility.name}"))
    if facility.address:
        event.add("location", _line(facility.address))
    event.add("status", _STATUS.get(shown.booking.state, "CONFIRMED"))
    event.add("class", "PRIVATE")
    return event


def _line(text: str) -> str:
    # A hospital's own words; a calendar may hold no control characters, and these no line of their own.
    return "".join(each if each.isprintable() else " " for each in text)
