"""Brings one letter one step further: finds its address, attempts, decides what becomes of it.

Above: `deliveries`, which takes letters out and writes down how they went; below: `send`, `retry`, breakers and lanes.
One of the places where any exception is caught: a fault of ours must not keep a letter for ever.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from contextlib import suppress
from dataclasses import replace

from uhi.errors import DeliveryError, Refusal
from uhi.exchange.background import is_being_cancelled
from uhi.exchange.clock_offset import LOOK_AGAIN_SECONDS, ClockOffset
from uhi.exchange.entrance import unforeseen
from uhi.exchange.retry import Attempted, decide, postponed
from uhi.exchange.send import Exit, FirstRound, attempt
from uhi.ports import Ending, Letter, LetterState, Outbox
from uhi.subscribers import Role

log = logging.getLogger(__name__)

_MOST_FAILURES = 10
_FAILED = "our own error"
_UNKNOWN_SECONDS = 300.0


class Poster:
    """Attempts letters. `outbox` remembers breakers."""

    def __init__(self, way_out: Exit, outbox: Outbox) -> None:
        self._way_out = way_out
        self._outbox = outbox
        self._failures: Counter[str] = Counter()

    async def step(self, letter: Letter, first: FirstRound | None, *, again: bool) -> Ending:
        """One attempt; `again` for a letter that has waited, whose receiver may have moved since."""
        try:
            ending = await self._attempted(letter, first, again=again)
        except asyncio.CancelledError:
            if is_being_cancelled():
                raise
            ending = self._failed(letter, RuntimeError())
        except Exception as error:
            ending = self._failed(letter, error)
        if ending.state.is_end:
            self._failures.pop(letter.id, None)
        return ending

    async def _attempted(self, letter: Letter, first: FirstRound | None, *, again: bool) -> Ending:
        way_out, to = self._way_out, letter.to.id
        offset = way_out.clock_offset
        if offset is not None and offset.is_stopped:
            try:
                await offset.check()
            except DeliveryError:
                return await self._unsigned(letter, offset)
            first = None
        if again:
            addressed = await self._addressed(letter)
            if addressed is None:
                now = way_out.clock.now()
                return postponed(letter, now=now, until=now + _UNKNOWN_SECONDS)
            letter = addressed
        async with way_out.lanes.to(to, letter.priority):
            now = way_out.clock.now()
            alone_for = way_out.breakers.admits(to, now)
            if alone_for:
                return postponed(letter, now=now, until=now + alone_for)
            attempted = await attempt(letter, way_out, first)
            now = way_out.clock.now()
            tripped = way_out.breakers.heard(to, attempted.health, now)
        if tripped is not None:
            with suppress(Refusal):
                await self._outbox.trip(tripped)
        pause = self._budget(letter, attempted)
        return decide(letter, attempted, now=now, random=way_out.random, budget_pause=pause)

    async def _unsigned(self, letter: Letter, offset: ClockOffset) -> Ending:
        """Our clock is wrong: nothing is signed by it. The letter is due again at once by a clock set right."""
        await self._way_out.clock.sleep(LOOK_AGAIN_SECONDS)
        now = self._way_out.clock.now()
        return postponed(letter, now=now, until=now - max(0.0, offset.value or 0.0))

    async def _addressed(self, letter: Letter) -> Letter | None:
        """A letter that has waited goes to where its receiver is now; None where the network knows nobody of that name
        any more. While the registry is away it goes where the receiver was."""
        if letter.to.role not in (Role.CONSUMER, Role.PROVIDER):
            return letter
        try:
            to = await self._way_out.registry.subscriber(letter.to.id, letter.to.role)
            to.check_subscribed()
        except Refusal as refusal:
            return letter if refusal.fault.status == 503 else None
        return replace(letter, to=to)

    def _budget(self, letter: Letter, attempted: Attempted) -> float:
        """The least pause before a further attempt, as far as the destination's retries allow."""
        budget, now = self._way_out.budget, self._way_out.clock.now()
        if letter.attempts == 0:
            budget.first(letter.to.id, now)
        return 0.0 if attempted.verdict.is_end else budget.pause(letter.to.id, now, until=letter.deadline)

    def _failed(self, letter: Letter, error: Exception) -> Ending:
        """Our own fault: tried again a few times, then left to the operator."""
        log.error("sending %s failed: %s", letter.path, unforeseen(error))
        now = self._way_out.clock.now()
        self._failures[letter.id] += 1
        times = self._failures[letter.id]
        state = LetterState.DEAD if times >= _MOST_FAILURES else LetterState.READY
        return Ending(letter, state, now, attempts=letter.attempts, outcome=_FAILED, not_before=now + times)
