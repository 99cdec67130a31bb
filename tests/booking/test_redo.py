"""A message that is dealt with twice, because the process died in between, has one effect."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime

import pytest

from tests.booking.shelf import Shelf
from tests.booking.ward import RAVI, THREAD, Front, Ward, slot
from uhi.actions import Decline
from uhi.booking.desk import TRIES
from uhi.booking.holds import CLAIM, HoldLimits
from uhi.booking.hospital import Appointment, Hold, Patient
from uhi.booking.offers import Offer, write_cancel
from uhi.booking.policy import Policy
from uhi.booking.reasons import Cancellation, CancelledBy
from uhi.booking.states import OrderState
from uhi.booking.store import BookingStore
from uhi.errors import OrderChanged, Refusal, SlotUnavailable
from uhi.faults import OVERLOADED
from uhi.messages import OnConfirm, OnInit, Order
from uhi.testing import FakeClock

QUARTER = 15 * 60
STEPS = range(1, 9)
"""After which of its calls of the store a handler dies; none makes more."""


class Died(Exception):
    """The process is gone."""


@dataclass
class Deadly:
    """A store whose process dies right after its n-th call has done its work."""

    store: BookingStore
    after: int

    def __getattr__(self, name: str) -> Callable[..., Awaitable[object]]:
        async def call(*args: object, **named: object) -> object:
            result = await getattr(self.store, name)(*args, **named)
            self.after -= 1
            if self.after == 0:
                raise Died
            return result

        return call


@dataclass
class Away:
    """A store that refuses the n-th order it should keep, once."""

    store: BookingStore
    at: int

    def __getattr__(self, name: str) -> Callable[..., Awaitable[object]]:
        return getattr(self.store, name)  # type: ignore[no-any-return]

    async def put(self, *args: object, **named: object) -> object:
        self.at -= 1
        if self.at == 0:
            raise Refusal(OVERLOADED, "the database does not answer")
        return await self.store.put(*args, **named)  # type: ignore[arg-type]


@dataclass
class Fatal:
    """A hospital that holds a slot for a process which dies before it learns of it."""

    ward: Ward

    def __getattr__(self, name: str) -> Callable[..., Awaitable[object]]:
        return getattr(self.ward, name)  # type: ignore[no-any-return]

    async def hold(self, slot_id: str, *, patient: Patient, until: datetime) -> Hold:
        await self.ward.hold(slot_id, patient=patient, until=until)
        raise Died


class Forgetful(Ward):
    """A hospital that does not know the same patient again."""

    async def hold(self, slot_id: str, *, patient: Patient, until: datetime) -> Hold:
        if not self._is_free(slot_id):
            raise SlotUnavailable("the slot is taken")
        return await super().hold(slot_id, patient=patient, until=until)


class Town:
    """A hospital whose own system lives on, and the processes before it, which do not."""

    def __init__(self, shelf: Shelf) -> None:
        self.clock = FakeClock(jumps=False)
        self.ward = Ward(self.clock)
        self.ward.offer(*(slot(number) for number in range(20)))
        self.store = shelf.store()

    def front(self, *, dies_after: int = 0) -> Front:
        """One more process."""
        store = Deadly(self.store, dies_after) if dies_after else self.store
        policy = Policy(holds=HoldLimits(per_consumer=None))
        return Front(policy=policy, store=store, ward=self.ward, clock=self.clock)  # type: ignore[arg-type]

    def on(self, *, store: object = None, ward: object = None) -> Front:
        """One more process, with another store or hospital before it."""
        return Front(store=store or self.store, ward=ward or self.ward, clock=self.clock)  # type: ignore[arg-type]

    async def twice(self, ask: Callable[[Front], Awaitable[object]], step: int) -> object:
        """Ask once of a process that dies, then of another; returns what the other said, which both would say."""
        try:
            first = await ask(self.front(dies_after=step))
        except Died:
            first = None
        again = await ask(self.front())
        assert first in (None, again)
        return again

    async def confirmed(self, step: int, offer: Offer) -> Order:
        answer = await self.twice(lambda front: front.confirm(offer), step)
        assert isinstance(answer, OnConfirm)
        return answer.order


def patient(number: int) -> Patient:
    return replace(RAVI, id=f"patient-{number}@sbx")


@pytest.fixture
def town(shelf: Shelf) -> Town:
    return Town(shelf)


async def test_an_init_that_is_repeated_holds_once(town):
    """Reliability, natural keys: same consumer, transaction, patient and slot, same order."""
    for step in STEPS:
        answer = await town.twice(lambda front, n=step: front.init(slot(n), patient(n)), step)

        held = await town.store.live_holds(now=slot(0).start.replace(day=1), patient_id=patient(step).id)
        assert isinstance(answer, OnInit)
        assert [order.id for order in held] == [answer.order.id]
    assert town.ward.count == len(STEPS)


async def test_an_init_whose_process_died_after_the_hospital_held_gets_the_slot(town):
    """The Hospital protocol: the same patient gets the hold there is, for as long as from the second time on."""
    with pytest.raises(Died):
        await town.on(ward=Fatal(town.ward)).init(slot(0))
    await town.clock.advance(QUARTER - 1)

    answers = [await town.on().init(slot(0), patient(1)), await town.on().init(slot(0))]

    assert [type(answer) for answer in answers] == [Decline, OnInit]
    assert town.ward.count == 1
    order = await town.store.get(answers[1].order.id)
    assert town.ward.taken["slot-0"].until == order.hold.until


async def test_a_late_confirm_whose_process_died_after_the_hospital_held_books(town):
    """Decision 34: still free for whoever asks for it again, within the time of the claim and after it."""
    for number, later in enumerate((0, CLAIM.total_seconds())):
        offer = await town.on().offered(slot(number), patient(number))
        await town.clock.advance(QUARTER)
        with pytest.raises(Died):
            await town.on(ward=Fatal(town.ward)).confirm(offer)
        await town.clock.advance(later)

        answer = await town.on().confirm(offer)

        assert answer.order.state == "CONFIRMED"


async def test_an_init_that_could_not_be_kept_gives_the_slot_back(town):
    """Ours: asked again, also a hospital that does not know its patients again has the slot."""
    ward = Forgetful(town.clock, slots=town.ward.slots)
    front = town.on(store=Away(town.store, 1), ward=ward)
    with pytest.raises(Refusal):
        await front.init(slot(0))

    assert ward.released == ["hold-1"]
    assert isinstance(await front.init(slot(0)), OnInit)


@pytest.mark.parametrize("at", [1, 2, 3])
async def test_a_late_confirm_that_could_not_be_kept_books_when_it_can(town, at):
    """Ours: expired, claimed, confirmed: whichever of them the storage misses, once."""
    ward = Forgetful(town.clock, slots=town.ward.slots)
    offer = await town.on(ward=ward).offered(slot(0))
    await town.clock.advance(QUARTER)
    front = town.on(store=Away(town.store, at), ward=ward)
    with pytest.raises(Refusal):
        await front.confirm(offer)

    answer = await front.confirm(offer)

    assert answer.order.state == "CONFIRMED"
    assert len(ward.booked) == 1


@pytest.mark.parametrize("later", [0, QUARTER])
async def test_a_confirm_that_is_repeated_books_once(town, later):
    """Decision 35: same order, same state, same PIN; within the hold and after it."""
    offers = [await town.front().offered(slot(step), patient(step)) for step in STEPS]
    await town.clock.advance(later)

    orders = [await town.confirmed(step, offer) for step, offer in zip(STEPS, offers, strict=True)]

    assert [order.id for order in orders] == [offer.order_id for offer in offers]
    assert {order.state for order in orders} == {"CONFIRMED"}
    assert len(town.ward.booked) == len(STEPS)
    for order in orders:
        assert (await town.store.get(order.id)).pin.token == order.authorization.pin


async def test_a_confirm_that_comes_too_late_fails_once(town):
    """Decision 34: taken by another meanwhile; the same answer again."""
    offers = [await town.front().offered(slot(step), patient(step)) for step in STEPS]
    await town.clock.advance(QUARTER)
    for step in STEPS:
        await town.front().booked(slot(step), replace(RAVI, id=f"other-{step}@sbx"))

    answers = [
        await town.twice(lambda front, one=offer: front.confirm(one), step)
        for step, offer in zip(STEPS, offers, strict=True)
    ]

    assert {(type(answer), answer.outcome.code, answer.message.order.state) for answer in answers} == {
        (Decline, "40002", "FAILED")
    }
    assert len(town.ward.booked) == len(STEPS)


async def test_a_cancel_that_is_repeated_cancels_once(town):
    """UHI order states: same state again is a refresh."""
    for step in STEPS:
        order = await town.front().booked(slot(step), patient(step))
        asked = write_cancel(order.id, reason="PATIENT_HEALTH_IMPROVED")

        answer = await town.twice(lambda front, one=asked: front.attending.cancel(one, THREAD), step)

        assert answer.order.state == "CANCELLED"
        assert (await town.store.get(order.id)).version == 4
    assert not [what for what in town.ward.taken.values() if isinstance(what, Appointment)]


async def test_a_status_that_brings_news_of_the_hospital_keeps_it_once(town):
    """UHI on_status: a cancellation made in the hospital's own system."""
    called_off = Cancellation(CancelledBy.DOCTOR, "DOCTOR_UNAVAILABLE")
    for step in STEPS:
        order = await town.front().booked(slot(step), patient(step))
        visit = town.ward.taken[f"slot-{step}"].id
        town.ward.taken[f"slot-{step}"] = Appointment(id=visit, cancelled=called_off)

        answer = await town.twice(lambda front, one=order: front.attending.status(one, THREAD), step)

        assert answer.order.state == "CANCELLED"
        assert (await town.store.get(order.id)).version == 4


async def test_a_report_that_is_repeated_counts_once(town):
    """UHI on_update of the consumer: DOCTOR_NO_SHOW has no way out, and no answer."""
    orders = [await town.front().booked(slot(step), patient(step)) for step in STEPS]
    await town.clock.advance(5 * 86_400)

    for step, order in zip(STEPS, orders, strict=True):
        await town.twice(lambda front, one=order: front.attending.report(one, THREAD), step)

    assert {(await town.store.get(order.id)).state for order in orders} == {OrderState.DOCTOR_NO_SHOW}


async def test_two_processes_that_confirm_one_order_give_one_answer(shelf):
    """Reliability, slots: version; the second reads again and finds the order answered."""
    town = Town(shelf)
    offers = [await town.front().offered(slot(step), patient(step)) for step in STEPS]
    fronts = [Front(store=shelf.store(), ward=town.ward, clock=town.clock) for _ in range(3)]

    for offer in offers:
        answers = await asyncio.gather(*(front.confirm(offer) for front in fronts))

        assert answers == [answers[0]] * 3
        assert answers[0].order.state == "CONFIRMED"
    assert len(town.ward.booked) == len(STEPS)


async def test_news_is_kept_with_what_it_tells(town, shelf):
    """Reliability, outbox: written in one step with its cause, so a crash right after it loses nothing."""
    order = await town.front().booked(slot(0))
    dying = town.front(dies_after=3)

    with pytest.raises(Died):
        await dying.attending.cancelled("appointment-slot-0", "DOCTOR_UNAVAILABLE")

    assert (await town.store.get(order.id)).state is OrderState.CANCELLED
    assert len(await shelf.letters()) == 1
    assert dying.voice.told == []


async def test_a_step_that_always_comes_second_is_given_up(front):
    """Ours: tried again, and not for ever."""
    tries = []

    async def step() -> None:
        tries.append(1)
        raise OrderChanged("the order was changed meanwhile")

    with pytest.raises(OrderChanged):
        await front.holding._desk.in_turn("a", step)

    assert len(tries) == TRIES
