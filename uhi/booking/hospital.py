"""The seam to a hospital's own system: the Protocol an embedding team implements, and the values it speaks in.

Above: `uhi.booking.provider`, which does the rest of UHI. The same values are what a consumer reads from a catalogue.
Times are aware datetimes, money is Decimal rupees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from uhi.booking.quotes import Quote
from uhi.booking.reasons import Cancellation, CancelledBy
from uhi.messages.values import PHYSICAL, Address, Circle, Place, Point


@dataclass(frozen=True, slots=True)
class Window:
    """From `start` to `end`, aware."""

    start: datetime
    end: datetime

    def overlaps(self, other: Window) -> bool:
        """Whether the two have a moment in common."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Facility:
    """A hospital or clinic. `hfr_id` and `hip_id` are its numbers in the registers of facilities and record keepers."""

    id: str
    name: str
    short_desc: str = ""
    long_desc: str = ""
    address: str = ""
    pincode: str = ""
    point: Point | None = None
    city: Place | None = None
    district: Place | None = None
    state: Place | None = None
    hfr_id: str = ""
    hip_id: str = ""
    helpline_number: str = ""


@dataclass(frozen=True, slots=True)
class Speciality:
    """A field of medicine (`CARDIOLOGY`, Cardiology) and the system of medicine it belongs to."""

    code: str
    name: str
    system_code: str = "ALLOPATHY"
    system_name: str = "Allopathy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doctor:
    """A doctor at one facility. `id` is the HPR address (`asha.verma@hpr.ndhm`), `hpr_id` the number behind it.

    `price` is the total payable for a consultation; `available` the time in which there may be slots, None if unknown.
    `registration_number` is the doctor's with the medical `council`: an online consultation may not be offered without.
    `image` is a picture, base64.
    """

    id: str
    name: str
    facility: Facility
    price: Decimal
    speciality: Speciality | None = None
    gender: str = ""
    hpr_id: str = ""
    education: str = ""
    experience: str = ""
    languages: str = ""
    registration_number: str = ""
    council: str = ""
    image: str = field(default="", repr=False)
    fulfilments: tuple[str, ...] = (PHYSICAL,)
    available: Window | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A time in which a doctor can see one patient. `seat` tells apart slots a doctor offers side by side.

    `seats` is how many there are: where another patient got this one, the hospital is asked for the slot again.
    `others` are the doctors who take part besides, in a consultation online of several: it takes the time of each.
    `day_capacity` is how many slots the doctor's day has in all, free or not, 0 where the hospital does not say: no
    consumer may hold more than a share of them.
    """

    id: str
    doctor: Doctor
    start: datetime
    end: datetime
    quote: Quote
    fulfilment: str = PHYSICAL
    seat: int = 0
    seats: int = field(default=1, compare=False)
    others: tuple[Doctor, ...] = ()
    day_capacity: int = field(default=0, compare=False)

    @property
    def price(self) -> Decimal:
        """The total payable."""
        return self.quote.total

    @property
    def window(self) -> Window:
        """When it is."""
        return Window(self.start, self.end)

    @property
    def doctors(self) -> tuple[Doctor, ...]:
        """Everybody who sees the patient, the one it is booked with first."""
        return (self.doctor, *self.others)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardian:
    """The adult who answers for a minor: who they are to them, and a phone number or an ABHA address."""

    name: str = field(repr=False)
    relation: str = field(repr=False)
    phone: str = field(default="", repr=False)
    abha_address: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """Who comes. `id` is the ABHA address, `phone` has ten digits. Nothing of it shows in a repr.

    `birth_year` stands where no more than that is known. A minor needs a `guardian` to be seen online.
    """

    id: str = field(repr=False)
    name: str = field(repr=False)
    phone: str = field(repr=False)
    address: Address = field(repr=False)
    email: str = field(default="", repr=False)
    gender: str = field(default="", repr=False)
    born: date | None = field(default=None, repr=False)
    abha_number: str = field(default="", repr=False)
    birth_year: int | None = field(default=None, repr=False)
    guardian: Guardian | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorQuery:
    """What a patient looks for. Filters combine; an empty one does not restrict.

    `doctor` is a name or a part of it, `hpr` an HPR address or number, `speciality` a code or name, `near` a circle.
    """

    doctor: str = ""
    hpr: str = ""
    speciality: str = ""
    facility: str = ""
    city: Place | None = None
    district: Place | None = None
    state: Place | None = None
    pincode: str = ""
    near: Circle | None = None
    fulfilment: str = PHYSICAL
    window: Window | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A slot kept for a patient until a time. `id` is the hospital's own name for it."""

    id: str
    slot: Slot
    patient: Patient = field(repr=False)
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """What the hospital's own system knows of a booked slot. `cancelled` is set once it is called off there."""

    id: str
    care_context_id: str = ""
    cancelled: Cancellation | None = None


class Hospital(Protocol):
    """What a hospital's own system is asked and told; everything else of UHI is the library's work.

    These methods do not tell the news (`started`, `cancelled`, …) themselves: the order they are called for is taken.
    """

    async def find_doctors(self, query: DoctorQuery) -> Sequence[Doctor]:
        """Return the doctors a patient may be shown; `uhi.booking.matching.matches` weighs one against a query."""

    async def find_slots(self, doctor_id: str, *, window: Window) -> Sequence[Slot]:
        """Return the free slots of a doctor that start in the window; none for an unknown doctor.

        A slot whose hold has passed its `until` is free.
        """

    async def hold(self, slot_id: str, *, patient: Patient, until: datetime) -> Hold:
        """Keep a slot for a patient until a time, in one atomic step: of two askers one gets it.

        The same patient's again (by `Patient.id`) gives the hold there is, until prolonged to `until`: who asks again
        has not learnt of it, because a process died or an answer was lost. A hold is never shortened.
        Raises: SlotUnavailable when another patient holds it, or it is booked or unknown.
        """

    async def release(self, hold: Hold) -> None:
        """Free a held slot; a hold that is not there any more is no error.

        May come long after the hold has lapsed, or not at all: a lapsed hold is free by itself.
        """

    async def book(self, hold: Hold) -> Appointment:
        """Turn a hold into an appointment; the same hold again returns the same appointment, however late.

        It is asked again where the answer was lost on its way.
        Raises: SlotUnavailable when the slot is not held by this hold any more and was not booked with it.
        """

    async def cancel(self, appointment_id: str, *, by: CancelledBy, reason: str) -> None:
        """Call an appointment off and free or close its slot; `reason` is a code, perhaps unknown. Again: no effect.

        Raises: StateConflict when it cannot be called off any more.
        """

    async def appointment(self, appointment_id: str) -> Appointment | None:
        """Return what is known of an appointment, None if nothing."""
