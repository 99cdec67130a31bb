"""What a consumer keeps: the same tests for the diary in memory and for the one on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
from sqlalchemy import Connection

from tests.booking.shelf import SqlShelf
from tests.booking.ward import THREAD, found, slot
from uhi.booking.appointments import Booking
from uhi.booking.diary import Diary, Entry, Errand, Key, MemoryDiary
from uhi.booking.quotes import Quote
from uhi.booking.sql_diary import SqlDiary
from uhi.booking.states import OrderState
from uhi.errors import Refusal, SetupError
from uhi.faults import RECORD_MISSING
from uhi.storage.sealing import Sealing

HELD = Booking(order_id="a1", thread=THREAD, found=found(slot()), quote=Quote(Decimal(500)))
KEY = Key(THREAD.provider_id, "a1")
OLD = Key(THREAD.provider_id, "a0")
CONFIRMED = replace(HELD, state=OrderState.CONFIRMED)
WRONG = Entry(booking=replace(HELD, price_mismatch=True))


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.services)])
async def diary(request: pytest.FixtureRequest) -> AsyncIterator[Diary]:
    """Each diary there is."""
    if request.param == "memory":
        yield MemoryDiary()
        return
    async with SqlShelf.open(request.getfixturevalue(f"{request.param}_url")) as shelf:
        yield shelf.diary()


async def put(diary: Diary, entry: Entry) -> Entry:
    after = (await diary.change(entry.key, lambda _: entry)).after
    assert after is not None
    return after


async def test_an_entry_is_what_was_made_of_it(diary):
    """Ours: `change` reads and writes in one step; what it does not change stays as it is."""
    made = await diary.change(KEY, lambda known: known or Entry(booking=HELD))
    moved = await diary.change(KEY, lambda known: known and known.with_booking(CONFIRMED))
    same = await diary.change(KEY, lambda known: None)

    assert (made.before, made.after) == (None, Entry(booking=HELD))
    assert (moved.before, moved.after) == (Entry(booking=HELD), Entry(booking=CONFIRMED))
    assert same.before == same.after == await diary.known(KEY) == Entry(booking=CONFIRMED)


async def test_other_providers_and_forgotten_orders_are_unknown(diary):
    """Security: orders are known by provider and id."""
    await put(diary, Entry(booking=HELD))

    elsewhere = await diary.known(Key("other.example", "a1"))
    await diary.forget(KEY)

    assert (elsewhere, await diary.known(KEY)) == (None, None)


async def test_a_pin_is_there_as_long_as_the_process(diary):
    """Decision 37: in memory, whatever the diary."""
    await put(diary, Entry(booking=replace(CONFIRMED, pin="4711")))
    await diary.change(KEY, lambda known: known and replace(known, replaces=OLD))

    assert (await diary.known(KEY)).booking.pin == "4711"


async def test_an_errand_is_done_by_one_at_a_time(diary):
    """Case CB-07: however often a wrong price is told, one cancellation goes out."""
    await put(diary, WRONG)

    first, second = await diary.claim(KEY, now=100, until=160), await diary.claim(KEY, now=159, until=219)
    late = await diary.claim(KEY, now=160, until=220)

    assert (first.errand, second, late.errand) == (Errand.CALL_OFF, None, Errand.CALL_OFF)


async def test_an_errand_that_was_put_off_is_due_later_and_may_be_claimed_at_once(diary):
    """Ours: the provider's next word tries again, the watch after a while."""
    await put(diary, WRONG)
    before = await diary.due(now=100)
    await diary.claim(KEY, now=100, until=160)
    claimed = await diary.due(now=101)
    await diary.put_off(KEY, until=1_000)

    assert (before, claimed, await diary.due(now=999), await diary.due(now=1_000)) == ([KEY], [], [], [KEY])
    assert await diary.claim(KEY, now=102, until=162) is not None


async def test_nothing_is_due_once_it_is_done(diary):
    """Ours: a cancelled order needs no calling off."""
    await put(diary, WRONG)
    await diary.claim(KEY, now=100, until=160)

    await diary.change(KEY, lambda known: known.with_booking(replace(known.booking, state=OrderState.CANCELLED)))

    assert (await diary.due(now=10_000), await diary.claim(KEY, now=10_000, until=10_060)) == ([], None)


async def test_the_old_one_is_to_be_cancelled_once_the_new_one_is_confirmed(diary):
    """Decision 38: hold new, confirm new, cancel old; not before, and not where the new one fails."""
    held = await put(diary, Entry(booking=HELD, replaces=OLD))
    confirmed = (await diary.change(KEY, lambda known: known.with_booking(CONFIRMED))).after
    kept = await diary.known(KEY)

    failed = held.with_booking(replace(HELD, state=OrderState.FAILED))

    assert (held.errand, confirmed.errand, kept.replaces) == (None, Errand.CANCEL_REPLACED, OLD)
    assert await diary.due(now=100) == [KEY]
    assert (failed.errand, failed.replaces) == (None, None)


async def test_digits_and_names_are_not_on_the_disk(sql_shelf: SqlShelf):
    """Decision 37: the PIN nowhere, the rest sealed."""
    await put(sql_shelf.diary(), Entry(booking=replace(CONFIRMED, pin="47119", care_context_id="secret care")))

    rows = await sql_shelf.rows("SELECT * FROM consumer_booking")
    opened = [sql_shelf.sealing.open(bytes(row[-1]), about=f"booking {KEY.provider_id} a1") for row in rows]

    assert not any(text in str(value) for row in rows for value in row for text in ("47119", "secret", "Verma"))
    assert b"47119" not in opened[0]
    assert b"secret care" in opened[0]


@dataclass
class Keys:
    """The keys of accounts, as far as there are any."""

    kept: dict[str, Sealing]

    def of(self, connection: Connection, account_id: str, *, seals: bool = False) -> Sealing:
        """See `Sealers`."""
        if account_id not in self.kept:
            raise Refusal(RECORD_MISSING)
        return self.kept[account_id]


@pytest.mark.case("IAM-17")
async def test_a_booking_is_sealed_with_the_key_of_whose_it_is(sql_shelf: SqlShelf):
    """Case IAM-17: not with the program's, from the first moment on, whoever tells news of it."""
    keys = Keys({"ravi": Sealing.for_development()})
    diary = sql_shelf.diary(sealers=keys)
    entry = await put(diary, Entry(booking=HELD, account_id="ravi"))
    await diary.change(KEY, lambda known: known.with_booking(CONFIRMED))

    [(sealed,)] = await sql_shelf.rows("SELECT sealed FROM consumer_booking")

    assert keys.kept["ravi"].open(bytes(sealed), about=f"booking {KEY.provider_id} a1")
    with pytest.raises(SetupError):
        await sql_shelf.diary().known(KEY)
    assert await diary.known_of([KEY]) == {KEY: entry.with_booking(CONFIRMED)}


@pytest.mark.case("IAM-17")
async def test_nothing_is_kept_without_a_key_where_accounts_have_keys(sql_shelf: SqlShelf):
    """Case IAM-17: neither for who was erased nor for nobody; what is not to be kept asks for no key."""
    keys = Keys({"ravi": Sealing.for_development()})
    diary = sql_shelf.diary(sealers=keys)
    await put(diary, Entry(booking=HELD, account_id="ravi"))
    keys.kept.clear()

    for account_id in ("ravi", ""):
        other = replace(HELD, order_id="a2")
        with pytest.raises(Refusal):
            await put(diary, Entry(booking=other, account_id=account_id))
    with pytest.raises(Refusal):
        await diary.change(KEY, lambda known: known.with_booking(CONFIRMED))
    assert await diary.change(Key(THREAD.provider_id, "a3"), lambda known: None) == (None, None)
    assert [row[0] for row in await sql_shelf.rows("SELECT order_id FROM consumer_booking")] == ["a1"]


async def test_another_process_has_the_booking_and_not_the_pin(sql_shelf: SqlShelf):
    """Decision 37: status brings it back."""
    await put(sql_shelf.diary(), Entry(booking=replace(CONFIRMED, pin="4711"), replaces=OLD))

    known = await sql_shelf.diary().known(KEY)

    assert known == Entry(booking=CONFIRMED, replaces=OLD)


async def test_another_consumer_on_the_same_database_knows_nothing(sql_shelf: SqlShelf):
    """Ours: several applications may share a database."""
    await put(sql_shelf.diary(), WRONG)
    other = sql_shelf.diary(consumer_id="other.example")

    assert (await other.known(KEY), await other.due(now=100)) == (None, [])


def test_a_diary_is_of_one_kind_for_all():
    """Ours: whoever implements the port, implements all of it."""
    names = {name for name in dir(Diary) if not name.startswith("_")}

    assert names <= set(dir(MemoryDiary)) & set(dir(SqlDiary))
