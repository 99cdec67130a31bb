"""From an appointment to its end: status, cancellation from both sides, and the news of the day.

A method of the staff raises where a rule forbids it; an answer to a consumer declines. Above: `uhi.booking.provider`.
Source: NHA Physical Consultation v2.0, status, on_update, cancel, PIN.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from uhi.actions import CANCELLED, UPDATED, Decline
from uhi.booking.desk import Desk
from uhi.booking.orders import demand_cancellable, write_full
from uhi.booking.pin import ATTEMPTS, Pin, missed, set_aside, verify
from uhi.booking.reasons import Cancellation, CancelledBy, DoctorReason, chosen
from uhi.booking.speaker import Speaker
from uhi.booking.states import OrderState, Via, transition
from uhi.booking.store import KeptOrder
from uhi.errors import CANCELLATION_IMPOSSIBLE, ORDER_UNKNOWN, OrderUnknown, PinInvalid, StateConflict
from uhi.messages import OnCancel, OnStatus, Order, Updated
from uhi.messages.values import tag
from uhi.subscribers import Role
from uhi.verified import Thread

log = logging.getLogger(__name__)


class Attending:
    """The second half of a provider's bookings."""

    def __init__(self, desk: Desk, speaker: Speaker) -> None:
        self._desk = desk
        self._speaker = speaker

    async def status(self, order: Order, thread: Thread) -> OnStatus | Decline:
        """Tell the whole order; before on_confirm there is none to tell of."""
        async with self._desk.turn(order.id):
            kept = await self._desk.known(order.id, thread)
            if kept is None or not kept.state.travels:
                return Decline(ORDER_UNKNOWN)
            return OnStatus(order=write_full(await self._refreshed(kept), self._desk.policy))

    async def cancel(self, order: Order, thread: Thread) -> OnCancel | Decline:
        """Call an appointment off for the patient; once cancelled, the answer stays the same."""
        async with self._desk.turn(order.id):
            kept = await self._desk.known(order.id, thread)
            if kept is None:
                return Decline(ORDER_UNKNOWN)
            refused = demand_cancellable(order)
            if refused is None and kept.state is not OrderState.CANCELLED:
                kept, refused = await self._called_off(kept, self._cancellation(order))
            return refused or OnCancel(order=write_full(kept, self._desk.policy))

    async def report(self, order: Order, thread: Thread) -> None:
        """Take a consumer's word that the doctor did not come; it counts once a confirmed one should have begun."""
        async with self._desk.turn(order.id):
            kept = await self._desk.known(order.id, thread)
            try:
                if kept is None:
                    raise OrderUnknown("a no-show of the doctor was reported for no order of this consumer")
                state = transition(kept.state, OrderState.DOCTOR_NO_SHOW, by=Role.CONSUMER, via=Via.ON_UPDATE)
                if self._desk.now() < kept.slot.start:
                    raise StateConflict("a no-show of the doctor was reported before the appointment")
            except (OrderUnknown, StateConflict) as error:
                log.warning("%s: %s", thread.consumer_id, error)
                return
            await self._keep(replace(kept, state=state))

    async def started(self, appointment_id: str) -> None:
        """The consultation has begun; needs the PIN shown or set aside where the appointment has one.

        Raises: OrderUnknown, StateConflict.
        """
        order = await self._order(appointment_id)
        async with self._desk.turn(order.id):
            order = await self._order(appointment_id)
            if order.pin is not None and not order.pin.is_settled:
                raise StateConflict(
                    "the PIN was not shown", got=order.pin.status.value, next_step="verify the PIN, or override it"
                )
            await self._update(order, OrderState.APPOINTMENT_STARTED)

    async def completed(self, appointment_id: str, *, care_context_id: str = "") -> None:
        """The consultation is over; may be told again once the id of its records is known.

        Raises: OrderUnknown, StateConflict.
        """
        order = await self._order(appointment_id)
        async with self._desk.turn(order.id):
            order = await self._order(appointment_id)
            care_context_id = care_context_id or order.care_context_id
            await self._update(replace(order, care_context_id=care_context_id), OrderState.COMPLETED)

    async def no_show(self, appointment_id: str) -> None:
        """The patient did not come.

        Raises: OrderUnknown, StateConflict.
        """
        order = await self._order(appointment_id)
        async with self._desk.turn(order.id):
            await self._update(await self._order(appointment_id), OrderState.NO_SHOW)

    async def cancelled(self, appointment_id: str, reason: str, *, text: str = "") -> None:
        """The doctor or the facility calls the appointment off, with a D-code; the consumer is told unasked.

        Raises: IncompleteMessage, OrderUnknown, StateConflict.
        """
        why = Cancellation(CancelledBy.DOCTOR, chosen(DoctorReason, reason, text=text).value, text)
        order = await self._order(appointment_id)
        async with self._desk.turn(order.id):
            order = await self._order(appointment_id)
            state = transition(order.state, OrderState.CANCELLED, by=Role.PROVIDER, via=Via.ON_CANCEL)
            if order.cancellation is None:
                order = await self._keep(replace(order, state=state, cancellation=why))
            message = OnCancel(order=write_full(order, self._desk.policy))
            await self._speaker.tell(CANCELLED, message, order.thread)

    async def verify_pin(self, appointment_id: str, pin: str) -> None:
        """Check the PIN a patient shows; three wrong tries are counted.

        Raises: PinInvalid, OrderUnknown, StateConflict when the appointment has no PIN or is not CONFIRMED.
        """
        order = await self._order(appointment_id)
        async with self._desk.turn(order.id):
            order, known = await self._with_pin(appointment_id)
            try:
                shown = verify(known, pin, now=self._desk.now())
            except PinInvalid as error:
                if error.attempts_left < ATTEMPTS - known.misses:
                    await self._keep(replace(order, pin=missed(known)))
                raise
            await self._keep(replace(order, pin=shown))

    async def override_pin(self, appointment_id: str, reason: str, *, text: str = "") -> None:
        """Set the PIN aside with an O-code.

        Raises: IncompleteMessage, OrderUnknown, StateConflict.
        """
        order = await self._order(appointment_id)
        async with self._desk.turn(order.id):
            order, known = await self._with_pin(appointment_id)
            await self._keep(replace(order, pin=set_aside(known, reason, text=text)))
            log.info("the PIN of an appointment was set aside: %s", reason)

    async def _order(self, appointment_id: str) -> KeptOrder:
        order = await self._desk.store.by_appointment(appointment_id)
        if order is None:
            raise OrderUnknown("no order belongs to this appointment", next_step="pass the id that book() returned")
        return order

    async def _with_pin(self, appointment_id: str) -> tuple[KeptOrder, Pin]:
        order = await self._order(appointment_id)
        if order.pin is None:
            raise StateConflict("the appointment has no PIN", got=order.slot.fulfilment, expected="Physical")
        if order.state is not OrderState.CONFIRMED:
            raise StateConflict(
                "a PIN is shown before the consultation", got=order.state.value, expected=OrderState.CONFIRMED.value
            )
        return order, order.pin

    async def _update(self, order: KeptOrder, target: OrderState) -> None:
        state = transition(order.state, target, by=Role.PROVIDER, via=Via.ON_UPDATE)
        order = await self._keep(replace(order, state=state))
        await self._speaker.tell(UPDATED, Updated(order=write_full(order, self._desk.policy)), order.thread)

    async def _refreshed(self, order: KeptOrder) -> KeptOrder:
        """Add what only the hospital's own system knows: the records' id, a cancellation made there."""
        if not order.appointment_id:
            return order
        known = await self._desk.hospital.appointment(order.appointment_id)
        if known is None:
            return order
        fresh = replace(order, care_context_id=known.care_context_id or order.care_context_id)
        if known.cancelled is not None and order.state is OrderState.CONFIRMED:
            state = transition(order.state, OrderState.CANCELLED, by=Role.PROVIDER, via=Via.ON_CANCEL)
            fresh = replace(fresh, state=state, cancellation=known.cancelled)
        return await self._keep(fresh) if fresh != order else order

    async def _called_off(self, order: KeptOrder, why: Cancellation) -> tuple[KeptOrder, Decline | None]:
        try:
            state = transition(order.state, OrderState.CANCELLED, by=Role.CONSUMER, via=Via.CANCEL)
            await self._desk.hospital.cancel(order.appointment_id, by=why.by, reason=why.reason)
        except StateConflict:
            return order, Decline(CANCELLATION_IMPOSSIBLE)
        return await self._keep(replace(order, state=state, cancellation=why)), None

    def _cancellation(self, order: Order) -> Cancellation:
        fulfillment, free_text = order.fulfillment, self._desk.policy.free_text_tag
        reason = (fulfillment.cancel_reason if fulfillment else None) or ""
        text = tag(fulfillment.tags, free_text) if fulfillment and free_text else None
        return Cancellation(CancelledBy.PATIENT, reason, text or "")

    async def _keep(self, order: KeptOrder) -> KeptOrder:
        await self._desk.store.put(order, now=self._desk.now())
        return order
