"""What a consumer hears of its bookings: each message has its effect once, every change is told, errands follow.

An answer about an order comes twice, to whoever waits and to a handler here. Above: `uhi.booking.consumer`; below: the
diary. Source: decision 29; NHA Physical Consultation v2.0.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from weakref import WeakValueDictionary

from uhi.actions import CANCEL, CANCELLED, CONFIRM, SEARCH, STATUS, STATUS_NEWS, UPDATED
from uhi.booking.appointments import Booking, heard, unheard_of
from uhi.booking.diary import Change, Diary, Entry, Errand, Key, Turn, key_of, replacing
from uhi.booking.found import read_doctors
from uhi.booking.news import BookingNews, Events, LateDoctors, Readers
from uhi.errors import BookingDeclined, BookingError, DeliveryError, NoAnswer, Refusal
from uhi.exchange.background import repeatedly
from uhi.faults import ALREADY_TAKEN, RECORD_MISSING
from uhi.handlers import Handlers
from uhi.messages import OnCancel, OnConfirm, OnSearch, OnStatus, Order, Updated
from uhi.messages.wire import Wire
from uhi.ports import Clock
from uhi.verified import Declined, Verified

ERRAND_SECONDS = 60.0
"""How long an errand is one process's."""
AGAIN_SECONDS = 900.0
"""How long an errand waits after it could not be done, if nothing is heard of the booking meanwhile."""
LOOK_SECONDS = 30.0

log = logging.getLogger(__name__)

Do = Callable[[Entry], Awaitable[None]]


class Hearing:
    """A diary with ears: `handlers` hear what concerns it. `do` does an errand; BookingError, DeliveryError and
    NoAnswer mean that it is not done."""

    def __init__(self, diary: Diary, do: Do, *, clock: Clock) -> None:
        self.diary = diary
        self.handlers = Handlers()
        self._do = do
        self._clock = clock
        self._readers = Readers()
        self._locks: WeakValueDictionary[Key, asyncio.Lock] = WeakValueDictionary()
        self._hear_searches()
        self._hear_answers()
        self._hear_news()

    def join(self) -> Events:
        """Return the news from now on, as this process hears it."""
        return self._readers.join()

    async def open(self, booking: Booking, *, replaces: Key | None = None, account_id: str = "") -> Booking:
        """Enter a booking unless it is there, whose it is and whose place it takes; returns the one that is there.

        Raises: Refusal(ALREADY_TAKEN) when it is another account's; Refusal(RECORD_MISSING) as `Diary.change`.
        """

        def turn(known: Entry | None) -> Entry:
            entry = known or Entry(booking=booking, account_id=account_id)
            if account_id and entry.account_id != account_id:
                raise Refusal(ALREADY_TAKEN, "another account has this order", next_step="choose another slot")
            return replacing(entry, replaces) if replaces else entry

        return _booking(await self._change(booking, turn))

    async def stand_alone(self, booking: Booking) -> None:
        """Let a booking take nobody's place any more."""
        await self._change(booking, lambda known: known and replacing(known, None))

    async def take(self, order: Order, answer: Verified[Wire], *, about: str) -> Booking | None:
        """Let a message have its effect; None where it is about an order that is not known here."""
        entry = await self._take(order, answer, about=about)
        return entry.booking if entry else None

    async def keep(self, booking: Booking, *, about: str) -> Booking:
        """Keep a booking that we changed ourselves, and tell of it."""
        await self._change(booking, lambda known: (known or Entry(booking=booking)).with_booking(booking))
        self._readers.tell(BookingNews(booking, about))
        return booking

    async def run_errand(self, key: Key) -> None:
        """Do what follows from a booking and is not done yet; one of several who come at once does it, the others
        wait for it."""
        lock = self._locks.setdefault(key, asyncio.Lock())
        async with lock:
            now = self._clock.now()
            entry = await self.diary.claim(key, now=now, until=now + ERRAND_SECONDS)
            if entry is None:
                return
            if entry.errand is Errand.CALL_OFF:
                log.warning("%s confirmed another price than it quoted", key.provider_id)
            try:
                await self._do(entry)
            except (BookingError, DeliveryError, NoAnswer) as error:
                await self.diary.put_off(key, until=self._clock.now() + AGAIN_SECONDS)
                _log_failed(entry, error)
                return
            if entry.errand is Errand.CANCEL_REPLACED:
                await self.stand_alone(entry.booking)

    async def watch(self) -> None:
        """Do the errands that an earlier life has left, and those that could not be done at first; never returns."""

        async def once() -> None:
            for key in await self.diary.due(now=self._clock.now()):
                await self.run_errand(key)
            await self._clock.sleep(LOOK_SECONDS)

        await repeatedly(once, "errands of bookings", self._clock)

    async def _change(self, booking: Booking, turn: Turn) -> Entry | None:
        return (await self.diary.change(key_of(booking.thread, booking.order_id), turn)).after

    async def _changed(self, key: Key, turn: Turn) -> Change:
        try:
            return await self.diary.change(key, turn)
        except Refusal as refusal:
            if refusal.fault is not RECORD_MISSING:
                raise
            # Whose it was has been erased, at this very moment it may be.
            return Change(None, None)

    async def _take(self, order: Order, answer: Verified[Wire], *, about: str, opens: bool = False) -> Entry | None:
        # `opens`: we asked for it, so it may bring in an order that we have forgotten.
        code = (answer.error.code if answer.error else None) or ""

        def turn(known: Entry | None) -> Entry | None:
            if known is None:
                new = unheard_of(order, answer.thread) if opens else None
                known = Entry(booking=new) if new else None
            return known and known.with_booking(heard(known.booking, order))

        before, after = await self._changed(key_of(answer.thread, order.id or ""), turn)
        if after is None:
            log.warning("%s from %s is about an order that is not known here", about, answer.thread.provider_id)
        elif before is None or before.booking != after.booking:
            self._readers.tell(BookingNews(after.booking, about, answer.is_late, code))
        return after

    async def _settle(self, order: Order, answer: Verified[Wire], *, about: str, opens: bool = False) -> None:
        entry = await self._take(order, answer, about=about, opens=opens)
        if entry is not None and entry.errand is not None:
            await self.run_errand(entry.key)

    def _hear_searches(self) -> None:
        @self.handlers.on(SEARCH.answer)
        async def found(answer: Verified[OnSearch] | Declined) -> None:
            if isinstance(answer, Verified) and answer.is_late:
                self._readers.tell(LateDoctors(tuple(read_doctors(answer.message.catalog, answer.thread, late=True))))

    def _hear_answers(self) -> None:
        on = self.handlers.on

        @on(CONFIRM.answer)
        async def confirmed(answer: Verified[OnConfirm] | Declined) -> None:
            if isinstance(answer, Verified):
                await self._settle(answer.message.order, answer, about="on_confirm")

        @on(STATUS.answer)
        async def told(answer: Verified[OnStatus] | Declined) -> None:
            if isinstance(answer, Verified):
                await self._settle(answer.message.order, answer, about="on_status", opens=True)

        @on(CANCEL.answer)
        async def cancelled(answer: Verified[OnCancel] | Declined) -> None:
            if isinstance(answer, Verified):
                await self.take(answer.message.order, answer, about="on_cancel")

    def _hear_news(self) -> None:
        on = self.handlers.on

        @on(UPDATED)
        async def updated(news: Verified[Updated]) -> None:
            await self.take(news.message.order, news, about="on_update")

        @on(STATUS_NEWS)
        async def told_unasked(news: Verified[OnStatus]) -> None:
            await self._settle(news.message.order, news, about="on_status")

        @on(CANCELLED)
        async def cancelled_there(news: Verified[OnCancel]) -> None:
            await self.take(news.message.order, news, about="on_cancel")


def _booking(entry: Entry | None) -> Booking:
    if entry is None:
        raise LookupError("an entry that was just made is not there")
    return entry.booking


def _log_failed(entry: Entry, error: Exception) -> None:
    if entry.errand is Errand.CALL_OFF:
        log.error("an order confirmed at another price could not be called off: %s", error)
        return
    # A provider that says no will say so again; the patient sees both bookings.
    level = logging.ERROR if isinstance(error, BookingDeclined) else logging.WARNING
    log.log(level, "an order whose place another has taken could not be cancelled: %s", error)
