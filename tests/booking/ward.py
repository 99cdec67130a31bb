"""A small hospital in memory, its people and slots, and a desk before it: what the booking tests stand on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from uhi.actions import Decline, Notice
from uhi.booking.attending import Attending
from uhi.booking.catalog import write_item
from uhi.booking.desk import Desk
from uhi.booking.discovery import Discovery
from uhi.booking.found import FoundSlot
from uhi.booking.holding import Holding
from uhi.booking.hospital import (
    Appointment,
    Doctor,
    DoctorQuery,
    Facility,
    Hold,
    Patient,
    Slot,
    Speciality,
    Window,
)
from uhi.booking.matching import matches
from uhi.booking.offers import Offer, accept, read_offer, write_init
from uhi.booking.policy import Policy
from uhi.booking.provider import ConsultationProvider
from uhi.booking.quotes import consultation_quote
from uhi.booking.reasons import CancelledBy
from uhi.booking.speaker import moment
from uhi.booking.store import BookingStore, MemoryBookings
from uhi.errors import SlotUnavailable, StateConflict
from uhi.messages import OnConfirm, OnInit, Order
from uhi.messages.values import IST, Address, Place, Point
from uhi.messages.wire import Wire
from uhi.ports import Clock, Letter
from uhi.subscribers import Role, Subscriber
from uhi.testing import FakeClock
from uhi.testing.clock import START
from uhi.verified import Thread

FACILITY = Facility(
    id="1",
    name="Example Medical Centre",
    address="Example Road, New Delhi",
    pincode="110001",
    point=Point(28.6, 77.2),
    city=Place(name="Delhi", code="011"),
    state=Place(name="DELHI", code="07"),
    hfr_id="IN2990000002",
    hip_id="IN2990000001",
    helpline_number="1800000001",
)
CARDIOLOGY = Speciality("CARDIOLOGY", "Cardiology")
ASHA = Doctor(
    id="asha.verma@hpr.ndhm",
    name="Dr. Asha Verma",
    facility=FACILITY,
    price=Decimal("500.00"),
    speciality=CARDIOLOGY,
    gender="F",
    hpr_id="71-0000-0000-0001",
    education="MBBS, MD Cardiology",
    experience="8.0",
    languages="Hindi, English",
)
REGISTERED = replace(ASHA, registration_number="MCI/1", council="Delhi Medical Council", fulfilments=("Online",))
DAY = datetime(2026, 9, 23, 10, 0, tzinfo=IST)
RAVI = Patient(
    id="ravi.kumar@sbx",
    name="Ravi Kumar",
    phone="9000000001",
    address=Address(door="B-204", city="Delhi", state="Delhi", country="INDIA", area_code="110085"),
    gender="M",
    born=date(1990, 5, 15),
    abha_number="91-0000-0000-0001",
)
MEENA = replace(RAVI, id="meena.rao@sbx", name="Meena Rao", phone="9000000002")
THREAD = Thread("nic2004:85111", "t-1", "app.example", "clinic.example", "std:011")


def slot(number: int = 0, *, doctor: Doctor = ASHA, price: str = "500") -> Slot:
    """A slot of twenty minutes, the number-th of the day."""
    start = DAY + timedelta(minutes=20 * number)
    quote = consultation_quote(Decimal(price))
    return Slot(id=f"slot-{number}", doctor=doctor, start=start, end=start + timedelta(minutes=20), quote=quote)


def found(one: Slot, thread: Thread = THREAD) -> FoundSlot:
    """A slot as a consumer finds it."""
    return FoundSlot(one, thread, write_item(one))


@dataclass
class Ward:
    """A hospital whose holds lapse by themselves when their time is over, as the port asks."""

    clock: Clock
    slots: dict[str, Slot] = field(default_factory=dict)
    doctors: list[Doctor] = field(default_factory=list)
    taken: dict[str, Hold | Appointment] = field(default_factory=dict)
    released: list[str] = field(default_factory=list)
    called_off: list[tuple[str, CancelledBy, str]] = field(default_factory=list)
    is_closed: bool = False
    count: int = 0
    booked: dict[str, Appointment] = field(default_factory=dict)

    def offer(self, *slots: Slot) -> None:
        """Put slots on offer."""
        for one in slots:
            self.slots[one.id] = one
            if one.doctor not in self.doctors:
                self.doctors.append(one.doctor)

    async def find_doctors(self, query: DoctorQuery) -> Sequence[Doctor]:
        return [doctor for doctor in self.doctors if matches(query, doctor)]

    async def find_slots(self, doctor_id: str, *, window: Window) -> Sequence[Slot]:
        return [one for one in self.slots.values() if one.doctor.id == doctor_id and self._is_free(one.id)]

    async def hold(self, slot_id: str, *, patient: Patient, until: datetime) -> Hold:
        taken = self.taken.get(slot_id)
        if isinstance(taken, Hold) and taken.patient.id == patient.id and not self._is_free(slot_id):
            held = self.taken[slot_id] = replace(taken, until=max(taken.until, until))
            return held
        if slot_id not in self.slots or not self._is_free(slot_id):
            raise SlotUnavailable("the slot is taken")
        self.count += 1
        hold = Hold(id=f"hold-{self.count}", slot=self.slots[slot_id], patient=patient, until=until)
        self.taken[slot_id] = hold
        return hold

    async def release(self, hold: Hold) -> None:
        self.released.append(hold.id)
        if getattr(self.taken.get(hold.slot.id), "id", "") == hold.id:
            del self.taken[hold.slot.id]

    async def book(self, hold: Hold) -> Appointment:
        if hold.id in self.booked:
            return self.booked[hold.id]
        if getattr(self.taken.get(hold.slot.id), "id", "") != hold.id:
            raise SlotUnavailable("the hold is gone")
        appointment = Appointment(id=f"appointment-{hold.slot.id}")
        self.taken[hold.slot.id] = self.booked[hold.id] = appointment
        return appointment

    async def cancel(self, appointment_id: str, *, by: CancelledBy, reason: str) -> None:
        if self.is_closed:
            raise StateConflict("the books are closed")
        self.called_off.append((appointment_id, by, reason))
        self.taken = {key: what for key, what in self.taken.items() if what.id != appointment_id}

    async def appointment(self, appointment_id: str) -> Appointment | None:
        known = (what for what in self.taken.values() if isinstance(what, Appointment))
        return next((what for what in known if what.id == appointment_id), None)

    def _is_free(self, slot_id: str) -> bool:
        taken = self.taken.get(slot_id)
        return taken is None or (isinstance(taken, Hold) and taken.until <= moment(self.clock))


class Voice:
    """A speaker that remembers what it told; news is told once it is posted."""

    subscriber_id = "clinic.example"

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.told: list[tuple[str, Order, Thread]] = []
        self._composed: dict[str, tuple[str, Order, Thread]] = {}

    async def compose(self, notice: Notice[Wire], message: Wire, thread: Thread) -> list[Letter]:
        letter = a_letter(f"news-{len(self._composed):03}", path=notice.leg.path, thread=thread)
        self._composed[letter.id] = (notice.leg.name, message.order, thread)  # type: ignore[attr-defined]
        return [letter]

    def post(self, letters: Sequence[Letter], *, mine: Sequence[Letter]) -> None:
        self.told.extend(self._composed[letter.id] for letter in letters)


def a_letter(name: str, *, path: str = "on_update", thread: Thread = THREAD) -> Letter:
    """A letter to a consumer."""
    to = Subscriber(thread.consumer_id, Role.CONSUMER, f"https://{thread.consumer_id}")
    return Letter(
        id=name,
        to=to,
        path=path,
        digest="",
        transaction_id=thread.transaction_id,
        message_id=name,
        deadline=START + 600,
        body=b"{}",
    )


class Front:
    """A ward with its desk: what a consumer can ask, without a network between."""

    def __init__(
        self,
        *,
        policy: Policy | None = None,
        store: BookingStore | None = None,
        ward: Ward | None = None,
        clock: FakeClock | None = None,
    ) -> None:
        self.clock = clock or FakeClock(jumps=False)
        self.ward = ward or Ward(self.clock)
        self.store = store or MemoryBookings()
        self.voice = Voice(self.clock)
        desk = Desk(hospital=self.ward, store=self.store, policy=policy or Policy(), clock=self.clock)
        self.holding = Holding(desk)
        self.attending = Attending(desk, self.voice)  # type: ignore[arg-type]
        self.discovery = Discovery(desk, name="Demo")
        self.provider = ConsultationProvider(self.ward, speaker=self.voice, store=self.store, policy=desk.policy)

    async def init(self, one: Slot, patient: Patient = RAVI, thread: Thread = THREAD) -> OnInit | Decline:
        """Ask to hold a slot."""
        return await self.holding.init(write_init(found(one), patient), thread)

    async def offered(self, one: Slot, patient: Patient = RAVI, thread: Thread = THREAD) -> Offer:
        """Hold a slot and read the offer."""
        answer = await self.init(one, patient, thread)
        assert isinstance(answer, OnInit)
        return read_offer(answer.order, found(one), patient, until=moment(self.clock), thread=thread)

    async def confirm(self, offer: Offer, **changes: object) -> OnConfirm | Decline:
        """Confirm an offer, with changes to the order where a test wants them."""
        order = accept(offer, offer.terms).model_copy(update=changes)
        return await self.holding.confirm(order, offer.thread)

    async def booked(self, one: Slot, patient: Patient = RAVI) -> Order:
        """Hold and confirm a slot; the order as confirmed."""
        answer = await self.confirm(await self.offered(one, patient))
        assert isinstance(answer, OnConfirm)
        return answer.order
