"""From a free slot to an appointment: init holds, confirm books, time releases.

The hospital decides who gets a slot and the store agrees; nothing here checks first and acts later.
Above: `uhi.booking.provider`. Source: NHA Physical Consultation v2.0, init and confirm; decisions 34 and 35.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from uhi.actions import Decline
from uhi.booking.desk import Desk
from uhi.booking.holds import CLAIM, Finding, check_limits, find, hold_until, is_bookable, is_live
from uhi.booking.hospital import Hold, Patient
from uhi.booking.orders import (
    agreed_terms,
    demand_agreed,
    demand_offered,
    demand_one_slot,
    demand_payment,
    write_full,
    write_offer,
)
from uhi.booking.patients import read_patient
from uhi.booking.pin import new_pin
from uhi.booking.reasons import CancelledBy, DoctorReason
from uhi.booking.states import OrderState, Via, transition
from uhi.booking.store import KeptOrder
from uhi.errors import ANSWER_FAILED, ORDER_UNKNOWN, SLOT_UNAVAILABLE, SlotUnavailable
from uhi.messages import OnConfirm, OnInit, Order
from uhi.messages.values import PHYSICAL
from uhi.subscribers import Role
from uhi.verified import Thread


class Holding:
    """The first half of a provider's bookings."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def init(self, order: Order, thread: Thread) -> OnInit | Decline:
        """Hold a slot for a patient; the same patient, transaction and slot again get the hold they have."""
        await self.release_lapsed()
        patient = read_patient(order)
        if patient is None:
            return Decline(ANSWER_FAILED, "message.order.customer.id is missing.")
        refused = demand_one_slot(order)
        if refused is not None:
            return refused
        async with self._desk.turns.of(f"patient {patient.id}"):
            kept = await self._held(order, patient, thread)
        return kept if isinstance(kept, Decline) else OnInit(order=write_offer(kept))

    async def confirm(self, order: Order, thread: Thread) -> OnConfirm | Decline:
        """Book what is held; an order that was answered before gets the same answer, PIN included."""
        await self.release_lapsed()
        async with self._desk.turn(order.id):
            kept = await self._desk.known(order.id, thread)
            if kept is None:
                return Decline(ORDER_UNKNOWN)
            finding = find(kept.state, kept.hold.until, now=self._desk.now())
            if finding is Finding.ANSWERED:
                return self._answer(kept)
            refused = demand_agreed(order, kept)
            if refused is not None:
                return refused
            return self._answer(await self._booked(agreed_terms(order, kept), finding))

    async def release_lapsed(self) -> None:
        """Give back every slot whose hold is over; one whose confirmation is under way is left to that."""
        async with self._desk.turns.of("lapsed holds"):
            for order in await self._desk.store.lapsed(now=self._desk.now()):
                turn = self._desk.turn(order.id)
                if not turn.locked():
                    async with turn:
                        await self._expire(order.id)

    async def _held(self, order: Order, patient: Patient, thread: Thread) -> KeptOrder | Decline:
        desk, now = self._desk, self._desk.now()
        slot_id = (order.fulfillment.id if order.fulfillment else None) or ""
        of_patient = await desk.store.live_holds(now=now, patient_id=patient.id)
        for held in of_patient:
            same = (held.slot.id, held.thread.consumer_id, held.thread.transaction_id)
            if same == (slot_id, thread.consumer_id, thread.transaction_id):
                return held
        try:
            await self._check_limits(of_patient, thread, now)
        except SlotUnavailable as error:
            return Decline(SLOT_UNAVAILABLE, str(error))
        try:
            hold = await desk.hospital.hold(slot_id, patient=patient, until=hold_until(now))
        except SlotUnavailable:
            return Decline(SLOT_UNAVAILABLE)
        return await self._kept(order, replace(hold, patient=patient, until=hold_until(now)), thread)

    async def _kept(self, order: Order, hold: Hold, thread: Thread) -> KeptOrder | Decline:
        """Keep the order of a fresh hold, or give the slot back where it is not what was asked for."""
        now, slot = self._desk.now(), hold.slot
        refused = demand_offered(order, slot) or demand_payment(order, slot)
        if not is_bookable(slot.start, now=now) or slot.fulfilment not in self._desk.policy.fulfilments:
            refused = Decline(SLOT_UNAVAILABLE)
        kept = KeptOrder(
            id=secrets.token_hex(16),
            state=OrderState.HELD,
            thread=thread,
            hold=hold,
            terms=tuple(self._desk.policy.terms(slot)),
            billing=order.billing,
            customer=order.customer,
        )
        if refused is None:
            try:
                await self._desk.store.put(kept, now=now)
            except SlotUnavailable:
                refused = Decline(SLOT_UNAVAILABLE)
        if refused is not None:
            await self._desk.hospital.release(hold)
        return refused or kept

    async def _check_limits(self, of_patient: Sequence[KeptOrder], thread: Thread, now: datetime) -> None:
        limits = self._desk.policy.holds
        of_consumer = 0
        if limits.per_consumer is not None:
            of_consumer = len(await self._desk.store.live_holds(now=now, consumer_id=thread.consumer_id))
        check_limits(limits, of_patient=len(of_patient), of_consumer=of_consumer)

    async def _booked(self, order: KeptOrder, finding: Finding) -> KeptOrder:
        """Return the order as CONFIRMED, or as FAILED where the slot is gone."""
        try:
            claimed = await self._claimed(order) if finding is Finding.LAPSED else order
            return await self._book(claimed)
        except SlotUnavailable:
            failed = replace(order, state=_next(order, OrderState.FAILED), failure=SLOT_UNAVAILABLE)
            await self._desk.store.put(failed, now=self._desk.now())
            return failed

    async def _claimed(self, order: KeptOrder) -> KeptOrder:
        """Take the slot once more for a confirmation that comes after the hold, at the same price or not at all."""
        desk = self._desk
        expired = await self._expire(order.id) or order
        now, slot = desk.now(), order.slot
        if not is_bookable(slot.start, now=now):
            raise SlotUnavailable("the slot is in the past")
        hold = await desk.hospital.hold(slot.id, patient=order.patient, until=now + CLAIM)
        claimed = replace(order, state=expired.state, hold=replace(hold, patient=order.patient, until=now + CLAIM))
        try:
            if hold.slot.price != slot.price:
                raise SlotUnavailable("the slot has another price now")
            await desk.store.put(claimed, now=now)
        except SlotUnavailable:
            await desk.hospital.release(hold)
            raise
        return claimed

    async def _book(self, order: KeptOrder) -> KeptOrder:
        desk = self._desk
        try:
            appointment = await desk.hospital.book(order.hold)
        except SlotUnavailable:
            await desk.hospital.release(order.hold)
            raise
        booked = replace(
            order,
            state=_next(order, OrderState.CONFIRMED),
            appointment_id=appointment.id,
            pin=new_pin(order.slot.start) if order.slot.fulfilment == PHYSICAL else None,
        )
        try:
            await desk.store.put(booked, now=desk.now())
        except SlotUnavailable:
            # Another order took the slot while the hospital was booking past the end of the hold.
            await desk.hospital.cancel(
                appointment.id, by=CancelledBy.DOCTOR, reason=DoctorReason.TECHNICAL_SYSTEM_ISSUE.value
            )
            raise
        return booked

    async def _expire(self, order_id: str) -> KeptOrder | None:
        """Move an order whose hold is over to EXPIRED and free its slot; the caller has its turn."""
        now = self._desk.now()
        order = await self._desk.store.get(order_id)
        if order is None or order.state is not OrderState.HELD or is_live(order.hold.until, now=now):
            return order
        state = transition(order.state, OrderState.EXPIRED, by=Role.PROVIDER, via=Via.HOLD)
        expired = replace(order, state=state)
        await self._desk.store.put(expired, now=now)
        await self._desk.hospital.release(order.hold)
        return expired

    def _answer(self, order: KeptOrder) -> OnConfirm | Decline:
        message = OnConfirm(order=write_full(order, self._desk.policy))
        if order.state is OrderState.FAILED:
            return Decline(order.failure or ANSWER_FAILED, message=message)
        return message


def _next(order: KeptOrder, target: OrderState) -> OrderState:
    return transition(order.state, target, by=Role.PROVIDER, via=Via.ON_CONFIRM)
