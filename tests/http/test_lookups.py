"""Looking hosts up: a few threads of its own, and nobody waits for ever."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator

import pytest

from uhi.errors import Refusal
from uhi.faults import OVERLOADED
from uhi.http.lookups import Lookups


@pytest.fixture
def stalled(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A resolver that answers nobody until it is told to, or the test is over."""
    answers = threading.Event()

    def getaddrinfo(host: str, *_: object, **kinds: object) -> list[object]:
        answers.wait(30)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 443))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield answers
    answers.set()


async def test_names_that_stall_leave_the_loops_own_threads_alone(stalled):
    """Ours: whoever applies with such names would otherwise hold up what the registry posts."""
    lookups = Lookups()

    asked = [asyncio.create_task(lookups.numbers(f"n{n}.example", 443, seconds=20)) for n in range(8)]
    await asyncio.sleep(0)

    assert await asyncio.wait_for(asyncio.get_running_loop().run_in_executor(None, lambda: "free"), 5) == "free"
    assert not any(each.done() for each in asked)
    stalled.set()
    assert await asyncio.gather(*asked) == [("93.184.216.34",)] * 8


async def test_who_gets_no_thread_in_time_is_asked_to_come_again(stalled):
    """Ours: waiting is bounded, and the answer says that it is not the address's fault."""
    lookups = Lookups(threads=1)
    asked = asyncio.create_task(lookups.numbers("first.example", 443, seconds=20))
    await asyncio.sleep(0)

    with pytest.raises(Refusal, match="cannot be resolved now") as refused:
        await lookups.numbers("second.example", 443, seconds=0.01)

    assert (refused.value.fault, refused.value.retry_after) == (OVERLOADED, 30)
    stalled.set()
    await asked


async def test_who_comes_when_too_many_wait_is_refused_at_once(stalled):
    """Ours: what waits is bounded as well, and there is room again afterwards."""
    lookups = Lookups(threads=1, most=2)
    asked = [asyncio.create_task(lookups.numbers("a.example", 443, seconds=20)) for _ in range(2)]
    await asyncio.sleep(0)

    with pytest.raises(Refusal) as refused:
        await lookups.numbers("b.example", 443, seconds=20)

    assert refused.value.fault is OVERLOADED
    stalled.set()
    await asyncio.gather(*asked)
    assert await lookups.numbers("b.example", 443, seconds=20) == ("93.184.216.34",)
