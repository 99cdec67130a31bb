"""Who may call what of the application, and whose records: every route, every role, one's own and another's."""

from __future__ import annotations

import re

import pytest

from participants.patient.people.notices import Purpose
from tests.participants.patient.scene import RAVI, Scene, agreed
from uhi.api.routes import READING
from uhi.identity.principals import Grant
from uhi.identity.roles import AccessRole
from uhi.identity.rules import PUBLIC

OWN_TAGS = {"members", "consents", "own-data", "searches", "bookings", "booking", "messages", "files"}
OTHERS = [role for role in AccessRole if role not in {AccessRole.PATIENT, AccessRole.SERVICE}]

# One row a route that names a record: what its owner is answered, then what anybody else is, and for one that is not
# there.
TABLE = """
    GET    /v1/members/{member}                     200
    PATCH  /v1/members/{member}                     200
    DELETE /v1/members/{second}                     204
    GET    /v1/bookings/{held}                      200
    GET    /v1/bookings/{held}/calendar.ics         200
    POST   /v1/bookings/{held}/confirm              200
    POST   /v1/bookings/{held}/status               200
    POST   /v1/bookings/{held}/offered-slot         409
    POST   /v1/bookings/{held}/reschedule           404
    POST   /v1/bookings/{held}/doctor-no-show       409
    POST   /v1/bookings/{held}/rating               409
    POST   /v1/bookings/{held}/cancel               200
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()]


async def records(scene: Scene, name: str, number: int) -> dict[str, str]:
    """Somebody's member, another member, and a held booking."""
    person = await scene.person(name)
    await person.consent()
    member = await person.member(abha_address=f"{name}@sbx")
    second = await person.member(relation="child", abha_address="")
    held = await person.held(member, number)
    bodies = {"confirm": agreed(held), "cancel": {"reason": "PATIENT_BOOKED_IN_ERROR"}, "rating": {"stars": 1}}
    scene.bodies = bodies | {"PATCH": {"version": 1, "name": "X"}, "reschedule": {"to": "none", **agreed(held)}}
    return {"member": member, "second": second, "held": str(held["id"])}


def body_of(scene: Scene, method: str, path: str) -> object:
    return scene.bodies.get(path.rpartition("/")[2], scene.bodies["PATCH"] if method == "PATCH" else None)


def own_routes(scene: Scene) -> list[tuple[str, str]]:
    """Every route of the application itself that takes a right, with something in place of names."""
    groups = [group for group in scene.routes() if group.tag in OWN_TAGS]
    routes = [route for group in groups for route in group.all if route.rule is not PUBLIC]
    return [(route.method, re.sub(r"{\w+}", "x", route.path)) for route in routes]


@pytest.mark.case("IAM-01")
async def test_own_foreign_and_missing_records(quick_scene):
    """Case IAM-01: another's is answered as one that is not there, to the letter, and audited; nothing is changed."""
    mine = await records(quick_scene, "ravi", 0)
    ravi, meena = quick_scene.people["ravi"], await quick_scene.person("meena")
    none = dict.fromkeys(mine, "0" * 32)
    told = []
    for method, path, own in ROWS:
        options = {"json": body} if (body := body_of(quick_scene, method, path)) else {}
        foreign = await meena.ask(method, path.format(**mine), **options)
        missing = await meena.ask(method, path.format(**none), **options)
        got = await ravi.ask(method, path.format(**mine), **options)
        assert (foreign.status, missing.status, got.status) == (404, 404, int(own)), (method, path, got.text)
        told.append({**foreign.json, "request_id": ""} == {**missing.json, "request_id": ""})
    await quick_scene.program.people.parts.store.database.write(lambda on: None)
    rows = await quick_scene.program.people.trail.rows(after=0)

    assert all(told)
    assert sum(row.actor == "acc-meena" and row.reason == "API_RECORD_MISSING" for row in rows) == 2 * len(ROWS)


def test_every_route_to_a_record_is_in_the_table(quick_scene):
    """Ours: a new route to a booking or a member needs its row (searches and messages have their own tests)."""
    groups = [group for group in quick_scene.routes() if group.tag in {"members", "bookings", "booking"}]

    named = {f"{each.method} {each.path}" for group in groups for each in group.all if "{id}" in each.path}

    assert named == {f"{method} {re.sub(r'{.*?}', '{id}', path)}" for method, path, *_ in ROWS}


@pytest.mark.case("IAM-01")
async def test_another_members_slots_and_bookings_cannot_be_named_in_a_body(quick_scene):
    """Case IAM-01: ids in bodies are judged like ids in paths."""
    mine = await records(quick_scene, "ravi", 0)
    theirs = await records(quick_scene, "meena", 1)
    ravi = quick_scene.people["ravi"]
    ref = await quick_scene.found(ravi.account.id, 2)
    foreign = await quick_scene.found("acc-meena", 2)
    held = await ravi.ask("GET", f"/v1/bookings/{mine['held']}")
    await ravi.ask("POST", f"/v1/bookings/{mine['held']}/confirm", json=agreed(held.json))

    got = [
        await ravi.ask("POST", "/v1/bookings", json={"slot": ref, "member_id": theirs["member"]}),
        await ravi.ask("POST", "/v1/bookings", json={"slot": f"other-{foreign}", "member_id": mine["member"]}),
        await ravi.ask(
            "POST", f"/v1/bookings/{mine['held']}/reschedule", json={"to": theirs["held"], **agreed(held.json)}
        ),
    ]

    assert [each.status for each in got] == [404, 404, 404]


@pytest.mark.case("IAM-01")
async def test_foreign_ids_in_bodies_are_told_as_missing_ones(quick_scene):
    """Case IAM-01: what a body names, and what a search gave to somebody else, to the letter."""
    mine, theirs = await records(quick_scene, "ravi", 0), await records(quick_scene, "meena", 1)
    ravi, meena = quick_scene.people["ravi"], quick_scene.people["meena"]
    await meena.consent(Purpose.DISCOVERY)
    search = (await meena.ask("POST", "/v1/searches", json={})).json["id"]
    ref, hers = await quick_scene.found("acc-ravi", 2), await quick_scene.found("acc-meena", 3)
    terms = agreed((await meena.ask("GET", f"/v1/bookings/{theirs['held']}")).json)
    calls = {
        "POST /v1/bookings member": (theirs["member"], lambda each: {"slot": ref, "member_id": each}),
        "POST /v1/bookings slot": (hers, lambda each: {"slot": each, "member_id": mine["member"]}),
        f"POST /v1/bookings/{mine['held']}/reschedule to": (theirs["held"], lambda each: {"to": each, **terms}),
        "GET /v1/searches/{} one": (search, None),
        "DELETE /v1/searches/{} it": (search, None),
        "GET /v1/searches/{}/events stream": (search, None),
        "GET /v1/searches/{}/doctors/x/slots slots": (search, None),
        "GET /v1/slots/{}/quote quote": (hers, None),
    }
    for call, (known, body) in calls.items():
        method, path, _ = call.split()
        asked = [{"json": body(each)} if body else {} for each in (known, "0" * len(known))]
        foreign = await ravi.ask(method, path.format(known), **asked[0])
        missing = await ravi.ask(method, path.format("0" * len(known)), **asked[1])
        assert ({**foreign.json, "request_id": ""}, 404) == ({**missing.json, "request_id": ""}, foreign.status), call


async def test_lists_hold_ones_own_only(quick_scene):
    """Threat T27: neither members nor bookings nor consents nor exports of another."""
    mine = await records(quick_scene, "ravi", 0)
    meena = await quick_scene.person("meena")

    got = [await meena.ask("GET", path) for path in ("/v1/members", "/v1/bookings", "/v1/consents", "/v1/own-data")]

    assert [each.status for each in got] == [200] * 4
    assert not any(value in each.text for each in got for value in (*mine.values(), RAVI["name"]))


@pytest.mark.parametrize("role", OTHERS, ids=lambda role: role.value)
async def test_no_other_role_gets_at_a_patients_routes(quick_scene, role):
    """Security rules, IAM: RECORDS_OWN is the patient's; staff of any kind are refused on every route."""
    clerk = await quick_scene.person("clerk", Grant(role, "clinic.example"), methods=("pwd", "otp"))

    statuses = {
        (method, path): (await clerk.ask(method, path, **({} if method in READING else {"json": {}}))).status
        for method, path in own_routes(quick_scene)
    }

    assert len(statuses) > 25
    assert set(statuses.values()) == {403}


async def test_nobody_gets_at_any(quick_scene):
    """Security rules, IAM: 401 without a proof, on every route but those that are public."""
    statuses = {
        (method, path): (await quick_scene.ask(method, path)).status for method, path in own_routes(quick_scene)
    }

    assert set(statuses.values()) == {401}
