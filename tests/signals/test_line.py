"""Signals over a connection that is lost and opened again, on a server made of lists."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from random import Random

import pytest

from tests.signals.hearing import SECONDS, Hearer
from uhi.ports.signals import ANSWERS, LETTERS
from uhi.signals.line import MOST_WAITING, Ears, LineSignals, Way, pause
from uhi.testing.clock import FakeClock


@dataclass
class ListServer:
    """Takes what is sent; `refusals` openings fail before one succeeds, `breaks` sends do."""

    refusals: int = 0
    breaks: int = 0
    opened: list[ListLine] = field(default_factory=list)
    sent: asyncio.Queue[list[tuple[str, str]]] = field(default_factory=asyncio.Queue)

    async def open(self, ears: Ears) -> ListLine:
        if self.refusals:
            self.refusals -= 1
            raise ConnectionRefusedError
        self.opened.append(ListLine(self, ears))
        return self.opened[-1]

    async def next(self) -> list[tuple[str, str]]:
        return await asyncio.wait_for(self.sent.get(), SECONDS)


@dataclass
class ListLine:
    server: ListServer
    ears: Ears
    topics: list[str] = field(default_factory=list)
    is_closed: bool = False

    async def listen(self, topics):
        self.topics += topics

    async def send(self, told):
        if self.server.breaks:
            self.server.breaks -= 1
            raise ConnectionResetError
        self.server.sent.put_nowait(list(told))

    async def check(self):
        pass

    async def aclose(self):
        self.is_closed = True


@pytest.fixture
async def server():
    return ListServer()


@pytest.fixture
async def signals(server):
    made = LineSignals(Way("lists", server.open, (OSError,), 1_000), clock=FakeClock(), instance="me")
    yield made
    await made.aclose()


async def test_many_wake_ups_of_one_turn_are_one(signals, server):
    """Ours: a hundred letters written at once wake the others once."""
    await signals.start()

    for _ in range(100):
        signals.tell(LETTERS)
    signals.tell(ANSWERS, "m1")
    signals.tell(ANSWERS, "m2")

    assert await server.next() == [(LETTERS, "me "), (ANSWERS, "me m1\nm2")]


async def test_what_was_told_while_nothing_was_open_is_sent_later(signals, server):
    """The port: tell neither waits nor raises; the server may be away when a program starts."""
    server.refusals = 3
    signals.tell(ANSWERS, "m1")

    await signals.start()

    assert await server.next() == [(ANSWERS, "me m1")]
    assert signals.is_up


async def test_what_could_not_be_sent_is_sent_on_the_next_line(signals, server):
    """Ours: a connection that breaks under a signal costs time only."""
    server.breaks = 1
    await signals.start()

    signals.tell(ANSWERS, "m1")

    assert await server.next() == [(ANSWERS, "me m1")]
    assert [line.is_closed for line in server.opened] == [True, False]


async def test_a_lost_line_is_opened_again_and_listens_again(signals, server, caplog):
    """The port: connects again by itself. One line in the log an outage."""
    heard = Hearer()
    signals.hear(ANSWERS, heard)
    await signals.start()
    server.refusals = 5

    with caplog.at_level(logging.WARNING):
        server.opened[0].ears.lost()
        signals.tell(LETTERS)
        await server.next()
    server.opened[1].ears.heard(ANSWERS, "other m1")

    assert await heard.next() == "m1"
    assert server.opened[1].topics == [ANSWERS]
    assert len(caplog.records) == 1


async def test_own_signals_are_not_heard_and_a_hearer_that_fails_harms_nobody(signals, server):
    """The port: from others only. Ours: a mistake of one hearer reaches the loop's handler, not the line."""
    failures = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context["exception"]))
    heard = Hearer()
    signals.hear(ANSWERS, int)
    signals.hear(ANSWERS, heard)
    await signals.start()

    server.opened[0].ears.heard(ANSWERS, "me m1")
    server.opened[0].ears.heard(ANSWERS, "other m2\nm3")

    assert [await heard.next(), await heard.next()] == ["m2", "m3"]
    assert [type(each) for each in failures] == [ValueError, ValueError]


async def test_who_hears_later_is_listened_for_later(signals, server):
    """Ours: parts of a program may be added when it runs."""
    await signals.start()

    signals.hear(ANSWERS, Hearer())
    signals.tell(LETTERS)
    await server.next()

    assert server.opened[0].topics == [ANSWERS]


async def test_what_waits_is_bounded_and_what_does_not_fit_is_not_told(signals, server):
    """Overload: every queue is bounded; the oldest signal is the one that matters least."""
    for number in range(MOST_WAITING + 1):
        signals.tell(ANSWERS, str(number))
    signals.tell(ANSWERS, "two\nlines")
    signals.tell(ANSWERS, "x" * 2_000)

    await signals.start()
    told = [text for _, payload in await server.next() for text in payload.removeprefix("me ").split("\n")]

    assert told == [str(number) for number in range(1, MOST_WAITING + 1)]


async def test_what_was_told_last_is_sent_before_the_end(signals, server):
    """Stopping: letters given back at the end are announced to the others."""
    await signals.start()

    signals.tell(LETTERS)
    await signals.aclose()

    assert await server.next() == [(LETTERS, "me ")]
    assert server.opened[0].is_closed
    assert not signals.is_up


def test_pauses_grow_and_stay_within_seconds():
    """Ours: a server that comes back is not met by everybody at once, and is found within seconds."""
    random = Random(7)

    pauses = [[pause(failures, random) for _ in range(200)] for failures in (1, 4, 40)]

    assert [max(each) <= cap for each, cap in zip(pauses, (0.2, 1.6, 5.0), strict=True)] == [True, True, True]
    assert max(pauses[0]) < max(pauses[1]) < max(pauses[2])
    assert min(pauses[2]) >= 0.05
