"""Rows and claims made again from the streams, and what a check finds, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.booking.shelf import PROVIDER, SqlShelf
from tests.booking.test_store import NOW, an_order
from tests.booking.ward import DAY, slot
from uhi.booking.pin import new_pin
from uhi.booking.rebuilding import Rebuilt, check, rebuild
from uhi.booking.sql_bookings import SqlBookings
from uhi.booking.states import OrderState
from uhi.booking.store import Step

SOON = NOW + timedelta(seconds=30)
AT = SOON.timestamp() + 1
NO_TRIGGER = {
    "sqlite": ("order_event_no_update", "order_event_no_delete", "order_event_next"),
    "postgresql": ("order_event_final ON order_event", "order_event_next ON order_event"),
}


async def booked(store: SqlBookings, name: str, number: int) -> None:
    """An order that went from its hold to its appointment."""
    until = NOW + timedelta(days=9999)
    held = an_order(name, slot(number))
    held = replace(held, hold=replace(held.hold, until=until))
    kept = (await store.put(held, Step(NOW, "consumer app.example"))).order
    confirmed = replace(kept, state=OrderState.CONFIRMED, appointment_id=f"visit-{name}", pin=new_pin(DAY))
    await store.put(confirmed, Step(NOW, "provider"))


async def dump(shelf: SqlShelf) -> list[list[tuple[object, ...]]]:
    """Everything that is made from the streams and is not sealed, and which orders have a PIN."""
    columns = (
        "id, state, consumer_id, hold_id, appointment_id, held_until, confirmed_at, updated_at, version,"
        " practitioner_id, facility_id, slot_id, fulfilment, cancelled_by, starts_at, ends_at, pin, pin_until"
    )
    claims = "order_id, slot_id, seat, practitioner_id, starts_at, ends_at, state, expires_at"
    live = f"SELECT {claims} FROM hold WHERE state <> 'EXPIRED' ORDER BY order_id"
    return [await shelf.rows(f"SELECT {columns} FROM orders ORDER BY id"), await shelf.rows(live)]


@pytest.fixture
async def store(sql_shelf: SqlShelf) -> SqlBookings:
    """Two booked orders, one that is held, one that was given up."""
    store = sql_shelf.store()
    for number, name in enumerate("ab"):
        await booked(store, name, number)
    for number, name in enumerate("cd", start=2):
        held = an_order(name, slot(number))
        held = replace(held, hold=replace(held.hold, until=SOON))
        kept = (await store.put(held, Step(NOW, "consumer app.example"))).order
    await store.put(replace(kept, state=OrderState.EXPIRED), Step(SOON, "time"))
    return store


async def test_what_is_in_order_stays_as_it_is(sql_shelf, store):
    """Ours: a rebuild of what is right changes nothing."""
    before = await dump(sql_shelf)

    done = await rebuild(store._storage, PROVIDER)

    assert done == Rebuilt(orders=4)
    assert await dump(sql_shelf) == before
    assert await check(store._storage, PROVIDER, AT) == []


@pytest.mark.parametrize(
    ("broken", "rows", "claims"),
    [
        ("DELETE FROM orders WHERE id = 'd'", 1, 0),
        ("UPDATE orders SET state = 'CANCELLED', slot_id = 'x', version = 9 WHERE id = 'a'", 1, 0),
        ("UPDATE orders SET sealed = (SELECT o.sealed FROM orders o WHERE o.id = 'b') WHERE id = 'a'", 1, 0),
        ("DELETE FROM hold", 0, 2),
        ("UPDATE hold SET state = 'EXPIRED' WHERE order_id = 'b'", 0, 1),
        ("UPDATE hold SET slot_id = 'slot-7', starts_at = 1, ends_at = 2 WHERE order_id = 'a'", 0, 1),
        ("UPDATE hold SET order_id = 'nobody' WHERE order_id = 'a'", 0, 2),
        ("UPDATE hold SET practitioner_id = 'another' WHERE order_id = 'a'", 0, 1),
        ("UPDATE hold SET expires_at = 1 WHERE order_id = 'b'", 0, 1),
        ("UPDATE orders SET version = 9 WHERE id = 'b'", 1, 0),
        ("UPDATE orders SET appointment_id = 'visit-z' WHERE id = 'b'", 1, 0),
        ("UPDATE orders SET practitioner_id = 'another' WHERE id = 'a'", 1, 0),
        ("UPDATE orders SET cancelled_by = 'doctor' WHERE id = 'd'", 1, 0),
        ("UPDATE orders SET consumer_id = 'another.example' WHERE id = 'a'", 1, 0),
    ],
)
async def test_what_is_broken_is_found_and_put_right(sql_shelf, store, broken, rows, claims):
    """Issue: lists are projections that can be rebuilt, checked against what must hold."""
    before = await dump(sql_shelf)
    await sql_shelf.run(broken)

    found = await check(store._storage, PROVIDER, AT)
    done = await rebuild(store._storage, PROVIDER)

    assert found != []
    assert (done.rows_differed, done.claims_differed, done.conflicts) == (rows, claims, ())
    assert await check(store._storage, PROVIDER, AT) == []
    after = await dump(sql_shelf)
    assert after[0] == before[0]
    assert [claim for claim in after[1] if claim[0] in "ab"] == [claim for claim in before[1] if claim[0] in "ab"]


async def test_order_in_another_state_without_its_claim_is_found(sql_shelf, store):
    """Issue: state is a projection; rows that agree with each other and not with the stream are wrong all the same."""
    await sql_shelf.run("UPDATE orders SET state = 'CANCELLED', cancelled_by = 'doctor' WHERE id = 'a'")
    await sql_shelf.run("DELETE FROM hold WHERE order_id = 'a'")

    found = await check(store._storage, PROVIDER, AT)
    done = await rebuild(store._storage, PROVIDER)

    assert found == ["replay a: not what the events lead to: cancelled_by, state"]
    assert (done.rows_differed, done.claims_differed) == (1, 1)
    assert await check(store._storage, PROVIDER, AT) == []


async def test_live_hold_without_its_claim_is_found(sql_shelf, store):
    """Issue: no slot is sold twice; a hold that keeps nobody from its slot would let that happen."""
    await sql_shelf.run("DELETE FROM hold WHERE order_id = 'c'")

    found = await check(store._storage, PROVIDER, NOW.timestamp())

    assert "replay c: its claim of the slot is not the one it should have" in found


@pytest.mark.parametrize("version", [1, 2])
async def test_missing_event_is_found(sql_shelf, store, version):
    """Issue: the stream is the audit trail; whoever gets around the triggers leaves a trace."""
    for trigger in NO_TRIGGER[sql_shelf.database.dialect]:
        await sql_shelf.run(f"DROP TRIGGER {trigger}")

    await sql_shelf.run(f"DELETE FROM order_event WHERE order_id = 'a' AND version = {version}")

    assert any(" a" in fault for fault in await check(store._storage, PROVIDER, AT))


async def test_orders_beside_one_with_a_gap_are_made_again(sql_shelf, store):
    """Ours: one order whose events are lost leaves no other as it should not be, and is named."""
    for trigger in NO_TRIGGER[sql_shelf.database.dialect]:
        await sql_shelf.run(f"DROP TRIGGER {trigger}")
    await sql_shelf.run("DELETE FROM order_event WHERE order_id = 'a' AND version = 1")
    await sql_shelf.run("UPDATE orders SET state = 'COMPLETED'")

    done = await rebuild(store._storage, PROVIDER)

    assert (done.orders, done.rows_differed, done.broken) == (3, 3, ("a",))
    assert await sql_shelf.rows("SELECT id FROM orders WHERE state = 'COMPLETED'") == [("a",)]


async def test_pins_of_two_orders_in_each_others_place_are_found(sql_shelf, store):
    """Decision 37: digits that are not the order's own are dropped; the PIN can be set aside."""
    await sql_shelf.run("UPDATE orders SET pin = (SELECT o.pin FROM orders o WHERE o.id = 'b') WHERE id = 'a'")

    found = await check(store._storage, PROVIDER, AT)
    await rebuild(store._storage, PROVIDER)

    assert [fault[:8] for fault in found] == ["replay a"]
    assert await check(store._storage, PROVIDER, AT) == []
    pins = await sql_shelf.rows("SELECT id FROM orders WHERE pin IS NOT NULL ORDER BY id")
    assert pins == [("b",)]


async def test_everything_can_be_made_again_but_the_digits_of_pins(sql_shelf, store):
    """Decision 37: no event has them; with the row the digits are gone, and a PIN can be overridden."""
    before = await dump(sql_shelf)
    await sql_shelf.run("DELETE FROM orders")
    await sql_shelf.run("DELETE FROM hold")

    done = await rebuild(store._storage, PROVIDER)

    assert (done.orders, done.rows_differed) == (4, 4)
    assert [row[:-2] for row in (await dump(sql_shelf))[0]] == [row[:-2] for row in before[0]]
    assert (await sql_shelf.store().get("a")).pin.token == ""


async def test_orders_of_an_earlier_release_get_a_stream(sql_shelf, store):
    """Ours: it kept no events; what is kept becomes the first ones."""
    await sql_shelf.run(f"DROP TRIGGER {NO_TRIGGER[sql_shelf.database.dialect][0]}")
    for trigger in NO_TRIGGER[sql_shelf.database.dialect][1:]:
        await sql_shelf.run(f"DROP TRIGGER {trigger}")
    await sql_shelf.run("DELETE FROM order_event")
    await sql_shelf.run("UPDATE orders SET slot_id = '', practitioner_id = '', starts_at = NULL")

    done = await rebuild(store._storage, PROVIDER)

    assert (done.adopted, done.orders, done.rows_differed) == (4, 4, 4)
    assert await check(store._storage, PROVIDER, AT) == []
    assert [event.kind.value for event in await sql_shelf.store().history("a")] == ["HELD", "CONFIRMED"]


async def test_a_slot_that_two_streams_have_is_told(sql_shelf, store):
    """Ours: which of them keeps it is for people to say."""
    await sql_shelf.run("DELETE FROM hold WHERE order_id = 'b'")
    await sql_shelf.run("UPDATE orders SET version = 9 WHERE id = 'b'")
    other = replace(an_order("e", slot(1)), state=OrderState.CONFIRMED, appointment_id="visit-e")
    await store.put(other, Step(NOW, "provider"))

    done = await rebuild(store._storage, PROVIDER)

    assert done.conflicts == ("b",)


async def test_a_stream_that_tells_what_may_not_happen_is_found(sql_shelf, store):
    """Ours: the table of moves holds for what is kept, too."""
    started = replace(an_order("e", slot(5)), state=OrderState.APPOINTMENT_STARTED)
    await store.put(started, Step(NOW, "desk"))

    found = await check(store._storage, PROVIDER, AT)

    assert found == ["replay e: event 2, STARTED, may not happen in the state it was in"]


@pytest.mark.parametrize("statement", ["UPDATE order_event SET made_by = ''", "DELETE FROM order_event"])
async def test_events_are_never_changed(sql_shelf, store, statement):
    """Issue: the stream is the audit trail, so the database itself keeps it."""
    with pytest.raises(Exception, match="never changed"):
        await sql_shelf.run(statement)


async def test_an_event_is_added_at_the_end_only(sql_shelf, store):
    """Issue: the stream is the audit trail; nothing is put between or in the place of what is there."""
    columns = "order_id, version, provider_id, kind, at, made_by, facts"
    for version in (1, 5):
        values = f"'a', {version}, 'clinic.example', 'HELD', 0, '', ''"
        with pytest.raises(Exception, match="leave no gap"):
            await sql_shelf.run(f"INSERT INTO order_event ({columns}) VALUES ({values})")
