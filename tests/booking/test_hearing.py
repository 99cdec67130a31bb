"""What a consumer hears, and whom it tells."""

from __future__ import annotations

import asyncio
import gc
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest

from tests.booking.ward import THREAD, found, slot
from uhi.booking.appointments import Booking
from uhi.booking.diary import Change, Entry, Key, MemoryDiary, Turn
from uhi.booking.hearing import AGAIN_SECONDS, Hearing
from uhi.booking.news import LONGEST_QUEUE, BookingNews, Events
from uhi.booking.quotes import Quote, write_quote
from uhi.booking.states import OrderState
from uhi.errors import BookingDeclined, NoAnswer, Refusal
from uhi.faults import RECORD_MISSING
from uhi.messages import OnCancel, OnConfirm, Order, Updated
from uhi.subscribers import Role
from uhi.testing import FakeClock, verified

HELD = Booking(order_id="a1", thread=THREAD, found=found(slot()), quote=Quote(Decimal(500)))
KEY = Key(THREAD.provider_id, "a1")


@dataclass
class Doing:
    """Does errands, or fails at them with each of `errors` in turn."""

    errors: list[Exception] = field(default_factory=list)
    done: list[Entry] = field(default_factory=list)

    async def __call__(self, entry: Entry) -> None:
        await asyncio.sleep(0)
        if self.errors:
            raise self.errors.pop(0)
        self.done.append(entry)


@pytest.fixture
def doing() -> Doing:
    """What was done."""
    return Doing()


@pytest.fixture
def hearing(doing: Doing) -> Hearing:
    """Ears on a diary in memory."""
    return Hearing(MemoryDiary(), doing, clock=FakeClock(jumps=False))


async def take(hearing, kind, state: str, thread=THREAD) -> Booking | None:
    message = kind(order=Order(id="a1", state=state, quote=write_quote(HELD.quote)))
    return await hearing.take(message.order, verified(message, thread=thread, sender=Role.PROVIDER), about="on_confirm")


class Erased(MemoryDiary):
    """A diary in which the account's key is gone."""

    async def change(self, key: Key, turn: Turn) -> Change:
        """See `Diary`."""
        raise Refusal(RECORD_MISSING)


async def test_news_of_who_was_erased_is_of_an_order_that_is_not_known(doing, caplog):
    """Case IAM-17: what comes at the moment of an erasure is kept nowhere, and not tried again."""
    hearing = Hearing(Erased(), doing, clock=FakeClock(jumps=False))

    taken = await take(hearing, OnConfirm, "CONFIRMED")

    assert taken is None
    assert "is about an order that is not known here" in caplog.text
    with pytest.raises(Refusal):
        await hearing.open(HELD, account_id="ravi")


async def test_an_order_is_one_accounts(hearing):
    """Ours: two accounts may ask for one slot in one conversation; what it says is sealed for the first."""
    await hearing.open(HELD, account_id="ravi")

    with pytest.raises(Refusal, match="another account"):
        await hearing.open(HELD, account_id="meena")
    assert await hearing.open(HELD, account_id="ravi") == await hearing.open(HELD) == HELD


async def test_news_heard_twice_is_told_once(hearing):
    """Decision 29: who waits and the handler both hear an answer."""
    events = hearing.join()
    await hearing.open(HELD)

    await take(hearing, OnConfirm, "CONFIRMED")
    await take(hearing, OnConfirm, "CONFIRMED")
    await take(hearing, OnCancel, "CANCELLED")

    told = [await anext(events), await anext(events)]
    assert [news.booking.state.value for news in told] == ["CONFIRMED", "CANCELLED"]


@pytest.mark.parametrize("state", ["APPOINTMENT_STARTED", "COMPLETED", "CANCELLED", "NO_SHOW"])
async def test_update_that_was_not_asked_for_is_taken(hearing, state):
    """NHA go-live checklist 12: on_update to the application, CANCELLED among it though on_cancel is its message."""
    await hearing.open(HELD)
    await take(hearing, OnConfirm, "CONFIRMED")

    heard = await take(hearing, Updated, state)

    assert heard.state.value == state


async def test_another_provider_cannot_speak_about_an_order(hearing):
    """Security: orders are known by provider and id; a stranger's word makes nothing."""
    await hearing.open(HELD)

    heard = await take(hearing, OnCancel, "CANCELLED", replace(THREAD, provider_id="other.example"))

    assert heard is None
    assert (await hearing.diary.known(KEY)).booking.state is OrderState.HELD


async def test_a_booking_is_entered_once(hearing):
    """Ours: an old copy does not overwrite what is known."""
    await hearing.open(HELD)
    await take(hearing, OnConfirm, "CONFIRMED")

    assert (await hearing.open(HELD)).state is OrderState.CONFIRMED


@pytest.mark.case("CB-07")
async def test_of_many_who_come_at_once_one_does_the_errand(hearing, doing):
    """Case CB-07: one cancellation goes out; whoever comes beside it waits until it is done."""
    await hearing.open(replace(HELD, price_mismatch=True))

    await asyncio.gather(*(hearing.run_errand(KEY) for _ in range(5)))

    assert [entry.key for entry in doing.done] == [KEY]


async def test_an_errand_that_fails_is_tried_again_after_a_while(hearing, doing, caplog):
    """Ours: neither silence nor a no is the end of it; an operator reads about both."""
    doing.errors = [NoAnswer("nobody"), BookingDeclined("no")]
    await hearing.open(replace(HELD, price_mismatch=True))
    now = hearing._clock.now()

    await hearing.run_errand(KEY)
    early = await hearing.diary.due(now=now + AGAIN_SECONDS - 1)
    await hearing.run_errand(KEY)

    assert (early, await hearing.diary.due(now=now + AGAIN_SECONDS)) == ([], [KEY])
    assert caplog.text.count("could not be called off") == 2


async def test_what_is_replaced_stands_alone_again(hearing, doing):
    """Decision 38: once the old one is cancelled nothing is left to do."""
    await hearing.open(HELD, replaces=Key(THREAD.provider_id, "a0"))
    await take(hearing, OnConfirm, "CONFIRMED")

    await hearing.run_errand(KEY)
    await hearing.run_errand(KEY)

    assert (len(doing.done), (await hearing.diary.known(KEY)).replaces) == (1, None)


def test_a_reader_that_is_gone_is_forgotten_and_a_slow_one_loses_the_oldest(hearing):
    """Ours: nothing grows without bound."""
    hearing.join()
    gc.collect()
    slow = Events()

    for number in range(LONGEST_QUEUE + 5):
        slow.put(BookingNews(replace(HELD, order_id=str(number)), "on_status"))

    assert len(hearing._readers._readers) == 0
    assert slow._waiting[0].booking.order_id == "5"
