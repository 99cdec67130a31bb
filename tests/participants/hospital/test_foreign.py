"""Nothing of another organisation is there: every route that names a record, with ids of somebody else's records.

Whoever asks has every role that an organisation gives, in theirs.
"""

from __future__ import annotations

import json
import re
from urllib.parse import urlencode

import pytest

from tests.api.asking import Got
from tests.participants.hospital.house import ASHA, NANDINI, House
from tests.participants.hospital.test_matrix import routes_of
from uhi.api.routes import READING, Route
from uhi.identity.principals import Grant
from uhi.identity.roles import AccessRole, Permission

WITHIN = (AccessRole.HOSPITAL_ADMIN, AccessRole.HOSPITAL_FRONTDESK, AccessRole.CLINICIAN)
NOT_BY_TENANT = {"/v1/files/{id}"}
"""Documents are fetched by links that were given out; see `tests/conversation`."""
LATER = "2027-01-14T10:00:00+05:30"
A_PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
VALUES = {
    "version": 1,
    "slot_id": "x",
    "pin": "0000",
    "name": "Another",
    "media_type": "text/plain",
    "seq": 1,
    "content": "eA==",
    "text": "good day",
    "day": "01-26",
    "starts_at": LATER,
    "ends_at": "2027-01-15T10:00:00+05:30",
    "from": LATER,
    "to": "2027-01-15T10:00:00+05:30",
    "rules": [],
    "slot_minutes": 30,
    "image": A_PICTURE,
    "email": "x@lake.example",
    "who": "patient",
    "what": "joined",
    "reason": "a reason",
}
REASONS = {"cancel": "DOCTOR_UNAVAILABLE", "move": "DOCTOR_UNAVAILABLE", "override": "OVERRIDE_EMERGENCY_CONSULTATION"}


PRACTICE = {"hpr_address": ASHA, "speciality_id": "ALLOPATHY.CARDIOLOGY", "location_id": "%(locations)s"}
AWAY = {"starts_at": LATER, "ends_at": VALUES["ends_at"]}
NAMED = {"organisation_id": "%(ID)s", "name": "X"}
# Of which kind an id is, the call, and the body that names it.
NAMING: list[tuple[str, str, dict[str, object]]] = [
    ("organisations", "POST /v1/departments", NAMED),
    ("organisations", "POST /v1/locations", {**NAMED, "code": "X1"}),
    ("organisations", "POST /v1/practitioners", {**NAMED, "hpr_address": "x.y@hpr.ndhm"}),
    ("organisations", "POST /v1/specialities", {**NAMED, "code": "X"}),
    ("organisations", "POST /v1/imports/practitioners", {"organisation_id": "%(ID)s", "csv": "x"}),
    ("organisations", "POST /v1/holidays", {"organisation_id": "%(ID)s", "day": "01-26"}),
    ("organisations", "POST /v1/leave", {"organisation_id": "%(ID)s", "practitioner_id": "x", **AWAY}),
    ("organisations", "POST /v1/staff/{staff}/grants", {"role": "finance", "tenant": "%(ID)s"}),
    ("organisations", "POST /v1/api-keys", {"name": "x", "scopes": ["schedules.manage"], "tenant": "%(ID)s"}),
    ("locations", "POST /v1/practices", {**PRACTICE, "location_id": "%(ID)s"}),
    ("departments", "POST /v1/practices", {**PRACTICE, "department_id": "%(ID)s"}),
    ("specialities", "POST /v1/practices", {**PRACTICE, "speciality_id": "%(ID)s"}),
    ("specialities", "POST /v1/specialities", {"parent_id": "%(ID)s", "code": "X", "name": "X"}),
    ("departments", "PATCH /v1/practices/{practices}", {"version": 1, "department_id": "%(ID)s"}),
    ("practices", "POST /v1/services", {"practice_id": "%(ID)s", "kind": "Physical", "fee": "100"}),
    ("practitioners", "PATCH /v1/services/{services}", {"version": 1, "group": ["%(ID)s"]}),
    ("locations", "POST /v1/holidays", {"organisation_id": "%(city)s", "location_id": "%(ID)s", "day": "01-26"}),
    ("practitioners", "POST /v1/leave", {"organisation_id": "%(city)s", "practitioner_id": "%(ID)s", **AWAY}),
    ("practitioners", "PUT /v1/staff/{staff}/ties", {"practitioner_id": "%(ID)s"}),
    ("slots", "POST /v1/appointments/{appointments}/move", {"reason": "FACILITY_CLOSURE", "slot_id": "%(ID)s"}),
    ("locations", "GET /v1/appointments?location_id={ID}", {}),
    ("practitioners", "GET /v1/appointments?practitioner_id={ID}", {}),
    ("locations", "GET /v1/practices?location_id={ID}", {}),
    ("practitioners", "GET /v1/practices?practitioner_id={ID}", {}),
    ("practices", "GET /v1/services?practice_id={ID}", {}),
    ("departments", "GET /v1/practitioners?department_id={ID}", {}),
]


def body_of(route: Route) -> dict[str, object]:
    """What a route cannot do without."""
    needed = route.body.model_json_schema().get("required", [])
    last = route.path.rsplit("/", 1)[1]
    return {name: REASONS.get(last, VALUES[name]) if name == "reason" else VALUES[name] for name in needed}


async def answered(house: House, route: Route, headers: dict[str, str], records: dict[str, str]) -> Got:
    """What a route says of the record of its kind."""
    kind = route.path.removeprefix("/v1/clinic").removeprefix("/v1").split("/")[1]
    path = re.sub(r"{id}", records[kind], route.path).replace("{day}", "2027-01-14").replace("{slot}", "x")
    body = body_of(route)
    if route.method in READING:
        return await house.ask(route.method, f"{path}?{urlencode(body)}" if body else path, headers=headers)
    return await house.ask(route.method, path, headers=headers, json=body)


async def records_of_lake(house: House, admin: dict[str, str]) -> dict[str, str]:
    """One record of each kind that belongs to the lake's clinic."""
    there = {"organisation_id": house.lake}

    async def made(path: str, **body: object) -> str:
        got = await house.ask("POST", path, headers=admin, json={**there, **body})
        assert got.status in (200, 201), got.text
        return str((got.json.get("holiday") or got.json.get("leave") or got.json)["id"])

    listed = {
        kind: (await house.ask("GET", f"/v1/{kind}", headers=admin)).json[kind][0]["id"]
        for kind in ("locations", "practices", "services")
    }
    order_id, practitioner = (await house.book(NANDINI)).order_id, house.record_of(NANDINI)
    away = {"practitioner_id": practitioner, "starts_at": LATER, "ends_at": VALUES["ends_at"]}
    return {
        **listed,
        "organisations": house.lake,
        "appointments": order_id,
        "attention": order_id,
        "practitioners": practitioner,
        "departments": await made("/v1/departments", name="Cardiology"),
        "specialities": await made("/v1/specialities", code="OURS", name="Ours"),
        "holidays": await made("/v1/holidays", day="01-27"),
        "leave": await made("/v1/leave", **away),
    }


@pytest.mark.case("IAM-01")
@pytest.mark.case("IAM-03")
async def test_foreign_records_are_answered_as_missing_ones(house):
    """Issue 5: every route with an id; foreign ones are told from missing ones by no letter, and nothing is changed."""
    lake = await house.person(*(Grant(role, house.lake) for role in WITHIN), practitioner_id=house.record_of(NANDINI))
    records = await records_of_lake(house, lake)
    missing = dict.fromkeys(records, "none")
    asker = await house.person(*(Grant(role, house.city) for role in WITHIN), practitioner_id=house.record_of(ASHA))
    routes = [each for each in routes_of(house) if "{" in each.path and each.path not in NOT_BY_TENANT]
    before = await shown(house, lake, records)

    foreign = {f"{each.method} {each.path}": await answered(house, each, asker, records) for each in routes}
    absent = {f"{each.method} {each.path}": await answered(house, each, asker, missing) for each in routes}

    operators = {
        f"{each.method} {each.path}" for each in routes if each.rule.permission is Permission.ORGANISATIONS_VERIFY
    }
    assert {name: got.status for name, got in foreign.items()} == {
        name: 403 if name in operators else 404 for name in foreign
    }
    assert {name: _told(got) for name, got in foreign.items()} == {name: _told(got) for name, got in absent.items()}
    assert await shown(house, lake, records) == before


@pytest.mark.case("IAM-03")
async def test_foreign_ids_in_bodies_and_queries_are_answered_as_missing_ones(house):
    """Case IAM-03: what a body or a query names is judged like what a path names, and told in the same words."""
    lake = await house.person(*(Grant(role, house.lake) for role in WITHIN), practitioner_id=house.record_of(NANDINI))
    foreign = {**await records_of_lake(house, lake), "slots": (await house.slots(NANDINI))[1].slot.id}
    await house.clinician()
    doctor, asker = f"acc-{house.named}", await house.person(*(Grant(role, house.city) for role in WITHIN))
    own = {
        kind: (await house.ask("GET", f"/v1/{kind}", headers=asker)).json[kind][0]["id"]
        for kind in ("locations", "practices", "services")
    }
    own |= {"city": house.city, "appointments": (await house.book(ASHA)).order_id, "staff": doctor}

    async def told(call: str, body: dict[str, object], value: str) -> tuple[int, str]:
        method, path = call.format(**own, ID=value).split()
        more = {"json": json.loads(json.dumps(body) % {**own, "ID": value})} if body else {}
        got = await house.ask(method, path, headers=asker, **more)
        return got.status, got.text.replace(value, "ID").replace(str(got.json.get("request_id")), "")

    for kind, call, body in NAMING:
        there = await told(call, body, foreign[kind])
        assert there == await told(call, body, re.sub("[0-9a-f]{8}", "f" * 8, foreign[kind])), (call, body)
        assert there[0] in ((200, 404) if call.startswith("GET") else (400, 404, 409)), (call, there)


@pytest.mark.case("IAM-03")
async def test_lists_of_another_organisation_are_not_there(house):
    """Case IAM-03: an organisation that is named in a query or a body is judged like a record."""
    asker = await house.person(*(Grant(role, house.city) for role in WITHIN))
    queries = [f"GET /v1/{kind}?organisation_id={house.lake}" for kind in ("departments", "locations", "practices")]
    queries += [f"GET /v1/{kind}?organisation_id={house.lake}" for kind in ("attention", "holidays", "leave")]
    queries += [f"GET /v1/exports/practitioners?organisation_id={house.lake}"]
    body = {"organisation_id": house.lake, "name": "Ours now"}

    listed = [await house.ask(*each.split(), headers=asker) for each in queries]
    made = await house.ask("POST", "/v1/departments", headers=asker, json=body)

    assert [each.status for each in (*listed, made)] == [404] * (len(queries) + 1)


@pytest.mark.case("IAM-03")
async def test_lists_hold_ones_own_only(house):
    """Case IAM-03: of organisations, places, practices and services, none of another organisation's is in a list."""
    asker = await house.person(*(Grant(role, house.city) for role in WITHIN))

    texts = [
        (await house.ask("GET", f"/v1/{kind}", headers=asker)).text
        for kind in ("organisations", "locations", "practices", "services", "practitioners", "departments")
    ]

    assert not any(house.lake in text or "Nandini" in text or "Lake" in text for text in texts)


async def shown(house: House, admin: dict[str, str], records: dict[str, str]) -> dict[str, object]:
    """Everything that the lake's own people see of these records."""
    kinds = [kind for kind in records if kind not in {"attention", "holidays", "leave"}]
    found = {kind: (await house.ask("GET", f"/v1/{kind}/{records[kind]}", headers=admin)).json for kind in kinds}
    lists = {
        kind: (await house.ask("GET", f"/v1/{kind}?organisation_id={house.lake}", headers=admin)).json
        for kind in ("holidays", "leave")
    }
    return found | lists


def _told(got: Got) -> object:
    return {name: value for name, value in got.json.items() if name != "request_id"}
