"""Whose schedules: one organisation's staff sees and changes nothing of another's, and nobody changes what is not a
schedule's to say."""

from __future__ import annotations

import re

import pytest

from tests.api.asking import Got
from tests.participants.hospital.schedules.clinic import JOSHI, Clinic
from tests.participants.hospital.schedules.reception import ADMIN, CLINICIAN, DESK, Reception
from uhi.booking.reasons import CancelledBy
from uhi.identity.roles import AccessRole

WEEK = {"rules": [], "slot_minutes": 30, "version": 1}
MOMENTS = {"starts_at": "2026-12-01T00:00:00Z", "ends_at": "2026-12-02T00:00:00Z"}
SPAN = "from=2026-11-23T00:00:00Z&to=2026-11-24T00:00:00Z"

# Method, path, body, and the answer of one's own organisation's records.
TABLE = (
    ("GET", "/v1/practices/{practice}/schedule", None, 200),
    ("PUT", "/v1/practices/{practice}/schedule", WEEK, 200),
    ("GET", "/v1/practices/{practice}/exceptions", None, 200),
    ("PUT", "/v1/practices/{practice}/exceptions/2026-12-01", {}, 200),
    ("DELETE", "/v1/practices/{practice}/exceptions/2026-12-01?version=1", None, 200),
    ("GET", "/v1/practices/{practice}/closed", None, 200),
    ("DELETE", "/v1/practices/{practice}/closed/{slot}", None, 204),
    ("GET", "/v1/practices/{practice}/slots?" + SPAN, None, 200),
    ("GET", "/v1/holidays?organisation_id={organisation}", None, 200),
    ("POST", "/v1/holidays", {"organisation_id": "{organisation}", "day": "05-01"}, 201),
    ("PUT", "/v1/holidays/{holiday}", {"day": "01-27", "version": 1}, 200),
    ("DELETE", "/v1/holidays/{holiday}?version=2", None, 200),
    ("GET", "/v1/leave?organisation_id={organisation}", None, 200),
    ("POST", "/v1/leave", {"organisation_id": "{organisation}", "practitioner_id": "{practitioner}", **MOMENTS}, 201),
    ("PUT", "/v1/leave/{leave}", {**MOMENTS, "version": 1}, 200),
    ("DELETE", "/v1/leave/{leave}?version=2", None, 200),
    ("GET", "/v1/attention?organisation_id={organisation}", None, 200),
    ("POST", "/v1/attention/{order}/acknowledge", None, 200),
)


async def records(reception: Reception) -> dict[str, str]:
    """What the clinic by the lake has, one of each kind."""
    clinic: Clinic = reception.clinic
    organisation, practitioner = clinic.organisations[1], clinic.directory.snapshot.practitioner_ids[JOSHI.id]
    named = {"organisation_id": organisation}
    made = [
        await reception.say("POST", "/v1/holidays", {**named, "day": "01-26"}, organisation=1),
        await reception.say("POST", "/v1/leave", {**named, "practitioner_id": practitioner, **MOMENTS}, organisation=1),
    ]
    visit = await clinic.book(clinic.slot_id("20261123T1000", JOSHI))
    await clinic.hospital.cancel(visit, by=CancelledBy.DOCTOR, reason="R")
    order = await clinic.front.store.by_appointment(visit)
    assert order is not None
    return {
        "organisation": organisation,
        "practitioner": practitioner,
        "practice": clinic.practice_id(JOSHI),
        "slot": order.slot.id,
        "order": order.id,
        "holiday": made[0].json["holiday"]["id"],
        "leave": made[1].json["leave"]["id"],
    }


def filled(body: dict[str, object] | None, names: dict[str, str]) -> dict[str, object] | None:
    """A body with the ids of records."""
    return body and {key: value.format(**names) if isinstance(value, str) else value for key, value in body.items()}


async def ask_all(reception: Reception, names: dict[str, str], **who: object) -> list[Got]:
    """Every route of the table, with these records; acknowledged before the closed slot is opened."""
    order = sorted(TABLE, key=lambda row: "acknowledge" not in row[1])
    return [await reception.say(m, path.format(**names), filled(body, names), **who) for m, path, body, _ in order]


@pytest.mark.case("IAM-03")
async def test_staff_of_another_organisation_finds_none_of_its_records(reception: Reception):
    """Acceptance IAM-03: every id of tenant 2, on every route; answered as one that is not there."""
    names = await records(reception)
    nothing = dict.fromkeys(names, "0" * 16)

    foreign = await ask_all(reception, names, organisation=0)
    missing = await ask_all(reception, nothing, organisation=0)
    own = await ask_all(reception, names, organisation=1)

    assert {got.status for got in (*foreign, *missing)} == {404}
    assert [{**one.json, "request_id": ""} for one in foreign] == [{**one.json, "request_id": ""} for one in missing]
    assert sorted(got.status for got in own) == sorted(row[3] for row in TABLE)


def test_every_route_is_in_the_table(reception: Reception):
    """Ours: a new route needs its row."""
    routes = {(route.method, route.path) for group in reception.clinic.schedules.routes() for route in group.all}
    rows = {(method, re.sub(r"2026-12-01", "{day}", path.partition("?")[0])) for method, path, *_ in TABLE}
    named = {(method, re.sub(r"\{(?!day|slot)\w+\}", "{id}", path)) for method, path in rows}

    assert routes == named


@pytest.mark.parametrize("role", [DESK, CLINICIAN, AccessRole.AUDITOR])
async def test_only_administrators_change_schedules(reception: Reception, role: AccessRole):
    """Security rules "IAM": schedules.manage is the administrator's; acknowledging is the desk's."""
    names = await records(reception)

    for method, path, body, _ in TABLE:
        if method != "GET" and "attention" not in path:
            got = await reception.say(method, path.format(**names), filled(body, names), role=role, organisation=1)
            assert (got.status, got.json["code"]) == (403, "IAM_ACCESS_DENIED")


@pytest.mark.case("IAM-04")
@pytest.mark.parametrize("name", ["organisation_id", "practice_id", "tenant_id", "id"])
async def test_nobody_moves_a_record_to_another_owner(reception: Reception, name: str):
    """Acceptance IAM-04: a body names only what is the sender's to set."""
    names = await records(reception)
    mine = reception.clinic.organisations[0]

    for method, path, body, _ in TABLE:
        if method == "PUT" and body is not None:
            sent = {**body, name: mine}
            got = await reception.say(method, path.format(**names), sent, role=ADMIN, organisation=1)
            assert got.status == 400


async def test_a_holiday_cannot_name_a_location_of_another_organisation(reception: Reception):
    """Acceptance IAM-03: ids within a body count too."""
    names = await records(reception)
    mine = reception.clinic.organisations[0]
    theirs = reception.clinic.directory.snapshot.practices[names["practice"]].location_id

    holiday = await reception.say(
        "POST", "/v1/holidays", {"organisation_id": mine, "location_id": theirs, "day": "05-01"}
    )
    leave = await reception.say(
        "POST", "/v1/leave", {"organisation_id": mine, "practitioner_id": names["practitioner"], **MOMENTS}
    )

    assert [holiday.status, leave.status] == [404, 404]
