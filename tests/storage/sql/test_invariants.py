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
EVENT = (
    "INSERT INTO order_event (order_id, version, provider_id, kind, at, made_by, facts)"
    " VALUES ('{id}', {version}, 'p', 'HELD', 0, '', '')"
)
NO_ORDER_OF_EVENTS = {
    "sqlite": "DROP TRIGGER order_event_next",
    "postgresql": "DROP TRIGGER order_event_next ON order_event",
}
NO_GUARD = {
    "sqlite": ("DROP TRIGGER hold_no_overlap", "DROP TRIGGER hold_no_overlap_later", "DROP INDEX hold_live_slot"),
    "postgresql": (
        "ALTER TABLE hold DROP CONSTRAINT hold_no_overlap",
        "ALTER TABLE hold DROP CONSTRAINT hold_one_place",
        "DROP INDEX hold_live_slot",
    ),
}


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database.open(database_url, clock=SystemClock())
    yield database
    await database.aclose()


async def run(database: Database, *statements: str) -> None:
    for statement in statements:
        await database.write(lambda connection, each=statement: connection.execute(text(each)).rowcount)


async def wrong(database: Database, rules: str = "defg", **bounds: float) -> list[str]:
    found = await database.read(lambda connection: violations(connection, NOW, **bounds))
    return [each for each in found if each[0] in rules]


def letter(name: str, *, order: str = "NULL", inbox: str = "NULL", deadline: float = NOW, state: str = "READY") -> str:
    return LETTER.format(id=name, order=order, inbox=inbox, deadline=deadline, state=state, no="FALSE")


async def test_an_empty_database_is_in_order(database):
    """Ours: every query runs on both databases."""
    assert list(VIOLATIONS) == ["d", "e", "f", "g", "h", "i", "j", "k"]
    assert await wrong(database, "defghijk") == []


@pytest.mark.parametrize(("name", "start"), [("one", 10_000), ("two", 500)])
async def test_two_live_claims_of_one_slot_or_time_are_found(database, name, start):
    """Reliability, invariant d: on data that the constraints would not let in."""
    await run(database, *NO_GUARD[database.dialect])
    await run(database, HOLD.format(id="a", slot="one", start=0, end=1_000, state="CONFIRMED"))
    await run(database, HOLD.format(id="b", slot=name, start=start, end=start + 1_000, state="HELD"))
    await run(database, HOLD.format(id="c", slot="one", start=0, end=1_000, state="EXPIRED"))

    assert await wrong(database) == ["d a"]


async def test_live_claims_of_one_doctor_at_two_places_are_found(database):
    """Reliability, invariant d: seats are side by side at one place only."""
    await run(database, *NO_GUARD[database.dialect])
    await run(database, HOLD.format(id="a", slot="one", start=0, end=1_000, state="CONFIRMED"))
    await run(database, HOLD.format(id="b", slot="two", start=500, end=1_500, state="HELD"))
    await run(database, "UPDATE hold SET seat = 1 WHERE id = 'b'")

    before = await wrong(database)
    await run(database, "UPDATE hold SET facility_id = 'south' WHERE id = 'b'")

    assert (before, await wrong(database)) == ([], ["d a"])


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


async def test_an_order_that_is_not_as_far_as_its_stream_is_found(database):
    """Ours: what is made from a stream and the stream are written in one transaction, so they never differ."""
    await run(database, *(ORDER.format(id=name, at=NOW) for name in ("behind", "right", "without")))
    events = [("behind", 1), ("behind", 2), ("right", 1), ("alone", 1)]
    await run(database, *(EVENT.format(id=name, version=version) for name, version in events))

    assert await wrong(database, "h") == ["h alone", "h behind", "h without"]


async def test_a_booked_order_without_its_claim_is_found(database):
    """Ours: somebody else could have its slot."""
    await run(database, *(ORDER.format(id=name, at=NOW) for name in ("ended", "held", "none", "right")))
    for number, (name, state) in enumerate([("ended", "EXPIRED"), ("held", "HELD"), ("right", "CONFIRMED")]):
        at = 1_000 * number
        await run(database, HOLD.format(id=name, slot=name, start=at, end=at + 1_000, state=state))

    assert await wrong(database, "i") == ["i ended", "i held", "i none"]


async def test_a_claim_for_no_order_is_found(database):
    """Ours: it keeps everybody from a slot that nobody comes to; a hold that is over keeps nobody from anything."""
    await run(database, ORDER.format(id="right", at=NOW), ORDER.format(id="booked", at=NOW))
    claims = [("right", "CONFIRMED"), ("booked", "HELD"), ("nobody", "CONFIRMED"), ("lapsed", "HELD")]
    for number, (name, state) in enumerate(claims):
        at = 1_000 * number
        await run(database, HOLD.format(id=name, slot=name, start=at, end=at + 1_000, state=state))
    await run(database, f"UPDATE hold SET expires_at = {NOW + 1} WHERE id = 'booked'")

    assert await wrong(database, "j") == ["j booked", "j nobody"]


async def test_a_stream_with_a_gap_is_found(database):
    """Ours: on data that the trigger would not let in."""
    await run(database, NO_ORDER_OF_EVENTS[database.dialect])
    events = [("a", 1), ("a", 2), ("b", 1), ("b", 3), ("c", 2)]
    await run(database, *(EVENT.format(id=name, version=version) for name, version in events))

    assert await wrong(database, "k") == ["k b", "k c"]
