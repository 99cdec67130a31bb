"""A hospital's own system, here a dictionary: the seven methods that UHI needs of it."""

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime

from uhi.booking import Appointment, CancelledBy, Doctor, DoctorQuery, Hold, Patient, Slot, Window
from uhi.booking.matching import matches
from uhi.errors import SlotUnavailable


class DictHospital:
    """Slots by their ids, and who has them. Nothing awaits between look and change, so two can't get one slot."""

    def __init__(self, slots: Sequence[Slot], *, now: Callable[[], datetime]) -> None:
        self.slots = {slot.id: slot for slot in slots}
        self.taken: dict[str, Hold | Appointment] = {}
        self.now = now

    async def find_doctors(self, query: DoctorQuery) -> Sequence[Doctor]:
        doctors = {slot.doctor.id: slot.doctor for slot in self.slots.values()}
        return [doctor for doctor in doctors.values() if matches(query, doctor)]

    async def find_slots(self, doctor_id: str, *, window: Window) -> Sequence[Slot]:
        return [
            slot
            for slot in self.slots.values()
            if slot.doctor.id == doctor_id and window.start <= slot.start < window.end and self.is_free(slot.id)
        ]

    async def hold(self, slot_id: str, *, patient: Patient, until: datetime) -> Hold:
        name, taken = secrets.token_hex(8), self.taken.get(slot_id)
        if isinstance(taken, Hold) and taken.patient.id == patient.id and not self.is_free(slot_id):
            name, until = taken.id, max(taken.until, until)
        elif slot_id not in self.slots or not self.is_free(slot_id):
            raise SlotUnavailable("the slot is taken, or there is none of this id")
        hold = self.taken[slot_id] = Hold(id=name, slot=self.slots[slot_id], patient=patient, until=until)
        return hold

    async def release(self, hold: Hold) -> None:
        taken = self.taken.get(hold.slot.id)
        if isinstance(taken, Hold) and taken.id == hold.id:
            del self.taken[hold.slot.id]

    async def book(self, hold: Hold) -> Appointment:
        taken = self.taken.get(hold.slot.id)
        if taken is None or taken.id != hold.id:
            raise SlotUnavailable("the slot is not held any more")
        appointment = self.taken[hold.slot.id] = Appointment(id=hold.id)
        return appointment

    async def cancel(self, appointment_id: str, *, by: CancelledBy, reason: str) -> None:
        self.taken = {slot_id: what for slot_id, what in self.taken.items() if what.id != appointment_id}

    async def appointment(self, appointment_id: str) -> Appointment | None:
        known = {what.id: what for what in self.taken.values() if isinstance(what, Appointment)}
        return known.get(appointment_id)

    def is_free(self, slot_id: str) -> bool:
        taken = self.taken.get(slot_id)
        return taken is None or (isinstance(taken, Hold) and taken.until <= self.now())
