"""Random lives of a storage: SQL answers as memory does, and through crashes each message is dealt with once."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field, replace
from random import Random

import pytest

from tests.storage.keepsakes import NOW, OTHERS, THEM, US, arrival, asked, callback, delivered, letter, put_off
from uhi.ports import Arrived, Change, Letter, LetterState, Storage
from uhi.storage.memory import MemoryStorage
from uhi.storage.sql.storage import SqlStorage
from uhi.testing import FakeClock

SEEDS = range(6)
STEPS = 120
ENDS = (LetterState.DELIVERED, LetterState.REFUSED, LetterState.EXPIRED)


@dataclass
class Life:
    """A random sequence of calls, made on two storages; their answers must be the same."""

    random: Random
    storages: tuple[Storage, Storage]
    clock: FakeClock
    messages: list[str] = field(default_factory=list)
    opened: set[str] = field(default_factory=set)
    leased: dict[str, Letter] = field(default_factory=dict)

    @property
    def now(self) -> float:
        """What time it is."""
        return self.clock.time

    async def step(self) -> None:
        """One call."""
        steps = (self.accept, self.accept, self.commit, self.commit, self.lease, self.settle, self.ask, self.look)
        await self.random.choice((*steps, *steps, self.crash, self.take_up))()

    async def both(self, call) -> object:
        """The answer that both give."""
        expected, got = [await call(storage) for storage in self.storages]
        assert got == expected
        return got

    async def accept(self) -> None:
        """A message, perhaps known, perhaps under a header that was used, perhaps an answer."""
        pick = self.random.choice
        message = arrival(
            signer=pick([THEM, OTHERS]),
            message_id=f"m-{pick(range(6))}",
            digest=pick("de"),
            variant=pick(["", "d", "e"]),
            transaction_id=f"t-{pick(range(3))}",
            cap=pick([2, 50]),
            received_at=self.now,
            deadline=self.now + pick([5, 500]),
            hop_header=pick(["", f"h-{pick(range(9))}"]),
            hop_expires=self.now + 1_000_000,
            is_finished=pick([False, False, True]),
            answers=pick([None, self.question()]),
        )
        if await self.both(lambda storage: storage.accept(message)) is Arrived.NEW:
            self.messages.append(message.id)

    async def commit(self) -> None:
        """A decision on a message that came, or one of our own."""
        pick = self.random.choice
        cause = pick([*self.messages[-5:], "", ""])
        letters = tuple(
            letter(
                line=pick(["", "l-1", "l-2"]),
                not_before=pick([0.0, self.now + 3]),
                priority=pick([1, 3]),
                cause=cause,
                path=pick(["one", "two"]),
                digest=pick("de"),
            )
            for _ in range(pick(range(3)))
        )
        change = Change(finishes=cause, letters=letters, opens=pick([None, self.fresh_question()]))
        self.hold(await self.both(lambda storage: _sent(storage, change)))

    async def lease(self) -> None:
        """Letters that are due."""
        self.clock.time += self.random.choice([0, 1, 4])
        most = self.random.choice([1, 5])
        self.hold(await self.both(lambda storage: _leased(storage, self.now, most)))

    async def settle(self) -> None:
        """An attempt ended."""
        if not self.leased:
            return
        one = self.leased.pop(self.random.choice(sorted(self.leased)))
        ending = self.random.choice(
            [replace(delivered(one), state=self.random.choice(ENDS)), put_off(one, until=self.now + 2)]
        )
        await self.both(lambda storage: storage.settle(ending))

    async def ask(self) -> None:
        """Which request a callback fits."""
        wanted = callback(f"m-{self.random.choice(range(6))}", counterpart=self.random.choice([THEM, OTHERS]))
        wanted = replace(wanted, transaction_id=self.transaction(), leg=self.random.choice(["confirm", "search"]))
        found = await self.both(lambda storage: storage.fitting(wanted))
        assert found is None or found.counterpart in ("", wanted.counterpart)

    async def look(self) -> None:
        """What waits, and whom we talk with."""
        backlog = await self.both(lambda storage: storage.backlog(now=self.now + 1_000))
        assert backlog.letters >= len(self.leased)
        transaction = self.transaction()
        await self.both(lambda storage: storage.talks_with(US, THEM, transaction))

    async def crash(self) -> None:
        """Everything in memory is gone."""
        self.leased.clear()
        await self.both(lambda storage: storage.reclaim(now=self.now))

    async def take_up(self) -> None:
        """What the life before left."""
        await self.both(lambda storage: _taken_up(storage, self.now))

    def hold(self, letters: object) -> None:
        """Letters that are ours now."""
        self.leased |= {each.id: each for each in letters}

    def question(self):
        """A request of ours."""
        number = self.random.choice(range(4))
        leg, counterpart = ("search", "") if number == 3 else ("confirm", THEM)
        return asked(leg=leg, message_id=f"m-{number}", transaction_id=f"t-{number % 3}", counterpart=counterpart)

    def fresh_question(self):
        """A request that was not opened before."""
        question = self.question()
        if question.message_id in self.opened:
            return None
        self.opened.add(question.message_id)
        return replace(question, opened_at=NOW + len(self.opened))

    def transaction(self) -> str:
        """One of them."""
        return f"t-{self.random.choice(range(3))}"


async def _sent(storage: Storage, change: Change) -> list[Letter]:
    return list(await storage.commit(change))


async def _leased(storage: Storage, now: float, most: int) -> list[Letter]:
    return list((await storage.lease(now=now, most=most)).letters)


async def _taken_up(storage: Storage, now: float) -> list[object]:
    return list(await storage.take_up(now=now, most=100))


@pytest.mark.parametrize("seed", SEEDS)
async def test_sql_answers_as_memory_does(database, sealing, clock, seed):
    """Ours: one contract; what differs between the storages is only how long they remember."""
    on_sql = SqlStorage(database, sealing, owner=f"{US}/0", lease_seconds=1_000_000)
    life = Life(Random(seed), (MemoryStorage(clock), on_sql), clock)

    for _ in range(STEPS):
        await life.step()


@pytest.mark.parametrize("seed", SEEDS)
async def test_through_crashes_every_message_is_dealt_with_once(database, sealing, seed):
    """The issue: each acknowledged message has its effect exactly once, whichever process dies when."""
    random = Random(seed)
    messages = [arrival(cap=999, deadline=NOW + 9_999) for _ in range(40)]
    effects: Counter[str] = Counter()
    now = NOW
    for generation in range(30):
        # A new process each time; of the earlier ones nobody says a word any more.
        storage = SqlStorage(database, sealing, owner=f"{US}/{generation % 3}", lease_seconds=1)
        now += 2
        database.clock.time = now
        some = [replace(random.choice(messages), id=f"{generation}-{number}") for number in range(6)]
        arrived = await asyncio.gather(*map(storage.accept, some))
        mine = [each.id for each, how in zip(some, arrived, strict=True) if how is Arrived.NEW]
        mine += [kept.id for kept in await storage.take_up(now=now, most=3)]
        for cause in mine[: random.randint(0, len(mine))]:
            sent = await storage.commit(Change(finishes=cause, letters=(letter(cause=cause),)))
            effects[cause] += len(sent)
    last = SqlStorage(database, sealing, owner="last")
    for kept in await last.take_up(now=now + 2, most=999):
        effects[kept.id] += len(await last.commit(Change(finishes=kept.id, letters=(letter(cause=kept.id),))))

    assert set(effects.values()) == {1}
    assert (await last.backlog(now=now)).unfinished == 0
    assert (await last.backlog(now=now)).letters == len(effects)
