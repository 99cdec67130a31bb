"""The journal and the conversations in memory: what was accepted, whatever came and in whatever order."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from uhi.errors import OVERLOADED, Refusal
from uhi.ports import Arrival, Arrived, Callback, OpenRequest
from uhi.storage.memory import MemoryConversations, MemoryJournal

NOW = 1_790_000_000.0
FIRST = Arrival("us", "app", "init", "m-1", "", "digest-1", "t-1", NOW, 50)
SEARCHED = Arrival("us", "app", "on_search", "m-1", "digest-1", "digest-1", "t-1", NOW, 3)


async def accepted(*arrivals: Arrival, most: int = 200_000) -> list[Arrived]:
    """What a new journal says of each."""
    journal = MemoryJournal(most=most)
    return [await journal.accept(arrival) for arrival in arrivals]


async def test_first_is_new_and_the_same_again_is_repeated():
    """Decision 17."""
    assert await accepted(FIRST, FIRST, FIRST) == [Arrived.NEW, Arrived.REPEATED, Arrived.REPEATED]


async def test_other_body_of_a_single_shot_message_is_a_conflict_and_changes_nothing():
    """Decision 17: the variant is empty, so the id stands for one body."""
    other = replace(FIRST, digest="digest-2")

    assert await accepted(FIRST, other, FIRST, other) == [
        Arrived.NEW,
        Arrived.CONFLICT,
        Arrived.REPEATED,
        Arrived.CONFLICT,
    ]


async def test_other_body_elsewhere_is_new():
    """Decision 17: the variant is the digest."""
    other = replace(SEARCHED, variant="digest-2", digest="digest-2")

    assert await accepted(SEARCHED, other, SEARCHED) == [Arrived.NEW, Arrived.NEW, Arrived.REPEATED]


@pytest.mark.parametrize("part", ["receiver", "signer", "path_role", "message_id"])
async def test_every_part_of_the_identity_counts(part):
    """Decision 17: UNIQUE (receiver, signer, path role, message_id, variant)."""
    assert await accepted(FIRST, replace(FIRST, **{part: "another"})) == [Arrived.NEW, Arrived.NEW]


async def test_differing_messages_are_capped_per_transaction():
    """Limits table: repeated ones do not count, and another transaction has a cap of its own."""
    bodies = [replace(SEARCHED, variant=str(number), digest=str(number)) for number in range(5)]

    said = await accepted(*bodies, bodies[0], replace(bodies[4], transaction_id="t-2"))

    assert said == [*[Arrived.NEW] * 3, *[Arrived.TOO_MANY] * 2, Arrived.REPEATED, Arrived.NEW]


async def test_header_is_taken_once_while_it_lives():
    """Decision 14: per receiver, before anything else is looked at."""
    signed = replace(FIRST, hop_header="app|sig", hop_expires=NOW + 10)
    elsewhere = replace(signed, message_id="m-2")

    assert await accepted(signed, signed, elsewhere, replace(signed, receiver="them")) == [
        Arrived.NEW,
        Arrived.REPLAYED,
        Arrived.REPLAYED,
        Arrived.NEW,
    ]


async def test_expired_headers_are_forgotten():
    """Ours: bounded; after `expires` the time window refuses them anyway."""
    journal = MemoryJournal()
    for second in range(1_000):
        await journal.accept(
            replace(FIRST, hop_header=str(second), hop_expires=NOW + second + 10, received_at=NOW + second)
        )

    assert len(journal._headers) <= 21


async def test_journal_is_bounded():
    """Ours: memory for the last `most` messages, headers and conversations."""
    journal = MemoryJournal(most=10)

    for number in range(100):
        name, now = str(number), NOW + number
        await journal.accept(
            replace(
                FIRST,
                message_id=name,
                transaction_id=name,
                received_at=now,
                hop_header=name,
                hop_expires=now + 5,
            )
        )

    assert {len(table) for table in (journal._digests, journal._counts, journal._pairs)} == {10}
    assert len(journal._headers) <= 10
    assert not await journal.knows("us", "app", "0")
    assert await journal.knows("us", "app", "99")


async def test_header_that_lives_is_never_forgotten_for_others():
    """Decision 14: a full journal refuses for now; forgetting a header would let it be used again."""
    journal = MemoryJournal(most=10)
    arrivals = [replace(FIRST, message_id=str(each), hop_header=str(each), hop_expires=NOW + 99) for each in range(11)]
    for arrival in arrivals[:10]:
        await journal.accept(arrival)

    with pytest.raises(Refusal) as raised:
        await journal.accept(arrivals[10])

    assert raised.value.fault is OVERLOADED
    assert await journal.accept(arrivals[0]) is Arrived.REPLAYED


async def test_parallel_copies_are_accepted_once():
    """Decision 1, step 9: one atomic step."""
    journal = MemoryJournal()

    said = await asyncio.gather(*(journal.accept(FIRST) for _ in range(50)))

    assert said.count(Arrived.NEW) == 1


IDS = st.sampled_from(["a", "b", "c"])


class Journals(RuleBasedStateMachine):
    """Any arrivals against a journal and a model of what the decisions say."""

    def __init__(self) -> None:
        super().__init__()
        self.journal = MemoryJournal()
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
        arrival = Arrival(
            receiver=parts["receiver"],
            signer=parts["signer"],
            path_role="init" if single else "on_search",
            message_id=parts["message_id"],
            variant="" if single else parts["digest"],
            digest=parts["digest"],
            transaction_id=parts["transaction"],
            received_at=NOW,
            cap=3,
            hop_header=header and f"{header}{len(self.headers) // 2}",
            hop_expires=NOW + 10,
        )
        expected = self.expect(arrival)

        assert asyncio.run(self.journal.accept(arrival)) is expected

    def expect(self, arrival: Arrival) -> Arrived:
        """The same decision, written as one looks it up in the tables."""
        header = (arrival.receiver, arrival.hop_header)
        if arrival.hop_header and header in self.headers:
            return Arrived.REPLAYED
        self.headers |= {header} if arrival.hop_header else set()
        key = (arrival.receiver, arrival.signer, arrival.path_role, arrival.message_id, arrival.variant)
        if key in self.rows:
            return Arrived.REPEATED if self.rows[key] == arrival.digest else Arrived.CONFLICT
        group = (arrival.receiver, arrival.signer, arrival.path_role, arrival.transaction_id)
        if self.groups.count(group) >= arrival.cap:
            return Arrived.TOO_MANY
        self.rows[key] = arrival.digest
        self.groups.append(group)
        self.pairs.add((arrival.receiver, arrival.signer, arrival.transaction_id))
        return Arrived.NEW

    @invariant()
    def knows_whom_it_heard(self) -> None:
        assert set(self.journal._pairs) == self.pairs


TestJournals = Journals.TestCase
TestJournals.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


ASKED = OpenRequest("app", "init", "m-1", "t-1", "clinic", NOW, NOW + 10)
HEARD = Callback("app", "init", "m-1", "t-1", "clinic")


async def test_open_request_is_found_by_id_answered_or_not():
    """Decision 18: the exact id wins."""
    memory = MemoryConversations()
    await memory.open(ASKED)

    assert await memory.fitting(HEARD) == ASKED
    await memory.answered(ASKED, HEARD)
    assert await memory.fitting(HEARD) == ASKED


@pytest.mark.parametrize(
    "changes",
    [{"owner": "other"}, {"leg": "confirm"}, {"counterpart": "other"}, {"message_id": "x", "transaction_id": "y"}],
)
async def test_request_of_another_kind_or_party_does_not_fit(changes):
    """Decision 18: same action pair and counterpart."""
    memory = MemoryConversations()
    await memory.open(ASKED)

    assert await memory.fitting(replace(HEARD, **changes)) is None


async def test_answered_request_is_not_found_by_its_transaction():
    """Decision 18: the oldest that is open."""
    memory = MemoryConversations()
    await memory.open(ASKED)
    await memory.open(replace(ASKED, message_id="m-2"))
    await memory.answered(ASKED, HEARD)

    found = await memory.fitting(replace(HEARD, message_id="x"))

    assert found.message_id == "m-2"


async def test_broadcast_stays_open():
    """Decision 29: many may answer, each is then somebody we talk with."""
    memory = MemoryConversations()
    search = replace(ASKED, leg="search", counterpart="")
    await memory.open(search)
    assert not await memory.talks_with("app", "clinic", "t-1")

    for counterpart in ("clinic", "other"):
        heard = replace(HEARD, leg="search", message_id=counterpart, counterpart=counterpart)
        assert await memory.fitting(heard) == search
        await memory.answered(search, heard)

    assert await memory.talks_with("app", "clinic", "t-1")
    assert not await memory.talks_with("app", "clinic", "t-2")


async def test_callbacks_id_cannot_take_the_place_of_a_request():
    """Ours: a hostile provider answers under the id of another open question, which stays what it is."""
    memory = MemoryConversations()
    other = replace(ASKED, message_id="m-2", counterpart="other")
    await memory.open(ASKED)
    await memory.open(other)

    await memory.answered(ASKED, replace(HEARD, message_id="m-2"))

    assert await memory.fitting(replace(HEARD, message_id="m-2", counterpart="other")) == other


async def test_conversations_are_bounded():
    """Ours: the oldest give way, and leave nothing behind."""
    memory = MemoryConversations(most=10)

    for number in range(200):
        request = replace(ASKED, message_id=f"m-{number}", transaction_id=f"t-{number // 3}")
        await memory.open(request)
        await memory.answered(request, replace(HEARD, message_id=f"x-{number}", transaction_id=request.transaction_id))

    assert len(memory._requests) <= 10
    assert len(memory._pairs) <= 10
    assert len(memory._by_transaction) <= 10
