"""A network between programs on which posts are late, lost, doubled, overtaken or spoiled, each by a seeded draw.

Implements `uhi.ports.Transport` for one life. Above: `simulation`; below: entrances, which get what a server would
give.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextvars import Context
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from urllib.parse import urlsplit

from tests.faults.lives import Life
from uhi.errors import DeliveryError
from uhi.ports import READ_HEADERS, Entrance, Inbound, Reply
from uhi.testing.transport import Call

NO_ANSWER = DeliveryError("no answer", got="a broken network (by the test)")
NOBODY = DeliveryError("nobody listens there", got="connection refused")
DIED = DeliveryError("no answer", got="connection reset")


@dataclass(frozen=True)
class Fate:
    """What becomes of one post: seconds there and back, whether it arrives, is spoiled, is answered, comes again."""

    there: float = 0.0
    back: float = 0.0
    is_lost: bool = False
    loses_answer: bool = False
    flips: int = -1
    again_after: float = -1.0
    hears_the_second: bool = False


@dataclass
class Weather:
    """Draws fates. What a receiver answers with a 401, a spoiled body or one that comes twice, happens to one message
    at most once: a sender signs anew once, and then believes it."""

    random: Random
    is_fine: bool = False
    _spoiled: set[tuple[str, bytes]] = field(default_factory=set)

    def fate(self, call: Call) -> Fate:
        """What becomes of a post."""
        fate = Fate(self.random.uniform(0.001, 0.03), self.random.uniform(0.001, 0.03))
        if self.is_fine:
            return fate
        kind = self.random.random()
        if kind < 0.03:
            return replace(fate, is_lost=True, there=self.random.choice((0.01, 60.0)))
        if kind < 0.06:
            return replace(fate, loses_answer=True)
        if kind < 0.14:
            return replace(fate, there=self.random.uniform(0.0, 4.0))
        if kind < 0.16:
            return replace(fate, there=self.random.uniform(12.0, 40.0))
        if kind < 0.22 and (call.url, call.body) not in self._spoiled:
            self._spoiled.add((call.url, call.body))
            return self._spoil(fate, call)
        return fate

    def _spoil(self, fate: Fate, call: Call) -> Fate:
        if self.random.random() < 0.4:
            return replace(fate, flips=self.random.randrange(len(call.body) * 8))
        again = self.random.choice((0.0, self.random.uniform(0.0, 3.0), self.random.uniform(0.0, 60.0)))
        return replace(fate, again_after=again, hears_the_second=self.random.random() < 0.5)


@dataclass
class Net:
    """Who listens where, and what is on its way. `answered` is told of every post that was answered."""

    weather: Weather
    answered: Callable[[str, str, Call, Reply], None]
    listening: dict[str, tuple[Entrance, Life]] = field(default_factory=dict)
    _journeys: dict[asyncio.Task[object], None] = field(default_factory=dict)

    @property
    def on_the_way(self) -> int:
        """How many posts have not come to their end."""
        return len(self._journeys)

    async def carry(self, call: Call) -> Reply | DeliveryError:
        """Bring a post to its receiver and its answer back, as far as the sender waits for it."""
        journey = self._spawn(self._journey(call, self.weather.fate(call)))
        try:
            async with asyncio.timeout(call.timeout):
                return await asyncio.shield(journey)
        except TimeoutError:
            return NO_ANSWER

    def _spawn(self, work: Coroutine[object, object, Any]) -> asyncio.Task[Any]:
        """What is on its way is nobody's any more."""
        task = asyncio.get_running_loop().create_task(work, context=Context())
        self._journeys[task] = None
        task.add_done_callback(self._journeys.pop)
        return task

    async def _journey(self, call: Call, fate: Fate) -> Reply | DeliveryError:
        second = None
        if fate.again_after >= 0:
            again = replace(fate, there=fate.there + fate.again_after, again_after=-1.0)
            second = self._spawn(self._journey(call, again))
        await asyncio.sleep(fate.there)
        if fate.is_lost:
            return NO_ANSWER
        answer = await self._hand_over(call, fate)
        await asyncio.sleep(fate.back)
        if second is not None and fate.hears_the_second:
            return await second  # type: ignore[no-any-return]
        return NO_ANSWER if fate.loses_answer else answer

    async def _hand_over(self, call: Call, fate: Fate) -> Reply | DeliveryError:
        address = urlsplit(call.url)
        place = self.listening.get(address.netloc)
        if place is None:
            return NOBODY
        entrance, life = place
        path = call.url.rpartition("/uhi/")[2]
        body = _flipped(call.body, fate.flips)
        headers = {name.lower(): (value,) for name, value in call.headers.items() if name.lower() in READ_HEADERS}
        taking = life.spawn(entrance.take(Inbound(path, headers, body, "simulated")))
        await asyncio.wait({taking})
        if taking.cancelled():
            return DIED
        reply: Reply = taking.result()
        self.answered(address.netloc, path, replace(call, body=body), reply)
        return replace(reply, headers={name.lower(): value for name, value in reply.headers.items()})


def _flipped(body: bytes, bit: int) -> bytes:
    if bit < 0:
        return body
    at, mask = bit // 8, 1 << bit % 8
    return body[:at] + bytes([body[at] ^ mask]) + body[at + 1 :]


@dataclass
class Wire:
    """The way out of one life."""

    net: Net
    life: Life

    async def post(self, url: str, *, body: bytes, headers: Mapping[str, str], timeout: float) -> Reply:
        """See `uhi.ports.Transport`."""
        await self.life.step("post", "before")
        answer = await self.net.carry(Call(url, body, headers, timeout))
        await self.life.step("post", "after")
        if isinstance(answer, DeliveryError):
            raise DeliveryError(answer.what, got=answer.got)
        return answer
