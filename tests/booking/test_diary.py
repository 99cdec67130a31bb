"""What a consumer keeps, and whom it tells."""

from __future__ import annotations

import asyncio
import gc
from dataclasses import replace
from decimal import Decimal

from tests.booking.ward import THREAD, found, slot
from uhi.booking.appointments import Booking
from uhi.booking.diary import Diary
from uhi.booking.news import LONGEST_QUEUE, BookingNews, Events, LateDoctors
from uhi.booking.quotes import Quote, write_quote
from uhi.booking.states import OrderState
from uhi.messages import OnCancel, OnConfirm, Order
from uhi.subscribers import Role
from uhi.testing import verified

HELD = Booking(order_id="a1", thread=THREAD, found=found(slot()), quote=Quote(Decimal(500)))


def take(diary: Diary, kind: type[OnConfirm | OnCancel], state: str, thread=THREAD) -> Booking | None:
    message = kind(order=Order(id="a1", state=state, quote=write_quote(HELD.quote)))
    return diary.take(message.order, verified(message, thread=thread, sender=Role.PROVIDER), about="on_confirm")


async def test_news_heard_twice_is_told_once():
    """Decision 29: who waits and the handler both hear an answer."""
    diary = Diary()
    events = diary.join()
    diary.open(HELD)

    take(diary, OnConfirm, "CONFIRMED")
    take(diary, OnConfirm, "CONFIRMED")
    take(diary, OnCancel, "CANCELLED")

    told = [await anext(events), await anext(events)]
    assert [news.booking.state.value for news in told] == ["CONFIRMED", "CANCELLED"]


def test_another_provider_cannot_speak_about_an_order():
    """Security: orders are known by provider and id; a stranger's word makes nothing."""
    diary = Diary()
    diary.open(HELD)

    heard = take(diary, OnCancel, "CANCELLED", replace(THREAD, provider_id="other.example"))

    assert heard is None
    assert diary.known(THREAD, "a1").state is OrderState.HELD


def test_a_booking_is_entered_once():
    """Ours: an old copy does not overwrite what is known."""
    diary = Diary()
    diary.open(HELD)
    take(diary, OnConfirm, "CONFIRMED")

    assert diary.open(HELD).state is OrderState.CONFIRMED


def test_one_calls_off_at_a_time():
    """Decision CB-07: however often a wrong price is told, one cancellation goes out."""
    diary = Diary()
    wrong = replace(HELD, price_mismatch=True)

    first, second = diary.must_call_off(wrong), diary.must_call_off(wrong)
    diary.not_called_off(wrong)

    assert (first, second, diary.must_call_off(wrong)) == (True, False, True)
    assert not diary.must_call_off(HELD)


async def test_a_reader_waits_for_news():
    """Ours: events is an async iterator that does not poll."""
    diary = Diary()
    events = diary.join()
    reading = asyncio.ensure_future(anext(aiter(events)))
    await asyncio.sleep(0)

    diary.found_late([])

    assert await reading == LateDoctors(())


def test_a_reader_that_is_gone_is_forgotten_and_a_slow_one_loses_the_oldest():
    """Ours: nothing grows without bound."""
    diary = Diary()
    diary.join()
    gc.collect()
    slow = Events()

    for number in range(LONGEST_QUEUE + 5):
        slow.put(BookingNews(replace(HELD, order_id=str(number)), "on_status"))

    assert len(diary._readers._readers) == 0
    assert slow._waiting[0].booking.order_id == "5"
