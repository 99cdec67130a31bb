"""Letters on their way: takes what is due from the outbox, attempts, decides, writes down how it went.

State lives in the outbox; this process has only what it is sending at the moment. Above: participants and the gateway;
below: `posting`, the storage port.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from math import inf

from uhi.errors import Refusal
from uhi.exchange.background import Background, repeatedly
from uhi.exchange.posting import Poster
from uhi.exchange.pressure import Pressure
from uhi.exchange.send import Exit, FirstRound, report
from uhi.faults import INTERNAL
from uhi.messages.wire import Wire
from uhi.ports import LETTERS, Change, Ending, Letter, Signals, Storage
from uhi.verified import Declined, Verified

log = logging.getLogger(__name__)

MOST_AT_ONCE = 1_000
MOST_EACH = 64
MOST_IN_A_LOOK = 200
HASTEN_SECONDS = 30.0
POLL_SECONDS = 1.0
LOOK_SECONDS = 5.0
_LONGEST_PAUSE = 30.0
_MOST_REMEMBERED = 10_000

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
        self._sending = Background("sending", self._one_less)
        self._loop = Background("the outbox's loop")
        self._poster = Poster(way_out, storage)
        self._in_hand: Counter[str] = Counter()
        self._count = 0
        self._parked: deque[tuple[Letter, FirstRound | None, bool]] = deque()
        self._waited_for: set[str] = set()
        self._hastened: dict[str, float] = {}
        self._due = asyncio.Event()
        self._is_stopped = False
        self._is_left = False

    @property
    def waiting(self) -> int:
        """How many pieces of work and letters are under way; one more where others wait in the outbox."""
        waits = not self._is_stopped and (self._is_left or self._due.is_set())
        return len(self._work) + self._count + waits

    async def commit(self, change: Change, *, first: FirstRound | None = None, again: bool = False) -> None:
        """Make a change true, and send its letters; `again` for those whose addresses may be old.

        Raises: Refusal(OVERLOADED) when it is not known to be remembered: it may be, where the database's word was
        lost.
        """
        mine = await self._storage.commit(change)
        await self._weigh()
        self.post(change.letters, mine=mine, first=first, again=again)

    async def finish(self, change: Change, *, first: FirstRound | None = None, again: bool = False) -> None:
        """Make true what follows from a message, however long the storage is away: until then the journal has it.

        What the storage will never take is given up, and said: the message is ended without it.
        """
        pause = POLL_SECONDS
        while True:
            try:
                await self.commit(change, first=first, again=again)
                return
            except Refusal as refusal:
                if refusal.fault is INTERNAL:
                    log.error("what follows from a message cannot be stored and is given up: %s", refusal)
                    await self.commit(Change(finishes=change.finishes, forgets=change.forgets))
                    return
                log.warning("what follows from a message cannot be stored yet: %s", refusal)
                await self.way_out.clock.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    async def heard_from(self, subscriber_id: str) -> None:
        """Somebody for whom letters wait has shown signs of life: try them now, once in a while."""
        now = self.way_out.clock.now()
        if subscriber_id not in self._waited_for or now - self._hastened.get(subscriber_id, -inf) < HASTEN_SECONDS:
            return
        self._waited_for.discard(subscriber_id)
        self._hastened[subscriber_id] = now
        while len(self._hastened) > _MOST_REMEMBERED:
            del self._hastened[next(iter(self._hastened))]
        self.way_out.breakers.hope(subscriber_id, now)
        with suppress(Refusal):
            await self._storage.hasten(subscriber_id, now=now)
        self.wake()

    def wait_for(self, destinations: Iterable[str]) -> None:
        """Letters of earlier lives, or of other processes, wait for these."""
        self._waited_for.update(destinations)

    def post(
        self,
        letters: Sequence[Letter],
        *,
        mine: Sequence[Letter] = (),
        first: FirstRound | None = None,
        again: bool = False,
    ) -> None:
        """Send letters that have been stored; `mine` are those of them that this process has leased."""
        if self._is_stopped:
            return
        for letter in mine:
            self._take(letter, first, again=again)
        if len(mine) < len(letters):
            self.wake()
            self.tell_others()

    def tell_others(self) -> None:
        """Letters are due that any process may send."""
        self._signals.tell(LETTERS)

    def wake(self) -> None:
        """Letters may be due."""
        if not self._loop and not self._is_stopped:
            self._loop.start(repeatedly(self._look, "looking into the outbox", self.way_out.clock))
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

    async def _look(self) -> None:
        """Begin to send what is due, and sleep until more is."""
        self._is_left = True
        self._due.clear()
        room = min(MOST_AT_ONCE - self._count, MOST_IN_A_LOOK)
        next_due = None
        if room > 0:
            now = self.way_out.clock.now()
            # One destination must not have all the places, however much waits for it.
            busy = [each for each, letters in self._in_hand.items() if letters >= MOST_EACH]
            leased = await self._storage.lease(now=now, most=room, without=busy)
            for letter in leased.letters:
                self._take(letter, None, again=True)
            next_due = now if len(leased.letters) == room else leased.next_due
        self._is_left = next_due is not None
        self._changed.set()
        await self._pause(next_due)

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

    def _take(self, letter: Letter, first: FirstRound | None, *, again: bool) -> None:
        self._in_hand[letter.to.id] += 1
        self._count += 1
        self._pressure.letters(self._count)
        if len(self._sending) < MOST_AT_ONCE:
            self._sending.start(self._try(letter, first, again=again))
        else:
            self._parked.append((letter, first, again))

    def _one_less(self) -> None:
        """A place is free: the next one that waits for it."""
        if self._parked and not self._is_stopped:
            letter, first, again = self._parked.popleft()
            self._sending.start(self._try(letter, first, again=again))
        self._changed.set()

    async def _try(self, letter: Letter, first: FirstRound | None, *, again: bool) -> None:
        to = letter.to.id
        try:
            ending = await self._poster.step(letter, first, again=again)
            await self._settle(ending)
        finally:
            is_busy = self._in_hand[to] >= MOST_EACH or self._count >= MOST_AT_ONCE
            self._in_hand[to] -= 1
            self._count -= 1
            if not self._in_hand[to]:
                del self._in_hand[to]
            self._pressure.letters(self._count)
        if is_busy or not ending.state.is_end or letter.line:
            self.wake()

    async def _settle(self, ending: Ending) -> None:
        while True:
            try:
                await self._storage.settle(ending)
                break
            except Refusal as refusal:
                log.warning("how a delivery ended cannot be written down: %s", refusal)
                if refusal.fault is INTERNAL:
                    break
                await self.way_out.clock.sleep(POLL_SECONDS)
        report(ending)
        await self._weigh()
        if ending.state.is_end:
            self._ended(ending)
        elif ending.attempts:
            self._waited_for.add(ending.letter.to.id)
