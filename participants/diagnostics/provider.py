"""Everything a laboratory is asked on the network: the library's bookings, over `LabDesk`, in the lab's words.

NHA publishes no document for laboratories: the domain and the kinds of fulfilment are ours, everything else is as in
consultations. There is no `track`: the protocol has no action for it. Above: `app`; below: `desk`, `wording`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from participants.diagnostics.desk import LabDesk
from participants.diagnostics.labs import DOMAIN, HOME, LAB, Labs
from participants.diagnostics.times import times_of
from participants.diagnostics.wording import LabSpeaker, Wording
from uhi.actions import CANCEL, CONFIRM, INIT, SEARCH, SLOTS, STATUS, Decline, Leg
from uhi.booking.desk import Desk
from uhi.booking.discovery import Discovery
from uhi.booking.hospital import Slot
from uhi.booking.policy import Policy
from uhi.booking.provider import ConsultationProvider
from uhi.booking.speaker import Speaker
from uhi.booking.sql_bookings import bookings_of
from uhi.booking.store import BookingStore
from uhi.errors import IncompleteMessage
from uhi.handlers import Handlers
from uhi.listing.subjects import code_of
from uhi.listing.terms import offered_terms
from uhi.messages import (
    Cancel,
    Confirm,
    Init,
    Intent,
    OnCancel,
    OnConfirm,
    OnInit,
    OnSearch,
    OnStatus,
    Search,
    Slots,
    SlotsFound,
    Status,
)
from uhi.messages.values import IST, Category, Term
from uhi.messages.wire import Wire
from uhi.verified import Verified

A = TypeVar("A", bound=Wire)

_CONSULTATION = "consultation"
_COMMERCIAL = (
    "{test} is carried out by {lab}; the sample is taken {where} on {day}. The laboratory may be up to 30 minutes late."
)


class DiagnosticsProvider:
    """A laboratory: `app.include(DiagnosticsProvider(labs, speaker=app, name="…").handlers)`.

    Ids given to the news are those of appointments, as the orders have them. Orders are kept where the participant
    keeps its messages, unless a `store` is given.
    """

    def __init__(
        self, labs: Labs, *, speaker: Speaker, name: str, domain: str = DOMAIN, store: BookingStore | None = None
    ) -> None:
        store = store or bookings_of(speaker.world, provider_id=speaker.subscriber_id)
        policy = Policy(name=name, domain=domain, fulfilments=(HOME, LAB), terms=lab_terms)
        desk = LabDesk(labs, store=store, times=times_of(store, speaker), clock=speaker.clock)
        self._wording = Wording(labs)
        self.bookings = ConsultationProvider(
            desk, speaker=LabSpeaker(speaker, self._wording), store=store, policy=policy
        )
        searched = Desk(hospital=desk, store=store, policy=policy, clock=speaker.clock)
        self._discovery = Discovery(searched, name=name)
        self.handlers = Handlers()
        self._hear_searches()
        self._hear_orders()

    async def sample_collected(self, appointment_id: str) -> None:
        """Tell the patient that the sample was taken.

        Raises: OrderUnknown, StateConflict.
        """
        await self.bookings.started(appointment_id)

    async def report_ready(self, appointment_id: str, *, care_context_id: str = "") -> None:
        """Tell the patient that the report is there; again when the id of its records is known.

        Raises: OrderUnknown, StateConflict.
        """
        await self.bookings.completed(appointment_id, care_context_id=care_context_id)

    async def cancelled(self, appointment_id: str, reason: str, *, text: str = "") -> None:
        """Tell the patient that the laboratory calls it off, with a D-code.

        Raises: IncompleteMessage, OrderUnknown, StateConflict.
        """
        await self.bookings.cancelled(appointment_id, reason, text=text)

    def _hear_searches(self) -> None:
        @self.handlers.on(SEARCH)
        async def find_tests(request: Verified[Search]) -> OnSearch | Decline | None:
            return await self._wording.answer(
                await self._discovery.doctors(_about_tests(request.message.intent), request.thread)
            )

        @self.handlers.on(SLOTS)
        async def find_times(request: Verified[Slots]) -> SlotsFound | Decline | None:
            intent = _about_tests(request.message.intent)
            return await self._wording.answer(await self._discovery.slots(intent, request.thread))

    def _hear_orders(self) -> None:
        @self.handlers.on(INIT)
        async def hold(request: Verified[Init]) -> OnInit | Decline:
            return await self._answered(INIT.request, request, OnInit)

        @self.handlers.on(CONFIRM)
        async def book(request: Verified[Confirm]) -> OnConfirm | Decline:
            return await self._answered(CONFIRM.request, request, OnConfirm)

        @self.handlers.on(STATUS)
        async def tell(request: Verified[Status]) -> OnStatus | Decline:
            return await self._answered(STATUS.request, request, OnStatus)

        @self.handlers.on(CANCEL)
        async def call_off(request: Verified[Cancel]) -> OnCancel | Decline:
            return await self._answered(CANCEL.request, request, OnCancel)

    async def _answered(self, leg: Leg[Wire], request: object, kind: type[A]) -> A | Decline:
        """Have the bookings answer, then put it into the lab's words."""
        handler = self.bookings.handlers.of(leg)
        answer = await self._wording.answer(await handler.function(request)) if handler else None
        if not isinstance(answer, kind | Decline):
            raise IncompleteMessage("the bookings gave no answer", got=type(answer).__name__, expected=kind.__name__)
        return answer


def lab_terms(slot: Slot) -> tuple[Term, ...]:
    """Return the five terms for a sample, valid until its time is over."""
    return offered_terms(_texts(slot), until=slot.end)


def _texts(slot: Slot) -> Mapping[str, tuple[str, str]]:
    start = slot.start.astimezone(IST)
    lab, test = slot.doctor.facility.name, slot.doctor.speciality
    where = "at the patient's home" if slot.fulfilment == HOME else f"at {lab}"
    return {
        "Commercial": (
            "UHI connects you with the laboratory and is no party to it.",
            _COMMERCIAL.format(
                test=test.name if test else "The test", lab=lab, where=where, day=f"{start:%d %B %Y at %H:%M}"
            ),
        ),
        "Settlement": ("You pay the laboratory directly.", "Nothing is settled through UHI or the network."),
        "Cancellation": (
            "Please cancel at least 4 hours before.",
            "Cancelling is free until the time begins. Should the laboratory have to cancel, it gives a reason.",
        ),
        "Refund": ("Nothing is paid in advance.", "What was paid is refunded by the laboratory's own policy."),
        "Payment": (
            "You pay when the sample is taken.",
            f"The total of {slot.price:.2f} rupees is paid when the sample is taken, by any mode the laboratory takes.",
        ),
    }


def _about_tests(intent: Intent) -> Intent:
    """A search that names a test as its item, read as one for the field that it is."""
    item = intent.item.descriptor if intent.item else None
    if code_of(item).casefold() in {"", _CONSULTATION}:
        return intent
    category = intent.category or Category(descriptor=item)
    return intent.model_copy(update={"item": None, "category": category})
