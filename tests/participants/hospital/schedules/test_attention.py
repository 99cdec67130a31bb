"""A changed schedule loses no appointment: it names those without a slot, until somebody has dealt with them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from participants.hospital.organisations.tables import head, practice
from tests.booking.ward import MEENA, RAVI
from tests.participants.hospital.schedules.clinic import ASHA, MONDAY, NAIR
from tests.participants.hospital.schedules.reception import DESK, Reception
from uhi.booking.reasons import CancelledBy
from uhi.errors import SlotUnavailable

TEN, HALF_PAST = "20261123T1000", "20261123T1030"
EVERY_DAY = [{"weekday": "monday", "hours": "10:00-12:00"}]


async def listed(reception: Reception, more: str = "") -> list[tuple[str, str]]:
    """Slot and reason of what needs attention."""
    path = f"/v1/attention?organisation_id={reception.clinic.organisations[0]}{more}"
    got = await reception.say("GET", path, role=DESK)
    return [(each["slot_id"], each["why"]) for each in got.json["appointments"]]


async def test_each_change_answers_with_the_appointments_that_need_attention(reception: Reception):
    """Issue: changing a schedule never loses a booked appointment, it lists those that need attention."""
    clinic = reception.clinic
    await clinic.book(clinic.slot_id(TEN, NAIR))
    path = f"/v1/practices/{clinic.practice_id(NAIR)}"

    shorter = await reception.say("PUT", f"{path}/schedule", {"rules": EVERY_DAY, "slot_minutes": 20, "version": 1})
    closed = await reception.say("PUT", f"{path}/exceptions/2026-11-23", {})
    holiday = await reception.say(
        "POST", "/v1/holidays", {"organisation_id": clinic.organisations[0], "day": "2026-11-23"}
    )

    found = [got.json["attention"]["appointments"] for got in (shorter, closed, holiday)]
    assert [[each["why"] for each in some] for some in found] == [["hours"], ["exception"], ["holiday"]]
    assert found[0][0]["starts_at"] == "2026-11-23T10:00:00+05:30"
    assert RAVI.name not in shorter.text
    assert RAVI.id not in shorter.text


async def test_it_is_listed_until_the_schedule_has_it_again(reception: Reception):
    """Issue: at any time, derived from what is booked and what the schedule is."""
    clinic = reception.clinic
    await clinic.book(clinic.slot_id(TEN, NAIR))
    path = f"/v1/practices/{clinic.practice_id(NAIR)}/exceptions/2026-11-23"

    await reception.say("PUT", path, {})
    closed = await listed(reception)
    gone = await reception.say("DELETE", f"{path}?version=1")

    assert closed == [(clinic.slot_id(TEN, NAIR), "exception")]
    assert gone.json["attention"] == {"appointments": [], "is_all": True}
    assert await listed(reception) == []


async def test_it_is_listed_until_it_is_called_off_or_over(reception: Reception):
    """Issue: until it is moved, cancelled or acknowledged."""
    clinic = reception.clinic
    one = await clinic.book(clinic.slot_id(TEN, NAIR))
    await clinic.book(clinic.slot_id(HALF_PAST, NAIR), MEENA)
    await reception.say("PUT", f"/v1/practices/{clinic.practice_id(NAIR)}/exceptions/2026-11-23", {})

    await clinic.cancelled(one, by=CancelledBy.PATIENT)
    left = await listed(reception)
    await clinic.clock.advance(4 * 3_600)

    assert left == [(clinic.slot_id(HALF_PAST, NAIR), "exception")]
    assert await listed(reception) == []


async def test_what_somebody_acknowledged_is_listed_only_on_demand(reception: Reception):
    """Issue: acknowledged, with who and when; audited, and again has no effect."""
    clinic = reception.clinic
    await clinic.book(clinic.slot_id(TEN, NAIR))
    await reception.say("PUT", f"/v1/practices/{clinic.practice_id(NAIR)}/exceptions/2026-11-23", {})
    path = f"/v1/attention?organisation_id={clinic.organisations[0]}"
    [order] = (await reception.say("GET", path)).json["appointments"]

    first = await reception.say("POST", f"/v1/attention/{order['id']}/acknowledge", role=DESK)
    again = await reception.say("POST", f"/v1/attention/{order['id']}/acknowledge")

    assert first.json["acknowledged_by"] == again.json["acknowledged_by"] == "acc-hospital.frontdesk"
    assert first.json["acknowledged_at"] == "2026-11-23T08:00:00+05:30"
    assert (await listed(reception), len(await listed(reception, "&with_acknowledged=yes"))) == ([], 1)
    assert (await reception.audited()).count(("schedule.acknowledge", f"order {order['id']}")) == 1


async def test_the_list_comes_in_pages_by_when_they_start(reception: Reception):
    """Issue: lists with paging and filters."""
    clinic = reception.clinic
    for number, time in enumerate((HALF_PAST, TEN, "20261124T1000")):
        await clinic.book(clinic.slot_id(time, NAIR), replace(RAVI, id=f"p{number}@sbx"))
    await clinic.book(clinic.slot_id("20261123T1100"), MEENA)
    await reception.say(
        "PUT", f"/v1/practices/{clinic.practice_id(NAIR)}/schedule", {"rules": [], "slot_minutes": 20, "version": 1}
    )

    path = f"/v1/attention?organisation_id={clinic.organisations[0]}&practice_id={clinic.practice_id(NAIR)}&most=2"
    first = (await reception.say("GET", path)).json
    rest = (await reception.say("GET", f"{path}&after={first['next']}")).json

    starts = [each["starts_at"][:16] for each in (*first["appointments"], *rest["appointments"])]
    assert starts == ["2026-11-23T10:00", "2026-11-23T10:30", "2026-11-24T10:00"]
    assert rest["next"] == ""


async def test_a_practice_that_cannot_be_booked_any_more_leaves_its_appointments_to_the_desk(reception: Reception):
    """Issue: a doctor who leaves takes no appointment along."""
    clinic = reception.clinic
    await clinic.book(clinic.slot_id(TEN, NAIR))
    own = practice.c.id == clinic.practice_id(NAIR)

    def leave(connection) -> None:
        connection.execute(practice.update().where(own).values(is_active=False))
        connection.execute(head.update().values(version=head.c.version + 1))

    await clinic.database.write(leave)

    assert await listed(reception) == [(clinic.slot_id(TEN, NAIR), "practice")]
    with pytest.raises(SlotUnavailable):
        await clinic.hospital.hold(clinic.slot_id(HALF_PAST, NAIR), patient=MEENA, until=MONDAY)


async def test_an_appointment_that_fits_needs_no_attention(reception: Reception):
    """Ours: a longer day leaves what is booked where it is."""
    clinic = reception.clinic
    await clinic.book(clinic.slot_id(TEN))
    longer = [{"weekday": "monday", "hours": "09:00-13:00"}]

    got = await reception.say(
        "PUT",
        f"/v1/practices/{clinic.practice_id(ASHA)}/schedule",
        {"rules": longer, "slot_minutes": 30, "version": 1},
    )

    assert got.json["attention"]["appointments"] == []
    order = await reception.say("POST", "/v1/attention/none/acknowledge")
    assert order.status == 404
