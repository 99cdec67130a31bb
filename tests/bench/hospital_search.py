"""Both searches at a hospital with many doctors and slots for weeks, many of them booked: from the intent to the
JSON.

In this process, on one database, nobody else asking: what a search costs, not how many there are a second.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from tests.bench.databases import Databases
from tests.booking.ward import THREAD
from tests.participants.hospital.schedules.clinic import MONDAY, Clinic
from tests.participants.hospital.schedules.crowd import gather
from uhi import strict_json
from uhi.booking.hospital import DoctorQuery, Window
from uhi.booking.intents import write_search, write_slots
from uhi.messages import OnSearch, SlotsFound
from uhi.messages.values import Provider
from uhi.messages.wire import emit

DOCTORS, DAYS = 200, 60
FIRST_MS, SECOND_MS = 100.0, 50.0
_ROUNDS = 15


@dataclass(frozen=True, slots=True)
class Searched:
    """Median milliseconds of a search by the clock and of a processor, and how many entries its answer has."""

    milliseconds: float
    processor: float
    entries: int


@dataclass(frozen=True, slots=True)
class HospitalSearches:
    """A first search that every doctor fits, one that a single one fits, and a second for two weeks of that one."""

    everybody: Searched
    one: Searched
    slots: Searched


async def weigh_hospital_search(
    where: Databases, name: str, *, doctors: int = DOCTORS, days: int = DAYS
) -> HospitalSearches:
    """Measure the searches at a hospital of so many doctors who can be booked for so many days."""
    kept = await where.fresh(name)
    async with Clinic.open(kept.database) as clinic:
        people = await gather(clinic, doctors=doctors, days=days, full_days=0)
        window = Window(MONDAY, MONDAY + timedelta(days=days))
        discovery = clinic.front.discovery

        def first(query: DoctorQuery) -> Callable[[], Awaitable[OnSearch | None]]:
            search = write_search(query, window)
            return lambda: discovery.doctors(search.intent, THREAD)

        everybody = await _timed(first(DoctorQuery()))
        one = await _timed(first(DoctorQuery(hpr=people[0].id)))
        found = await first(DoctorQuery(hpr=people[0].id))()
        [offered] = (found and found.catalog and found.catalog.providers) or [Provider()]
        slots = write_slots(offered, Window(MONDAY, MONDAY + timedelta(days=14)))
        return HospitalSearches(everybody, one, await _timed(lambda: discovery.slots(slots.intent, THREAD)))


async def show_hospital_search(where: Databases, row: Callable[[str, str, str], None]) -> None:
    """Measure on every database there is, and tell; twice as far ahead is to cost the same."""
    print(f"\nSearches at a hospital of {DOCTORS} doctors, {DAYS} days of 24 slots each, half of two weeks booked")
    for name in where.names:
        near = await weigh_hospital_search(where, name)
        far = await weigh_hospital_search(where, name, days=DAYS * 2)
        for what, one, other, most in (
            ("first search, every doctor", near.everybody, far.everybody, FIRST_MS),
            ("first search, one doctor", near.one, far.one, FIRST_MS),
            ("second search, 14 days", near.slots, far.slots, SECOND_MS),
        ):
            held = "held" if one.milliseconds <= most else "MISSED"
            figure = f"{one.milliseconds:.1f} ms, {one.processor:.1f} of a processor"
            ratio = f"; {one.entries} entries; {DAYS * 2} days: {other.processor / one.processor:.2f} of the processor"
            row(f"{name}: {what}", figure, f"target ≤ {most:g} ms: {held}{ratio}")


async def _timed(search: Callable[[], Awaitable[OnSearch | SlotsFound | None]]) -> Searched:
    took, worked, entries = [], [], 0
    for _ in range(_ROUNDS):
        started, began = time.perf_counter(), time.process_time()
        answer = await search()
        raw = strict_json.write({"message": emit(answer)}) if answer is not None else b""
        took.append((time.perf_counter() - started) * 1e3)
        worked.append((time.process_time() - began) * 1e3)
        entries = raw.count(b'"fulfillment_id"')
    return Searched(median(took), median(worked), entries)
