"""Questions that wait for answers, and the taps that bring them."""

from __future__ import annotations

import asyncio

import pytest

from uhi.errors import DeliveryError, NoAnswer
from uhi.exchange.answers import Asking, Request, Roads, Taps
from uhi.testing import FakeClock
from uhi.verified import Thread


def asking(clock: FakeClock, *, wait: float = 10.0, error: Exception | None = None) -> tuple[Asking, Taps, list[str]]:
    taps, sent = Taps(), []

    async def send() -> None:
        sent.append("sent")
        if error is not None:
            raise error

    return Asking(Request("m-1", Thread("d", "t-1", "app"), wait, "search"), Roads(send), taps, clock), taps, sent


async def test_nothing_is_sent_before_somebody_listens():
    """Decision 29: `ask` alone sends nothing."""
    question, _, sent = asking(FakeClock())

    assert sent == []
    with pytest.raises(NoAnswer):
        await question
    assert sent == ["sent"]


async def test_answers_are_yielded_until_the_wait_ends():
    """Decision 29; what comes later is not heard here."""
    clock = FakeClock(jumps=False)
    question, taps, _ = asking(clock)
    heard: list[object] = []

    async def listen() -> None:
        heard.extend([answer async for answer in question])

    listening = asyncio.ensure_future(listen())
    await clock.advance(0)
    await clock.advance(9)
    assert taps.pour("m-1", "first")
    assert taps.pour("m-1", "second")
    await clock.advance(2)

    assert listening.done()
    assert heard == ["first", "second"]
    assert not taps.pour("m-1", "third")


async def test_failure_to_send_reaches_whoever_waits_and_is_not_hidden_by_the_wait():
    """Decision 29: DeliveryError, not NoAnswer."""
    clock = FakeClock(jumps=False)
    question, taps, _ = asking(clock)
    waiting = asyncio.ensure_future(question._first())
    await clock.advance(0)

    taps.pour("m-1", DeliveryError("refused", status=400))

    with pytest.raises(DeliveryError):
        await waiting
    assert taps._taps == {}


async def test_question_that_could_not_be_sent_may_be_tried_again():
    """Ours: only what was sent is not sent twice."""
    question, taps, sent = asking(FakeClock(), error=DeliveryError("no"))

    for _ in range(2):
        with pytest.raises(DeliveryError):
            await question

    assert sent == ["sent", "sent"]
    assert taps._taps == {}


async def test_answer_that_comes_two_ways_is_heard_once():
    """Ours: by the door of this process and from the journal, where another one found it; its row tells."""
    clock = FakeClock(jumps=False)
    question, taps, _ = asking(clock)
    heard: list[object] = []

    async def listen() -> None:
        heard.extend([answer async for answer in question])

    listening = asyncio.ensure_future(listen())
    await clock.advance(0)
    for row in ("row-1", "row-2", "row-1"):
        assert taps.pour("m-1", row, row=row)
    await clock.advance(11)

    assert listening.done()
    assert heard == ["row-1", "row-2"]


def test_nobody_waits_for_what_was_never_asked():
    """Ours: whoever pours learns whether anybody heard, and so whether to tell the other processes."""
    taps = Taps()

    assert not taps.is_open("m-1")
    assert not taps.pour("m-1", "answer")
