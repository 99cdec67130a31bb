"""From a held slot to an appointment: confirm books what init held, or what is still free at the same price.

The hospital decides who gets a slot and the store agrees; nothing here checks first and acts later. Above:
`uhi.booking.holding`. Source: NHA Physical Consultation v2.0, confirm; decisions 34 and 35.
"""

from __future__ import annotations

import secrets
from dataclasses import replace

from uhi.actions import Decline
from uhi.booking.desk import Desk, consumer_of, provider_of
from uhi.booking.holds import CLAIM, Finding, find, is_bookable
from uhi.booking.hospital import Hold
from uhi.booking.kept import KeptOrder
from uhi.booking.orders import agreed_terms, demand_agreed
from uhi.booking.pin import new_pin
from uhi.booking.reasons import CancelledBy, DoctorReason
from uhi.booking.releasing import Releasing
from uhi.booking.states import EventKind, OrderState, Party, step
from uhi.booking.store import Written
from uhi.errors import SlotUnavailable
from uhi.faults import ANSWER_FAILED, ORDER_UNKNOWN, SLOT_UNAVAILABLE
from uhi.messages import OnConfirm, Order
from uhi.messages.values import ONLINE, PHYSICAL
from uhi.verified import Thread


class _Gone(Exception):
    """The slot cannot be had at all, on no seat."""


class Confirming:
    """What a desk does with confirmations."""

    def __init__(self, desk: Desk, releasing: Releasing) -> None:
        self._desk = desk
        self._releasing = releasing

    async def confirm(self, order: Order, thread: Thread) -> OnConfirm | Decline:
        """Book what is held; an order that was answered before gets the same answer, PIN included."""

        async def confirmed() -> OnConfirm | Decline:
            kept = await self._desk.known(order.id, thread)
            if kept is None:
                return Decline(ORDER_UNKNOWN)
            finding = find(kept.state, kept.hold.until, now=self._desk.now())
            if finding is Finding.ANSWERED:
                return await self._answer(kept)
            refused = demand_agreed(order, kept)
            if refused is not None:
                return refused
            return await self._answer(await self._booked(agreed_terms(order, kept), finding))

        return await self._desk.in_turn(order.id, confirmed)

    async def _booked(self, order: KeptOrder, finding: Finding) -> KeptOrder:
        """Return the order as CONFIRMED, or as FAILED where the slot is gone."""
        try:
            if finding is Finding.LAPSED:
                order = await self._releasing.expired(order)
                order = await self._claimed(order)
            return await self._book(order)
        except SlotUnavailable:
            # `order` is as it was kept last: expired, perhaps claimed.
            state = step(order.state, EventKind.FAILED, by=Party.SYSTEM)
            failed = replace(order, state=state, failure=SLOT_UNAVAILABLE)
            return await self._desk.keep(failed, by=provider_of(order.thread))

    async def _claimed(self, order: KeptOrder) -> KeptOrder:
        """Take the slot once more for a confirmation that comes after the hold, at the same price or not at all."""
        desk, slot = self._desk, order.slot
        held: list[Hold] = []

        async def ask() -> Hold:
            if not is_bookable(slot.start, now=desk.now()):
                raise _Gone
            held.append(await desk.hospital.hold(slot.id, patient=order.patient, until=desk.now() + CLAIM))
            return held[-1]

        async def keep(hold: Hold) -> Written:
            if hold.slot.price != slot.price:
                raise _Gone
            again = replace(hold, patient=order.patient, until=desk.now() + CLAIM)
            return await desk.write(replace(order, hold=again), by=consumer_of(order.thread))

        try:
            return await self._releasing.seated(ask, keep)
        except _Gone:
            raise SlotUnavailable("the slot is in the past, or has another price now") from None
        except SlotUnavailable:
            if held:
                raise
            # It may be this order's own: booked by an earlier confirmation that could not be kept.
            return order

    async def _book(self, order: KeptOrder) -> KeptOrder:
        desk = self._desk
        appointment = await desk.hospital.book(order.hold)
        booked = replace(
            order,
            state=step(order.state, EventKind.CONFIRMED, by=Party.SYSTEM),
            appointment_id=appointment.id,
            pin=new_pin(order.slot.start) if order.slot.fulfilment == PHYSICAL else None,
            room=secrets.token_hex(16) if order.slot.fulfilment == ONLINE else "",
        )
        try:
            return await desk.keep(booked, by=provider_of(order.thread))
        except SlotUnavailable:
            # Another order took the slot while the hospital was booking past the end of the hold.
            await desk.hospital.cancel(
                appointment.id, by=CancelledBy.DOCTOR, reason=DoctorReason.TECHNICAL_SYSTEM_ISSUE.value
            )
            raise

    async def _answer(self, order: KeptOrder) -> OnConfirm | Decline:
        message = OnConfirm(order=await self._desk.written(order))
        if order.state is OrderState.FAILED:
            return Decline(order.failure or ANSWER_FAILED, message=message)
        return message
