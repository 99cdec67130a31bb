"""The time limit of answers: who waits is told, and what was begun comes to its end."""

from __future__ import annotations

import asyncio
import logging

import pytest

from tests.http.conftest import FakeEntrance
from uhi.errors import Refusal
from uhi.faults import OVERLOADED, STATE_REFUSED
from uhi.http import ServerLimits, application, serve
from uhi.http.in_time import InTime
from uhi.ports import Inbound, Reply


class Slow:
    """Work that ends when it may."""

    def __init__(self, refusal: Refusal | None = None) -> None:
        self.may_end, self.has_ended, self.begun = asyncio.Event(), asyncio.Event(), 0
        self._refusal = refusal

    async def work(self) -> str:
        self.begun += 1
        await self.may_end.wait()
        self.has_ended.set()
        if self._refusal:
            raise self._refusal
        return "done"


async def test_answer_in_time_is_given():
    """Ours: results and refusals pass through."""
    slow, refusing = Slow(), Slow(Refusal(STATE_REFUSED))
    slow.may_end.set()
    refusing.may_end.set()

    assert await InTime(5).answer(slow.work()) == "done"
    with pytest.raises(Refusal) as refused:
        await InTime(5).answer(refusing.work())
    assert refused.value.fault is STATE_REFUSED


async def test_late_answer_is_refused_and_its_work_goes_on(caplog):
    """Security rules, handler 5 s: nothing that was begun is lost; what went wrong later is said in the log."""
    slow = Slow(Refusal(STATE_REFUSED, "too late"))

    with caplog.at_level(logging.WARNING), pytest.raises(Refusal) as late:
        await InTime(0.01).answer(slow.work())
    slow.may_end.set()
    await slow.has_ended.wait()
    await asyncio.sleep(0)

    assert late.value.fault is OVERLOADED
    assert "refused when nobody waited any more: too late" in caplog.text


async def test_nothing_is_begun_while_too_much_is_overdue():
    """Ours: what hangs does not pile up."""
    slow, in_time = Slow(), InTime(0.01, most=1)

    for _ in range(3):
        with pytest.raises(Refusal):
            await in_time.answer(slow.work())
    begun = slow.begun
    slow.may_end.set()
    await slow.has_ended.wait()
    await asyncio.sleep(0)

    assert (begun, await in_time.answer(slow.work())) == (1, "done")


async def test_work_ends_with_a_waiter_that_is_cancelled():
    """Ours: a server that stops waits for nobody any longer."""
    slow = Slow()
    waiting = asyncio.create_task(InTime(60).answer(slow.work()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    waiting.cancel()
    await asyncio.wait([waiting])
    slow.may_end.set()
    await asyncio.sleep(0)

    assert (slow.begun, slow.has_ended.is_set()) == (1, False)


class SlowEntrance(FakeEntrance):
    """Takes its time."""

    slow: Slow

    async def take(self, inbound: Inbound) -> Reply:
        await self.slow.work()
        return await FakeEntrance.take(self, inbound)


async def test_message_that_takes_too_long_is_answered_503_and_taken_all_the_same():
    """Security rules, handler 5 s: 503, Retry-After by the entrance; the acceptance is not broken off."""
    entrance = SlowEntrance()
    entrance.slow = Slow()
    async with serve(application(entrance, limits=ServerLimits(handler_seconds=0.05))) as server:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        head = b"POST /search HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n"
        writer.write(head + b"{}")
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        entrance.slow.may_end.set()
        await entrance.slow.has_ended.wait()
        writer.close()

    assert answer.startswith(b"HTTP/1.1 503")
    assert [refusal.fault for refusal in entrance.refused] == [OVERLOADED]
    assert [inbound.body for inbound in entrance.taken] == [b"{}"]
