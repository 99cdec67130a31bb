"""Everything UHI asks of a hospital, on top of its own system: implement `Hospital`, include the handlers, tell news.

Below it are discovery, holding and attending; above it a participant. Source: NHA Physical Consultation v2.0.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from math import inf

from uhi.actions import CANCEL, CONFIRM, INIT, REPORTED, SEARCH, SELECT, SLOTS, STATUS, Decline
from uhi.booking.attending import Attending
from uhi.booking.consulting import CallStep, Consulting
from uhi.booking.desk import Desk, provider_of
from uhi.booking.discovery import Discovery
from uhi.booking.events import OrderEvent
from uhi.booking.holding import Holding
from uhi.booking.hospital import Hospital
from uhi.booking.kept import KeptOrder
from uhi.booking.policy import Policy
from uhi.booking.reasons import Cancellation, CancelledBy, DoctorReason, chosen
from uhi.booking.speaker import Speaker, moment
from uhi.booking.sql_bookings import bookings_of
from uhi.booking.store import BookingStore
from uhi.booking.telemedicine import Mode
from uhi.errors import OrderChanged, StateConflict
from uhi.handlers import Handlers
from uhi.messages import (
    Cancel,
    Confirm,
    Init,
    OnCancel,
    OnConfirm,
    OnInit,
    OnSearch,
    OnSelect,
    OnStatus,
    Reported,
    Search,
    Select,
    Slots,
    SlotsFound,
    Status,
)
from uhi.verified import Verified

SWEEP_SECONDS = 60.0
ASIDE_SECONDS = 1.0

log = logging.getLogger(__name__)


class ConsultationProvider:
    """A provider of consultations: `app.include(ConsultationProvider(OurHospital(), speaker=app).handlers)`.

    `speaker` is the participant that carries its news, and its clock. Ids given to the news are the hospital's own, as
    `Hospital.book` returned them. Orders are kept where the participant keeps its messages, unless a `store` is given.
    """

    def __init__(
        self,
        hospital: Hospital,
        *,
        speaker: Speaker,
        store: BookingStore | None = None,
        policy: Policy | None = None,
    ) -> None:
        store = store or bookings_of(speaker.world, provider_id=speaker.subscriber_id)
        desk = Desk(hospital=hospital, store=store, policy=policy or Policy(), clock=speaker.clock)
        self._store = store
        self._clock = speaker.clock
        self._holding = Holding(desk)
        self._attending = Attending(desk, speaker)
        self._consulting = Consulting(desk)
        self._discovery = Discovery(desk, name=desk.policy.name or speaker.subscriber_id)
        self._sweeping: asyncio.Future[None] | None = None
        self._swept_at = -inf
        self.handlers = Handlers()
        self._hear_searches()
        self._hear_orders()
        if desk.policy.select:
            self._hear_select()

    async def started(self, appointment_id: str, *, mode: Mode | None = None, by: str = "") -> None:
        """Tell the patient that the consultation has begun: at the facility after the PIN was verified or overridden,
        online after the patient called in or agreed to it (`record_consent`), held as the consent says or in `mode`.

        `by`, here and below, is who of the staff says so, as the order's events name it (`person 0190…`).
        Raises: OrderUnknown, StateConflict.
        """
        await self._attending.started(appointment_id, mode=mode, by=by)

    async def record_consent(self, appointment_id: str, mode: Mode, *, text: str = "", by: str) -> None:
        """Put down that the patient was asked, and agreed to be consulted online; `text` is how they said so.

        Raises: IncompleteMessage without `by`; OrderUnknown; StateConflict for one at the facility, or not to come.
        """
        await self._consulting.consent(appointment_id, mode, text=text, by=by)

    async def attended(self, appointment_id: str, seen: CallStep, *, by: str = "") -> None:
        """Put down who joined the call of a consultation online, left it, or, being one of several doctors, did not
        come. A patient who calls in first agrees by that.

        Raises: OrderUnknown, StateConflict.
        """
        await self._consulting.attended(appointment_id, seen, by=by)

    async def call_signalled(self, order_id: str, seen: CallStep) -> None:
        """Put down what a signal between the devices says of a call; whatever does not fit the order is left out."""
        await self._consulting.signalled(order_id, seen)

    async def join_link(self, appointment_id: str, doctor_id: str) -> str:
        """Return the link by which a doctor (HPR address) joins the call; empty where none is made.

        Raises: OrderUnknown; StateConflict when there is no call to join, or the doctor has no part in it.
        """
        return await self._consulting.link(appointment_id, doctor_id)

    async def completed(self, appointment_id: str, *, care_context_id: str = "", by: str = "") -> None:
        """Tell the patient that the consultation is over; once more when the id of its records is known.

        Raises: OrderUnknown, StateConflict.
        """
        await self._attending.completed(appointment_id, care_context_id=care_context_id, by=by)

    async def no_show(self, appointment_id: str, *, by: str = "") -> None:
        """Tell the patient that the appointment was missed.

        Raises: OrderUnknown, StateConflict.
        """
        await self._attending.no_show(appointment_id, by=by)

    async def cancelled(self, appointment_id: str, reason: str, *, text: str = "", by: str = "") -> None:
        """Tell the patient that the doctor or the facility calls the appointment off, with a D-code.

        With less notice than the policy asks for it is recorded as late.
        Raises: IncompleteMessage for a code not in the list or `DOCTOR_OTHER` without text; OrderUnknown,
            StateConflict.
        """
        await self._attending.cancelled(appointment_id, reason, text=text, by=by)

    async def move(
        self, appointment_id: str, reason: str, offered_slot_id: str, *, text: str = "", by: str = ""
    ) -> str:
        """Call an appointment off with a D-code and keep another slot for its patient instead, whose init alone gets
        it, through the same consumer, until `Policy.offer_hold` is over or the slot begins. Returns the id of the
        order that holds it.

        Raises: IncompleteMessage, OrderUnknown, StateConflict; SlotUnavailable, then the appointment stands.
        """
        code = chosen(DoctorReason, reason, text=text).value
        why = Cancellation(CancelledBy.DOCTOR, code, text, offered_slot_id=offered_slot_id)

        offered: list[KeptOrder] = []

        async def reserve(order: KeptOrder) -> KeptOrder:
            offered.append(await self._holding.reserve(order, offered_slot_id, by=by or provider_of(order.thread)))
            return offered[-1]

        try:
            return await self._attending.moved(appointment_id, why, reserve, by=by)
        except (StateConflict, OrderChanged):
            # The patient, or another desk, was faster.
            if offered:
                await self._holding.unreserve(offered[-1])
            raise

    async def history(self, order_id: str) -> Sequence[OrderEvent]:
        """Return everything that happened to an order, the first event first: who made it, when, and what changed."""
        return await self._store.history(order_id)

    async def verify_pin(self, appointment_id: str, pin: str, *, by: str = "") -> None:
        """Check the PIN a patient shows.

        Raises: PinInvalid with the tries left; OrderUnknown, StateConflict.
        """
        await self._attending.verify_pin(appointment_id, pin, by=by)

    async def override_pin(self, appointment_id: str, reason: str, *, text: str = "", by: str = "") -> None:
        """Let the consultation start without the PIN, with an O-code.

        Raises: IncompleteMessage for a code not in the list or `OVERRIDE_OTHER` without text; OrderUnknown,
            StateConflict.
        """
        await self._attending.override_pin(appointment_id, reason, text=text, by=by)

    async def release_lapsed(self) -> None:
        """Give back every slot whose hold is over."""
        await self._holding.release_lapsed()

    async def watch_holds(self) -> None:
        """Give back lapsed holds and forget PINs of days that are over, once a minute, for ever; a second search, init
        and confirm have holds given back too.

        A sweep that fails is logged, and the next one is made all the same.
        """
        while True:
            await self._clock.sleep(SWEEP_SECONDS)
            await self._sweep()
            await _logged("PINs of days that are over were not forgotten", self._forget_pins())

    async def _sweep(self) -> None:
        await _logged("lapsed holds were not given back", self._holding.release_lapsed())

    async def _forget_pins(self) -> None:
        await self._store.forget_pins(now=moment(self._clock))

    def _sweep_aside(self) -> None:
        """Sweep without anybody waiting for it: one sweep at a time, and not again within a second."""
        now = self._clock.now()
        if now - self._swept_at >= ASIDE_SECONDS and (self._sweeping is None or self._sweeping.done()):
            self._swept_at = now
            self._sweeping = asyncio.ensure_future(self._sweep())

    def _hear_searches(self) -> None:
        @self.handlers.on(SEARCH)
        async def find_doctors(request: Verified[Search]) -> OnSearch | None:
            return await self._discovery.doctors(request.message.intent, request.thread)

        @self.handlers.on(SLOTS)
        async def find_slots(request: Verified[Slots]) -> SlotsFound | None:
            self._sweep_aside()
            return await self._discovery.slots(request.message.intent, request.thread)

    def _hear_orders(self) -> None:
        @self.handlers.on(INIT)
        async def hold(request: Verified[Init]) -> OnInit | Decline:
            self._sweep_aside()
            return await self._holding.init(request.message.order, request.thread)

        @self.handlers.on(CONFIRM)
        async def book(request: Verified[Confirm]) -> OnConfirm | Decline:
            self._sweep_aside()
            return await self._holding.confirm(request.message.order, request.thread)

        @self.handlers.on(STATUS)
        async def tell(request: Verified[Status]) -> OnStatus | Decline:
            return await self._attending.status(request.message.order, request.thread)

        @self.handlers.on(CANCEL)
        async def call_off(request: Verified[Cancel]) -> OnCancel | Decline:
            return await self._attending.cancel(request.message.order, request.thread)

        @self.handlers.on(REPORTED)
        async def doctor_did_not_come(request: Verified[Reported]) -> None:
            await self._attending.report(request.message.order, request.thread)

    def _hear_select(self) -> None:
        @self.handlers.on(SELECT)
        async def quote(request: Verified[Select]) -> OnSelect | Decline:
            return await self._discovery.select(request.message.order)


async def _logged(what: str, work: Awaitable[None]) -> None:
    for outcome in await asyncio.gather(work, return_exceptions=True):
        if isinstance(outcome, Exception):
            log.error("%s: %s", what, type(outcome).__name__)
