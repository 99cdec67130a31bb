"""Orders on a database: what its constraints decide, and what can be read on its disk."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from tests.booking.shelf import SqlShelf
from tests.booking.test_store import NOW, UNTIL, an_order
from tests.booking.ward import DAY, MEENA, RAVI, THREAD, Front, Ward, a_letter, slot
from uhi.actions import Decline
from uhi.booking.holds import HoldLimits
from uhi.booking.hospital import Appointment, Hold, Patient, Slot
from uhi.booking.kept import KeptOrder
from uhi.booking.order_json import write_order
from uhi.booking.pin import new_pin
from uhi.booking.policy import Policy
from uhi.booking.reasons import Cancellation, CancelledBy
from uhi.booking.states import OrderState
from uhi.booking.store import Step, Written
from uhi.errors import SetupError
from uhi.messages import OnConfirm, OnInit
from uhi.messages.values import Billing, Customer
from uhi.storage.sealing import Sealing
from uhi.testing import FakeClock

QUARTER = 15 * 60
_CLAIM = (
    "INSERT INTO hold"
    " (id, order_id, provider_id, slot_id, seat, practitioner_id, starts_at, ends_at, state, expires_at)"
    " VALUES ('{id}', '{id}', 'p', '{slot}', 0, 'doctor', {start}, {end}, '{state}', 0)"
)


class Generous(Ward):
    """A hospital that gives every slot to whoever asks, as several do that know nothing of one another."""

    async def hold(self, slot_id: str, *, patient: Patient, until: datetime) -> Hold:
        self.count += 1
        return Hold(id=f"hold-{self.count}", slot=self.slots[slot_id], patient=patient, until=until)

    async def book(self, hold: Hold) -> Appointment:
        return self.booked.setdefault(hold.id, Appointment(id=f"visit-{hold.id}"))


async def in_turns(calls: Iterable[Awaitable[object]], *, turns: int = 32) -> list[object]:
    """Twice as many at once as four processes can write; more would only starve the loop that the four share here."""
    free = asyncio.Semaphore(turns)

    async def in_turn(call: Awaitable[object]) -> object:
        async with free:
            return await call

    return await asyncio.gather(*(in_turn(call) for call in calls))


@pytest.mark.case("BK-01")
async def test_of_two_hundred_late_confirms_of_ten_slots_ten_are_booked(sql_shelf: SqlShelf):
    """Reliability, booking race: holds lapsed, four processes, everybody at once; the constraint decides."""
    clock = FakeClock(jumps=False)
    ward, policy = Generous(clock), Policy(holds=HoldLimits(per_consumer=None))
    ward.offer(*(slot(number) for number in range(10)))
    fronts = [Front(policy=policy, store=sql_shelf.store(), ward=ward, clock=clock) for _ in range(4)]
    offers = []
    for number in range(200):
        patient, thread = replace(RAVI, id=f"p{number}@sbx"), replace(THREAD, consumer_id=f"app-{number % 7}.example")
        offers.append(await fronts[number % 4].offered(slot(number % 10), patient, thread))
        if number % 10 == 9:
            await clock.advance(QUARTER)

    answers = await in_turns(fronts[number % 4].confirm(offer) for number, offer in enumerate(offers))

    assert sum(isinstance(answer, OnConfirm) for answer in answers) == 10
    assert [answer.outcome.code for answer in answers if isinstance(answer, Decline)] == ["40002"] * 190
    booked = await sql_shelf.rows("SELECT DISTINCT slot_id FROM hold WHERE state = 'CONFIRMED'")
    assert len(booked) == 10
    assert [wrong for wrong in await sql_shelf.wrong(clock.now()) if wrong.startswith("d")] == []


@pytest.mark.case("BK-02")
async def test_of_many_processes_that_hold_one_slot_one_has_it(sql_shelf: SqlShelf):
    """Reliability, slots: one row a seat, whoever asks the database first."""
    clock = FakeClock(jumps=False)
    ward = Generous(clock)
    ward.offer(slot(0))
    fronts = [Front(store=sql_shelf.store(), ward=ward, clock=clock) for _ in range(4)]

    answers = await asyncio.gather(
        *(front.init(slot(0), replace(RAVI, id=f"{number}@sbx")) for number, front in enumerate(fronts * 5))
    )

    assert sum(isinstance(answer, Decline) for answer in answers) == 19


@pytest.mark.parametrize(
    ("name", "start", "end"), [("slot-1", 1_000, 2_000), ("slot-2", 500, 1_001), ("slot-2", 1_999, 3_000)]
)
async def test_the_database_itself_refuses_a_second_claim(sql_shelf: SqlShelf, name, start, end):
    """Reliability, slots: index, exclusion constraint or trigger, whatever a program forgets to ask."""
    await sql_shelf.run(_CLAIM.format(id="a", slot="slot-1", start=1_000, end=2_000, state="CONFIRMED"))
    await sql_shelf.run(_CLAIM.format(id="b", slot=name, start=start, end=end, state="EXPIRED"))

    with pytest.raises(IntegrityError):
        await sql_shelf.run("UPDATE hold SET state = 'HELD' WHERE id = 'b'")
    statement = text(_CLAIM.format(id="c", slot=name, start=start, end=end, state="HELD") + " ON CONFLICT DO NOTHING")
    written = await sql_shelf.database.write(lambda connection: connection.execute(statement).rowcount)

    assert written == 0


async def test_times_that_only_touch_are_no_overlap(sql_shelf: SqlShelf):
    """Reliability, slots: a consultation may begin when the one before ends."""
    for number in range(3):
        times = {"start": 1_000 * number, "end": 1_000 * (number + 1)}
        await sql_shelf.run(_CLAIM.format(id=number, slot=number, state="HELD", **times))

    assert len(await sql_shelf.rows("SELECT id FROM hold")) == 3


@pytest.mark.parametrize(
    "other",
    [
        replace(slot(0), id="other", start=DAY + timedelta(minutes=10), end=DAY + timedelta(minutes=30)),
        replace(slot(5), id="slot-0"),
    ],
)
async def test_a_lapsed_hold_that_nobody_swept_blocks_nobody(sql_shelf: SqlShelf, other: Slot):
    """Reliability, slots: the claim ends every stale hold in its way: of the slot, and of a neighbouring one."""
    store = sql_shelf.store()
    await store.put(an_order("a"), Step(NOW, "desk"))
    later = an_order("b", other)

    await store.put(replace(later, hold=replace(later.hold, until=DAY)), Step(UNTIL, "desk"))

    rows = await sql_shelf.rows("SELECT order_id, state FROM hold ORDER BY order_id")
    assert rows == [("a", "EXPIRED"), ("b", "HELD")]


async def test_orders_of_another_provider_are_as_unknown_as_none(sql_shelf: SqlShelf):
    """Ours: several providers may share a database; slots, doctors and orders are each one's own."""
    one, other = sql_shelf.store(), sql_shelf.store(provider_id="other.example")
    await one.put(an_order("a", state=OrderState.CONFIRMED, appointment_id="visit-1"), Step(NOW, "desk"))
    await other.put(an_order("b"), Step(NOW, "desk"))

    assert await other.get("a") is None
    assert await other.by_appointment("visit-1") is None
    assert [order.id for order in await other.standing(now=NOW)] == ["b"]
    assert [order.id for order in await other.lapsed(now=UNTIL)] == ["b"]
    assert await one.live_holds(now=NOW) == []


async def test_an_order_that_cannot_be_opened_stops_no_other(sql_shelf: SqlShelf, caplog):
    """Ours: a lost key costs what was sealed with it, and neither the start nor the sweep nor the inits of others."""
    await sql_shelf.store().put(an_order("lost"), Step(NOW, "desk"))
    sql_shelf.sealing = Sealing.for_development()
    store = sql_shelf.store()
    await store.put(an_order("a", slot(1)), Step(NOW, "desk"))

    lists = [
        await store.standing(now=NOW),
        await store.lapsed(now=UNTIL),
        await store.live_holds(now=NOW, consumer_id=THREAD.consumer_id),
    ]

    assert [[order.id for order in orders] for orders in lists] == [["a"]] * 3
    assert [line.getMessage()[:10] for line in caplog.records] == ["order lost"]
    with pytest.raises(SetupError, match="its key is not in the body key file"):
        await store.get("lost")


async def test_an_order_whose_asker_was_cancelled_keeps_its_hold(sql_shelf: SqlShelf):
    """Ours: what was begun to be written is written; the hold must not be given back meanwhile."""
    store, clock = sql_shelf.store(), FakeClock(jumps=False)
    ward, put = Ward(clock), store.put
    ward.offer(slot(0))

    async def cancelled(order: KeptOrder, step: Step) -> Written:
        asyncio.ensure_future(put(order, step)).add_done_callback(lambda done: done.result())
        await asyncio.sleep(0)
        raise asyncio.CancelledError

    store.put = cancelled
    with pytest.raises(asyncio.CancelledError):
        await Front(store=store, ward=ward, clock=clock).init(slot(0))
    store.put = put

    assert ward.released == []
    assert isinstance(await Front(store=store, ward=ward, clock=clock).init(slot(0)), OnInit)
    assert ward.count == 1


async def test_news_is_ours_to_send_and_its_body_is_kept_once(sql_shelf: SqlShelf):
    """Reliability, outbox: the audit copy says the same; two letters in one line go one after the other."""
    letters = [replace(a_letter(name), line="order a") for name in ("1", "2")]

    written = await sql_shelf.store().put(an_order("a"), Step(NOW, "desk", [*letters, a_letter("3")]))

    assert [letter.id for letter in written.mine] == ["1", "3"]
    rows = await sql_shelf.rows("SELECT id, body_id, state FROM outbox ORDER BY id")
    assert rows == [("1", "1", "LEASED"), ("2", "1", "READY"), ("3", "1", "LEASED")]
    assert await sql_shelf.rows("SELECT count(*) FROM body") == [(1,)]


async def test_nothing_of_a_patient_and_no_pin_is_on_disk_in_clear(sql_shelf: SqlShelf):
    """Decision 37 and privacy: sealed, and bound to the order it belongs to."""
    called_off = Cancellation(CancelledBy.PATIENT, "PATIENT_OTHER", "a private matter")
    personal = {"billing": Billing(name="Father Kumar"), "customer": Customer(id=RAVI.id), "cancellation": called_off}
    order = an_order("a", state=OrderState.CONFIRMED, pin=replace(new_pin(DAY), token="4711"), **personal)
    await sql_shelf.store(has_events=True).put(order, Step(NOW, "desk", [a_letter("1")]))

    rows = [await sql_shelf.rows(f"SELECT * FROM {table}") for table in ("orders", "hold", "event", "outbox")]

    disk = repr(rows)
    for secret in (RAVI.name, RAVI.id, RAVI.phone, RAVI.abha_number, "Father", "private", "4711"):
        assert secret in write_order(order).decode() or secret == "4711"
        assert secret not in disk


async def test_other_systems_are_told_how_far_an_appointment_has_got(sql_shelf: SqlShelf):
    """Events: one for each new state of an appointment, ids and states and nothing of the patient."""
    store = sql_shelf.store(has_events=True)
    order = (await store.put(an_order("a", patient=MEENA), Step(NOW, "desk"))).order
    for changes in ({"state": OrderState.CONFIRMED}, {"care_context_id": "care-1"}, {"state": OrderState.CANCELLED}):
        order = (await store.put(replace(order, **changes), Step(NOW, "desk"))).order

    told = await sql_shelf.rows("SELECT kind, facts FROM event ORDER BY id")

    assert [(kind, json.loads(facts)["state"]) for kind, facts in told] == [
        ("appointment.changed", "CONFIRMED"),
        ("appointment.changed", "CANCELLED"),
    ]
    assert json.loads(told[0][1]).keys() == {"order_id", "state", "consumer_id", "provider_id"}


async def test_without_anybody_to_tell_no_events_are_kept(sql_shelf: SqlShelf):
    """Ours: what nobody fetches must not pile up."""
    await sql_shelf.store().put(an_order("a", state=OrderState.CONFIRMED), Step(NOW, "desk"))

    assert await sql_shelf.rows("SELECT id FROM event") == []


async def test_the_time_of_a_confirmation_stays(sql_shelf: SqlShelf):
    """Reliability, invariant e: orders.confirmed_at."""
    store = sql_shelf.store()
    order = (await store.put(an_order("a", state=OrderState.CONFIRMED), Step(NOW, "desk"))).order
    order = (await store.put(replace(order, care_context_id="care-1"), Step(UNTIL, "desk"))).order
    await store.put(replace(order, state=OrderState.CANCELLED), Step(UNTIL, "desk"))

    rows = await sql_shelf.rows("SELECT confirmed_at, updated_at, version FROM orders")

    assert rows == [(NOW.timestamp(), UNTIL.timestamp(), 4)]
