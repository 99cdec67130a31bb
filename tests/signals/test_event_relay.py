"""From where events wait to where they go."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from tests.signals.hearing import SECONDS
from uhi.errors import DeliveryError, Refusal
from uhi.faults import OVERLOADED
from uhi.ports import Event
from uhi.signals.ending import end
from uhi.signals.event_relay import EventRelay
from uhi.signals.events import MemoryEvents
from uhi.testing.clock import FakeClock


def _events(*numbers: int) -> list[Event]:
    return [Event(f"{number:04d}", "message.accepted", 0.0) for number in numbers]


@dataclass
class ListSource:
    """Events that wait; `refusals` readings fail before one succeeds."""

    waiting: list[Event] = field(default_factory=list)
    refusals: int = 0
    emptied: asyncio.Event = field(default_factory=asyncio.Event)

    async def events(self, most):
        if self.refusals:
            self.refusals -= 1
            raise Refusal(OVERLOADED)
        return self.waiting[:most]

    async def forget_events(self, ids):
        self.waiting = [event for event in self.waiting if event.id not in ids]
        if not self.waiting:
            self.emptied.set()

    async def until_empty(self):
        await asyncio.wait_for(self.emptied.wait(), SECONDS)


@dataclass
class Broker:
    """Takes events, but fails `failures` times: after it has taken them if `is_late`."""

    failures: int = 0
    is_late: bool = False
    taken: list[Event] = field(default_factory=list)

    async def publish(self, events):
        if self.failures and not self.is_late:
            self.failures -= 1
            raise DeliveryError("away")
        self.taken += events
        if self.failures:
            self.failures -= 1
            raise DeliveryError("no confirmation came")

    async def aclose(self):
        pass


@pytest.fixture
async def run():
    """Runs a relay until the test has ended."""
    tasks = []

    def started(relay: EventRelay) -> None:
        tasks.append(asyncio.ensure_future(relay.run()))

    yield started
    for task in tasks:
        await end(task)


async def test_what_waits_is_published_in_order_and_forgotten(run):
    """The port: at least once, in order; more than a batch too."""
    source, sink = ListSource(_events(*range(1_200))), MemoryEvents(2_000)

    run(EventRelay(source, sink, clock=FakeClock()))
    await source.until_empty()

    assert list(sink.events) == _events(*range(1_200))


async def test_events_wait_while_the_broker_is_away(run):
    """The issue: they go out through a port; a broker that is away costs time only."""
    source, broker = ListSource(_events(1, 2)), Broker(failures=5)

    run(EventRelay(source, broker, clock=FakeClock()))
    await source.until_empty()

    assert broker.taken == _events(1, 2)


async def test_events_without_a_confirmation_are_published_again(run):
    """The port: at least once, so a reader goes by the id."""
    source, broker = ListSource(_events(1)), Broker(failures=2, is_late=True)

    run(EventRelay(source, broker, clock=FakeClock()))
    await source.until_empty()

    assert broker.taken == _events(1, 1, 1)


async def test_a_source_that_is_away_is_asked_again(run):
    """The issue: PostgreSQL stopped and started again under load."""
    source, sink = ListSource(_events(1), refusals=3), MemoryEvents()

    run(EventRelay(source, sink, clock=FakeClock()))
    await source.until_empty()

    assert list(sink.events) == _events(1)


@pytest.mark.parametrize("is_woken", [True, False])
async def test_new_events_go_out_when_woken_and_within_a_second_otherwise(run, is_woken):
    """Ours: another process may have written them, and only its relay is woken."""
    clock = FakeClock(jumps=False)
    source, sink = ListSource(), MemoryEvents()
    relay = EventRelay(source, sink, clock=clock)
    run(relay)
    await clock.advance(0.5)

    source.waiting += _events(1)
    if is_woken:
        relay.wake()
    else:
        await clock.advance(1)
    await source.until_empty()

    assert list(sink.events) == _events(1)


async def test_a_cancellation_that_is_swallowed_ends_the_relay_all_the_same():
    """Ours: on Python 3.11 a client's answer may hide it, and stopping must not wait for ever."""
    reached = asyncio.Event()

    class Swallowing(Broker):
        async def publish(self, events):
            reached.set()
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    relay = EventRelay(ListSource(_events(1)), Swallowing(), clock=FakeClock())
    task = asyncio.ensure_future(relay.run())
    await reached.wait()

    task.cancel()
    await asyncio.wait({task}, timeout=SECONDS)

    assert task.done()
