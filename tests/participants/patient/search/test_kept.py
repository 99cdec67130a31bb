"""Searches on both databases: sealed, numbered, once, and gone when they are over."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from participants.patient.search.kept import Body, KeptSearches, Known, Lesson, Search, forget_account
from participants.patient.search.searches import SearchRules
from tests.participants.demo_hospital.village import ASHA, MONDAY, RAVI
from tests.participants.patient.search.findings import ANYBODY, answered, found
from tests.participants.patient.search.stand import SEALING
from uhi.booking.found import FoundSlot
from uhi.booking.hospital import Slot
from uhi.booking.quotes import Quote
from uhi.errors import SetupError
from uhi.messages.values import Item
from uhi.storage.sealing import Sealing
from uhi.storage.sql.database import Database
from uhi.testing import FakeClock

TABLES = ("patient_search", "patient_search_answer", "patient_slots", "patient_discovery")
RULES = SearchRules()
SLOT = FoundSlot(
    Slot(id="s-1", doctor=ASHA, start=MONDAY, end=MONDAY, quote=Quote(ASHA.price)), found().thread, Item(id="i")
)


def search(number: int = 1, *, account: str = "acc-1", expires_at: float = 2_000.0) -> Search:
    """A search."""
    times = {"at": 1_000.0, "until": 1_010.0, "over_at": 1_120.0, "expires_at": expires_at}
    name = f"s-{number}"
    return Search(id=name, account_id=account, transaction_id=f"t-{number}", key="k", wanted=ANYBODY, **times)


class Watched(Sealing):
    """Notes in which threads something was opened."""

    def __init__(self) -> None:
        super().__init__([bytes(range(32))])
        self.threads: set[threading.Thread] = set()

    def open(self, sealed: bytes, *, about: str) -> bytes:
        self.threads.add(threading.current_thread())
        return super().open(sealed, about=about)


@pytest.fixture
async def database(database_url) -> AsyncIterator[Database]:
    clock = FakeClock()
    database = Database.open(database_url, clock=clock, during=clock.held)
    yield database
    await database.aclose()


@pytest.fixture
def kept(database) -> KeptSearches:
    return KeptSearches(database, SEALING)


async def counted(database: Database) -> list[int]:
    """How many rows each table has."""
    return await database.read(
        lambda connection: [connection.execute(text(f"SELECT count(*) FROM {name}")).scalar() for name in TABLES]
    )


async def everything(kept: KeptSearches, one: Search) -> str:
    """A search with one of everything; returns the ref of its slot."""
    await kept.begin(one, [])
    lesson = Lesson("k", Known("one.example", 1_000.0, Body("One", (found(),))), 2_000.0)
    await kept.add(one.id, answered(0, ASHA), source="a", lesson=lesson)
    return (await kept.keep_slots(one, [SLOT], expires_at=1_500.0))[0]


async def test_search_and_answers_come_back_as_they_were(kept):
    """Ours: a restart loses nothing of a search."""
    begun = await kept.begin(search(), [Known("old.example", 900.0, Body("Old", (found(RAVI, by="old.example"),)))])
    added = await kept.add("s-1", answered(0, ASHA, late=True), source="a")

    first, second = await kept.answers("s-1")

    assert (begun.seq, added.seq) == (1, 2)
    assert (first.cached, first.at, first.provider_name) == (True, 900.0, "Old")
    assert second == added
    assert (await kept.search("s-1")).wanted == ANYBODY
    assert (await kept.search_of("t-1")).seq == 2


async def test_answer_that_comes_twice_is_kept_once(kept):
    """Reliability rules: at least once on the way, once in effect."""
    await kept.begin(search(), [])

    came = [await kept.add("s-1", answered(0, ASHA), source="same") for _ in range(2)]
    other = await kept.add("s-1", answered(0, ASHA), source="other")

    assert [answer and answer.seq for answer in came] == [1, None]
    assert other.seq == 2


async def test_answers_at_the_same_moment_are_numbered_without_gaps(kept):
    """Ours: the number is what a reader goes on after."""
    await kept.begin(search(), [])

    came = await asyncio.gather(*(kept.add("s-1", answered(0, ASHA), source=str(n)) for n in range(20)))

    assert sorted(answer.seq for answer in came) == list(range(1, 21))
    assert [answer.seq for answer in await kept.answers("s-1", after=15)] == list(range(16, 21))


async def test_answer_to_a_search_that_is_gone_is_dropped(kept):
    """Ours: deleted is deleted, whatever still comes."""
    assert await kept.add("s-9", answered(0, ASHA), source="a") is None


async def test_nothing_readable_lies_on_the_disk(kept, database):
    """Privacy rules: what somebody looks for is health data; only ids and times are in clear."""
    await everything(kept, search())

    rows = await database.read(
        lambda connection: str([connection.execute(text(f"SELECT * FROM {name}")).all() for name in TABLES])
    )

    assert not {word for word in ("Asha", "CARDIOLOGY", "Cardiology", "north") if word in rows}
    with pytest.raises(SetupError):
        await KeptSearches(database, Sealing([bytes(32)])).answers("s-1")


async def test_slot_is_one_accounts_and_for_a_time(kept):
    """Issue, patient side: refs are opaque, bound to the account, and durable."""
    ref = await everything(kept, search())

    assert await kept.slot("acc-1", ref, now=1_400.0) == SLOT
    assert await kept.slot("acc-2", ref, now=1_400.0) is None
    assert await kept.slot("acc-1", ref, now=1_500.0) is None
    assert [await kept.slot("acc-1", other, now=0) for other in (f"{ref}1", ref[:-1], "", "x" * 33)] == [None] * 4


async def test_answers_are_opened_beside_the_loop(database):
    """Ours: nobody else waits while thousands of doctors are read."""
    sealing = Watched()
    kept = KeptSearches(database, sealing)
    await kept.begin(search(), [Known("old.example", 900.0, Body("Old", (found(),)))])

    assert len(await kept.answers("s-1")) == 1

    assert threading.main_thread() not in sealing.threads


async def test_what_was_learnt_is_shown_until_its_time(kept):
    """Protocol, discovery cache: never after the provider's own limit."""
    await everything(kept, search())

    [known] = await kept.known("k", now=1_999.0)

    assert known.body.doctors == (found(),)
    assert await kept.known("k", now=2_000.0) == []
    assert await kept.known("other", now=0) == []


async def test_what_is_over_is_deleted(kept, database):
    """Ours: nothing is kept longer than it is shown."""
    await everything(kept, search(1))
    await everything(kept, search(2, expires_at=9_000.0))

    await kept.purge(now=2_500.0)

    assert await counted(database) == [1, 1, 0, 0]
    assert await kept.search("s-1") is None


async def test_account_that_ends_leaves_nothing(kept, database):
    """Privacy rules: erasure."""
    await everything(kept, search(1))
    await everything(kept, search(2, account="acc-2"))

    await database.write(lambda connection: forget_account(connection, "acc-1"))

    assert await counted(database) == [1, 1, 1, 1]


async def test_search_that_is_forgotten_leaves_nothing_of_its_own(kept, database):
    """Privacy rules: a patient's own deletion."""
    await everything(kept, search())

    await kept.forget("s-1")

    assert await counted(database) == [0, 0, 0, 1]


async def test_search_that_could_not_be_sent_is_over(kept):
    """Ours: nobody waits for what never left."""
    await kept.begin(search(), [])

    await kept.fail("s-1", code="nobody", at=1_001.0)

    failed = await kept.search("s-1")
    assert (failed.failed, failed.until, failed.over_at) == ("nobody", 1_001.0, 1_001.0)
