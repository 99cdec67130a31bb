"""From a free slot to a hold: init holds, a slot that is offered instead of another is held too, time releases.

The hospital decides who gets a slot and the store agrees; nothing here checks first and acts later.
Above: `uhi.booking.provider`. Source: NHA Physical Consultation v2.0, init; decisions 34 and 38.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

from uhi.actions import Decline
from uhi.booking.asking import Asking, Askings
from uhi.booking.confirming import Confirming
from uhi.booking.desk import Desk, consumer_of
from uhi.booking.holds import check_day, check_limits, hold_until, is_bookable
from uhi.booking.hospital import Hold, Patient, Slot
from uhi.booking.kept import KeptOrder
from uhi.booking.orders import demand_allowed_online, demand_offered, demand_one_slot, demand_payment, write_offer
from uhi.booking.patients import read_patient
from uhi.booking.releasing import Releasing
from uhi.booking.states import OrderState
from uhi.booking.store import Written
from uhi.errors import SlotUnavailable
from uhi.faults import ANSWER_FAILED, SLOT_UNAVAILABLE
from uhi.messages import OnConfirm, OnInit, Order
from uhi.messages.values import IST
from uhi.verified import Thread


class _Refused(Exception):
    """A slot that was held is not the one asked for, or none that may be booked."""

    def __init__(self, decline: Decline) -> None:
        super().__init__(decline.outcome.code)
        self.decline = decline


class Holding:
    """The first half of a provider's bookings."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._releasing = Releasing(desk)
        self._confirming = Confirming(desk, self._releasing)
        self._askings = Askings()

    async def init(self, order: Order, thread: Thread) -> OnInit | Decline:
        """Hold a slot for a patient; the same patient, transaction and slot again get the hold they have."""
        patient = read_patient(order)
        if patient is None:
            return Decline(ANSWER_FAILED, "message.order.customer.id is missing.")
        refused = demand_one_slot(order)
        if refused is not None:
            return refused
        async with self._patients_turn(thread, patient):
            try:
                with self._askings.one_of(thread.consumer_id) as asking:
                    kept = await self._held(order, patient, thread, asking)
            except _Refused as stopped:
                return stopped.decline
            except SlotUnavailable:
                return Decline(SLOT_UNAVAILABLE)
        return OnInit(order=write_offer(kept))

    async def confirm(self, order: Order, thread: Thread) -> OnConfirm | Decline:
        """Book what is held; an order that was answered before gets the same answer, PIN included."""
        return await self._confirming.confirm(order, thread)

    async def release_lapsed(self) -> None:
        """Give back every slot whose hold is over; one whose confirmation is under way is left to that."""
        await self._releasing.release_lapsed()

    async def reserve(self, order: KeptOrder, slot_id: str, *, by: str) -> KeptOrder:
        """Hold a slot for the patient of an order that the facility calls off, for longer than an init would, and never
        past the slot: only that patient's init, through the same consumer, gets it. Again: the hold there is.

        Raises: SlotUnavailable.
        """
        desk, thread, patient = self._desk, order.thread, order.patient
        until = desk.now() + desk.policy.offer_hold

        async def ask() -> Hold:
            return await desk.hospital.hold(slot_id, patient=patient, until=until)

        async def keep(hold: Hold) -> Written:
            self._demand_bookable(hold.slot)
            self._demand_online(hold.slot, patient)
            offered = replace(hold, patient=patient, until=min(until, hold.slot.start))
            kept = replace(self._new(offered, thread), billing=order.billing, customer=order.customer)
            return await desk.write(replace(kept, offer_for=order.id), by=by)

        async with self._patients_turn(thread, patient):
            for held in await self._of_consumer(thread):
                if held.slot.id == slot_id and held.offer_for == order.id:
                    return held
            try:
                return await self._releasing.seated(ask, keep)
            except _Refused:
                raise SlotUnavailable("the offered slot is none that may be booked") from None

    async def unreserve(self, offered: KeptOrder) -> None:
        """Give back a slot that was held for the patient of an order which was not called off for it after all."""
        order = await self._desk.store.get(offered.offer_for)
        why = order.cancellation if order is not None else None
        if why is None or why.offered_slot_id != offered.slot.id:
            await self._releasing.given_up(offered)

    @asynccontextmanager
    async def _patients_turn(self, thread: Thread, patient: Patient) -> AsyncIterator[None]:
        async with self._desk.turns.of(f"patient {thread.consumer_id} {patient.id}"):
            yield

    async def _of_consumer(self, thread: Thread) -> list[KeptOrder]:
        return list(await self._desk.store.live_holds(now=self._desk.now(), consumer_id=thread.consumer_id))

    async def _held(self, order: Order, patient: Patient, thread: Thread, asking: Asking) -> KeptOrder:
        """Return the order that holds the slot.

        Raises: _Refused, SlotUnavailable.
        """
        desk, now = self._desk, self._desk.now()
        slot_id = (order.fulfillment.id if order.fulfillment else None) or ""
        asking.live = live = await self._of_consumer(thread)
        of_patient = [held for held in live if held.patient.id == patient.id]
        for held in of_patient:
            if held.slot.id == slot_id:
                return await self._held_before(held, order, patient, thread)
        asked_for = [held for held in live if not held.offer_for]
        own = sum(held.patient.id == patient.id for held in asked_for)
        check_limits(desk.policy.holds, of_patient=own, of_consumer=len(asked_for) + asking.others)
        until = hold_until(now, desk.policy.hold)

        async def ask() -> Hold:
            return await desk.hospital.hold(slot_id, patient=patient, until=until)

        async def keep(hold: Hold) -> Written:
            # Nobody can be booked for what has begun, however young the hold.
            ours = replace(hold, patient=patient, until=min(until, hold.slot.start))
            return await self._kept(order, ours, thread, asking)

        return await self._releasing.seated(ask, keep)

    async def _held_before(self, held: KeptOrder, order: Order, patient: Patient, thread: Thread) -> KeptOrder:
        """The hold that a patient has: asked for in the same transaction, or kept for whoever asks for the patient."""
        if not held.offer_for:
            if held.thread.transaction_id != thread.transaction_id:
                raise SlotUnavailable("the patient holds the slot in another transaction")
            return held
        self._demand_offered(order, held.slot)
        self._demand_online(held.slot, patient)
        hold = replace(held.hold, patient=patient)
        taken = replace(held, hold=hold, thread=thread, billing=order.billing, customer=order.customer)
        return await self._desk.keep(taken, by=consumer_of(thread))

    async def _kept(self, order: Order, hold: Hold, thread: Thread, asking: Asking) -> Written:
        """Keep the order of a fresh hold, where the slot is what was asked for.

        Raises: _Refused, SlotUnavailable.
        """
        self._demand_bookable(hold.slot)
        self._demand_offered(order, hold.slot)
        self._demand_online(hold.slot, hold.patient)
        kept = replace(self._new(hold, thread), billing=order.billing, customer=order.customer)
        if not hold.slot.day_capacity:
            return await self._desk.write(kept, by=consumer_of(thread))
        async with self._desk.turns.of(f"day {thread.consumer_id} {hold.slot.doctor.id} {_day(hold.slot.start)}"):
            await self._check_day(hold.slot, thread, asking)
            written = await self._desk.write(kept, by=consumer_of(thread))
            # Before the turn of the next one, which may have read what is held before this.
            self._askings.kept(written.order)
            return written

    async def _check_day(self, slot: Slot, thread: Thread, asking: Asking) -> None:
        if self._has_day_left(slot, asking):
            return
        # Some of it may be booked by now.
        asking.live, asking.since = await self._of_consumer(thread), []
        if not self._has_day_left(slot, asking):
            raise _Refused(Decline(SLOT_UNAVAILABLE))

    def _has_day_left(self, slot: Slot, asking: Asking) -> bool:
        try:
            check_day(self._desk.policy.holds, of_day=asking.of_day(slot), capacity=slot.day_capacity)
        except SlotUnavailable:
            return False
        return True

    def _new(self, hold: Hold, thread: Thread) -> KeptOrder:
        terms = tuple(self._desk.policy.terms(hold.slot))
        return KeptOrder(id=secrets.token_hex(16), state=OrderState.HELD, thread=thread, hold=hold, terms=terms)

    def _demand_bookable(self, slot: Slot) -> None:
        if not is_bookable(slot.start, now=self._desk.now()) or slot.fulfilment not in self._desk.policy.fulfilments:
            raise _Refused(Decline(SLOT_UNAVAILABLE))

    def _demand_offered(self, order: Order, slot: Slot) -> None:
        refused = demand_offered(order, slot) or demand_payment(order, slot)
        if refused is not None:
            raise _Refused(refused)

    def _demand_online(self, slot: Slot, patient: Patient) -> None:
        refused = demand_allowed_online(slot, patient)
        if refused is not None:
            raise _Refused(refused)


def _day(at: datetime) -> str:
    return at.astimezone(IST).date().isoformat()
