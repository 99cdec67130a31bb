"""The seam: the seven methods that UHI asks of a hospital, told in the clinic's own words and tables.

Ids travel as text, the clinic has numbers; UHI's times have a zone, the clinic's are its wall's.
"""

import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from examples.own_hospital_system import clinic_tables as clinic
from uhi.booking import (
    Appointment,
    Cancellation,
    CancelledBy,
    Doctor,
    DoctorQuery,
    Facility,
    Hold,
    Patient,
    Slot,
    Speciality,
    Window,
    consultation_quote,
)
from uhi.booking.matching import matches
from uhi.errors import SlotUnavailable, StateConflict
from uhi.messages.values import IST

FACILITY = Facility(id="main", name="Seaside Clinic", address="4 Beach Road, Kochi", helpline_number="04842000000")
SPECIALITIES = {
    "Paediatrics": Speciality("PAEDIATRICS", "Paediatrics"),
    "Dermatology": Speciality("DERMATOLOGY", "Dermatology"),
}
_BY = {"patient": CancelledBy.PATIENT, "doctor": CancelledBy.DOCTOR}


class SeasideClinic:
    """Satisfies `uhi.booking.Hospital`. Each method is one short transaction, so it needs no thread of its own."""

    def __init__(self, tables: sqlite3.Connection, *, now: Callable[[], datetime]) -> None:
        self._tables = tables
        self._now = now

    async def find_doctors(self, query: DoctorQuery) -> Sequence[Doctor]:
        return [each for each in map(_doctor, clinic.doctors(self._tables)) if matches(query, each)]

    async def find_slots(self, doctor_id: str, *, window: Window) -> Sequence[Slot]:
        free = clinic.free_times(self._tables, hpr_address=doctor_id, now=self._now())
        return [slot for slot in map(_slot, free) if window.start <= slot.start < window.end]

    async def hold(self, slot_id: str, *, patient: Patient, until: datetime) -> Hold:
        time = clinic.time_of(self._tables, int(slot_id)) if slot_id.isdecimal() else None
        if time is None:
            raise SlotUnavailable("the rota has no such time")
        who = (patient.phone, patient.name, patient.id)
        visit_no = clinic.reserve(self._tables, int(slot_id), who, until=_wall(until), now=self._now())
        visit = clinic.visit(self._tables, visit_no)
        if visit is None:
            raise SlotUnavailable("somebody else has this time")
        kept_until = clinic.wall_time(visit["reserved_until"]).replace(tzinfo=IST)
        return Hold(id=str(visit_no), slot=_slot(time), patient=patient, until=kept_until)

    async def release(self, hold: Hold) -> None:
        clinic.release(self._tables, _number(hold.id))

    async def book(self, hold: Hold) -> Appointment:
        if not clinic.book(self._tables, _number(hold.id), now=self._now()):
            raise SlotUnavailable("the reservation is over")
        return Appointment(id=hold.id)

    async def cancel(self, appointment_id: str, *, by: CancelledBy, reason: str) -> None:
        visit = clinic.visit(self._tables, _number(appointment_id))
        time = clinic.time_of(self._tables, visit["rota_no"]) if visit else None
        if visit is None or time is None or visit["status"] not in {"BOOKED", "CANCELLED"}:
            raise StateConflict("there is no such visit")
        if visit["status"] == "BOOKED" and _slot(time).start <= self._now():
            raise StateConflict("the visit has begun")
        clinic.cancel(self._tables, visit["visit_no"], why=f"{by.value} {reason}")

    async def appointment(self, appointment_id: str) -> Appointment | None:
        visit = clinic.visit(self._tables, _number(appointment_id))
        if visit is None or visit["status"] not in {"BOOKED", "CANCELLED"}:
            return None
        by, _, reason = visit["why_cancelled"].partition(" ")
        return Appointment(id=appointment_id, cancelled=Cancellation(_BY[by], reason) if by in _BY else None)


def _doctor(row: sqlite3.Row) -> Doctor:
    return Doctor(
        id=row["hpr_address"],
        name=row["full_name"],
        facility=FACILITY,
        price=consultation_quote(Decimal(row["fee_rupees"])).total,
        speciality=SPECIALITIES.get(row["department"]),
    )


def _slot(row: sqlite3.Row) -> Slot:
    return Slot(
        id=str(row["rota_no"]),
        doctor=_doctor(row),
        start=clinic.starts_at(row).replace(tzinfo=IST),
        end=clinic.ends_at(row).replace(tzinfo=IST),
        quote=consultation_quote(Decimal(row["fee_rupees"])),
    )


def _wall(until: datetime) -> datetime:
    """The end of a reservation as the clinic keeps it: whole seconds, never fewer than were asked for."""
    return (until.astimezone(IST) + timedelta(microseconds=999_999)).replace(microsecond=0)


def _number(text: str) -> int:
    """A number of the clinic's; ids that others made up are none of them."""
    return int(text) if text.isdecimal() else 0
