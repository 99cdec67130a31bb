"""A patient's side of booking, above ask and tell: find, slots, quote, hold, confirm, cancel, status, events.

An answer about an order comes twice, to whoever waits and to a handler of `hearing`, and has one effect; so a
confirmation, a cancellation or a status that comes late is not lost. Below: `hearing` and the diary, which outlives the
process where the program's messages do. Source: NHA Physical Consultation v2.0, decision 38.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from uhi.actions import CANCEL, CONFIRM, INIT, REPORTED, SEARCH, SELECT, SLOTS, STATUS, Broadcast, Question
from uhi.booking.appointments import Booking, held
from uhi.booking.diary import Diary, Entry, Errand, Key, key_of
from uhi.booking.found import FoundDoctor, FoundSlot, read_doctors, read_slots
from uhi.booking.hearing import Hearing
from uhi.booking.holds import hold_until
from uhi.booking.hospital import DoctorQuery, Patient, Window
from uhi.booking.intents import LONGEST_WINDOW, read_window, write_search, write_slots
from uhi.booking.news import Events
from uhi.booking.offers import Offer, accept, read_offer, write_cancel, write_init, write_select, write_visit
from uhi.booking.quotes import Quote, read_quote
from uhi.booking.reasons import PatientReason, chosen
from uhi.booking.speaker import WAIT, Speaker, moment
from uhi.booking.sql_diary import diary_of
from uhi.booking.states import OrderState, Via, transition
from uhi.errors import BookingDeclined, BookingError, DeliveryError, PriceMismatch, StateConflict
from uhi.faults import CANCELLATION_IMPOSSIBLE, OUTCOMES
from uhi.messages import Cancel, Confirm, Init, Order, Reported, Select, Status
from uhi.messages.values import Term
from uhi.messages.wire import Wire
from uhi.subscribers import Role
from uhi.verified import Declined, Thread, Verified

Q = TypeVar("Q", bound=Wire)
A = TypeVar("A", bound=Wire)

_NO_DECISION = 500
_NEXT_DAYS = timedelta(days=7)
_SENTENCES = {outcome.code: outcome.sentence for outcome in OUTCOMES.values()}
_WHY_CALLED_OFF = "The price confirmed is not the price quoted."
_WHY_REPLACED = "Moved to another time."
_WHY_NOT_MOVED = "The other appointment stays."


class Bookings:
    """`bookings = Bookings(app); app.include(bookings.handlers); app.meanwhile(bookings.watch)`, then find, slots,
    hold, confirm.

    Bookings are kept where the program's messages are, unless a `diary` is given; `watch` does what an earlier life
    has left to do. `free_text_tag` is the tag for a reason in the patient's words, `rescheduled_to_tag` the one that
    names the order which takes another's place; empty: they are not sent.
    Every question raises DeliveryError when it could not be handed over, and NoAnswer when its wait is over. What comes
    after that is told by `events` where it brings doctors or changes a booking; late slots, quotes, offers and refusals
    are not told: ask again.
    """

    def __init__(
        self, speaker: Speaker, *, diary: Diary | None = None, free_text_tag: str = "", rescheduled_to_tag: str = ""
    ) -> None:
        self._speaker = speaker
        self._free_text_tag = free_text_tag
        self._rescheduled_to_tag = rescheduled_to_tag
        kept = diary or diary_of(speaker.world, consumer_id=speaker.subscriber_id)
        self._hearing = Hearing(kept, self._do, clock=speaker.clock)
        self.handlers = self._hearing.handlers
        self.watch = self._hearing.watch

    async def find(self, query: DoctorQuery, *, wait: float = WAIT) -> AsyncIterator[FoundDoctor]:
        """Yield doctors as hospitals answer, until `wait` seconds have passed.

        The time searched in is the query's window, else the next seven days. What comes later is told by `events`.
        """
        now = moment(self._speaker.clock)
        window = query.window or Window(now, now + _NEXT_DAYS)
        answers = aiter(self._speaker.ask(SEARCH, write_search(query, window), wait=wait))
        try:
            async for answer in answers:
                if isinstance(answer, Verified):
                    for found in read_doctors(answer.message.catalog, answer.thread):
                        yield found
        finally:
            if isinstance(answers, AsyncGenerator):
                await answers.aclose()

    async def slots(
        self, doctor: FoundDoctor, window: Window | None = None, *, wait: float = WAIT
    ) -> tuple[FoundSlot, ...]:
        """Return the free slots of a doctor that start in the window (the next 14 days), earliest first.

        Raises: BookingDeclined, NoAnswer, DeliveryError.
        """
        now = moment(self._speaker.clock)
        asked = write_slots(doctor.offered, window or Window(now, now + LONGEST_WINDOW))
        answer = await self._heard(SLOTS, asked, doctor.thread, wait)
        return tuple(sorted(read_slots(answer.message.catalog, answer.thread), key=lambda found: found.slot.start))

    async def quote(self, slot: FoundSlot, *, wait: float = WAIT) -> Quote:
        """Ask what a slot costs, without holding it; not every network has this question (NHA's has not).

        Raises: BookingDeclined (`40002`: the slot is gone), BookingError for an answer without a price, NoAnswer,
        DeliveryError where the provider does not take the question.
        """
        answer = await self._heard(SELECT, Select(order=write_select(slot)), slot.thread, wait)
        quote = read_quote(answer.message.order.quote)
        if quote is None:
            raise BookingError("the answer has no price", next_step="hold the slot: the offer has one")
        return quote

    async def hold(self, slot: FoundSlot, patient: Patient, *, wait: float = WAIT, account_id: str = "") -> Offer:
        """Hold a slot for a patient for 15 minutes and return the offer with quote and terms; show them.

        The same slot, patient and conversation again give the same order, and no more time. `account_id` is whose it
        is, for a diary that seals with keys of accounts.
        Raises: BookingDeclined (`40002`: the slot is gone), BookingError for an offer that cannot be accepted,
        NoAnswer (a late offer is not told: the same call brings it), DeliveryError; Refusal(ALREADY_TAKEN) when the
        order is another account's.
        """
        return await self._entered(await self._offered(slot, patient, lambda order: slot, wait), account_id)

    async def hold_offered(
        self, booking: Booking, patient: Patient, *, wait: float = WAIT, account_id: str = ""
    ) -> Offer:
        """Hold the slot that a hospital offers in the place of a booking which it called off (`offered_slot`).

        When that slot is, only the offer says: the question names the time of the booking, and an item after the slot.
        Raises: StateConflict where none is offered; as `hold`.
        """
        if not booking.offered_slot:
            raise StateConflict("no slot is offered in the place of this booking", next_step="search again")
        item = booking.found.item.model_copy(update={"id": booking.offered_slot})
        asked = FoundSlot(replace(booking.slot, id=booking.offered_slot), booking.thread, item)

        def found(order: Order) -> FoundSlot:
            window = read_window(order.fulfillment) if order.fulfillment else None
            if window is None:
                raise BookingError("the offer does not say when it is", next_step="search again")
            return replace(asked, slot=replace(asked.slot, start=window.start, end=window.end))

        return await self._entered(await self._offered(asked, patient, found, wait), account_id)

    async def confirm(self, offer: Offer, *, agreed: Sequence[Term] | Mapping[str, str], wait: float = WAIT) -> Booking:
        """Confirm an offer whose terms the patient has agreed; returns the booking with its PIN.

        `agreed` are the offer's terms, those that ask for a reason with `reason` filled in, or the reasons by type of
        term, one for every term (`""` where none is asked for). After NoAnswer the same call may be made again: it
        books once.
        Raises: IncompleteMessage when a term is not agreed; BookingDeclined; PriceMismatch, and the order is called
        off; BookingError when it is answered and not confirmed; NoAnswer, DeliveryError.
        """
        await self._enter(offer)
        answer = await self._heard(CONFIRM, Confirm(order=accept(offer, agreed)), offer.thread, wait)
        booking = await self._taken(answer, answer.message.order, offer, about="on_confirm")
        if booking.price_mismatch:
            raise PriceMismatch(
                "the order was confirmed at another price",
                expected=f"{offer.quote.total} rupees",
                next_step="the order is being called off; search again",
            )
        if booking.state is OrderState.FAILED:
            code = (answer.error.code if answer.error else None) or ""
            raise BookingDeclined(_SENTENCES.get(code, "the order could not be confirmed"), got=code, code=code)
        if not booking.state.travels:
            raise BookingError("the order is not confirmed yet", next_step="ask for the status")
        return booking

    async def status(self, of: Booking | Offer, *, wait: float = WAIT) -> Booking:
        """Ask how an order stands; brings the PIN back after a restart.

        Raises: BookingDeclined (`30010`: there is no such order), BookingError, NoAnswer, DeliveryError.
        """
        await self._enter(of)
        answer = await self._heard(STATUS, Status(order=Order(id=of.order_id)), of.thread, wait)
        return await self._taken(answer, answer.message.order, of, about="on_status")

    async def cancel(self, booking: Booking, reason: str, *, text: str = "", wait: float = WAIT) -> Booking:
        """Cancel for the patient with a P-code.

        Raises: IncompleteMessage for a code not in the list or `PATIENT_OTHER` without text; BookingDeclined (`50001`:
        it can no longer be cancelled), BookingError, NoAnswer, DeliveryError.
        """
        code = chosen(PatientReason, reason, text=text).value
        await self._enter(booking)
        return await self._cancelled(booking, code, text, wait)

    async def report_doctor_no_show(self, booking: Booking) -> Booking:
        """Tell the provider that the doctor did not come, the one state a consumer may set.

        Raises: StateConflict unless it was time for the appointment, and it is confirmed and not begun.
        """
        known = await self._enter(booking)
        state = transition(known.state, OrderState.DOCTOR_NO_SHOW, by=Role.CONSUMER, via=Via.ON_UPDATE)
        if moment(self._speaker.clock) < known.slot.start:
            raise StateConflict("the appointment has not begun", next_step="report it after the start of the slot")
        order = Order(id=known.order_id, state=state.value, item=known.found.item, fulfillment=write_visit(known.found))
        await self._speaker.tell(REPORTED, Reported(order=order), known.thread)
        return await self._hearing.keep(replace(known, state=state), about="on_update")

    async def reschedule(
        self, old: Booking, offer: Offer, *, agreed: Sequence[Term] | Mapping[str, str], wait: float = WAIT
    ) -> Booking:
        """Move a confirmed booking to the slot of an offer: the new one is confirmed, then the old one cancelled, so
        that the patient never has nothing. Returns the new one; `events` tells when the old one is gone.

        Where the new one is not confirmed, the old one stays; where the provider does not let go of the old one, the
        new one is called off. After NoAnswer the old one is cancelled when, and only when, the confirmation comes, in a
        later life of the process too.
        Raises: as `confirm`; StateConflict unless the old booking is confirmed, another order, and has not begun.
        """
        known = await self._enter(old)
        is_same = key_of(old.thread, old.order_id) == key_of(offer.thread, offer.order_id)
        if not known.is_confirmed or is_same or known.slot.start <= moment(self._speaker.clock):
            raise StateConflict("it cannot be moved", got=known.state.value, expected="another, CONFIRMED, not begun")
        # Terms that are not agreed are refused before anything is kept.
        accept(offer, agreed)
        new = await self._hearing.open(held(offer), replaces=key_of(old.thread, old.order_id))
        try:
            return await self.confirm(offer, agreed=agreed, wait=wait)
        except BookingDeclined:
            await self._hearing.stand_alone(new)
            raise
        except DeliveryError as error:
            if error.status is not None and error.status < _NO_DECISION:
                await self._hearing.stand_alone(new)
            raise

    def events(self) -> Events:
        """Return an async iterator over the news from now on: bookings that changed, doctors that came late."""
        return self._hearing.join()

    async def known(self, order_id: str, *, thread: Thread) -> Booking | None:
        """Return what is known of an order of the thread's provider, without asking."""
        entry = await self._hearing.diary.known(key_of(thread, order_id))
        return entry.booking if entry else None

    async def _offered(self, asked: FoundSlot, who: Patient, found: Callable[[Order], FoundSlot], wait: float) -> Offer:
        until = hold_until(moment(self._speaker.clock))
        answer = await self._heard(INIT, Init(order=write_init(asked, who)), asked.thread, wait)
        order = answer.message.order
        return read_offer(order, found(order), who, until=until, thread=answer.thread)

    async def _entered(self, offer: Offer, account_id: str) -> Offer:
        known = await self._hearing.open(held(offer), account_id=account_id)
        return replace(offer, until=min(offer.until, known.held_until or offer.until))

    async def known_of(self, keys: Collection[Key]) -> Mapping[Key, Booking]:
        """The same of several orders at once; those that are not known are left out."""
        return {key: entry.booking for key, entry in (await self._hearing.diary.known_of(keys)).items()}

    async def _heard(self, asks: Question[Q, A] | Broadcast[Q, A], told: Q, at: Thread, wait: float) -> Verified[A]:
        answer = await self._speaker.ask(asks, told, at, wait=wait)
        if isinstance(answer, Declined):
            code = answer.error.code or ""
            raise BookingDeclined(_SENTENCES.get(code, "the provider declined"), got=code, code=code)
        return answer

    async def _taken(self, answer: Verified[Wire], order: Order, of: Booking | Offer, *, about: str) -> Booking:
        # The answer fits our question; NHA's own example of a failed order leaves its id out.
        order = order if order.id else order.model_copy(update={"id": of.order_id})
        booking = await self._hearing.take(order, answer, about=about) if order.id == of.order_id else None
        if booking is None:
            raise BookingError("the answer is for another order", next_step="ask for the status")
        return booking

    async def _cancelled(self, booking: Booking, code: str, text: str, wait: float, instead: str = "") -> Booking:
        further, tag = {self._rescheduled_to_tag: instead}, self._free_text_tag
        order = write_cancel(booking.order_id, reason=code, text=text, text_tag=tag, further=further)
        answer = await self._heard(CANCEL, Cancel(order=order), booking.thread, wait)
        return await self._taken(answer, answer.message.order, booking, about="on_cancel")

    async def _enter(self, of: Booking | Offer) -> Booking:
        return await self._hearing.open(of if isinstance(of, Booking) else held(of))

    async def _do(self, entry: Entry) -> None:
        """Do the errand of an entry.

        Raises: BookingError, NoAnswer, DeliveryError.
        """
        if entry.errand is Errand.CALL_OFF:
            await self.cancel(entry.booking, PatientReason.PATIENT_OTHER, text=_WHY_CALLED_OFF)
            return
        old = await self._hearing.diary.known(entry.replaces) if entry.replaces else None
        if old is None or old.booking.state is not OrderState.CONFIRMED:
            return
        # Another provider knows no such order.
        instead = entry.booking.order_id if old.key.provider_id == entry.key.provider_id else ""
        try:
            await self._cancelled(old.booking, PatientReason.PATIENT_OTHER, _WHY_REPLACED, WAIT, instead)
            return
        except BookingDeclined as error:
            if error.code != CANCELLATION_IMPOSSIBLE.code:
                raise
        still = await self.status(old.booking)
        if still.is_confirmed and still.slot.start > moment(self._speaker.clock):
            await self.cancel(entry.booking, PatientReason.PATIENT_OTHER, text=_WHY_NOT_MOVED)
