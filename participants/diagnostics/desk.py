"""The laboratory's own system: `uhi.booking.Hospital` over its lists, with the kept orders as its only memory.

Who may be seen is a team that takes samples, what for is a test. Nothing is written here: the store's rule that one
team has one patient on one seat at one time decides, in every process. Above: `app`; below: `labs`.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from participants.diagnostics.labs import HOME, KINDS, Labs, Offered
from participants.diagnostics.times import Times
from uhi.booking.claims import Claim
from uhi.booking.hospital import Appointment, Doctor, DoctorQuery, Hold, Patient, Slot, Window
from uhi.booking.matching import distance_km, facility_matcher, words_fit
from uhi.booking.reasons import CancelledBy
from uhi.booking.speaker import moment
from uhi.booking.store import BookingStore
from uhi.errors import SlotUnavailable, StateConflict
from uhi.messages.values import IST
from uhi.ports import Clock

HORIZON = timedelta(days=14)
_PARTS = "~"
_START = "%Y%m%dT%H%M"


class LabDesk:
    """Offers tests, finds free times, and keeps none of them itself."""

    def __init__(self, labs: Labs, *, store: BookingStore, times: Times, clock: Clock) -> None:
        self._labs = labs
        self._store = store
        self._times = times
        self._clock = clock

    async def find_doctors(self, query: DoctorQuery) -> Sequence[Doctor]:
        """Return the tests that fit, each with the team that takes its sample."""
        now = moment(self._clock)
        bookable = Window(now, now + HORIZON)
        return [
            replace(_doctor(one), id=f"{one.collection.id}{_PARTS}{one.test.code}", available=bookable)
            for one in await self._labs.offered(query.fulfilment)
            if _is_wanted(query, one) and _is_reached(query, one)
        ]

    async def find_slots(self, doctor_id: str, *, window: Window) -> Sequence[Slot]:
        """Return the free times for a test and a team that start in the window."""
        offered = await self._named(doctor_id)
        if offered is None:
            return []
        now = moment(self._clock)
        bookable = Window(max(window.start, now), min(window.end, now + HORIZON))
        taken = await self._times.taken(offered.collection.id, bookable)
        return [
            _slot(offered, time)
            for time in offered.collection.within(bookable)
            if time.start > now and _free_seats(offered, time, taken)
        ]

    async def hold(self, slot_id: str, *, patient: Patient, until: datetime) -> Hold:
        """Choose a free seat for a patient; the store decides whether it is still free when the order is kept.

        Raises: SlotUnavailable when no seat is free, or there is no such time.
        """
        named, _, start = slot_id.rpartition(_PARTS)
        offered, now = await self._named(named), moment(self._clock)
        time = offered.collection.at(_read_start(start)) if offered else None
        if offered is None or time is None or not now < time.start < now + HORIZON:
            raise SlotUnavailable("there is no such time for this test", next_step="search again")
        taken = await self._times.taken(offered.collection.id, time)
        for claim in taken:
            order = await self._store.get(claim.order_id) if claim.slot_id == slot_id else None
            if order is not None and order.patient.id == patient.id and not order.appointment_id:
                return replace(order.hold, until=max(order.hold.until, until))
        free = _free_seats(offered, time, taken)
        if not free:
            raise SlotUnavailable("every seat of this time is taken", next_step="search again")
        # Any of them: two that ask at once then mostly get different ones, and the second of one seat asks again.
        slot = replace(_slot(offered, time), seat=secrets.choice(free), seats=offered.collection.seats)
        return Hold(id=secrets.token_hex(16), slot=slot, patient=patient, until=until)

    async def release(self, hold: Hold) -> None:
        """Nothing is kept here that could be given back."""

    async def book(self, hold: Hold) -> Appointment:
        """Return the appointment of a hold; whether it may be one, the store decides."""
        return Appointment(id=f"lab-{hold.id}")

    async def cancel(self, appointment_id: str, *, by: CancelledBy, reason: str) -> None:
        """See that a sample need not be taken any more.

        Raises: StateConflict when its time has begun, or nobody knows of it.
        """
        order = await self._store.by_appointment(appointment_id)
        if order is None:
            # One that was never kept: the store gave its seat to somebody else meanwhile.
            return
        if order.cancellation is None and order.slot.start <= moment(self._clock):
            raise StateConflict("the time for the sample has begun", expected="a cancellation before its start")

    async def appointment(self, appointment_id: str) -> Appointment | None:
        """Return what the order tells."""
        order = await self._store.by_appointment(appointment_id)
        if order is None:
            return None
        return Appointment(id=appointment_id, care_context_id=order.care_context_id, cancelled=order.cancellation)

    async def _named(self, doctor_id: str) -> Offered | None:
        team, _, code = doctor_id.partition(_PARTS)
        fitting = (one for one in await self._labs.offered() if (one.collection.id, one.test.code) == (team, code))
        return next(fitting, None)


def _doctor(offered: Offered) -> Doctor:
    kind = offered.collection.kind
    return Doctor(
        id=offered.collection.id,
        name=f"{offered.test.name}, sample {KINDS[kind]}",
        facility=offered.lab,
        price=offered.test.quote(kind).total,
        speciality=offered.test.speciality,
        fulfilments=(kind,),
    )


def _slot(offered: Offered, time: Window) -> Slot:
    start = time.start.astimezone(IST).strftime(_START)
    return Slot(
        id=_PARTS.join((offered.collection.id, offered.test.code, start)),
        doctor=_doctor(offered),
        start=time.start,
        end=time.end,
        quote=offered.test.quote(offered.collection.kind),
        fulfilment=offered.collection.kind,
    )


def _free_seats(offered: Offered, time: Window, taken: Sequence[Claim]) -> list[int]:
    starts, ends = time.start.timestamp(), time.end.timestamp()
    gone = {claim.seat for claim in taken if claim.starts_at < ends and starts < claim.ends_at}
    return [seat for seat in range(offered.collection.seats) if seat not in gone]


def _is_wanted(query: DoctorQuery, offered: Offered) -> bool:
    test = offered.test
    asked = query.speciality or query.doctor
    codes = {test.code.casefold(), test.department.code.casefold()}
    texts = (test.name, test.includes, test.department.name)
    return not asked or asked.casefold() in codes or any(words_fit(asked.replace("_", " "), text) for text in texts)


def _is_reached(query: DoctorQuery, offered: Offered) -> bool:
    near, lab = query.near, offered.lab
    if offered.collection.kind == HOME and near is not None:
        # The circle's middle is where the patient is: how far the team drives decides.
        reaches = lab.point is not None and distance_km(near.centre, lab.point) <= offered.collection.reach_km
        return reaches and facility_matcher(replace(query, near=None))(lab)
    return facility_matcher(query)(lab)


def _read_start(text: str) -> datetime:
    try:
        return datetime.strptime(text, _START).replace(tzinfo=IST)
    except ValueError:
        raise SlotUnavailable("there is no such time", next_step="search again") from None
