"""The hospital's port on its own database: doctors from the directory, slots from their timetables, what is taken from
the library's claims.

It keeps nothing of holds and appointments: the library's orders do, and their constraints decide who has a slot. A hold
is a reading, so it costs no write. Above: `uhi.booking.ConsultationProvider`; below: `Schedules`, the directory.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from participants.hospital.organisations.directory import Directory
from participants.hospital.organisations.snapshot import Practice
from participants.hospital.schedules.answers import moment_of
from participants.hospital.schedules.board import Board, Place, Taken
from participants.hospital.schedules.boards import Question, read_board
from participants.hospital.schedules.calling_off import Ending, is_booked
from participants.hospital.schedules.facade import Schedules
from participants.hospital.schedules.finding import Finding, first_slots, slot_of, slots_of
from participants.hospital.schedules.hours import SlotName, read_slot_id
from participants.hospital.schedules.seats import Given, GivenSeats
from participants.hospital.schedules.timetables import Plan, refreshed, versions
from participants.hospital.schedules.week import DAY_SECONDS, Times, day_of
from uhi.booking.hospital import Appointment, Doctor, DoctorQuery, Hold, Patient, Slot, Window
from uhi.booking.intents import LONGEST_WINDOW
from uhi.booking.matching import matcher
from uhi.booking.reasons import CancelledBy
from uhi.errors import SlotUnavailable
from uhi.ports import Clock
from uhi.storage.sql.storage import SqlStorage


class _Found(NamedTuple):
    """What one reading found: the version of the directory, the timetables, who has which time."""

    directory: int
    plan: Plan
    board: Board


class DatabaseHospital:
    """`uhi.booking.Hospital` over directory and schedules, for one provider of a database.

    The orders of the provider are to be kept in the same database (`SqlBookings`): what they claim is what is taken.
    """

    def __init__(
        self, directory: Directory, schedules: Schedules, storage: SqlStorage, *, provider_id: str, clock: Clock
    ) -> None:
        self._directory = directory
        self._schedules = schedules
        self._database = storage.database
        self._provider_id = provider_id
        self._clock = clock
        self._given = GivenSeats()

    async def find_doctors(self, query: DoctorQuery) -> Sequence[Doctor]:
        """Return the doctors that fit and have a free slot in the time asked for, each with the time from the first
        one to the end of what is offered.

        Of every doctor only so many days are looked at as there are before that slot.
        """
        kind, fits, finding = query.fulfilment, matcher(query), self._finding()
        plan = (await self._read(finding, None)).plan
        places = [
            place
            for practice in finding.snapshot.practices.values()
            if kind in practice.quotes and fits(practice.doctor)
            for place in _places(practice, plan, (kind,))
        ]
        return await first_slots(finding, places, query.window)

    async def find_slots(self, doctor_id: str, *, window: Window) -> Sequence[Slot]:
        """Return the free slots of a doctor at every location that start in the window, earliest first.

        At most 14 days of the window are answered, from now on and up to the horizon.
        """
        finding = self._finding()
        practices = finding.snapshot.by_doctor.get(doctor_id, ())
        start = max(window.start, moment_of(finding.now))
        asked = Window(start, min(window.end, start + LONGEST_WINDOW))
        if not practices or asked.end <= asked.start:
            return []
        span = Times(int(asked.start.timestamp()), int(asked.end.timestamp()) + DAY_SECONDS)
        found = await self._read(finding, finding.question(practices, span))
        places = [place for practice in practices for place in _places(practice, found.plan, practice.quotes)]
        return slots_of(finding, places, found.board, asked)

    async def hold(self, slot_id: str, *, patient: Patient, until: datetime) -> Hold:
        """Name a free seat of a slot; the order that is kept with it claims it.

        The same patient's again, within seconds, gives the same.
        Raises: SlotUnavailable when every seat is taken, the doctor is taken elsewhere then, or there is no such slot
            now.
        """
        name = read_slot_id(slot_id)
        if name is None:
            raise SlotUnavailable("there is no such slot")
        finding, practice, found = await self._read_of(name)
        start = int(name.start.timestamp())
        place, times = _slot_at(_places(practice, found.plan, (name.fulfilment,)), start, finding.now)
        given = self._given.again(slot_id, patient.id, doctor=practice.doctor.id, now=finding.now)
        if given is None:
            self._given.put_on(found.board, place.doctors, now=finding.now)
            given = self._give(slot_id, place, times, board=found.board, patient=patient)
        slot = _with_capacity(slot_of(place, times, seat=given.taken.seat), place, times)
        return Hold(id=given.hold_id, slot=slot, patient=patient, until=until)

    async def release(self, hold: Hold) -> None:
        """Nothing is kept of a hold but that its seat was given out a moment ago."""
        self._given.forget(hold.id)

    async def book(self, hold: Hold) -> Appointment:
        """Return the appointment of a hold: the order that is kept with it is what books the slot.

        What a hold promised is kept where hours or fees have changed since; such an appointment needs attention.
        Raises: SlotUnavailable when the hold is over, and nothing was booked with it; when whoever was to see the
            patient cannot be booked there any more.
        """
        name = read_slot_id(hold.slot.id)
        practice = self._directory.snapshot.practices.get(name.practice) if name else None
        if name is None or practice is None or name.fulfilment not in practice.quotes:
            raise SlotUnavailable("the doctor cannot be booked there any more", next_step="search again")
        is_over = hold.until.timestamp() <= self._clock.now()
        if is_over and await self.appointment(hold.id) is None:
            raise SlotUnavailable("the hold is over", next_step="hold the slot again")
        return Appointment(id=hold.id)

    async def cancel(self, appointment_id: str, *, by: CancelledBy, reason: str) -> None:
        """Call an appointment off: by the doctor its seat is closed, by the patient free once the order says so.

        The doctor's may come before or after the order says so. One that no order has is left alone, again has no
        effect; `reason` is kept with the order.
        Raises: StateConflict when the consultation has begun; for a patient, when its time has come.
        """
        ending = Ending(appointment_id, self._provider_id, by, self._clock.now())
        if by is CancelledBy.PATIENT:
            await self._database.read(ending.check)
        else:
            await self._database.write(ending.close)
        self._given.forget(appointment_id)

    @asynccontextmanager
    async def calling_off(self, appointment_id: str) -> AsyncIterator[None]:
        """Around what calls an appointment off for the facility: its seat is closed before, so that nobody gets it in
        between, and open again where the appointment stands after all.

        Where the process dies in between, the appointment stands with its seat closed and is listed among those that
        need attention; calling it off once more is all there is to do.
        Raises: StateConflict when the consultation has begun.
        """
        ending = Ending(appointment_id, self._provider_id, CancelledBy.DOCTOR, self._clock.now())
        was_open, is_off = await self._database.write(ending.close), False
        try:
            yield
            is_off = True
        finally:
            if was_open and not is_off:
                await self._database.write(ending.stand)
        self._given.forget(appointment_id)

    async def appointment(self, appointment_id: str) -> Appointment | None:
        """Return an appointment that an order has, None for any other; what became of it, the order knows."""
        is_known = await self._database.read(
            lambda connection: is_booked(connection, appointment_id, provider_id=self._provider_id)
        )
        return Appointment(id=appointment_id) if is_known else None

    def _give(self, slot_id: str, place: Place, times: Times, *, board: Board, patient: Patient) -> Given:
        seat = board.free_seat(place, times)
        if seat is None:
            raise SlotUnavailable("every seat of the slot is taken, or its doctor is elsewhere then")
        given = Given(
            hold_id=secrets.token_hex(16),
            slot_id=slot_id,
            doctors=place.doctors,
            taken=Taken(times, seat, place.practice.id, is_booked=False),
            patient_id=patient.id,
            at=self._clock.now(),
        )
        self._given.give(given)
        return given

    async def _read_of(self, name: SlotName) -> tuple[Finding, Practice, _Found]:
        """What there is of a slot, as the newest directory has it: in one reading, as long as nothing changed."""
        start = int(name.start.timestamp())
        while True:
            finding = self._finding()
            practice = finding.snapshot.practices.get(name.practice)
            if practice is None or name.fulfilment not in practice.quotes:
                if await self._directory.refresh() is finding.snapshot:
                    raise SlotUnavailable("there is no such slot")
                continue
            asked = finding.question([practice], Times(start, start + DAY_SECONDS))
            found = await self._read(finding, asked)
            if found.directory == finding.snapshot.version:
                return finding, practice, found
            await self._directory.refresh()

    async def _read(self, finding: Finding, asked: Question | None) -> _Found:
        """The plan as it is now, and what is asked about claims, in one reading."""
        plan, now = self._schedules.plan, finding.now

        def query(connection: Connection) -> _Found:
            # Claims first: what the facility calls off meanwhile is then still claimed, or closed already.
            board = read_board(connection, asked) if asked else Board()
            directory, version = versions(connection)
            return _Found(directory, refreshed(connection, plan, version=version, now=now), board)

        found = await self._database.read(query)
        self._schedules.take(found.plan)
        return found

    def _finding(self) -> Finding:
        return Finding(
            database=self._database,
            provider_id=self._provider_id,
            snapshot=self._directory.snapshot,
            now=self._clock.now(),
        )


def _places(practice: Practice, plan: Plan, kinds: Iterable[str]) -> list[Place]:
    timetable = plan.timetables.get(practice.id)
    return [Place.of(practice, timetable, kind) for kind in kinds] if timetable else []


def _with_capacity(slot: Slot, place: Place, times: Times) -> Slot:
    """The slot with how many seats there are, of it and of its day."""
    seats, of_day = place.timetable.week.seats, place.timetable.on(day_of(times.start), place.kind)
    return replace(slot, seats=seats, day_capacity=seats * len(of_day))


def _slot_at(places: Sequence[Place], start: int, now: float) -> tuple[Place, Times]:
    for place in places:
        times, offered = place.timetable.at(start, place.kind), place.timetable.week.offered(now)
        if times is not None and offered.start <= times.start < offered.end:
            return place, times
    raise SlotUnavailable("there is no such slot at this time", next_step="search again")
