"""A hospital's desk against a model of it: hold, confirm, cancel, lapse, ask again, and processes that die in between.

Source: reliability rules, test plan P8 (200 runs of 50 steps at least), and decisions 34 and 35.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from tests.booking.ward import RAVI, THREAD, Front, Ward, slot
from uhi.actions import Decline
from uhi.booking.holds import HOLD, HoldLimits
from uhi.booking.hospital import Hold
from uhi.booking.offers import Offer, write_cancel
from uhi.booking.policy import Policy
from uhi.booking.speaker import moment
from uhi.booking.states import OrderState
from uhi.booking.store import MemoryBookings
from uhi.faults import CANCELLATION_IMPOSSIBLE, ORDER_UNKNOWN, SLOT_UNAVAILABLE
from uhi.messages import Order
from uhi.testing import FakeClock

RUNS, STEPS = 400, 50
SLOTS = [slot(number) for number in range(2)]
PATIENTS = [replace(RAVI, id=f"patient-{number}@sbx") for number in range(3)]
THREADS = [replace(THREAD, transaction_id=name) for name in ("t-1", "t-2")]
LIMITS = HoldLimits(per_patient=2, per_consumer=None)
DEATHS = st.sampled_from((0, 0, 0, 2, 3, 4, 5, 6, 7, 8, 9))
"""When a process dies: 2 before its first call of the store, 3 after it, 4 before the second, …; 0: it lives."""


class Died(Exception):
    """The process is gone."""


@dataclass
class Process:
    """A process that `dies` before or after one of its calls of the store, and does nothing afterwards."""

    dies: int = 0

    def come_nearer(self) -> None:
        """One more step."""
        self.dies -= self.dies > 1
        self.check()

    def check(self) -> None:
        """The dead do nothing."""
        if self.dies == 1:
            raise Died


@dataclass
class Seen:
    """What outlives a process, as the process sees it; `steps`: dying is a matter of its calls."""

    inner: Any
    process: Process
    steps: bool = False

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def call(*given: Any, **named: Any) -> Any:
            self._step()
            result = await getattr(self.inner, name)(*given, **named)
            self._step()
            return result

        return call

    def _step(self) -> None:
        if self.steps:
            self.process.come_nearer()
        self.process.check()


@dataclass
class Known:
    """An order in the model. A hold that is over is HELD here until somebody asks for it."""

    offer: Offer
    until: datetime
    state: OrderState = OrderState.HELD
    pin: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes two questions one."""
        return self.offer.patient.id, self.offer.thread.transaction_id, self.offer.found.slot.id


@dataclass
class Model:
    """What a desk should do, in a few lines. `orphans` are the holds of a hospital whose process died before it could
    write them down: until their time only the same patient gets the slot."""

    orders: dict[str, Known] = field(default_factory=dict)
    orphans: dict[str, Hold] = field(default_factory=dict)

    def live(self, now: datetime) -> list[Known]:
        """The holds that are not over."""
        return [each for each in self.orders.values() if each.state is OrderState.HELD and now < each.until]

    def is_orphaned(self, slot_id: str, patient_id: str, now: datetime) -> bool:
        """Whether a slot is kept for another patient, of whom nobody knows."""
        orphan = self.orphans.get(slot_id)
        return orphan is not None and now < orphan.until and orphan.patient.id != patient_id

    def owner(self, slot_id: str, now: datetime) -> Known | None:
        """Who has a slot."""
        booked = [each for each in self.orders.values() if each.state is OrderState.CONFIRMED]
        return next((each for each in (*booked, *self.live(now)) if each.offer.found.slot.id == slot_id), None)


class Desk(RuleBasedStateMachine):
    """Each rule asks the desk and the model, and compares."""

    offers = Bundle("offers")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock = FakeClock(jumps=False)
        self.ward = Ward(self.clock)
        self.ward.offer(*SLOTS)
        self.kept = MemoryBookings()
        self.model = Model()

    def teardown(self) -> None:
        self.loop.close()

    @property
    def now(self) -> datetime:
        return moment(self.clock)

    def front(self, dies: int = 0) -> Front:
        """A process before the hospital."""
        process = Process(dies)
        store: Any = Seen(self.kept, process, steps=True)
        ward: Any = Seen(self.ward, process)
        return Front(policy=Policy(holds=LIMITS), store=store, ward=ward, clock=self.clock)

    def asked(self, ask: Callable[[Front], Awaitable[Any]], dies: int) -> Any:
        """Ask a process that may die, and then another one: a message is taken up again."""
        try:
            answer = self.loop.run_until_complete(ask(self.front(dies)))
        except Died:
            answer = self.loop.run_until_complete(ask(self.front()))
        self._find_orphans()
        return answer

    @rule(seconds=st.sampled_from([1.0, HOLD.total_seconds() / 2, HOLD.total_seconds()]))
    def time_passes(self, seconds: float) -> None:
        self.clock.time += seconds

    @rule()
    def lapsed_holds_are_swept(self) -> None:
        self.loop.run_until_complete(self.front().holding.release_lapsed())

    @rule(
        target=offers,
        one=st.sampled_from(SLOTS),
        patient=st.sampled_from(PATIENTS),
        thread=st.sampled_from(THREADS),
        dies=DEATHS,
    )
    def hold(self, one: Any, patient: Any, thread: Any, dies: int) -> Any:
        live = self.model.live(self.now)
        same = [each for each in live if each.key == (patient.id, thread.transaction_id, one.id)]
        answer = self.asked(lambda front: front.init(one, patient, thread), dies)
        is_taken = self.model.owner(one.id, self.now) or self.model.is_orphaned(one.id, patient.id, self.now)
        if not same and (self._holds(patient.id) >= LIMITS.per_patient or is_taken):
            assert answer == Decline(SLOT_UNAVAILABLE)
            return multiple()
        offer = self.loop.run_until_complete(self.front().offered(one, patient, thread))
        assert answer.order.id == offer.order_id
        if same:
            assert offer.order_id == same[0].offer.order_id
            return multiple()
        assert offer.order_id not in self.model.orders
        self.model.orders[offer.order_id] = Known(offer, self.now + HOLD)
        return offer

    @rule(offer=offers, dies=DEATHS)
    def confirm(self, offer: Offer, dies: int) -> None:
        known = self.model.orders[offer.order_id]
        answer = self.asked(lambda front: front.confirm(offer), dies)
        if known.state is OrderState.HELD:
            slot_id = offer.found.slot.id
            owner = self.model.owner(slot_id, self.now)
            is_free = owner in (None, known) and not self.model.is_orphaned(slot_id, offer.patient.id, self.now)
            known.state = OrderState.CONFIRMED if is_free else OrderState.FAILED
        if known.state is OrderState.FAILED:
            assert (answer.outcome, answer.message.order.state) == (SLOT_UNAVAILABLE, "FAILED")
        else:
            self._compare(known, answer.order)

    @rule(offer=offers, dies=DEATHS)
    def cancel(self, offer: Offer, dies: int) -> None:
        known = self.model.orders[offer.order_id]
        order = write_cancel(offer.order_id, reason="PATIENT_HEALTH_IMPROVED")
        answer = self.asked(lambda front: front.attending.cancel(order, offer.thread), dies)
        if known.state not in (OrderState.CONFIRMED, OrderState.CANCELLED):
            assert answer == Decline(CANCELLATION_IMPOSSIBLE)
            return
        known.state = OrderState.CANCELLED
        self._compare(known, answer.order)

    @rule(offer=offers, dies=DEATHS)
    def status(self, offer: Offer, dies: int) -> None:
        known = self.model.orders[offer.order_id]
        answer = self.asked(lambda front: front.attending.status(Order(id=offer.order_id), offer.thread), dies)
        if known.state is OrderState.HELD:
            assert answer == Decline(ORDER_UNKNOWN)
        else:
            self._compare(known, answer.order)

    @rule(offer=consumes(offers))
    def nobody_asks_for_it_any_more(self, offer: Offer) -> None:
        """The order stays what it is."""

    @invariant()
    def the_store_says_the_same(self) -> None:
        for order_id, known in self.model.orders.items():
            kept = self.kept._orders[order_id]
            state = OrderState.HELD if kept.state is OrderState.EXPIRED else kept.state
            assert state is known.state
            assert kept.has_slot(self.now) == (self.model.owner(kept.slot.id, self.now) is known)

    def _find_orphans(self) -> None:
        kept = {order.hold.id for order in self.kept._orders.values()}
        held = [hold for hold in self.ward.taken.values() if isinstance(hold, Hold) and hold.id not in kept]
        self.model.orphans = {hold.slot.id: hold for hold in held}

    def _holds(self, patient_id: str) -> int:
        return sum(each.offer.patient.id == patient_id for each in self.model.live(self.now))

    def _compare(self, known: Known, told: Order) -> None:
        """The state of the model, and the same PIN every time."""
        assert told.state == known.state.value
        pin = told.authorization.pin if told.authorization else ""
        known.pin = known.pin or pin or ""
        assert pin in (known.pin, "", None)


@pytest.mark.faults
def test_a_desk_does_what_its_model_does_whoever_dies():
    """Reliability rules, P8: one order per question, one owner per slot, one answer and one PIN per order."""
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
    size = settings(max_examples=RUNS, stateful_step_count=STEPS, deadline=None, suppress_health_check=checks)

    run_state_machine_as_test(Desk, settings=size)
