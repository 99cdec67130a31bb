"""What the desk does with appointments: finds those that may be seen, and takes one of them a step further.

Which party may take which step is the library's one table (`uhi.booking.states.who_may`). Above: the `…_pages` modules;
below: the provider's bookings, its agenda, the directory.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from participants.hospital.desk.answers import (
    AppointmentDetail,
    AppointmentList,
    JoinAnswer,
    PinChecked,
    appointment_answer,
    detail_of,
)
from participants.hospital.desk.asked import CancellationBody, MoveBody, OwnQuery
from participants.hospital.desk.places import Places
from participants.hospital.desk.refusing import refusing
from participants.hospital.schedules.hospital import DatabaseHospital
from uhi.api.routes import Body, Call
from uhi.booking.agenda import Agenda, OrderFilter, OrderPage
from uhi.booking.kept import KeptOrder
from uhi.booking.provider import ConsultationProvider
from uhi.booking.states import EventKind, OrderState, Party, who_may
from uhi.booking.store import BookingStore
from uhi.errors import PinInvalid, Refusal
from uhi.faults import RECORD_MISSING, REQUEST_INVALID, STATE_REFUSED
from uhi.identity.roles import Permission
from uhi.messages.values import IST

PERMISSIONS = {
    Party.DESK: Permission.APPOINTMENTS_DESK,
    Party.CLINICIAN: Permission.APPOINTMENTS_CLINICAL,
}
"""What a person of the facility must be allowed to take the steps of a party."""

STEPS: Mapping[str, EventKind] = {
    "pin": EventKind.PIN_VERIFIED,
    "override": EventKind.PIN_OVERRIDDEN,
    "consent": EventKind.CONSENT_GIVEN,
    "presence": EventKind.JOINED,
    "start": EventKind.STARTED,
    "complete": EventKind.COMPLETED,
    "no-show": EventKind.NO_SHOW,
    "cancel": EventKind.CANCELLED,
    "move": EventKind.HELD,
}
"""What each step makes happen, by the last word of its path. To move an appointment is to hold another slot for it."""

BOOKED = tuple(state for state in OrderState if state.travels and state is not OrderState.FAILED)
"""The states of what was booked once. Others are listed only where their state is asked for: nobody agreed to come."""

MOST_DAYS = 366
_A_DAY = timedelta(days=1)

Take = Callable[[str, str], Awaitable[object]]
"""A step on an appointment: by the hospital's id of it, and who takes it."""


@dataclass(frozen=True, slots=True)
class Counter:
    """Where the staff's questions about appointments, and their steps, come together."""

    provider: ConsultationProvider
    hospital: DatabaseHospital
    agenda: Agenda
    store: BookingStore
    places: Places

    async def page(self, wanted: OrderFilter) -> AppointmentList:
        """A page of appointments that fit; who asks may see all of them."""
        return self.listed(await self.agenda.page(wanted))

    def listed(self, found: OrderPage) -> AppointmentList:
        """Orders as a list shows them."""
        shown = tuple(
            appointment_answer(order, practitioner_id=self.places.practitioner_of(order)) for order in found.orders
        )
        return AppointmentList(appointments=shown, next=found.next)

    async def own(self, call: Call[Body], order_id: str) -> KeptOrder:
        """An order that is theirs to see.

        Raises: Refusal(RECORD_MISSING) for one that is not, and for one that is not there alike.
        """
        order = await self.store.get(order_id)
        if order is None:
            raise Refusal(RECORD_MISSING, f"{call.principal.id} asked for an appointment that is not there")
        call.permit(self.places.target_of(order, practitioner_id=call.principal.practitioner_id))
        return order

    async def detail(self, call: Call[Body]) -> AppointmentDetail:
        """Everything about the appointment that the path names."""
        return await self._shown(await self.own(call, call.path["id"]))

    async def take(self, call: Call[Body], step: Take) -> AppointmentDetail:
        """Take the appointment that the path names a step further; returns how it is then.

        Raises: Refusal as `refusing` tells.
        """
        order = await self._booked(call)
        with refusing():
            await step(order.appointment_id, by(call))
        return await self._shown(await self.store.get(order.id) or order)

    async def cancel(self, call: Call[Body], asked: CancellationBody) -> AppointmentDetail:
        """Call the appointment that the path names off; nobody else gets its seat.

        Raises: Refusal as `refusing` tells.
        """

        async def called_off(visit: str, who: str) -> None:
            async with self.hospital.calling_off(visit):
                await self.provider.cancelled(visit, asked.reason.value, text=asked.text, by=who)

        return await self.take(call, called_off)

    async def move(self, call: Call[Body], asked: MoveBody) -> AppointmentDetail:
        """The same, with another slot kept for the patient; where that cannot be had, the appointment stands.

        Raises: Refusal as `refusing` tells.
        """

        async def moved(visit: str, who: str) -> None:
            self.places.demand_own(asked.slot_id, await self.own(call, call.path["id"]))
            async with self.hospital.calling_off(visit):
                await self.provider.move(visit, asked.reason.value, asked.slot_id, text=asked.text, by=who)

        return await self.take(call, moved)

    async def join_link(self, call: Call[Body]) -> JoinAnswer:
        """The link by which who asks joins the call of the appointment that the path names.

        Raises: Refusal as `refusing` tells.
        """
        order = await self._booked(call)
        with refusing():
            url = await self.provider.join_link(
                order.appointment_id, self.places.address_of(call.principal.practitioner_id)
            )
        return JoinAnswer(url=url)

    async def check_pin(self, call: Call[Body], pin: str) -> PinChecked:
        """See whether this is the PIN of the appointment that the path names; three wrong ones are counted.

        Raises: Refusal as `refusing` tells.
        """
        order = await self._booked(call)
        with refusing():
            try:
                await self.provider.verify_pin(order.appointment_id, pin, by=by(call))
            except PinInvalid as error:
                return PinChecked(
                    is_verified=False, attempts_left=error.attempts_left, why=error.what, next_step=error.next_step
                )
        fresh = await self._shown(await self.store.get(order.id) or order)
        left = fresh.appointment.pin.attempts_left if fresh.appointment.pin else 0
        return PinChecked(is_verified=True, attempts_left=left)

    async def _booked(self, call: Call[Body]) -> KeptOrder:
        order = await self.own(call, call.path["id"])
        if not order.appointment_id:
            raise Refusal(
                STATE_REFUSED,
                "nothing is booked by this order",
                got=order.state.value,
                expected="an order that its patient has confirmed",
                next_step="GET /v1/appointments lists those",
            )
        return order

    async def _shown(self, order: KeptOrder) -> AppointmentDetail:
        events = await self.store.history(order.id)
        return detail_of(order, events, practitioner_id=self.places.practitioner_of(order))


def steps_of(party: Party) -> frozenset[str]:
    """The steps that a party may take, by the last words of their paths."""
    return frozenset(step for step, kind in STEPS.items() if party in who_may(kind))


def by(call: Call[Body]) -> str:
    """Who takes a step, as an order's stream names them."""
    return f"{call.principal.kind.value} {call.principal.id}"


def days_of(query: OwnQuery, *, now: float) -> OrderFilter:
    """The part of a query about days and states, as the agenda is asked.

    Raises: Refusal(REQUEST_INVALID) for days in the wrong order, or too many of them.
    """
    today = datetime.fromtimestamp(now, IST).date()
    first = query.since or min(today, query.until or today)
    last = query.until or max(today, first)
    if not first <= last <= min(_days_after(first, MOST_DAYS), date.max - _A_DAY):
        raise Refusal(REQUEST_INVALID, path="until", expected=f"a day from since on, at most {MOST_DAYS} days after it")
    return OrderFilter(
        since=_midnight(first),
        until=_midnight(last) + _A_DAY,
        states=(query.state,) if query.state else BOOKED,
        after=query.after,
        most=query.most,
    )


def _days_after(day: date, days: int) -> date:
    return day + timedelta(days=min(days, (date.max - day).days))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), IST)
