"""One appointment through a hospital that runs on the library, from the search to its history, on both databases; and
a hospital that is killed goes on where it was."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from tests.participants.hospital.house import ASHA, CLINIC, MEENA, House
from uhi.booking import OrderState
from uhi.booking.rebuilding import check, rebuild
from uhi.booking.sql_bookings import SqlBookings
from uhi.messages.values import IST
from uhi.storage.sql.booking_tables import hold, orders
from uhi.storage.sql.storage import SqlStorage
from uhi.testing.network import GATEWAY_ID

ROOT = Path(__file__).parents[3]
DYING = "tests.participants.hospital.dying"
WAYS = ["HELD", "TERMS_AGREED", "CONFIRMED", "PIN_VERIFIED", "STARTED", "COMPLETED"]


def storage_of(house: House) -> SqlStorage:
    """Where the hospital keeps its orders."""
    storage = house.program.participant.world.storage
    assert isinstance(storage, SqlStorage)
    return storage


async def kept(house: House) -> list[object]:
    """What is made from the streams: orders opened, and claims."""
    store = SqlBookings(storage_of(house), provider_id=CLINIC)
    ids = await house.database.read(lambda each: [row.id for row in each.execute(select(orders.c.id))])
    columns = (hold.c.order_id, hold.c.slot_id, hold.c.seat, hold.c.starts_at, hold.c.ends_at, hold.c.state)
    claims = await house.database.read(lambda each: each.execute(select(*columns).order_by(*columns)).all())
    return [*[await store.get(each) for each in sorted(ids)], *map(tuple, claims)]


async def treat(house: House, order_id: str, pin: str) -> dict[str, object]:
    """The patient comes, shows the PIN, is seen; returns what the desk has of it in the end."""
    desk, one = await house.desk(), f"/v1/appointments/{order_id}"
    for step, body in (("pin", {"pin": pin}), ("start", {}), ("complete", {"care_context_id": "visit-1"})):
        got = await house.ask("POST", f"{one}/{step}", headers=desk, json=body)
        assert got.status == 200, got.text
    return (await house.ask("GET", one, headers=desk)).json


async def test_an_appointment_from_search_to_its_history(either_house):
    """Issue 5: search, slots, init, confirm, PIN at the desk, start, complete; the stream is the audit trail."""
    house = either_house
    booking = await house.book(ASHA)
    house.be(booking.slot.start - timedelta(minutes=5))

    done = await treat(house, booking.order_id, booking.pin)
    await house.network.settle()

    told = await house.bookings.status(booking, wait=5)
    assert [each["kind"] for each in done["history"]] == WAYS
    assert [each["by"] for each in done["history"]] == [
        *("consumer app.example", "consumer app.example", "provider clinic.example"),
        *["person acc-1"] * 3,
    ]
    assert (told.state, told.care_context_id) == (OrderState.COMPLETED, "visit-1")
    assert await check(storage_of(house), CLINIC, house.clock.now()) == []


async def test_gateway_gets_copies_of_what_the_desk_makes_happen(house):
    """Issue 5: byte-identical audit copies of on_confirm and on_update."""
    booking = await house.book(ASHA)
    house.be(booking.slot.start)

    await treat(house, booking.order_id, booking.pin)
    await house.network.settle()

    copied = [hop.action for hop in house.network.calls if hop.receiver == GATEWAY_ID and "audit" in hop.action]
    assert sorted(set(copied)) == ["on_confirm_audit", "on_update_audit"]


async def test_rebuilt_lists_are_the_same(either_house):
    """Issue 5: state and lists are projections that can be rebuilt; PINs stay where they are."""
    house = either_house
    first, _ = await house.book(ASHA), await house.held(ASHA, number=1, patient=MEENA)
    desk, reason = await house.desk(), {"reason": "DOCTOR_UNAVAILABLE"}
    await house.ask("POST", f"/v1/appointments/{first.order_id}/cancel", headers=desk, json=reason)
    last = await house.book(ASHA, number=1)
    before = await kept(house)

    done = await rebuild(storage_of(house), CLINIC)

    assert (done.orders, done.rows_differed, done.claims_differed) == (3, 0, 0)
    assert await kept(house) == before
    house.be(last.slot.start)
    assert (await treat(house, last.order_id, last.pin))["appointment"]["state"] == "COMPLETED"


async def test_killed_hospital_goes_on_where_it_was(database_url: str, tmp_path: Path):
    """Issue 5: everything is in the database: organisations, schedules, appointments, PINs; a kill loses none of it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", DYING, database_url, str(tmp_path), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    line, _ = await process.communicate()
    told = json.loads(line)

    async with House.open(database_url, tmp_path) as house:
        house.organisations += told["organisations"]
        await rebuild(storage_of(house), CLINIC)
        free = {each.slot.id for each in await house.slots(ASHA)}
        house.be(datetime.fromtimestamp(told["start"], IST))
        done = await treat(house, told["order"], told["pin"])

        assert (process.returncode, told["slot"] in free) == (-signal.SIGKILL, False)
        assert [each["kind"] for each in done["history"]] == WAYS
        assert await check(storage_of(house), CLINIC, house.clock.now()) == []
