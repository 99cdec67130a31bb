"""The demo hospital's own system: the `uhi.booking.Hospital` Protocol over a file's data, appointments in memory.

No method awaits anything, so every one is a single atomic step. What it had before a restart it takes over from the
orders that were kept. Above: `app`; below: `data`, `schedule` (slots), `taken` (who has which).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from participants.demo_hospital.data import HospitalData, Practice
from participants.demo_hospital.schedule import offered
from participants.demo_hospital.taken import FOR_GOOD, Taken, TakenTimes
from participants.hospital.schedules.hours import SlotName, read_slot_id
from uhi.booking.hospital import Appointment, Doctor, DoctorQuery, Hold, Patient, Slot, Window
from uhi.booking.kept import KeptOrder
from uhi.booking.matching import matcher
from uhi.booking.reasons import Cancellation, CancelledBy
from uhi.booking.speaker import moment
from uhi.errors import SlotUnavailable, StateConflict
from uhi.ports import Clock


@dataclass(frozen=True, slots=True)
class _Booked:
    slot: Slot
    appointment: Appointment


class DemoHospital:
    """A hospital in memory: what is booked lives as long as the process, or comes back by `restore`."""

    def __init__(self, data: HospitalData, *, clock: Clock) -> None:
        self._practices = {practice.ref: practice for practice in data.practices}
        self._horizon = data.horizon
        self._clock = clock
        self._taken = TakenTimes()
        self._booked: dict[str, _Booked] = {}
        self._of_hold: dict[str, str] = {}

    def restore(self, orders: Iterable[KeptOrder]) -> None:
        """Take over what orders of an earlier life stand for: their slots, and the appointments they have."""
        for order in orders:
            if not order.appointment_id:
                self._taken.restore(order.hold.id, Taken(order.slot, order.hold.until, order.patient.id))
                continue
            appointment = Appointment(id=order.appointment_id, care_context_id=order.care_context_id)
            self._taken.restore(appointment.id, Taken(order.slot, FOR_GOOD))
            self._booked[appointment.id] = _Booked(order.slot, appointment)
            self._of_hold[order.hold.id] = appointment.id

    async def find_doctors(self, query: DoctorQuery) -> Sequence[Doctor]:
        """Return the doctors that fit and have a free slot, each with the time from the first one to the horizon."""
        now, fits = moment(self._clock), matcher(query)
        fitting = (practice for practice in self._practices.values() if fits(practice.doctor))
        found = (self._with_times(practice, now) for practice in fitting)
        # Once more, because only now the time of the query can be weighed.
        return [doctor for doctor in found if doctor is not None and fits(doctor)]

    async def find_slots(self, doctor_id: str, *, window: Window) -> Sequence[Slot]:
        """Return the free slots of a doctor at every facility that start in the window, earliest first.

        At most 14 days of the window are answered, from now on and up to the horizon.
        """
        now = moment(self._clock)
        asked = offered(window, now=now, horizon=self._horizon)
        found = [
            slot
            for practice in self._practices.values()
            if practice.doctor.id == doctor_id
            for slot in self._free(practice, asked, now)
        ]
        return sorted(found, key=lambda slot: slot.start)

    async def hold(self, slot_id: str, *, patient: Patient, until: datetime) -> Hold:
        """Keep a slot for a patient until a time; for the same patient again, the hold there is.

        Raises: SlotUnavailable when the slot is taken, overlaps another one of the doctor's that is, has begun, lies
            beyond the horizon, or does not exist.
        """
        now = moment(self._clock)
        wanted = Taken(self._named(slot_id, now), until, patient.id)
        there = self._taken.prolong(wanted, now=now)
        if there is not None:
            return Hold(id=there[0], slot=wanted.slot, patient=patient, until=there[1])
        name = secrets.token_hex(16)
        self._taken.take(name, wanted, now=now)
        return Hold(id=name, slot=wanted.slot, patient=patient, until=until)

    async def release(self, hold: Hold) -> None:
        """Free a held slot; a hold that is not there any more is no error."""
        self._taken.give_back(hold.id, hold.slot)

    async def book(self, hold: Hold) -> Appointment:
        """Turn a hold into an appointment; the same hold again returns the same appointment.

        Raises: SlotUnavailable when the hold has lapsed or is not there any more, or its appointment was called off.
        """
        known = self._booked.get(self._of_hold.get(hold.id, ""))
        if known is not None and known.appointment.cancelled is None:
            return known.appointment
        appointment = Appointment(id=secrets.token_hex(16))
        slot = self._taken.turn(hold.id, hold.slot, into=appointment.id, now=moment(self._clock))
        self._booked[appointment.id] = _Booked(slot, appointment)
        self._of_hold[hold.id] = appointment.id
        return appointment

    async def cancel(self, appointment_id: str, *, by: CancelledBy, reason: str) -> None:
        """Call an appointment off; the patient's slot is free again, the doctor's stays closed. Again: no effect.

        Raises: StateConflict when the appointment has begun, or there is none of this id.
        """
        booked = self._booked.get(appointment_id)
        if booked is None:
            raise StateConflict("there is no such appointment", next_step="pass the id that book() returned")
        if booked.appointment.cancelled is not None:
            return
        if booked.slot.start <= moment(self._clock):
            raise StateConflict("the appointment has begun", expected="a cancellation before its start")
        cancelled = replace(booked.appointment, cancelled=Cancellation(by, reason))
        self._booked[appointment_id] = replace(booked, appointment=cancelled)
        if by is CancelledBy.PATIENT:
            self._taken.give_back(appointment_id, booked.slot)

    async def appointment(self, appointment_id: str) -> Appointment | None:
        """Return what is known of an appointment, None if nothing."""
        booked = self._booked.get(appointment_id)
        return booked.appointment if booked else None

    def _with_times(self, practice: Practice, now: datetime) -> Doctor | None:
        bookable = Window(now, now + self._horizon)
        first = next(self._free(practice, bookable, now), None)
        return replace(practice.doctor, available=replace(bookable, start=first.start)) if first else None

    def _free(self, practice: Practice, window: Window, now: datetime) -> Iterator[Slot]:
        for time in practice.schedule.within(window):
            for fulfilment in practice.doctor.fulfilments:
                slot = _slot(practice, time, fulfilment)
                if time.start > now and self._taken.is_free(slot, now=now):
                    yield slot

    def _named(self, slot_id: str, now: datetime) -> Slot:
        name = read_slot_id(slot_id)
        practice = self._practices.get(name.practice) if name else None
        if name is None or practice is None or name.fulfilment not in practice.doctor.fulfilments:
            raise SlotUnavailable("there is no such slot")
        time = practice.schedule.at(name.start)
        if time is None or not now < time.start < now + self._horizon:
            raise SlotUnavailable("there is no such slot at this time", next_step="search again")
        return _slot(practice, time, name.fulfilment)


def _slot(practice: Practice, time: Window, fulfilment: str) -> Slot:
    return Slot(
        id=str(SlotName(practice.ref, time.start, fulfilment)),
        doctor=practice.doctor,
        start=time.start,
        end=time.end,
        quote=practice.quote,
        fulfilment=fulfilment,
    )
