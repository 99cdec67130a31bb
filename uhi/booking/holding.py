"""From a free slot to an appointment: init holds, confirm books, time releases.

The hospital decides who gets a slot and the store agrees; nothing here checks first and acts later.
Above: `uhi.booking.provider`. Source: NHA Physical Consultation v2.0, init and confirm; decisions 34 and 35.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

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
from uhi.errors import ANSWER_FAILED, ORDER_UNKNOWN, SLOT_UNAVAILABLE, OrderChanged, SlotUnavailable
from uhi.messages import OnConfirm, OnInit, Order
from uhi.messages.values import PHYSICAL
from uhi.subscribers import Role
from uhi.verified import Thread

PATIENCE = 10.0
"""How long the hospital may take to release one hold, in seconds."""

AT_ONCE = 20
"""How many lapsed holds are released at the same time."""

log = logging.getLogger(__name__)


class _Refused(Exception):
    """A slot that was held is not the one asked for."""

    def __init__(self, decline: Decline) -> None:
        super().__init__(decline.outcome.code)
        self.decline = decline


class Holding:
    """The first half of a provider's bookings."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._under_way: Counter[str] = Counter()

    async def init(self, order: Order, thread: Thread) -> OnInit | Decline:
        """Hold a slot for a patient; the same patient, transaction and slot again get the hold they have."""
        patient = read_patient(order)
        if patient is None:
            return Decline(ANSWER_FAILED, "message.order.customer.id is missing.")
        refused = demand_one_slot(order)
        if refused is not None:
            return refused
        async with self._desk.turns.of(f"patient {thread.consumer_id} {patient.id}"):
            self._under_way[thread.consumer_id] += 1
            try:
                kept = await self._held(order, patient, thread)
            finally:
                self._under_way.subtract([thread.consumer_id])
                self._under_way += Counter()  # drops what is at zero
        return kept if isinstance(kept, Decline) else OnInit(order=write_offer(kept))

    async def confirm(self, order: Order, thread: Thread) -> OnConfirm | Decline:
        """Book what is held; an order that was answered before gets the same answer, PIN included."""

        async def confirmed() -> OnConfirm | Decline:
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

        return await self._desk.in_turn(order.id, confirmed)

    async def release_lapsed(self) -> None:
        """Give back every slot whose hold is over; one whose confirmation is under way is left to that.

        A release that fails or takes too long is logged and left: a lapsed hold is free by itself.
        """
        gate = asyncio.Semaphore(AT_ONCE)
        lapsed = await self._desk.store.lapsed(now=self._desk.now())
        outcomes = await asyncio.gather(*(self._give_back(order, gate) for order in lapsed), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                log.error("a lapsed hold was not given back: %s", type(outcome).__name__)

    async def _give_back(self, order: KeptOrder, gate: asyncio.Semaphore) -> None:
        async with gate:
            if await self._expire_unless_busy(order.id):
                await self._let_go(order.hold)

    async def _let_go(self, hold: Hold) -> None:
        """Release a hold, unless an order has its slot by it: a patient's second asking gets the hold of the first."""
        if not await self._desk.store.has_slot_by(hold, now=self._desk.now()):
            await self._release_in_time(hold)

    @asynccontextmanager
    async def _kept_or_let_go(self, hold: Hold) -> AsyncIterator[None]:
        """Around what keeps the order of a fresh hold: where that fails in any way, the slot is given back."""
        is_kept = False
        try:
            yield
            is_kept = True
        finally:
            if not is_kept:
                await self._try_to_let_go(hold)

    async def _try_to_let_go(self, hold: Hold) -> None:
        """Where it fails the hold ends by itself, and until then it is the same patient's to have again."""
        for outcome in await asyncio.gather(self._let_go(hold), return_exceptions=True):
            if isinstance(outcome, Exception):
                log.error("a hold that no order has was not given back: %s", type(outcome).__name__)

    async def _release_in_time(self, hold: Hold) -> None:
        release = asyncio.ensure_future(self._desk.hospital.release(hold))
        patience = asyncio.ensure_future(self._desk.clock.sleep(PATIENCE))
        try:
            await asyncio.wait({release, patience}, return_when=asyncio.FIRST_COMPLETED)
            if not release.done():
                raise TimeoutError
            await release
        finally:
            patience.cancel()
            release.cancel()

    async def _held(self, order: Order, patient: Patient, thread: Thread) -> KeptOrder | Decline:
        desk, now = self._desk, self._desk.now()
        slot_id = (order.fulfillment.id if order.fulfillment else None) or ""
        before = self._under_way[thread.consumer_id] - 1
        of_consumer = await desk.store.live_holds(now=now, consumer_id=thread.consumer_id)
        of_patient = [held for held in of_consumer if held.patient.id == patient.id]
        for held in of_patient:
            if held.slot.id == slot_id:
                return held if held.thread.transaction_id == thread.transaction_id else Decline(SLOT_UNAVAILABLE)
        try:
            check_limits(desk.policy.holds, of_patient=len(of_patient), of_consumer=len(of_consumer) + before)
            hold = await desk.hospital.hold(slot_id, patient=patient, until=hold_until(now))
        except SlotUnavailable:
            return Decline(SLOT_UNAVAILABLE)
        try:
            async with self._kept_or_let_go(hold):
                kept = await self._kept(order, replace(hold, patient=patient, until=hold_until(now)), thread)
        except _Refused as refused:
            return refused.decline
        except SlotUnavailable:
            return Decline(SLOT_UNAVAILABLE)
        await self._expire_others(kept)
        return kept

    async def _kept(self, order: Order, hold: Hold, thread: Thread) -> KeptOrder:
        """Keep the order of a fresh hold, where the slot is what was asked for.

        Raises: _Refused, SlotUnavailable.
        """
        now, slot = self._desk.now(), hold.slot
        if not is_bookable(slot.start, now=now) or slot.fulfilment not in self._desk.policy.fulfilments:
            raise SlotUnavailable("the slot is none that may be booked")
        refused = demand_offered(order, slot) or demand_payment(order, slot)
        if refused is not None:
            raise _Refused(refused)
        kept = KeptOrder(
            id=secrets.token_hex(16),
            state=OrderState.HELD,
            thread=thread,
            hold=hold,
            terms=tuple(self._desk.policy.terms(slot)),
            billing=order.billing,
            customer=order.customer,
        )
        return (await self._desk.store.put(kept, now=now)).order

    async def _booked(self, order: KeptOrder, finding: Finding) -> KeptOrder:
        """Return the order as CONFIRMED, or as FAILED where the slot is gone."""
        try:
            if finding is Finding.LAPSED:
                order = await self._expired(order)
                order = await self._claimed(order)
            return await self._book(order)
        except SlotUnavailable:
            # `order` is as it was kept last: expired, perhaps claimed.
            failed = replace(order, state=_next(order, OrderState.FAILED), failure=SLOT_UNAVAILABLE)
            return await self._desk.keep(failed)

    async def _claimed(self, order: KeptOrder) -> KeptOrder:
        """Take the slot once more for a confirmation that comes after the hold, at the same price or not at all."""
        desk = self._desk
        now, slot = desk.now(), order.slot
        if not is_bookable(slot.start, now=now):
            raise SlotUnavailable("the slot is in the past")
        try:
            hold = await desk.hospital.hold(slot.id, patient=order.patient, until=now + CLAIM)
        except SlotUnavailable:
            # It may be this order's own: booked by an earlier confirmation that could not be kept.
            return order
        claimed = replace(order, hold=replace(hold, patient=order.patient, until=now + CLAIM))
        async with self._kept_or_let_go(hold):
            if hold.slot.price != slot.price:
                raise SlotUnavailable("the slot has another price now")
            claimed = (await desk.store.put(claimed, now=now)).order
        await self._expire_others(claimed)
        return claimed

    async def _book(self, order: KeptOrder) -> KeptOrder:
        desk = self._desk
        appointment = await desk.hospital.book(order.hold)
        booked = replace(
            order,
            state=_next(order, OrderState.CONFIRMED),
            appointment_id=appointment.id,
            pin=new_pin(order.slot.start) if order.slot.fulfilment == PHYSICAL else None,
        )
        try:
            return await desk.keep(booked)
        except SlotUnavailable:
            # Another order took the slot while the hospital was booking past the end of the hold.
            await desk.hospital.cancel(
                appointment.id, by=CancelledBy.DOCTOR, reason=DoctorReason.TECHNICAL_SYSTEM_ISSUE.value
            )
            raise

    async def _expire_others(self, claimed: KeptOrder) -> None:
        """Move the orders that once held a slot to EXPIRED, now that another order has it."""
        for order in await self._desk.store.lapsed(now=self._desk.now()):
            if order.slot.id == claimed.slot.id and order.id != claimed.id:
                await self._expire_unless_busy(order.id)

    async def _expire_unless_busy(self, order_id: str) -> bool:
        """Move an order whose hold is over to EXPIRED; whether it was moved, here and now."""
        turn = self._desk.turn(order_id)
        if turn.locked():
            return False
        async with turn:
            order = await self._desk.store.get(order_id)
            with suppress(OrderChanged):
                return order is not None and await self._expired(order) is not order
            return False

    async def _expired(self, order: KeptOrder) -> KeptOrder:
        """Keep an order whose hold is over as EXPIRED; the caller has its turn."""
        now = self._desk.now()
        if order.state is not OrderState.HELD or is_live(order.hold.until, now=now):
            return order
        state = transition(order.state, OrderState.EXPIRED, by=Role.PROVIDER, via=Via.HOLD)
        return await self._desk.keep(replace(order, state=state))

    def _answer(self, order: KeptOrder) -> OnConfirm | Decline:
        message = OnConfirm(order=write_full(order, self._desk.policy))
        if order.state is OrderState.FAILED:
            return Decline(order.failure or ANSWER_FAILED, message=message)
        return message


def _next(order: KeptOrder, target: OrderState) -> OrderState:
    return transition(order.state, target, by=Role.PROVIDER, via=Via.ON_CONFIRM)
