"""A consultation online while it is held: consent to it, who joined and left the call, the links by which they do.

Everything of it is an event in the order's stream. Above: `uhi.booking.provider`; beside `attending`, which starts and
ends it. Source: privacy rules "Teleconsultation" (Telemedicine Practice Guidelines 2020).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from uhi.booking.desk import Desk, consumer_of, provider_of
from uhi.booking.kept import KeptOrder
from uhi.booking.states import EventKind, OrderState, Party, step
from uhi.booking.telemedicine import (
    MOST_PRESENCES,
    PATIENT,
    Attendance,
    Consent,
    Initiator,
    Mode,
    Presence,
    now_in_call,
)
from uhi.errors import IncompleteMessage, OrderUnknown, StateConflict
from uhi.messages.values import ONLINE

AROUND = timedelta(hours=1)
"""How long before and after its slot a signal of a call counts for an order."""

_KINDS = {
    Attendance.JOINED: EventKind.JOINED,
    Attendance.LEFT: EventKind.LEFT,
    Attendance.ABSENT: EventKind.DOCTOR_ABSENT,
}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CallStep:
    """What a signal of a call says: who (`PATIENT`, or a doctor's HPR address) joined or left. `is_calling`: they call
    the others, and do not answer them."""

    who: str = field(repr=False)
    what: Attendance
    mode: Mode = Mode.VIDEO
    is_calling: bool = False


class Consulting:
    """What a desk does with consultations online."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def consent(self, appointment_id: str, mode: Mode, *, text: str = "", by: str = "") -> None:
        """Put down that the patient was asked and agreed; the same again changes nothing.

        Raises: IncompleteMessage without who took it down; OrderUnknown, StateConflict.
        """
        if not by:
            raise IncompleteMessage("consent that was asked for needs who asked", next_step="pass by=")

        def given(order: KeptOrder) -> KeptOrder:
            step(order.state, EventKind.CONSENT_GIVEN, by=Party.DESK)
            known = order.consents[-1] if order.consents else None
            if known is not None and known.is_explicit and known.mode is mode:
                return order
            consent = Consent(Initiator.DOCTOR, mode, self._desk.now(), text)
            return replace(order, consents=(*order.consents, consent))

        await self._change((await self._desk.visit(appointment_id)).id, given, by=by)

    async def attended(self, appointment_id: str, seen: CallStep, *, by: str = "") -> None:
        """Put down what the staff saw: somebody joined the call, left it, or one of several doctors did not come.

        Raises: OrderUnknown, StateConflict.
        """

        def noted(order: KeptOrder) -> KeptOrder:
            return self._with(order, seen, party=Party.DESK)

        await self._change((await self._desk.visit(appointment_id)).id, noted, by=by)

    async def signalled(self, order_id: str, seen: CallStep) -> None:
        """Put down what a signal says about the time of the appointment; whatever does not fit is left out."""

        def noted(order: KeptOrder) -> KeptOrder:
            slot, now = order.slot, self._desk.now()
            if not slot.start - AROUND <= now <= slot.end + AROUND:
                return order
            return self._with(order, seen, party=Party.CONSUMER if seen.who == PATIENT else Party.CLINICIAN)

        try:
            await self._change(order_id, noted, by="")
        except (OrderUnknown, StateConflict) as error:
            log.info("order %s: a signal of a call is not put down: %s", order_id, error.what)

    async def link(self, appointment_id: str, doctor_id: str) -> str:
        """Return the link by which a doctor joins; empty where none is made.

        Raises: OrderUnknown; StateConflict when there is no call to join, or the doctor has no part in it.
        """
        order = await self._desk.visit(appointment_id)
        _demand_online(order)
        if doctor_id not in {doctor.id for doctor in order.slot.doctors}:
            raise StateConflict("the doctor has no part in this consultation")
        if order.state not in {OrderState.CONFIRMED, OrderState.APPOINTMENT_STARTED}:
            raise StateConflict("there is no call to join", got=order.state.value)
        links = await self._desk.links(order)
        return links.doctors.get(doctor_id, "") if links else ""

    async def _change(self, order_id: str, turn: Callable[[KeptOrder], KeptOrder], *, by: str) -> None:
        async def changed() -> None:
            order = await self._desk.store.get(order_id)
            if order is None:
                raise OrderUnknown("there is no such order")
            _demand_online(order)
            fresh = turn(order)
            if fresh is not order:
                await self._desk.keep(fresh, by=by or _maker(order, fresh))

        await self._desk.in_turn(order_id, changed)

    def _with(self, order: KeptOrder, seen: CallStep, *, party: Party) -> KeptOrder:
        """The order with what somebody did in its log, unless the log says so already.

        Raises: StateConflict.
        """
        doctors = {doctor.id for doctor in order.slot.doctors}
        if seen.who not in {PATIENT, *doctors}:
            raise StateConflict("nobody of this name takes part in the consultation")
        step(order.state, _KINDS[seen.what], by=party)
        there = now_in_call(order.presences)
        if seen.what is Attendance.ABSENT:
            _demand_absent(seen.who, doctors, there)
        told = {each.who for each in order.presences if each.what is Attendance.ABSENT}
        known = told if seen.what is Attendance.ABSENT else there
        if (seen.who in known) is (seen.what is not Attendance.LEFT) or len(order.presences) >= MOST_PRESENCES:
            return order
        now = self._desk.now()
        fresh = replace(order, presences=(*order.presences, Presence(seen.who, seen.what, now)))
        if not _agrees_by_calling(order, seen, there):
            return fresh
        return replace(fresh, consents=(*order.consents, Consent(Initiator.PATIENT, seen.mode, now)))


def _demand_online(order: KeptOrder) -> None:
    if order.slot.fulfilment != ONLINE:
        raise StateConflict("the consultation is not online", got=order.slot.fulfilment, expected=ONLINE)


def _demand_absent(who: str, doctors: set[str], there: frozenset[str]) -> None:
    if who not in doctors or len(doctors) == 1:
        raise StateConflict(
            "nobody else sees the patient", expected="one of several doctors", next_step="call the appointment off"
        )
    if who in there:
        raise StateConflict("the doctor has joined the call")


def _agrees_by_calling(order: KeptOrder, seen: CallStep, there: frozenset[str]) -> bool:
    """A patient who calls in first agrees by that; one who answers the doctor's call has to have been asked."""
    is_first = seen.who == PATIENT and seen.is_calling and seen.what is Attendance.JOINED and not there
    return is_first and order.state is OrderState.CONFIRMED and not order.consents


def _maker(before: KeptOrder, after: KeptOrder) -> str:
    """Who made a change that no person of the staff made: the party whose presence it is."""
    is_patients = after.presences[len(before.presences) :][-1:] and after.presences[-1].who == PATIENT
    return consumer_of(before.thread) if is_patients else provider_of(before.thread)
