"""A whole network under a seed: crashes at any await, bad weather, clocks that step, and no promise broken.

The last run has a fresh seed, which it prints; `UHI_FAULT_SEED=… make faults` repeats it. `make soak` begins with that
seed, or a fresh one, and goes on with the next ones: 500, or `UHI_SOAK_RUNS`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from random import SystemRandom
from unittest.mock import patch

import pytest

from participants.demo_hospital.taken import TakenTimes
from tests.faults import lives
from tests.faults.simulation import Outcome, Plan, simulate
from uhi.booking import Policy, Slot, desk
from uhi.booking.kept import KeptOrder
from uhi.booking.orders import write_full
from uhi.booking.pin import new_pin
from uhi.booking.store import MemoryBookings
from uhi.exchange.receive import Received
from uhi.exchange.upkeep import Upkeep
from uhi.handlers import Handler, run
from uhi.messages import Order
from uhi.office import Office
from uhi.ports import Arrival, Arrived, Change
from uhi.storage.memory.journal import MemoryJournal
from uhi.verified import Verified

FRESH = "fresh"
SEEDS = [*(str(seed) for seed in range(24)), FRESH]
SMALL = Plan(errands=15)
LARGE = Plan(errands=120)
ONE_BOOKING = Plan(errands=1, apps=1, shares=(0.0, 1.0, 1.0), crash_at=0)
STRIDE = 4


def fresh_seed() -> str:
    """The seed that was asked for, or a new one."""
    return os.environ.get("UHI_FAULT_SEED") or str(SystemRandom().randrange(10**6))


def told(outcome: Outcome) -> Outcome:
    """Print how a run went and how to repeat it."""
    print(f"UHI_FAULT_SEED={outcome.seed}\n{outcome}")
    return outcome


@pytest.mark.faults
@pytest.mark.parametrize("seed", SEEDS)
def test_every_promise_is_kept_whatever_crashes_and_gets_lost(seed):
    """Reliability rules, P7: acknowledged is processed, once; questions are answered; no slot is sold twice."""
    outcome = told(simulate(fresh_seed() if seed == FRESH else seed))

    assert outcome.findings == []


@pytest.mark.faults
@pytest.mark.parametrize("start", range(1, STRIDE + 1))
def test_a_booking_survives_a_crash_at_each_of_its_steps(start):
    """Reliability rules, K1 to K8: before and after each write and each post of any program."""
    steps = simulate("calm", ONE_BOOKING).steps
    outcomes = [simulate("calm", replace(ONE_BOOKING, crash_at=at)) for at in range(start, steps + 1, STRIDE)]

    assert {str(outcome): outcome.findings for outcome in outcomes if outcome.findings} == {}
    assert all(sum(outcome.counts.values()) == 1 for outcome in outcomes)


@pytest.mark.faults
def test_the_same_seed_takes_the_same_course():
    """Reliability rules, P7: a run that found something can be looked at again."""
    first, again, other = (simulate(seed, SMALL) for seed in ("1", "1", "2"))

    assert first.trace == again.trace
    assert first.hash != other.hash


async def _nothing(upkeep: Upkeep) -> None:
    """Whatever an earlier life left stays where it is."""
    await asyncio.Event().wait()


def _forgetful(journal: MemoryJournal, arrival: Arrival) -> Arrived:
    """Whatever comes is new."""
    return Arrived.NEW


async def _in_two_steps(office: Office, handler: Handler, received: Received) -> None:
    """A message is done with before its answer is kept."""
    answer = await run(handler, received)
    await office.deliveries.finish(Change(finishes=received.row))
    if answer is not None and isinstance(received.message, Verified):
        letters = office._answer(handler, received.message, answer, row=received.row)
        await office.deliveries.finish(Change(letters=letters))


def _with_another_pin(order: KeptOrder, policy: Policy, *, join_url: str = "") -> Order:
    """A PIN for each answer."""
    return write_full(replace(order, pin=new_pin(order.slot.start)), policy, join_url=join_url)


def _is_free(times: TakenTimes, slot: Slot, *, now: datetime) -> bool:
    """Whatever is asked for is free."""
    return True


def _nobody(orders: MemoryBookings, order: KeptOrder, now: datetime) -> Iterator[KeptOrder]:
    """Nobody else has the slot."""
    return iter(())


BROKEN = {
    "unfinished": [(Upkeep, "_take_up_left", _nothing)],
    "heard twice": [(MemoryJournal, "weigh", _forgetful)],
    "has 0 answers": [(Office, "_handle", _in_two_steps), (lives, "STEPS", {**lives.STEPS, "commit": 0.03})],
    "PINs": [(desk, "write_full", _with_another_pin)],
    "two patients": [(TakenTimes, "is_free", _is_free), (MemoryBookings, "_in_the_way", _nobody)],
}
"""What is found, and what it is found of: a part of the network, and the broken one in its place."""


@pytest.mark.faults
@pytest.mark.parametrize("found", BROKEN)
def test_a_promise_that_is_broken_on_purpose_is_found(found):
    """Ours: a simulation that finds nothing proves something only if it could have."""
    with ExitStack() as broken:
        for place, name, other in BROKEN[found]:
            broken.enter_context(patch.object(place, name, other))
        findings = [line for seed in range(3) for line in simulate(str(seed), SMALL).findings]

    assert [line for line in findings if found in line]


@pytest.mark.soak
def test_every_promise_is_kept_for_a_long_time():
    """Reliability rules, P7: any number of seeds, one after the other."""
    first = int(fresh_seed())

    for seed in range(first, first + int(os.environ.get("UHI_SOAK_RUNS", "500"))):
        assert told(simulate(str(seed), LARGE)).findings == []
