"""Letters on their way: takes what is due from the outbox, attempts, decides, writes down how it went.

State lives in the outbox; this process has only what it is sending at the moment. Above: participants and the gateway;
below: `send`, `retry`, the storage port. One of the places where any exception is caught: the worker loop goes on.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import replace

from uhi.errors import Refusal
from uhi.exchange.background import Background
from uhi.exchange.entrance import unforeseen
from uhi.exchange.pressure import Pressure
from uhi.exchange.retry import Attempted, decide, postponed
from uhi.exchange.send import Exit, FirstRound, attempt, report
from uhi.messages.wire import Wire
from uhi.ports import LETTERS, Change, Ending, Letter, LetterState, Signals, Storage
from uhi.subscribers import Role
from uhi.verified import Declined, Verified

log = logging.getLogger(__name__)

MOST_AT_ONCE = 1_000
POLL_SECONDS = 1.0
LOOK_SECONDS = 5.0
_LONGEST_PAUSE = 30.0
_MOST_FAILURES = 10
_FAILED = "our own error"

Ended = Callable[[Ending], None]


async def _at_once() -> None:
    """There is no door."""


def _nobody(ending: Ending) -> None:
    """Nobody waits for how it ends."""


class Deliveries:
    """Sends letters, and runs other work that follows an ACK, in the background.

    `ended` is told of each letter that has come to an end in this process.
    """

    def __init__(
        self,
        way_out: Exit,
        storage: Storage,
        *,
        pressure: Pressure,
        signals: Signals,
        ended: Ended = _nobody,
    ) -> None:
        self.way_out = way_out
        self._signals = signals
        signals.hear(LETTERS, lambda _: self.wake())
        self._storage = storage
        self._pressure = pressure
        self._ended = ended
        self._changed = asyncio.Event()
        self._work = Background("work after an ACK", self._changed.set)
        self._sending = Background("sending", self._changed.set)
        self._loop = Background("the outbox's loop")
        self._failures: Counter[str] = Counter()
        self._due = asyncio.Event()
        self._is_stopped = False
        self._is_left = False

    @property
    def waiting(self) -> int:
        """How many pieces of work and letters are under way; one more where others wait in the outbox."""
        waits = not self._is_stopped and (self._is_left or self._due.is_set())
        return len(self._work) + len(self._sending) + waits

    async def commit(self, change: Change, *, first: FirstRound | None = None) -> None:
        """Make a change true, and send its letters.

        Raises: Refusal(OVERLOADED) when it cannot be remembered; then nothing has changed.
        """
        mine = await self._storage.commit(change)
        await self._weigh()
        self.post(change.letters, mine=mine, first=first)

    async def finish(self, change: Change, *, first: FirstRound | None = None) -> None:
        """Make true what follows from a message, however long the storage is away: until then the journal has it."""
        pause = POLL_SECONDS
        while True:
            try:
                await self.commit(change, first=first)
                return
            except Refusal as refusal:
                log.warning("what follows from a message cannot be stored yet: %s", refusal)
                await self.way_out.clock.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    def post(self, letters: Sequence[Letter], *, mine: Sequence[Letter] = (), first: FirstRound | None = None) -> None:
        """Send letters that have been stored; `mine` are those of them that this process has leased."""
        if self._is_stopped:
            return
        for letter in mine:
            self._sending.start(self._try(letter, first))
        if len(mine) < len(letters):
            self.wake()
            self.tell_others()

    def tell_others(self) -> None:
        """Letters are due that any process may send."""
        self._signals.tell(LETTERS)

    def wake(self) -> None:
        """Letters may be due."""
        if not self._loop and not self._is_stopped:
            self._loop.start(self._run())
        self._due.set()

    def spawn(self, work: Coroutine[object, object, None]) -> None:
        """Keep a piece of background work until it ends."""
        self._work.start(work)

    def follow(self, message: Verified[Wire] | Declined, work: Coroutine[object, object, None]) -> None:
        """As `spawn`, for what follows from a message: as long as it lasts the message counts as not dealt with."""
        size = len(message.raw)
        self._pressure.add(size, messages=1)
        self._work.start(work).add_done_callback(lambda _: self._pressure.remove(size, messages=1))

    async def idle(self) -> None:
        """Return when nothing is under way and no letter waits."""
        while self.waiting:
            self._changed.clear()
            await self._changed.wait()

    async def drain(self, seconds: float, *, close: Callable[[], Awaitable[None]] = _at_once) -> int:
        """Close the door, begin nothing new and wait up to `seconds` in all for what is under way; where nothing
        outlives the process, also for the letters that wait. Returns how much was given up."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await close()
                if not self._storage.is_durable:
                    await self.idle()
                await self._work.done()
                await self._begin_nothing()
                await self._sending.done()
        await self._begin_nothing()
        return await self._give_up()

    async def _begin_nothing(self) -> None:
        self._is_stopped = True
        await self._loop.stop()

    async def _weigh(self) -> None:
        """Where nothing else tells how much waits, every change does."""
        if not self._storage.is_durable:
            self._pressure.stored(await self._storage.backlog(now=self.way_out.clock.now()))

    async def _give_up(self) -> int:
        lost = work = await self._work.stop()
        lost += await self._sending.stop()
        if not self._storage.is_durable:
            lost = work + (await self._storage.backlog(now=self.way_out.clock.now())).letters
        if lost:
            log.warning(
                "%d deliveries were given up at the end of the process%s",
                lost,
                "; they go on with the next" if self._storage.is_durable else "",
            )
        return lost

    async def _run(self) -> None:
        while True:
            self._is_left = True
            self._due.clear()
            next_due: float | None = self.way_out.clock.now() + POLL_SECONDS
            try:
                next_due = await self._look()
            except Refusal as refusal:
                log.warning("the outbox cannot be read: %s", refusal)
            except Exception as error:
                log.error("looking into the outbox failed: %s", unforeseen(error))
            self._is_left = next_due is not None
            self._changed.set()
            await self._pause(next_due)

    async def _look(self) -> float | None:
        """Begin to send what is due; returns when more will be."""
        room = MOST_AT_ONCE - len(self._sending)
        if room <= 0:
            return None
        leased = await self._storage.lease(now=self.way_out.clock.now(), most=room)
        for letter in leased.letters:
            self._sending.start(self._try(letter, None, again=True))
        return self.way_out.clock.now() if len(leased.letters) == room else leased.next_due

    async def _pause(self, next_due: float | None) -> None:
        """Sleep until something is due. Where other processes write too, look once a second; where an operator may,
        or a commit may have been made whose word was lost, now and then."""
        wait = None if next_due is None else max(next_due - self.way_out.clock.now(), 0.0)
        if self._storage.is_durable:
            most = POLL_SECONDS if self._storage.is_shared else LOOK_SECONDS
            wait = most if wait is None else min(wait, most)
        if wait is None:
            await self._due.wait()
            return
        waker = asyncio.ensure_future(self._due.wait())
        sleeper = asyncio.ensure_future(self.way_out.clock.sleep(wait))
        try:
            await asyncio.wait({waker, sleeper}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waker.cancel()
            sleeper.cancel()

    async def _addressed(self, letter: Letter) -> Letter:
        """A letter that has waited goes to where its receiver is now."""
        if letter.to.role not in (Role.CONSUMER, Role.PROVIDER):
            return letter
        try:
            return replace(letter, to=await self.way_out.registry.subscriber(letter.to.id, letter.to.role))
        except Refusal:
            return letter

    async def _try(self, letter: Letter, first: FirstRound | None, *, again: bool = False) -> None:
        try:
            ending = await self._attempted(await self._addressed(letter) if again else letter, first)
        except Exception as error:
            ending = self._failed(letter, error)
        await self._settle(ending)

    async def _attempted(self, letter: Letter, first: FirstRound | None) -> Ending:
        way_out, to = self.way_out, letter.to.id
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
                await self._storage.trip(tripped)
        return decide(letter, attempted, now=now, random=way_out.random, budget_pause=self._budget(letter, attempted))

    def _budget(self, letter: Letter, attempted: Attempted) -> float:
        """The least pause before a further attempt, as far as the destination's retries allow."""
        budget, now = self.way_out.budget, self.way_out.clock.now()
        if letter.attempts == 0:
            budget.first(letter.to.id, now)
        return 0.0 if attempted.verdict.is_end else budget.pause(letter.to.id, now, until=letter.deadline)

    def _failed(self, letter: Letter, error: Exception) -> Ending:
        """Our own fault: tried again a few times, then left to the operator."""
        log.error("sending %s failed: %s", letter.path, unforeseen(error))
        now = self.way_out.clock.now()
        self._failures[letter.id] += 1
        times = self._failures[letter.id]
        state = LetterState.DEAD if times >= _MOST_FAILURES else LetterState.READY
        return Ending(letter, state, now, attempts=letter.attempts, outcome=_FAILED, not_before=now + times)

    async def _settle(self, ending: Ending) -> None:
        while True:
            try:
                await self._storage.settle(ending)
                break
            except Refusal as refusal:
                log.warning("how a delivery ended cannot be written down: %s", refusal)
                await self.way_out.clock.sleep(POLL_SECONDS)
        report(ending)
        await self._weigh()
        if ending.state.is_end:
            self._failures.pop(ending.letter.id, None)
            self._ended(ending)
        if not ending.state.is_end or ending.letter.line or len(self._sending) >= MOST_AT_ONCE:
            self.wake()
