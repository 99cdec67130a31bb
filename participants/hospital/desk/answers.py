"""What the desk shows of appointments: whose, when, with whom, how far. Never a PIN.

Above: the `…_pages` modules; below: the orders the library keeps.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from uhi.api.routes import Answer
from uhi.booking.events import OrderEvent
from uhi.booking.kept import KeptOrder
from uhi.booking.pin import ATTEMPTS, Pin
from uhi.booking.reasons import Cancellation
from uhi.messages.values import IST, ONLINE


class DoctorAnswer(Answer):
    """Who sees the patient. `hpr_address` is theirs in the register, `id` that of their record here, empty for one that
    is not kept any more."""

    id: str
    hpr_address: str
    name: str


class PinAnswer(Answer):
    """How far the PIN is: `GENERATED`, `VERIFIED` or `HSPAOVERRIDE`, and how often it may still be tried."""

    status: str
    attempts_left: int
    valid_from: datetime
    valid_to: datetime
    override_reason: str


class CancellationAnswer(Answer):
    """Who called it off (`patient` or `doctor`), with which code, and in whose own words. `is_late`: with less notice
    than the facility gives itself. `offered_slot_id` is the slot kept for the patient instead, empty for none."""

    by: str
    reason: str
    text: str
    is_late: bool
    offered_slot_id: str


class AppointmentAnswer(Answer):
    """An appointment in a list. `id` is the order's, which the patient's application shows too. Times are Indian,
    `price` is in rupees. `pin` is null for one without."""

    id: str
    state: str
    start: datetime
    end: datetime
    fulfilment: str
    slot_id: str
    location_id: str
    location: str
    doctor: DoctorAnswer
    patient_name: str
    price: str
    pin: PinAnswer | None


class AppointmentList(Answer):
    """A page of appointments, by when they start; `next` is the `after` of the following page, empty where there is
    none."""

    appointments: tuple[AppointmentAnswer, ...]
    next: str


class PatientAnswer(Answer):
    """Who comes, and how they are reached. `born` is null where the application did not say."""

    abha_address: str
    name: str
    gender: str
    born: date | None
    phone: str


class ConsentAnswer(Answer):
    """Consent to be consulted online: `initiator` is `patient` for one who called in, `doctor` for one who was asked
    (`is_explicit`)."""

    initiator: str
    is_explicit: bool
    mode: str
    at: datetime
    text: str


class PresenceAnswer(Answer):
    """Who (`patient`, or a doctor's HPR address) joined the call, left it, or did not come (`absent`), and when."""

    who: str
    what: str
    at: datetime


class OnlineAnswer(Answer):
    """The log of a consultation online; `mode` is empty until it starts. `others` see the patient besides."""

    mode: str
    consents: tuple[ConsentAnswer, ...]
    presences: tuple[PresenceAnswer, ...]
    others: tuple[DoctorAnswer, ...]


class JoinAnswer(Answer):
    """The link by which a doctor joins the call, empty where none is made."""

    url: str


class EventAnswer(Answer):
    """One thing that happened to it. `by` is `consumer`, `person` or `provider` with an id, or `time`."""

    version: int
    at: datetime
    kind: str
    by: str


class AppointmentDetail(Answer):
    """Everything the desk knows of an appointment, and what happened to it, in order. `offer_for` is the order that was
    called off when this slot was kept instead, `rescheduled_to` the one that the patient booked instead. `online` is
    null for one at the facility."""

    appointment: AppointmentAnswer
    patient: PatientAnswer
    consumer_id: str
    held_until: datetime
    failure: str
    cancellation: CancellationAnswer | None
    care_context_id: str
    offer_for: str
    rescheduled_to: str
    online: OnlineAnswer | None
    history: tuple[EventAnswer, ...]


class PinChecked(Answer):
    """Whether the PIN was the right one; if not, why, what helps, and how often it may be tried again."""

    is_verified: bool
    attempts_left: int
    why: str = ""
    next_step: str = ""


def appointment_answer(order: KeptOrder, *, practitioner_id: str) -> AppointmentAnswer:
    """What a list shows; `practitioner_id` is the id of the doctor's record."""
    slot = order.slot
    facility = slot.doctor.facility
    return AppointmentAnswer(
        id=order.id,
        state=order.state.value,
        start=slot.start.astimezone(IST),
        end=slot.end.astimezone(IST),
        fulfilment=slot.fulfilment,
        slot_id=slot.id,
        location_id=facility.id,
        location=facility.name,
        doctor=DoctorAnswer(id=practitioner_id, hpr_address=slot.doctor.id, name=slot.doctor.name),
        patient_name=order.patient.name,
        price=f"{slot.price:.2f}",
        pin=None if order.pin is None else _pin(order.pin),
    )


def detail_of(order: KeptOrder, events: Sequence[OrderEvent], *, practitioner_id: str) -> AppointmentDetail:
    """What is shown of one."""
    patient, cancelled = order.patient, order.cancellation
    return AppointmentDetail(
        appointment=appointment_answer(order, practitioner_id=practitioner_id),
        patient=PatientAnswer(
            abha_address=patient.id,
            name=patient.name,
            gender=patient.gender,
            born=patient.born,
            phone=patient.phone,
        ),
        consumer_id=order.thread.consumer_id,
        held_until=order.hold.until.astimezone(IST),
        failure=order.failure.sentence if order.failure else "",
        cancellation=None if cancelled is None else _cancellation(cancelled),
        care_context_id=order.care_context_id,
        offer_for=order.offer_for,
        rescheduled_to=order.rescheduled_to,
        online=_online(order) if order.slot.fulfilment == ONLINE else None,
        history=tuple(map(_event, events)),
    )


def _cancellation(cancelled: Cancellation) -> CancellationAnswer:
    return CancellationAnswer(
        by=cancelled.by.value,
        reason=cancelled.reason,
        text=cancelled.text,
        is_late=cancelled.is_late,
        offered_slot_id=cancelled.offered_slot_id,
    )


def _pin(pin: Pin) -> PinAnswer:
    return PinAnswer(
        status=pin.status.value,
        attempts_left=max(ATTEMPTS - pin.misses, 0),
        valid_from=pin.valid_from,
        valid_to=pin.valid_to,
        override_reason=pin.override.reason.value if pin.override else "",
    )


def _online(order: KeptOrder) -> OnlineAnswer:
    return OnlineAnswer(
        mode=order.mode.value if order.mode else "",
        consents=tuple(
            ConsentAnswer(
                initiator=each.initiator.value,
                is_explicit=each.is_explicit,
                mode=each.mode.value,
                at=each.at,
                text=each.text,
            )
            for each in order.consents
        ),
        presences=tuple(PresenceAnswer(who=each.who, what=each.what.value, at=each.at) for each in order.presences),
        others=tuple(DoctorAnswer(id="", hpr_address=each.id, name=each.name) for each in order.slot.others),
    )


def _event(event: OrderEvent) -> EventAnswer:
    return EventAnswer(version=event.version, at=event.at, kind=event.kind.value, by=event.by)
