"""Two organisations on a database, what they offer, and somebody who books there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import TypeVar

from participants.demo_hospital.data import HospitalData, Practice
from participants.demo_hospital.schedule import Schedule
from participants.hospital.organisations.directory import Directory
from participants.hospital.organisations.loading import load_hospital_data
from participants.hospital.schedules import changing
from participants.hospital.schedules.facade import Schedules
from participants.hospital.schedules.hospital import DatabaseHospital
from participants.hospital.schedules.hours import read_span
from participants.hospital.schedules.loading import load_schedules
from participants.hospital.schedules.week import Week
from participants.hospital.schedules.writing import Writing, writes
from tests.api.hall import OPERATOR
from tests.booking.ward import RAVI, THREAD, Front
from uhi.booking.holds import HoldLimits
from uhi.booking.hospital import Doctor, Facility, Patient, Slot, Speciality, Window
from uhi.booking.policy import Policy
from uhi.booking.quotes import consultation_quote
from uhi.booking.reasons import Cancellation, CancelledBy
from uhi.booking.sql_bookings import SqlBookings
from uhi.booking.states import OrderState
from uhi.booking.store import Step
from uhi.messages.values import IST
from uhi.storage.sealing import Sealing
from uhi.storage.sql.database import Database
from uhi.storage.sql.storage import SqlStorage
from uhi.testing import FakeClock

T = TypeVar("T")

PROVIDER = "clinic.example"
MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=IST)
NORTH = Facility(
    id="north", name="City North", hfr_id="IN2710000101", hip_id="IN2710000101", helpline_number="1800 000 0101"
)
SOUTH = replace(NORTH, id="south", name="City South", hfr_id="IN2710000102")
ASHA = Doctor(
    id="asha.verma@hpr.ndhm",
    name="Dr. Asha Verma",
    facility=NORTH,
    price=Decimal("500.00"),
    speciality=Speciality("CARDIOLOGY", "Cardiology"),
)
NAIR = replace(ASHA, id="ravi.nair@hpr.ndhm", name="Dr. Ravi Nair")
LAKE = replace(NORTH, id="lake", name="Lake Clinic", hfr_id="IN2710000901", hip_id="IN2710000901")
JOSHI = replace(ASHA, id="leela.joshi@hpr.ndhm", name="Dr. Leela Joshi", facility=LAKE)


def practice(doctor: Doctor, hours: str, *, minutes: int = 30) -> Practice:
    """Every day the same hours."""
    schedule = Schedule(hours=((read_span(hours),),) * 7, slot_minutes=minutes)
    return Practice(doctor, schedule, consultation_quote(doctor.price))


CITY_PRACTICES = (
    practice(ASHA, "10:00-12:00"),
    practice(replace(ASHA, facility=SOUTH), "10:15-11:45"),
    practice(NAIR, "10:00-11:00"),
)
LAKE_PRACTICES = (practice(JOSHI, "10:00-12:00"),)


@dataclass
class Clinic:
    """What a process of the program has. `practices` are ids by doctor and place."""

    clock: FakeClock
    database: Database
    directory: Directory
    schedules: Schedules
    hospital: DatabaseHospital
    front: Front
    practices: dict[tuple[str, str], str] = field(default_factory=dict)
    organisations: list[str] = field(default_factory=list)

    @classmethod
    @asynccontextmanager
    async def open(
        cls, url: str, *, clock: FakeClock | None = None, sealing: Sealing | None = None
    ) -> AsyncIterator[Clinic]:
        """A process on a database that holds whatever it holds."""
        clock = clock or FakeClock(MONDAY.timestamp(), jumps=False)
        database = Database.open(url, clock=clock, during=clock.held)
        directory = Directory(database)
        schedules = Schedules(database, clock=clock, directory=directory, provider_id=PROVIDER)
        storage = SqlStorage(database, sealing or Sealing.for_development(), owner="process")
        hospital = DatabaseHospital(directory, schedules, storage, provider_id=PROVIDER, clock=clock)
        policy = Policy(holds=HoldLimits(per_patient=100, per_consumer=None))
        store = SqlBookings(storage, provider_id=PROVIDER)
        front = Front(policy=policy, store=store, ward=hospital, clock=clock)  # type: ignore[arg-type]
        try:
            yield cls(clock, database, directory, schedules, hospital, front)
        finally:
            await database.aclose()

    async def load(self, name: str, practices: Iterable[Practice], *, horizon: timedelta = timedelta(days=30)) -> None:
        """Take in an organisation."""
        data = HospitalData(name, tuple(practices), horizon=horizon)
        loaded = await load_hospital_data(self.database, data, acting=OPERATOR)
        await load_schedules(self.database, loaded.practices, horizon=data.horizon, acting=OPERATOR)
        self.organisations.append(loaded.organisation_id)
        for practice_id, each in loaded.practices.items():
            self.practices[each.doctor.id, each.doctor.facility.id] = practice_id
        await self.directory.refresh()

    def practice_id(self, doctor: Doctor = ASHA, place: Facility | None = None) -> str:
        """The id of a practice."""
        return self.practices[doctor.id, (place or doctor.facility).id]

    def slot_id(
        self, time: str, doctor: Doctor = ASHA, *, place: Facility | None = None, kind: str = "physical"
    ) -> str:
        """The id of a slot that begins at `20261123T1000`."""
        return f"{self.practice_id(doctor, place)}-{time}-{kind}"

    async def change(self, work: Callable[[Writing], T]) -> T:
        """Change schedules as the program itself."""
        return await self.database.write(writes(work, now=self.clock.now(), acting=OPERATOR))

    async def put_week(self, week: Week, doctor: Doctor = ASHA, *, seen: int = 1) -> None:
        """Put another week in the place of a practice's first one."""

        def work(writing: Writing) -> None:
            changing.put_week(writing, self.practice_id(doctor), week, seen=seen)

        await self.change(work)

    async def slots(self, doctor: Doctor = ASHA, *, days: float = 1.0) -> list[Slot]:
        """The free slots of the coming days."""
        now = datetime.fromtimestamp(self.clock.now(), IST)
        return list(await self.hospital.find_slots(doctor.id, window=Window(now, now + timedelta(days=days))))

    async def book(self, slot_id: str, patient: Patient = RAVI) -> str:
        """Book a slot as a patient does; the appointment's id."""
        hold = await self.hospital.hold(slot_id, patient=patient, until=datetime.fromtimestamp(self.clock.now(), IST))
        await self.hospital.release(hold)
        thread = replace(THREAD, transaction_id=blake2b(hold.id.encode(), digest_size=8).hexdigest())
        answer = await self.front.confirm(await self.front.offered(hold.slot, patient, thread))
        found = await self.front.store.get(answer.order.id)  # type: ignore[union-attr]
        assert found is not None
        return found.appointment_id

    async def cancelled(self, appointment_id: str, *, by: CancelledBy) -> None:
        """Call an appointment off, as the library does it."""
        await self.hospital.cancel(appointment_id, by=by, reason="R")
        store = self.front.store
        order = await store.by_appointment(appointment_id)
        assert order is not None
        over = replace(order, state=OrderState.CANCELLED, cancellation=Cancellation(by, "R"))
        await store.put(over, Step(now=datetime.fromtimestamp(self.clock.now(), IST), by="provider"))
