"""A large hospital: many doctors, each with a full week, and bookings over all of what is offered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import insert

from tests.participants.hospital.schedules.clinic import ASHA, MONDAY, NORTH, PROVIDER, Clinic, practice
from uhi.booking.hospital import Doctor
from uhi.storage.sql.booking_tables import BOOKED, hold

HOURS, MINUTES = "09:00-17:00", 20
A_DAY = 8 * 60 // MINUTES
_AT_ONCE = 5_000
_HALF_DAY, _BUSY_DAYS = A_DAY // 2, 14


async def gather(clinic: Clinic, *, doctors: int, days: int, full_days: int = 1, mark: int = 1) -> list[Doctor]:
    """Take in a hospital of so many doctors, who are booked from now on: the first days wholly, of each later one the
    first half, of those after two weeks the first two slots. Every slot is twenty minutes, from nine to five, each
    day. `mark` tells apart hospitals of a database.
    """
    place = replace(NORTH, id=f"main-{mark}", hfr_id=f"IN27100009{mark:02}", hip_id="")
    people = [
        replace(ASHA, id=f"doctor.{mark}.{n}@hpr.ndhm", name=f"Dr. Number {n}", facility=place) for n in range(doctors)
    ]
    practices = [practice(doctor, HOURS, minutes=MINUTES) for doctor in people]
    await clinic.load(f"Hospital {mark}", practices, horizon=timedelta(days=days))
    rows = list(_claims(clinic, people, days, full_days))
    for start in range(0, len(rows), _AT_ONCE):
        some = rows[start : start + _AT_ONCE]
        await clinic.database.write(lambda connection, some=some: connection.execute(insert(hold), some).rowcount)
    return people


def _claims(clinic: Clinic, people: list[Doctor], days: int, full_days: int) -> Iterator[dict[str, object]]:
    for doctor in people:
        practice_id = clinic.practice_id(doctor)
        for day in range(days):
            for number in range(A_DAY if day < full_days else _HALF_DAY if day < _BUSY_DAYS else 2):
                start = MONDAY.replace(hour=9) + timedelta(days=day, minutes=number * MINUTES)
                name = f"{practice_id}-{start:%Y%m%dT%H%M}-physical"
                yield {
                    "id": name,
                    "order_id": name,
                    "provider_id": PROVIDER,
                    "slot_id": name,
                    "seat": 0,
                    "practitioner_id": doctor.id,
                    "starts_at": start.timestamp(),
                    "ends_at": (start + timedelta(minutes=MINUTES)).timestamp(),
                    "state": BOOKED,
                    "expires_at": 0.0,
                }
