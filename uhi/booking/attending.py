"""From an appointment to its end: status, cancellation from both sides, and the news of the day.

A method of the staff raises where a rule forbids it; an answer to a consumer declines. Above: `uhi.booking.provider`.
Source: NHA Physical Consultation v2.0, status, on_update, cancel, PIN.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from uhi.actions import CANCELLED, UPDATED, Decline
from uhi.booking.desk import Desk, consumer_of, provider_of
from uhi.booking.kept import KeptOrder
from uhi.booking.orders import demand_cancellable
from uhi.booking.pin import ATTEMPTS, Pin, missed, set_aside, verify
from uhi.booking.reasons import Cancellation, CancelledBy, DoctorReason, chosen
from uhi.booking.speaker import Speaker
from uhi.booking.states import MOVES, EventKind, OrderState, Party, step
from uhi.booking.store import Step
from uhi.booking.telemedicine import Mode
from uhi.errors import OrderUnknown, PinInvalid, StateConflict
from uhi.faults import CANCELLATION_IMPOSSIBLE, ORDER_UNKNOWN
from uhi.messages import OnCancel, OnStatus, Order, Updated
from uhi.messages.values import ONLINE, tag
from uhi.ports import Letter
from uhi.verified import Thread

Reserve = Callable[[KeptOrder], Awaitable[KeptOrder]]

log = logging.getLogger(__name__)


class Attending:
    """The second half of a provider's bookings."""

    def __init__(self, desk: Desk, speaker: Speaker) -> None:
        self._desk = desk
        self._speaker = speaker

    async def status(self, order: Order, thread: Thread) -> OnStatus | Decline:
        """Tell the whole order; before on_confirm there is none to tell of."""

        async def told() -> OnStatus | Decline:
            kept = await self._desk.known(order.id, thread)
            if kept is None or not kept.state.travels:
                return Decline(ORDER_UNKNOWN)
            return OnStatus(order=await self._desk.written(await self._refreshed(kept)))

        return await self._desk.in_turn(order.id, told)

    async def cancel(self, order: Order, thread: Thread) -> OnCancel | Decline:
        """Call an appointment off for the patient; once cancelled, the answer stays the same."""

        async def cancelled() -> OnCancel | Decline:
            kept = await self._desk.known(order.id, thread)
            if kept is None:
                return Decline(ORDER_UNKNOWN)
            refused = demand_cancellable(order)
            if refused is None and kept.state is not OrderState.CANCELLED:
                kept, refused = await self._called_off(kept, order)
            return refused or OnCancel(order=await self._desk.written(kept))

        return await self._desk.in_turn(order.id, cancelled)

    async def report(self, order: Order, thread: Thread) -> None:
        """Take a consumer's word that the doctor did not come; it counts once a confirmed one should have begun."""

        async def noted() -> None:
            kept = await self._desk.known(order.id, thread)
            try:
                if kept is None:
                    raise OrderUnknown("a no-show of the doctor was reported for no order of this consumer")
                state = _after(kept, EventKind.DOCTOR_NO_SHOW, by=Party.CONSUMER)
                if self._desk.now() < kept.slot.start:
                    raise StateConflict("a no-show of the doctor was reported before the appointment")
            except (OrderUnknown, StateConflict) as error:
                log.warning("%s: %s", thread.consumer_id, error)
                return
            await self._desk.keep(replace(kept, state=state), by=consumer_of(thread))

        await self._desk.in_turn(order.id, noted)

    async def started(self, appointment_id: str, *, mode: Mode | None = None, by: str = "") -> None:
        """The consultation has begun; needs the PIN shown or set aside where the appointment has one, and online the
        patient's consent. `mode` is how it is held online, if not as the consent says.

        Raises: OrderUnknown, StateConflict.
        """

        async def begun(order: KeptOrder) -> None:
            if order.pin is not None and not order.pin.is_settled:
                raise StateConflict(
                    "the PIN was not shown", got=order.pin.status.value, next_step="verify the PIN, or override it"
                )
            await self._update(_in_mode(order, mode), EventKind.STARTED, by=by)

        await self._attend(appointment_id, begun)

    async def completed(self, appointment_id: str, *, care_context_id: str = "", by: str = "") -> None:
        """The consultation is over; may be told again once the id of its records is known.

        Raises: OrderUnknown, StateConflict.
        """

        async def ended(order: KeptOrder) -> None:
            if order.state is OrderState.CONFIRMED:
                raise StateConflict("the consultation has not begun", got=order.state.value, next_step="start it first")
            records = care_context_id or order.care_context_id
            await self._update(replace(order, care_context_id=records), EventKind.COMPLETED, by=by)

        await self._attend(appointment_id, ended)

    async def no_show(self, appointment_id: str, *, by: str = "") -> None:
        """The patient did not come; told once the appointment should have begun.

        Raises: OrderUnknown, StateConflict.
        """

        async def missing(order: KeptOrder) -> None:
            if order.state is OrderState.CONFIRMED and self._desk.now() < order.slot.start:
                raise StateConflict(
                    "a no-show before the appointment",
                    expected=f"not before {order.slot.start:%d %B %Y, %H:%M}",
                    next_step="wait until then, or cancel it",
                )
            await self._update(order, EventKind.NO_SHOW, by=by)

        await self._attend(appointment_id, missing)

    async def cancelled(self, appointment_id: str, reason: str, *, text: str = "", by: str = "") -> None:
        """The doctor or the facility calls the appointment off, with a D-code; the consumer is told unasked.

        Raises: IncompleteMessage, OrderUnknown, StateConflict.
        """
        why = Cancellation(CancelledBy.DOCTOR, chosen(DoctorReason, reason, text=text).value, text)

        async def called_off(order: KeptOrder) -> None:
            await self._call_off(order, why, by)

        await self._attend(appointment_id, called_off)

    async def moved(self, appointment_id: str, why: Cancellation, reserve: Reserve, *, by: str = "") -> str:
        """Call an appointment off and keep another slot for its patient, in this order; returns the new order's id.

        Raises: OrderUnknown, StateConflict; SlotUnavailable, then the appointment stands.
        """
        offered: list[str] = []

        async def moved(order: KeptOrder) -> None:
            step(order.state, EventKind.CANCELLED, by=Party.DESK)
            offered.append((await reserve(order)).id)
            await self._call_off(order, why, by)

        await self._attend(appointment_id, moved)
        return offered[-1]

    async def verify_pin(self, appointment_id: str, pin: str, *, by: str = "") -> None:
        """Check the PIN a patient shows; three wrong tries are counted.

        Raises: PinInvalid, OrderUnknown, StateConflict when the appointment has no PIN or is not CONFIRMED.
        """

        async def checked(order: KeptOrder) -> None:
            known = _pin_of(order)
            try:
                shown = verify(known, pin, now=self._desk.now())
            except PinInvalid as error:
                if error.attempts_left < ATTEMPTS - known.misses:
                    await self._keep(replace(order, pin=missed(known)), by)
                raise
            await self._keep(replace(order, pin=shown), by)

        await self._attend(appointment_id, checked)

    async def override_pin(self, appointment_id: str, reason: str, *, text: str = "", by: str = "") -> None:
        """Set the PIN aside with an O-code.

        Raises: IncompleteMessage, OrderUnknown, StateConflict.
        """

        async def overridden(order: KeptOrder) -> None:
            await self._keep(replace(order, pin=set_aside(_pin_of(order), reason, text=text)), by)
            log.info("the PIN of an appointment was set aside: %s", reason)

        await self._attend(appointment_id, overridden)

    async def _attend(self, appointment_id: str, step: Callable[[KeptOrder], Awaitable[None]]) -> None:
        """Run a step on the order of an appointment when it is its turn."""

        async def attended() -> None:
            await step(await self._desk.visit(appointment_id))

        order = await self._desk.visit(appointment_id)
        await self._desk.in_turn(order.id, attended)

    async def _update(self, order: KeptOrder, kind: EventKind, *, by: str) -> None:
        order = replace(order, state=_after(order, kind, by=Party.DESK))
        message = Updated(order=await self._desk.written(order))
        await self._announce(order, await self._speaker.compose(UPDATED, message, order.thread), by)

    async def _call_off(self, order: KeptOrder, why: Cancellation, by: str) -> None:
        if order.cancellation is not None and order.cancellation.by is CancelledBy.PATIENT:
            raise StateConflict("the patient has called it off already", next_step="there is nothing left to do")
        state = _after(order, EventKind.CANCELLED, by=Party.DESK)
        if order.cancellation is None:
            is_late = order.slot.start - self._desk.now() < self._desk.policy.facility_notice
            order = replace(order, state=state, cancellation=replace(why, is_late=is_late))
        message = OnCancel(order=await self._desk.written(order))
        await self._announce(order, await self._speaker.compose(CANCELLED, message, order.thread), by)

    async def _announce(self, order: KeptOrder, letters: Sequence[Letter], by: str) -> None:
        """Keep an order and its news in one step, so that neither is without the other, then send the news."""
        made_by = by or provider_of(order.thread)
        written = await self._desk.store.put(order, Step(self._desk.now(), made_by, letters))
        self._speaker.post(letters, mine=written.mine)

    async def _keep(self, order: KeptOrder, by: str) -> None:
        await self._desk.keep(order, by=by or provider_of(order.thread))

    async def _refreshed(self, order: KeptOrder) -> KeptOrder:
        """Add what only the hospital's own system knows: the records' id, a cancellation made there."""
        if not order.appointment_id:
            return order
        known = await self._desk.hospital.appointment(order.appointment_id)
        if known is None:
            return order
        fresh = replace(order, care_context_id=known.care_context_id or order.care_context_id)
        if known.cancelled is not None and order.state is OrderState.CONFIRMED:
            state = _after(order, EventKind.CANCELLED, by=Party.SYSTEM)
            fresh = replace(fresh, state=state, cancellation=known.cancelled)
        return await self._desk.keep(fresh, by=provider_of(order.thread)) if fresh != order else order

    async def _called_off(self, kept: KeptOrder, asked: Order) -> tuple[KeptOrder, Decline | None]:
        """The order as the patient called it off, or why that cannot be."""
        why, policy = self._cancellation(asked), self._desk.policy
        try:
            state = step(kept.state, EventKind.CANCELLED, by=Party.CONSUMER)
            left = kept.slot.start - self._desk.now()
            if left <= timedelta(0) or left < policy.patient_notice:
                return kept, Decline(CANCELLATION_IMPOSSIBLE, "The time for a cancellation by the patient is over.")
            instead = _tag(asked, policy.rescheduled_to_tag)
            if instead and not await self._is_booked_instead(instead, kept):
                return kept, Decline(CANCELLATION_IMPOSSIBLE, "The order named instead is not confirmed.")
            await self._desk.hospital.cancel(kept.appointment_id, by=why.by, reason=why.reason)
        except StateConflict:
            return kept, Decline(CANCELLATION_IMPOSSIBLE)
        cancelled = replace(kept, state=state, cancellation=why, rescheduled_to=instead)
        return await self._desk.keep(cancelled, by=consumer_of(kept.thread)), None

    async def _is_booked_instead(self, order_id: str, kept: KeptOrder) -> bool:
        other = await self._desk.known(order_id, kept.thread)
        if other is None or other.id == kept.id or other.patient.id != kept.patient.id:
            return False
        return other.state is OrderState.CONFIRMED

    def _cancellation(self, order: Order) -> Cancellation:
        reason = (order.fulfillment.cancel_reason if order.fulfillment else None) or ""
        return Cancellation(CancelledBy.PATIENT, reason, _tag(order, self._desk.policy.free_text_tag))


def _after(order: KeptOrder, kind: EventKind, *, by: Party) -> OrderState:
    """The state after something happened; what has led to the order's state already may be told again."""
    if any(move.kind is kind and move.target is order.state and move.source is not order.state for move in MOVES):
        return order.state
    return step(order.state, kind, by=by)


def _in_mode(order: KeptOrder, mode: Mode | None) -> KeptOrder:
    if order.slot.fulfilment != ONLINE or order.state is not OrderState.CONFIRMED:
        return order
    if not order.consents:
        raise StateConflict(
            "the patient has not agreed to be consulted online",
            expected="a call by the patient, or consent that was asked for",
            next_step="ask the patient, and record the consent",
        )
    return replace(order, mode=mode or order.consents[-1].mode)


def _tag(order: Order, name: str) -> str:
    return (tag(order.fulfillment.tags, name) or "") if order.fulfillment and name else ""


def _pin_of(order: KeptOrder) -> Pin:
    if order.pin is None:
        raise StateConflict("the appointment has no PIN", got=order.slot.fulfilment, expected="Physical")
    if order.state is not OrderState.CONFIRMED:
        raise StateConflict(
            "a PIN is shown before the consultation", got=order.state.value, expected=OrderState.CONFIRMED.value
        )
    return order.pin
