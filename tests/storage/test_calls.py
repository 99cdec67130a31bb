"""The call log on both databases: a row per hop, found again by transaction, subscriber, day and outcome."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, datetime

import pytest

from uhi.clock import SystemClock
from uhi.messages.values import IST
from uhi.observability.scrubbing import scrub
from uhi.observability.timeline import FINE
from uhi.ports import CallLog, Direction, Hop
from uhi.storage.sql.calls import CallFilter, SqlCalls, find_hops, hops_of, insert_hops
from uhi.storage.sql.database import Database

DAY = date(2026, 11, 22)
START = datetime(2026, 11, 22, tzinfo=IST).timestamp()
HOP = Hop(
    at=START + 36_000.5,
    direction=Direction.OUT,
    sender="gateway.example",
    receiver="clinic.example",
    action="search",
    transaction_id="t-1",
    message_id="m-1",
    outcome="ACK",
    status=200,
    ms=12.345,
    attempt=2,
    detail="signature of clinic.example fits",
    consumer_url="https://app.example/uhi",
    category="nic2004:85111 Physical CARDIOLOGY",
    stage="requested",
)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An open database without rows."""
    opened = Database.open(database_url, clock=SystemClock())
    yield opened
    await opened.aclose()


async def write(database: Database, *hops: Hop) -> None:
    await database.write(lambda connection: insert_hops(connection, hops))


async def written(url: str) -> list[Hop]:
    """What another process finds of the transaction."""
    again = Database.open(url, clock=SystemClock())
    hops = await again.read(lambda connection: hops_of(connection, "t-1"))
    await again.aclose()
    return hops


async def found(database: Database, **wanted) -> list[str]:
    """The message ids of the hops that fit, newest first."""
    page = await database.read(lambda connection: find_hops(connection, CallFilter(**wanted)))
    return [hop.message_id for hop in page.hops]


async def test_hop_is_read_as_it_was_written(database):
    """FRS BR-008: every column; reading gives the value back."""
    await write(database, HOP)

    assert await database.read(lambda connection: hops_of(connection, "t-1")) == [HOP]


async def test_hop_is_written_without_waiting(database, database_url):
    """`CallLog.write` must not wait and must not raise; closing the database writes what waits."""
    calls: CallLog = SqlCalls(database, scrub=scrub)

    for number in range(100):
        calls.write(replace(HOP, attempt=number))
    await database.aclose()

    assert [hop.attempt for hop in await written(database_url)] == list(range(100))


async def test_flood_of_strangers_does_not_fill_the_disk(database, database_url):
    """Ours: of hops of whom nobody knows twenty a second are kept, and everybody else's."""
    calls = SqlCalls(database, scrub=scrub)

    for number in range(100):
        calls.write(replace(HOP, sender="", attempt=number))
    calls.write(HOP)
    calls.write(replace(HOP, sender="", at=HOP.at + 1))
    await database.aclose()

    kept = await written(database_url)
    assert [hop.sender for hop in kept] == [""] * 20 + ["gateway.example", ""]


async def test_hops_of_a_transaction_come_oldest_first_and_equal_times_as_written(database):
    """Issue "Call log": queryable by transaction; a fan-out has many hops at one moment."""
    at_once = [replace(HOP, message_id=f"m-{number}") for number in range(5)]
    other = replace(HOP, transaction_id="t-2")

    await write(database, *at_once, other, replace(HOP, at=HOP.at - 1, message_id="before"))

    hops = await database.read(lambda connection: hops_of(connection, "t-1"))
    assert [hop.message_id for hop in hops] == ["before", "m-0", "m-1", "m-2", "m-3", "m-4"]


async def test_hops_are_found_by_subscriber_on_either_side(database):
    """Issue "Call log": queryable by subscriber."""
    mine = replace(HOP, sender="ward.example", receiver="gateway.example", message_id="sent")
    await write(database, HOP, mine, replace(HOP, receiver="ward.example", message_id="received", at=HOP.at + 1))

    assert await found(database, subscriber="ward.example") == ["received", "sent"]


async def test_day_is_a_day_in_india(database):
    """Ours: an operator in India asks for an Indian day, 00:00 to 24:00 IST."""
    edges = {"before": START - 0.001, "first": START, "last": START + 86_399.999, "after": START + 86_400}
    await write(database, *(replace(HOP, at=at, message_id=name) for name, at in edges.items()))

    assert await found(database, day=DAY) == ["last", "first"]


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ({"outcome": "ACK"}, ["ACK"]),
        ({"outcome": "aut_replay_detected"}, ["AUT_REPLAY_DETECTED"]),
        ({"outcome": "no answer"}, ["no answer"]),
        ({"not_outcomes": FINE}, ["no answer", "AUT_REPLAY_DETECTED"]),
        ({}, ["noted", "truncated", "repeated", "no answer", "AUT_REPLAY_DETECTED", "ACK"]),
    ],
)
async def test_hops_are_found_by_outcome(database, wanted, names):
    """Issue "Call log": queryable by outcome, success and failure."""
    outcomes = ["ACK", "AUT_REPLAY_DETECTED", "no answer", "repeated", "truncated", "noted"]
    await write(database, *(replace(HOP, outcome=each, message_id=each) for each in outcomes))

    assert await found(database, **wanted) == names


async def test_pages_follow_one_another_without_gap_or_repetition(database):
    """Ours: paging by the last row, so that new hops move nothing; equal times included."""
    times = [0, 0, 0, 1, 1, 2, 3, 3, 3, 3]
    await write(database, *(replace(HOP, at=START + at, message_id=f"m-{row}") for row, at in enumerate(times)))
    seen, after = [], ""

    while True:
        wanted = CallFilter(limit=3, after=after)
        page = await database.read(lambda connection, wanted=wanted: find_hops(connection, wanted))
        seen.append([hop.message_id for hop in page.hops])
        await write(database, replace(HOP, at=START + 9, message_id="new"))
        after = page.next
        if not after:
            break

    assert seen == [["m-9", "m-8", "m-7"], ["m-6", "m-5", "m-4"], ["m-3", "m-2", "m-1"], ["m-0"]]


async def test_last_page_names_no_next_one(database):
    """Ours: a full page with nothing behind it is the last."""
    await write(database, HOP, HOP)

    page = await database.read(lambda connection: find_hops(connection, CallFilter(limit=2)))

    assert (len(page.hops), page.next) == (2, "")


async def test_peers_text_that_a_database_cannot_hold_is_changed_and_not_lost(database):
    """Ours: PostgreSQL takes no NUL and no half surrogate; a row it refuses would take its whole group along."""
    odd = replace(HOP, action="a\x00b\ud800\n", sender="s" * 5_000, message_id="अ")
    await write(database, HOP, odd)

    _, kept = await database.read(lambda connection: hops_of(connection, "t-1"))

    assert (kept.action, len(kept.sender), kept.message_id) == ("a·b··", 255, "अ")


async def test_detail_is_scrubbed(database, database_url):
    """Rules on log redaction: what looks like a patient's number or address is masked in any text."""
    SqlCalls(database, scrub=scrub).write(replace(HOP, detail="bad id priya@abdm, 9876543210"))
    await database.aclose()

    [kept] = await written(database_url)
    assert kept.detail == "bad id ***, ***"


async def test_mark_that_is_none_is_an_error(database):
    """Ours: the command line tells a mistyped mark from an empty list."""
    with pytest.raises(LookupError):
        await found(database, after="yesterday")
