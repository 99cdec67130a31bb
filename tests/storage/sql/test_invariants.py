"""The invariants find what is broken, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from uhi.clock import SystemClock
from uhi.storage.sql.database import Database
from uhi.storage.sql.invariants import VIOLATIONS, violations

NOW = 1_790_000_000.0
LONG_AGO = NOW - 30 * 86_400
HOLD = (
    "INSERT INTO hold"
    " (id, order_id, provider_id, slot_id, seat, practitioner_id, starts_at, ends_at, state, expires_at)"
    " VALUES ('{id}', '{id}', 'p', '{slot}', 0, 'd', {start}, {end}, '{state}', 0)"
)
ORDER = (
    "INSERT INTO orders (id, state, provider_id, consumer_id, transaction_id, domain, city, hold_id, held_until,"
    " confirmed_at, updated_at, version, sealed)"
    " VALUES ('{id}', 'CONFIRMED', 'p', 'app.example', 't-1', '', '', '{id}', 0, {at}, 0, 1, '')"
)
LETTER = (
    "INSERT INTO outbox (id, dest_subscriber_id, dest_role, dest_url, action, message_id, transaction_id, order_id,"
    " inbox_id, digest, size, is_critical, is_relayed, priority, not_before, deadline, state, created_at)"
    " VALUES ('{id}', 'app.example', 'consumer', '', 'on_confirm', 'm', 't-1', {order}, {inbox}, '', 0, {no}, {no}, 3,"
    " 0, {deadline}, '{state}', 0)"
)
MESSAGE = (
    "INSERT INTO inbox (id, receiver_id, signer_id, path_role, message_id, variant, digest, transaction_id,"
    " received_at, deadline, status) VALUES ('{id}', 'p', 's', 'confirm', '{id}', '', '', 't-1', {at}, 0, '{status}')"
)
NO_GUARD = {
    "sqlite": ("DROP TRIGGER hold_no_overlap", "DROP INDEX hold_live_slot"),
    "postgresql": ("ALTER TABLE hold DROP CONSTRAINT hold_no_overlap", "DROP INDEX hold_live_slot"),
}


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database.open(database_url, clock=SystemClock())
    yield database
    await database.aclose()


async def run(database: Database, *statements: str) -> None:
    for statement in statements:
        await database.write(lambda connection, each=statement: connection.execute(text(each)).rowcount)


async def wrong(database: Database, **bounds: float) -> list[str]:
    return await database.read(lambda connection: violations(connection, NOW, **bounds))


def letter(name: str, *, order: str = "NULL", inbox: str = "NULL", deadline: float = NOW, state: str = "READY") -> str:
    return LETTER.format(id=name, order=order, inbox=inbox, deadline=deadline, state=state, no="FALSE")


async def test_an_empty_database_is_in_order(database):
    """Ours: every query runs on both databases."""
    assert list(VIOLATIONS) == ["d", "e", "f", "g"]
    assert await wrong(database) == []


@pytest.mark.parametrize(("name", "start"), [("one", 10_000), ("two", 500)])
async def test_two_live_claims_of_one_slot_or_time_are_found(database, name, start):
    """Reliability, invariant d: on data that the constraints would not let in."""
    await run(database, *NO_GUARD[database.dialect])
    await run(database, HOLD.format(id="a", slot="one", start=0, end=1_000, state="CONFIRMED"))
    await run(database, HOLD.format(id="b", slot=name, start=start, end=start + 1_000, state="HELD"))
    await run(database, HOLD.format(id="c", slot="one", start=0, end=1_000, state="EXPIRED"))

    assert await wrong(database) == ["d a"]


async def test_a_confirmed_order_that_nobody_was_told_of_is_found(database):
    """Reliability, invariant e: by the letter's order, or by its conversation; not what is under way or long past."""
    times = {"told": NOW - 600, "silent": NOW - 600, "fresh": NOW - 1, "old": LONG_AGO}
    for name, at in times.items():
        await run(database, ORDER.format(id=name, at=at))
    await run(database, letter("x", order="'told'", state="DELIVERED", deadline=NOW + 1))

    assert await wrong(database) == ["e silent"]
    assert await wrong(database, grace=0) == ["e fresh", "e silent"]
    await run(database, letter("y", deadline=NOW + 1))
    assert await wrong(database, grace=0) == []


@pytest.mark.parametrize(("state", "seconds", "found"), [("READY", 61, 1), ("LEASED", 61, 1), ("READY", 59, 0)])
async def test_a_letter_that_waits_past_its_deadline_is_found(database, state, seconds, found):
    """Reliability, invariant f."""
    await run(database, letter("x", deadline=NOW - seconds, state=state))
    await run(database, letter("y", deadline=NOW - 600, state="EXPIRED"))

    assert await wrong(database) == ["f x"] * found


async def test_a_message_that_nothing_follows_from_is_found(database):
    """Reliability, invariant g."""
    for name, at, status in (
        ("a", 61, "NEW"),
        ("b", 61, "NEW"),
        ("c", 61, "DONE"),
        ("d", 61, "EXPIRED"),
        ("e", 9, "NEW"),
    ):
        await run(database, MESSAGE.format(id=name, at=NOW - at, status=status))
    await run(database, letter("x", inbox="'b'", deadline=NOW + 1))

    assert await wrong(database) == ["g a"]
