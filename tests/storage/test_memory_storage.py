"""The storage in memory: what holds beyond the contract of every storage: its bounds, and any order of arrivals."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.storage.keepsakes import NOW, OTHERS, THEM, US, arrival, letter
from uhi.errors import Refusal
from uhi.faults import OVERLOADED
from uhi.ports import Arrival, Arrived, Callback, Change, Ending, LetterState, OpenRequest
from uhi.storage.memory import MemoryStorage
from uhi.testing import FakeClock

FIRST = arrival(path_role="init", message_id="m-1", variant="", digest="digest-1")
SEARCHED = arrival(path_role="on_search", message_id="m-1", variant="digest-1", digest="digest-1", cap=3)
ASKED = OpenRequest(US, "init", "m-1", "t-1", THEM, NOW, NOW + 10)
HEARD = Callback(US, "init", "m-1", "t-1", THEM)


def memory(most: int = 200_000) -> MemoryStorage:
    return MemoryStorage(FakeClock(), most=most)


async def accepted(*arrivals: Arrival) -> list[Arrived]:
    """What a new storage says of each."""
    storage = memory()
    return [await storage.accept(each) for each in arrivals]


async def test_repeated_message_takes_no_place_of_its_transaction():
    """Limits table: repeated ones do not count, and another transaction has a cap of its own."""
    bodies = [replace(SEARCHED, variant=str(number), digest=str(number)) for number in range(5)]

    said = await accepted(*bodies, bodies[0], replace(bodies[4], transaction_id="t-2"))

    assert said == [*[Arrived.NEW] * 3, *[Arrived.TOO_MANY] * 2, Arrived.REPEATED, Arrived.NEW]


async def test_conflict_changes_nothing():
    """Decision 17: the variant is empty, so the id stands for one body, the first."""
    other = replace(FIRST, digest="digest-2")

    assert await accepted(FIRST, other, FIRST, other) == [
        Arrived.NEW,
        Arrived.CONFLICT,
        Arrived.REPEATED,
        Arrived.CONFLICT,
    ]


async def test_expired_headers_are_forgotten():
    """Ours: bounded; after `expires` the time window refuses them anyway."""
    storage = memory()
    for second in range(1_000):
        header = {"hop_header": str(second), "hop_expires": NOW + second + 10}
        await storage.accept(replace(FIRST, received_at=NOW + second, **header))

    assert len(storage._journal._headers) <= 21


async def test_identities_are_bounded():
    """Ours: memory for the last `most` messages, headers and conversations."""
    storage = memory(most=10)

    for number in range(100):
        name, now = str(number), NOW + number
        changes = {"message_id": name, "transaction_id": name, "received_at": now}
        await storage.accept(replace(FIRST, id=name, hop_header=name, hop_expires=now + 5, **changes))
        await storage.commit(Change(finishes=name, letters=(letter(cause=name),)))

    journal = storage._journal
    assert {len(table) for table in (journal._digests, journal._counts, journal._pairs)} == {10}
    assert len(journal._headers) <= 10
    assert not await storage.talks_with(US, THEM, "0")
    assert await storage.talks_with(US, THEM, "99")
    assert len(storage._outbox._asked) <= 10


async def test_header_that_lives_is_never_forgotten_for_others():
    """Decision 14: a full journal refuses for now; forgetting a header would let it be used again."""
    storage = memory(most=10)
    arrivals = [replace(FIRST, message_id=str(each), hop_header=str(each), hop_expires=NOW + 99) for each in range(11)]
    for each in arrivals[:10]:
        await storage.accept(each)

    with pytest.raises(Refusal) as raised:
        await storage.accept(arrivals[10])

    assert raised.value.fault is OVERLOADED
    assert await storage.accept(arrivals[0]) is Arrived.REPLAYED


async def test_requests_are_bounded():
    """Ours: the oldest give way, and leave nothing behind."""
    storage = memory(most=10)

    for number in range(200):
        request = replace(ASKED, message_id=f"m-{number}", transaction_id=f"t-{number // 3}")
        await storage.commit(Change(opens=request))
        answer = arrival(message_id=f"x-{number}", transaction_id=request.transaction_id, answers=request)
        await storage.accept(answer)

    requests = storage._requests
    assert len(requests._requests) <= 10
    assert len(requests._pairs) <= 10
    assert len(requests._by_transaction) <= 10


async def test_request_that_is_opened_again_is_one_request():
    """Ours: what a process commits a second time, not knowing of the first, leaves nothing behind twice."""
    storage = memory(most=10)

    for _ in range(30):
        await storage.commit(Change(opens=ASKED))

    assert [len(each) for each in storage._requests._by_transaction.values()] == [1]


async def test_callbacks_id_cannot_take_the_place_of_a_request():
    """Ours: a hostile provider answers under the id of another open question, which stays what it is."""
    storage = memory()
    other = replace(ASKED, message_id="m-2", counterpart=OTHERS)
    await storage.commit(Change(opens=ASKED))
    await storage.commit(Change(opens=other))

    await storage.accept(arrival(path_role="on_init", message_id="m-2", answers=ASKED))

    assert await storage.fitting(replace(HEARD, message_id="m-2", counterpart=OTHERS)) == other


async def test_letters_that_have_ended_leave_nothing_behind():
    """Ours: memory for what waits only, with a body that many letters share counted once."""
    storage = memory()
    row = arrival()
    await storage.accept(row)
    letters = tuple(letter(cause=row.id, path=f"p-{number}", line=f"l-{number % 3}") for number in range(30))
    await storage.commit(Change(finishes=row.id, letters=letters))
    waiting = await storage.backlog(now=NOW)

    while leased := (await storage.lease(now=NOW, most=5)).letters or tuple(storage._outbox._leased.values()):
        for each in leased:
            await storage.settle(Ending(each, LetterState.DELIVERED, NOW))
    await storage.lease(now=NOW, most=5)

    outbox = storage._outbox
    assert (waiting.letters, waiting.size) == (30, len(letters[0].body))
    assert (outbox._ready, outbox._leased, outbox._lines, outbox._due) == ({}, {}, {}, [])
    assert (await storage.backlog(now=NOW)).size == 0


IDS = st.sampled_from(["a", "b", "c"])


class Journals(RuleBasedStateMachine):
    """Any arrivals against a storage and a model of what the decisions say."""

    def __init__(self) -> None:
        super().__init__()
        self.storage = memory()
        self.rows: dict[tuple[str, ...], str] = {}
        self.headers: set[tuple[str, str]] = set()
        self.groups: list[tuple[str, ...]] = []
        self.pairs: set[tuple[str, ...]] = set()

    @rule(
        receiver=IDS,
        signer=IDS,
        message_id=IDS,
        digest=IDS,
        transaction=IDS,
        single=st.booleans(),
        header=st.sampled_from(["", "h", "i"]),
    )
    def arrive(self, header: str, single: bool, **parts: str) -> None:
        made = arrival(
            receiver=parts["receiver"],
            signer=parts["signer"],
            path_role="init" if single else "on_search",
            message_id=parts["message_id"],
            variant="" if single else parts["digest"],
            digest=parts["digest"],
            transaction_id=parts["transaction"],
            cap=3,
            hop_header=header and f"{header}{len(self.headers) // 2}",
            hop_expires=NOW + 10,
        )
        expected = self.expect(made)

        assert asyncio.run(self.storage.accept(made)) is expected

    def expect(self, made: Arrival) -> Arrived:
        """The same decision, written as one looks it up in the tables."""
        header = (made.receiver, made.hop_header)
        if made.hop_header and header in self.headers:
            return Arrived.REPLAYED
        self.headers |= {header} if made.hop_header else set()
        key = (made.receiver, made.signer, made.path_role, made.message_id, made.variant)
        if key in self.rows:
            return Arrived.REPEATED if self.rows[key] == made.digest else Arrived.CONFLICT
        group = (made.receiver, made.signer, made.path_role, made.transaction_id)
        if self.groups.count(group) >= made.cap:
            return Arrived.TOO_MANY
        self.rows[key] = made.digest
        self.groups.append(group)
        self.pairs.add((made.receiver, made.signer, made.transaction_id))
        return Arrived.NEW

    @invariant()
    def knows_whom_it_heard(self) -> None:
        assert set(self.storage._journal._pairs) == self.pairs


TestJournals = Journals.TestCase
TestJournals.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
