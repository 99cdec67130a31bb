"""Readers of a search: told at once, never waited for, and told by other processes."""

from __future__ import annotations

import asyncio

import pytest

from participants.patient.search.hub import Hub
from tests.participants.demo_hospital.village import ASHA
from tests.participants.patient.search.findings import answered
from uhi.signals.local import LocalBus, LocalSignals
from uhi.testing import FakeClock

FAR = 1e12


@pytest.fixture
def hub() -> Hub:
    return Hub(LocalSignals(), FakeClock(jumps=False), longest=2)


async def test_readers_of_a_search_hear_of_it_and_others_do_not(hub):
    """Ours: an answer goes to whoever reads its search."""
    with hub.joined("s-1") as one, hub.joined("s-1") as two, hub.joined("s-2") as other:
        hub.tell("s-1", answered(1, ASHA))

        assert [len(await reader.take(until=FAR)) for reader in (one, two)] == [1, 1]
        assert not other._something.is_set()


async def test_slow_reader_is_dropped_and_holds_up_nobody(hub):
    """Issue, patient side: bounded buffers; a slow reader is dropped and never blocks others."""
    with hub.joined("s-1") as slow, hub.joined("s-1") as quick:
        heard = []
        for seq in range(1, 6):
            hub.tell("s-1", answered(seq, ASHA))
            heard += await quick.take(until=FAR)

        assert [answer.seq for answer in heard] == [1, 2, 3, 4, 5]
        assert (slow.dropped, quick.dropped) == (True, False)
        assert await slow.take(until=FAR) == []


async def test_reader_waits_no_longer_than_it_was_told():
    """Ours: what is done is told when its time has come, without an answer."""
    clock = FakeClock()
    hub = Hub(LocalSignals(), clock)

    with hub.joined("s-1") as reader:
        assert await reader.take(until=clock.now() + 10) == []


async def test_other_processes_are_told_that_there_is_something_to_read():
    """Ours: the stream may be open in another process than the one that hospitals answer."""
    bus = LocalBus()
    here, there = LocalSignals(bus), LocalSignals(bus)
    hubs = [Hub(signals, FakeClock(jumps=False)) for signals in (here, there)]
    await asyncio.gather(here.start(), there.start())

    with hubs[1].joined("s-1") as reader:
        hubs[0].tell("s-1", answered(1, ASHA))

        assert await reader.take(until=FAR) == []


async def test_hub_forgets_readers_that_have_gone(hub):
    """Ours: a program that runs for months holds nobody who has left."""
    with hub.joined("s-1"), hub.joined("s-1"):
        pass

    assert hub._readers == {}
