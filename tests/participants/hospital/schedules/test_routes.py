"""The schedules' interface: weeks, exceptions, holidays, leave; what it refuses, what it keeps, who may."""

from __future__ import annotations

from dataclasses import replace

import pytest

from participants.hospital.schedules.hours import read_span
from participants.hospital.schedules.week import Rule, Week
from tests.booking.ward import MEENA, RAVI
from tests.participants.hospital.schedules.clinic import ASHA, JOSHI, NAIR
from tests.participants.hospital.schedules.reception import CLINICIAN, DESK, Reception
from uhi.booking.reasons import CancelledBy

TEN = "20261123T1000"
AFTERNOON = {
    "rules": [{"weekday": "monday", "hours": "14:00-15:00", "valid_from": "2026-11-23", "every_weeks": 2}],
    "slot_minutes": 20,
    "seats": 2,
    "breaks": [{"hours": "14:20-14:40"}],
    "lead_minutes": 60,
    "horizon_days": 60,
}
TODAY = "from=2026-11-23T00:00:00Z&to=2026-11-24T00:00:00Z"


async def test_a_week_is_put_as_a_whole_and_read_back(reception: Reception):
    """Issue "schedules and slots": weekly rules, breaks, slot length, capacity, horizon, lead time."""
    path = f"/v1/practices/{reception.clinic.practice_id(NAIR)}/schedule"

    put = await reception.say("PUT", path, {**AFTERNOON, "version": 1})
    got = await reception.say("GET", path, role=DESK)

    assert (put.status, got.status) == (200, 200)
    assert put.json["schedule"] == got.json
    assert got.json["version"] == 2
    assert got.json["week"]["rules"][0]["hours"] == "14:00-15:00"
    assert [f"{slot.start:%H:%M}" for slot in await reception.clinic.slots(NAIR)] == ["14:00", "14:40"]


async def test_a_week_that_somebody_else_changed_meanwhile_is_refused(reception: Reception):
    """Reliability rules: optimistic locking, nobody overwrites what they have not seen."""
    path = f"/v1/practices/{reception.clinic.practice_id(NAIR)}/schedule"
    await reception.say("PUT", path, {**AFTERNOON, "version": 1})

    late = await reception.say("PUT", path, {**AFTERNOON, "seats": 5, "version": 1})

    assert (late.status, late.json["code"]) == (409, "API_STATE_REFUSED")
    assert (await reception.say("GET", path)).json["week"]["seats"] == 2


@pytest.mark.case("BK-09")
@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"rules": [{"weekday": "monday", "hours": "14:00-13:00"}]}, "rules[0].hours"),
        ({"rules": [{"weekday": "monday", "hours": "9-12"}]}, "rules[0].hours"),
        ({"rules": [{"weekday": "monday", "hours": "09:00-12:00", "valid_from": "2026-02-31"}]}, "rules[0].valid_from"),
        ({"rules": [{"weekday": "monday", "hours": "09:00-12:00", "every_weeks": 2}]}, "rules[0].valid_from"),
        ({"breaks": [{"hours": "24:00-25:00"}]}, "breaks[0].hours"),
        ({"zone": "Asia/Dubai"}, "zone"),
        ({"slot_minutes": 0}, "slot_minutes"),
        ({"lead_minutes": 2_000, "horizon_days": 1}, "lead_minutes"),
    ],
)
async def test_a_mistaken_week_is_refused_by_its_place(reception: Reception, change, path):
    """Acceptance BK-09: 31 February; and issue "schedules": only Indian time goes on the wire."""
    practice = reception.clinic.practice_id()

    got = await reception.say("PUT", f"/v1/practices/{practice}/schedule", {**AFTERNOON, **change, "version": 1})

    assert (got.status, [each["path"] for each in got.json["errors"]]) == (400, [path])


async def test_an_exception_closes_a_day_or_gives_it_other_hours(reception: Reception):
    """Issue "schedules and slots": exceptions of a date."""
    clinic = reception.clinic
    path = f"/v1/practices/{clinic.practice_id(NAIR)}/exceptions/2026-11-23"

    closed = await reception.say("PUT", path, {"note": "conference"})
    none = await clinic.slots(NAIR)
    other = await reception.say("PUT", path, {"hours": ["16:00-17:00"], "version": 1})
    some = await clinic.slots(NAIR)
    gone = await reception.say("DELETE", f"{path}?version=2")

    assert [got.status for got in (closed, other, gone)] == [200, 200, 200]
    assert (none, [f"{slot.start:%H:%M}" for slot in some]) == ([], ["16:00", "16:30"])
    assert [f"{slot.start:%H:%M}" for slot in await clinic.slots(NAIR)] == ["10:00", "10:30"]


@pytest.mark.parametrize(("place", "left"), [("", 0), ("south", 4)])
async def test_a_holiday_is_of_one_location_or_of_all(reception: Reception, place: str, left: int):
    """Issue "schedules and slots": holidays, of a location or of the organisation."""
    clinic = reception.clinic
    location = (await clinic.slots())[1].doctor.facility.id if place else ""
    body = {"organisation_id": clinic.organisations[0], "location_id": location, "day": "11-23", "name": "Feast"}

    added = await reception.say("POST", "/v1/holidays", body)
    again = await reception.say("POST", "/v1/holidays", body)

    assert (added.status, again.status, again.json["code"]) == (201, 409, "API_ALREADY_TAKEN")
    assert len(await clinic.slots()) == left
    assert len(await clinic.slots(JOSHI)) == 4


async def test_holidays_are_changed_listed_in_pages_and_removed(reception: Reception):
    """Issue: create, read, update, list with paging and filters."""
    organisation = reception.clinic.organisations[0]
    for day in ("01-26", "08-15", "2027-03-03"):
        await reception.say("POST", "/v1/holidays", {"organisation_id": organisation, "day": day})

    path = f"/v1/holidays?organisation_id={organisation}"
    first = (await reception.say("GET", f"{path}&most=2", role=DESK)).json
    rest = (await reception.say("GET", f"{path}&most=2&after={first['next']}", role=DESK)).json
    one = f"/v1/holidays/{rest['holidays'][0]['id']}"
    changed = await reception.say("PUT", one, {"day": "2027-03-04", "name": "Holi", "version": 1})
    gone = await reception.say("DELETE", f"{one}?version=2")

    assert [each["day"] for each in (*first["holidays"], *rest["holidays"])] == ["01-26", "08-15", "2027-03-03"]
    assert (rest["next"], changed.json["holiday"]["version"], gone.json["holiday"]) == ("", 2, None)


@pytest.mark.case("BK-09")
async def test_leave_takes_the_slots_it_touches_at_every_location(reception: Reception):
    """Acceptance BK-09: a moment names its zone, and what is stored is the right one."""
    clinic = reception.clinic
    practitioner = clinic.directory.snapshot.practitioner_ids[ASHA.id]
    body = {"organisation_id": clinic.organisations[0], "practitioner_id": practitioner}

    added = await reception.say(
        "POST", "/v1/leave", {**body, "starts_at": "2026-11-23T10:40:00+05:30", "ends_at": "2026-11-23T05:50:00Z"}
    )

    assert added.json["leave"]["ends_at"] == "2026-11-23T11:20:00+05:30"
    left = [(f"{slot.start:%H:%M}", slot.doctor.facility.name) for slot in await clinic.slots()]
    assert left == [("10:00", "City North"), ("11:30", "City North")]


@pytest.mark.case("BK-09")
@pytest.mark.parametrize(
    "moment", ["2026-11-23T10:40:00", "2026-11-23T10:40:00+14:00", "2026-02-31T10:40:00Z", "tomorrow"]
)
async def test_a_moment_without_india_s_zone_or_utc_is_refused(reception: Reception, moment: str):
    """Acceptance BK-09: no zone, +14:00, 31 February."""
    clinic = reception.clinic
    practitioner = clinic.directory.snapshot.practitioner_ids[ASHA.id]
    body = {"organisation_id": clinic.organisations[0], "practitioner_id": practitioner}

    got = await reception.say("POST", "/v1/leave", {**body, "starts_at": moment, "ends_at": "2026-12-01T00:00:00Z"})

    assert (got.status, got.json["errors"][0]["path"]) == (400, "starts_at")


async def test_slots_are_shown_with_what_became_of_them_and_no_patient(reception: Reception):
    """Issue "schedules and slots"; privacy: staff of schedules see no patient."""
    clinic = reception.clinic
    await clinic.book(clinic.slot_id(TEN))
    off = await clinic.book(clinic.slot_id("20261123T1030"), MEENA)
    await clinic.cancelled(off, by=CancelledBy.DOCTOR)
    slots = await clinic.slots()
    await clinic.front.offered(next(slot for slot in slots if slot.id == clinic.slot_id("20261123T1130")), MEENA)

    got = await reception.say("GET", f"/v1/practices/{clinic.practice_id()}/slots?{TODAY}", role=CLINICIAN)

    states = [(slot["starts_at"][11:16], slot["state"], slot["why"]) for slot in got.json["slots"]]
    assert states == [
        ("10:00", "booked", ""),
        ("10:30", "closed", "called off"),
        ("11:00", "free", ""),
        ("11:30", "held", ""),
    ]
    assert MEENA.name not in got.text


async def test_seats_that_are_gone_take_none_of_those_that_are_left(reception: Reception):
    """Issue "schedules and slots": capacity; what was booked of more seats than there are now keeps its own."""
    clinic, week = reception.clinic, Week(rules=(Rule(weekday=0, hours=read_span("10:00-10:30")),), slot_minutes=30)
    await clinic.put_week(replace(week, seats=3))
    first, *_ = [
        await clinic.book(clinic.slot_id(TEN), patient)
        for patient in (RAVI, MEENA, replace(RAVI, id="leela.joshi@sbx"))
    ]
    await clinic.cancelled(first, by=CancelledBy.PATIENT)
    await clinic.put_week(replace(week, seats=1), seen=2)

    got = await reception.say("GET", f"/v1/practices/{clinic.practice_id()}/slots?{TODAY}")

    assert [(slot["state"], slot["free"]) for slot in got.json["slots"]] == [("free", 1)]


async def test_a_closed_slot_is_offered_again_when_somebody_opens_it(reception: Reception):
    """Ours: a doctor who called off comes after all."""
    clinic = reception.clinic
    await clinic.cancelled(await clinic.book(clinic.slot_id(TEN)), by=CancelledBy.DOCTOR)
    path = f"/v1/practices/{clinic.practice_id()}/closed"

    [closed] = (await reception.say("GET", path)).json["closed"]
    opened = await reception.say("DELETE", f"{path}/{closed['slot_id']}")

    assert (closed["starts_at"], opened.status) == ("2026-11-23T10:00:00+05:30", 204)
    assert clinic.slot_id(TEN) in {slot.id for slot in await clinic.slots()}
    assert (await reception.say("DELETE", f"{path}/{closed['slot_id']}")).status == 404


async def test_every_change_is_audited_and_a_refused_one_leaves_nothing(reception: Reception):
    """Issue: every change audited, in the transaction that makes it."""
    clinic = reception.clinic
    before, practice = await reception.audited(), clinic.practice_id(NAIR)
    await reception.say("PUT", f"/v1/practices/{practice}/schedule", {**AFTERNOON, "version": 7})
    await reception.say("PUT", f"/v1/practices/{practice}/schedule", {**AFTERNOON, "version": 1})
    await reception.say("PUT", f"/v1/practices/{practice}/exceptions/2026-12-01", {})

    after = await reception.audited()

    assert after[len(before) :] == [
        ("schedule.week", f"practice {practice}"),
        ("schedule.exception", f"practice {practice} 2026-12-01"),
    ]


async def test_the_span_of_a_preview_is_bounded(reception: Reception):
    """Ours: what an answer costs is bounded."""
    path = f"/v1/practices/{reception.clinic.practice_id()}/slots"

    got = await reception.say("GET", f"{path}?from=2026-11-23T00:00:00Z&to=2027-11-23T00:00:00Z")

    assert (got.status, got.json["errors"][0]["path"]) == (400, "to")
