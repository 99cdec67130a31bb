"""The outbox in an operator's hands, on both databases: found, sent again, given up; never a body."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import fields

import asyncpg
import pytest
from sqlalchemy import Connection, insert

from uhi.clock import SystemClock
from uhi.exchange.retry import CRITICAL_LIFE
from uhi.ports import LetterState
from uhi.storage.sql.database import Database
from uhi.storage.sql.outbox_admin import (
    DROPPED,
    LetterFilter,
    LetterRow,
    count_letters,
    drop,
    find_letter,
    find_letters,
    replay,
)
from uhi.storage.sql.tables import body, outbox

NOW = 1_790_000_000.0
READY, LEASED, DELIVERED, REFUSED, EXPIRED, DEAD = LetterState
ENDS = [DELIVERED, REFUSED, EXPIRED, DEAD]


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An open database with the body `b-1`."""
    opened = Database.open(database_url, clock=SystemClock())
    await opened.write(
        lambda connection: connection.execute(insert(body).values(id="b-1", sealed=b"sealed", created_at=NOW))
    )
    yield opened
    await opened.aclose()


async def put(database: Database, letter_id: str, state: LetterState, **columns) -> None:
    """A critical letter to app.example that was tried four times."""
    values = {
        "dest_subscriber_id": "app.example",
        "dest_role": "consumer",
        "dest_url": "https://app.example/uhi",
        "action": "on_confirm",
        "message_id": "m-1",
        "transaction_id": "t-1",
        "body_id": "b-1",
        "digest": "digest",
        "size": 2_345,
        "is_critical": True,
        "is_relayed": False,
        "priority": 1,
        "kept": "Signature kept",
        "not_before": NOW + 600,
        "deadline": NOW + 1_000,
        "attempts": 4,
        "signed_again": 1,
        "last_status": 503,
        "last_error_code": "NET_OVERLOADED",
        "created_at": NOW - 60,
        "ended_at": NOW - 1 if state.is_end else None,
    }
    row = values | {"id": letter_id, "state": state.value} | columns
    await database.write(lambda connection: connection.execute(insert(outbox).values(**row)))


async def letter(database: Database, letter_id: str) -> LetterRow:
    kept = await database.read(lambda connection: find_letter(connection, letter_id))
    assert kept is not None
    return kept


async def replayed(database: Database, letter_id: str, *, force: bool = False) -> str:
    return await database.write(lambda connection: replay(connection, letter_id, now=NOW, force=force))


async def dropped(database: Database, letter_id: str) -> str:
    return await database.write(lambda connection: drop(connection, letter_id, now=NOW))


async def test_what_is_not_delivered_is_found_newest_first(database):
    """Issue "Outbox": `uhi outbox list`; delivered letters are no news."""
    for number, state in enumerate(LetterState):
        await put(database, f"l-{number}", state)

    found = await database.read(lambda connection: find_letters(connection, LetterFilter(limit=4)))
    counts = await database.read(lambda connection: count_letters(connection, LetterFilter(limit=4)))

    assert [each.state for each in found] == [DEAD, EXPIRED, REFUSED, LEASED]
    assert counts == {READY: 1, LEASED: 1, REFUSED: 1, EXPIRED: 1, DEAD: 1}


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (LetterFilter(states=(DELIVERED, READY)), ["l-3", "l-1"]),
        (LetterFilter(to="app.example"), ["l-1"]),
        (LetterFilter(transaction_id="t-2"), ["l-2"]),
        (LetterFilter(to="app.example", transaction_id="t-2"), []),
    ],
)
async def test_letters_are_found_by_state_receiver_and_transaction(database, wanted, ids):
    """Issue "Outbox": filters of `uhi outbox list`."""
    await put(database, "l-1", READY)
    await put(database, "l-2", DEAD, dest_subscriber_id="other.example", transaction_id="t-2")
    await put(database, "l-3", DELIVERED, dest_subscriber_id="other.example")

    found = await database.read(lambda connection: find_letters(connection, wanted))

    assert [each.id for each in found] == ids


async def test_letter_is_shown_without_its_body_and_signatures(database):
    """Rules on errors and logs: never a body, never a signature."""
    await put(database, "l-1", DEAD)

    shown = await letter(database, "l-1")

    assert (shown.size, shown.has_body, shown.last_error) == (2_345, True, "NET_OVERLOADED")
    assert not {"body", "sealed", "kept"} & {field.name for field in fields(shown)}
    assert "Signature kept" not in repr(shown)


@pytest.mark.parametrize("state", [READY, REFUSED, EXPIRED, DEAD])
async def test_replayed_letter_is_due_at_once_as_if_it_had_not_been_tried(database, state):
    """Issue "Outbox": an operator sends again; what is critical gets a new deadline (decision 19)."""
    await put(database, "l-1", state, deadline=NOW - 5)

    assert await replayed(database, "l-1") == ""

    again = await letter(database, "l-1")
    assert (again.state, again.not_before, again.attempts, again.ended_at) == (READY, NOW, 0, None)
    assert again.deadline == NOW + CRITICAL_LIFE


async def test_delivered_letter_is_sent_again_only_by_force(database):
    """Ours: the receiver absorbs it, but it is nothing to do by mistake."""
    await put(database, "l-1", DELIVERED)

    assert "--force" in await replayed(database, "l-1")
    assert (await letter(database, "l-1")).state is DELIVERED

    assert await replayed(database, "l-1", force=True) == ""
    assert (await letter(database, "l-1")).state is READY


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"is_critical": False, "deadline": NOW - 1}, "its time has passed"),
        ({"body_id": None}, "its body is not kept any more"),
        ({"body_id": "purged"}, "its body is not kept any more"),
    ],
    ids=["nobody waits", "body forgotten", "body purged"],
)
async def test_letter_that_could_not_arrive_is_left_as_it_is(database, columns, reason):
    """Ours: an old search would only expire again; without a body there is nothing to send."""
    await put(database, "l-1", DEAD, **columns)

    assert reason in await replayed(database, "l-1", force=True)
    assert (await letter(database, "l-1")).state is DEAD


async def test_search_within_its_time_keeps_its_deadline(database):
    """Decision 19: a replay does not make a search live longer than its ttl."""
    await put(database, "l-1", REFUSED, is_critical=False, deadline=NOW + 5)

    assert await replayed(database, "l-1") == ""
    assert (await letter(database, "l-1")).deadline == NOW + 5


@pytest.mark.parametrize("correct", [replayed, dropped])
async def test_letter_that_is_being_sent_is_left_to_its_process(database, correct):
    """Reliability rules, send side: a lease is exclusive until it ends."""
    await put(database, "l-1", LEASED, owner="p-1", lease_until=NOW + 5)
    await put(database, "l-2", LEASED, owner="p-1", lease_until=NOW - 5)

    assert "a process is sending it" in await correct(database, "l-1")
    assert await correct(database, "l-2") == ""
    assert (await letter(database, "l-1")).owner == "p-1"
    assert (await letter(database, "l-2")).owner == ""


async def test_dropped_letter_ends_as_dead_with_the_reason(database):
    """Issue "Outbox": `uhi outbox drop`."""
    await put(database, "l-1", READY)

    assert await dropped(database, "l-1") == ""

    ended = await letter(database, "l-1")
    assert (ended.state, ended.last_error, ended.ended_at) == (DEAD, DROPPED, NOW)


@pytest.mark.parametrize("state", ENDS)
async def test_letter_that_has_ended_is_not_dropped(database, state):
    """Ours: what happened to a letter is not written over."""
    await put(database, "l-1", state)

    assert f"it is {state.value} already" in await dropped(database, "l-1")
    assert (await letter(database, "l-1")).last_error == "NET_OVERLOADED"


@pytest.mark.parametrize("correct", [replayed, dropped])
async def test_unknown_letter_is_said_to_be_unknown(database, correct):
    """Ours: a mistyped id changes nothing."""
    assert await correct(database, "l-9") == "there is no such letter"


async def test_replay_wakes_the_processes_on_postgresql(postgres_url):
    """Reliability rules, send side: NOTIFY is part of the transaction that makes a letter due."""
    heard = []
    listener = await asyncpg.connect(postgres_url)
    await listener.add_listener("uhi_letters", lambda *told: heard.append(told[3]))
    opened = Database.open(postgres_url, clock=SystemClock())
    await put(opened, "l-1", DEAD, is_critical=False, body_id=None)
    await put(opened, "l-2", DEAD, body_id="b-1")
    await opened.write(_put_body)

    assert await replayed(opened, "l-1") != ""
    assert await replayed(opened, "l-2") == ""

    await listener.fetchval("SELECT 1")
    assert heard == [""]
    await opened.aclose()
    await listener.close()


def _put_body(connection: Connection) -> None:
    connection.execute(insert(body).values(id="b-1", sealed=b"sealed", created_at=NOW))
