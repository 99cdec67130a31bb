"""Whose record: one's own, somebody else's, one that is not there; at every route that names a record."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from tests.api.asking import Ask, Got
from tests.api.hall import CLINIC, OTHER, Hall, grant_of
from uhi.identity.principals import Grant
from uhi.identity.roles import AccessRole, Permission

# One row a route that names a record; then the answers for one's own record, for that of another tenant or person, and
# for one that is not there.
TABLE = """
    GET    /v1/staff/{desk}                                        200 404 404
    POST   /v1/staff/{desk}/grants                                 200 404 404
    DELETE /v1/staff/{desk}/grants?role=finance&tenant={tenant}    200 404 404
    PUT    /v1/staff/{desk}/ties                                   200 404 404
    POST   /v1/staff/{desk}/unlock                                 204 404 404
    POST   /v1/staff/{desk}/close                                  200 404 404
    POST   /v1/staff/{desk}/reopen                                 200 404 404
    DELETE /v1/api-keys/{key}                                      200 404 404
    DELETE /v1/sessions/{session}                                  204 404 404
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()]
BODIES = {
    "POST /v1/staff/{desk}/grants": {"role": "finance", "tenant": CLINIC},
    "PUT /v1/staff/{desk}/ties": {"facility_id": "fac-1"},
}


@dataclass(frozen=True)
class Tenant:
    """What belongs to one tenant, by the names of the paths; and the header of its administrator."""

    admin: dict[str, str]
    records: dict[str, str]


@pytest.fixture
async def clinic(hall: Hall) -> Tenant:
    """The tenant that asks."""
    return await _tenant(hall, CLINIC, "a")


@pytest.fixture
async def other(hall: Hall) -> Tenant:
    """Another tenant."""
    return await _tenant(hall, OTHER, "b")


async def _tenant(hall: Hall, tenant: str, mark: str) -> Tenant:
    admin = await hall.person(f"admin-{mark}", grant_of(AccessRole.HOSPITAL_ADMIN, tenant))
    desk = await hall.person(f"desk-{mark}", grant_of(AccessRole.HOSPITAL_FRONTDESK, tenant))
    await hall.key(admin, tenant, Permission.SCHEDULES_MANAGE)
    [key] = await hall.parts.api_keys.of_tenant(tenant)
    session = await hall.opened(admin)
    records = {"desk": desk.id, "key": key.id, "session": session.session_id, "tenant": tenant}
    return Tenant(await hall.token(admin), records)


@pytest.fixture
def missing() -> dict[str, str]:
    """Ids of nothing."""
    return {"desk": "acc-none", "key": "0" * 16, "session": "ses-none", "tenant": CLINIC}


async def _answers(ask: Ask, admin: dict[str, str], records: dict[str, str]) -> list[Got]:
    return [
        await ask(method, path.format(**records), headers=admin, json=BODIES.get(f"{method} {path}"))
        for method, path, *_ in ROWS
    ]


def test_every_route_to_a_record_is_in_the_table(hall):
    """Ours: a new route that names a record needs its row."""
    routes = [route for group in hall.groups for route in group.all]

    named = {f"{route.method} {route.path}" for route in routes if "{" in route.path}

    assert named == {f"{method} {re.sub(r'{.*?}', '{id}', path.partition('?')[0])}" for method, path, *_ in ROWS}


@pytest.mark.case("IAM-01")
@pytest.mark.case("IAM-03")
async def test_own_foreign_and_missing_records(ask_hall, clinic, other, missing):
    """Threat T27: what is foreign is answered as what is missing, to the letter; only one's own can be touched."""
    foreign = await _answers(ask_hall, clinic.admin, {**other.records, "tenant": CLINIC})
    absent = await _answers(ask_hall, clinic.admin, missing)
    own = await _answers(ask_hall, clinic.admin, clinic.records)

    told = [
        [*row[:2], *(str(got.status) for got in answers)]
        for row, answers in zip(ROWS, zip(own, foreign, absent, strict=True), strict=True)
    ]
    assert told == ROWS
    assert [_without_id(got) for got in foreign] == [_without_id(got) for got in absent]


@pytest.mark.case("IAM-03")
async def test_foreign_records_are_untouched_and_the_attempts_audited(hall, ask_hall, clinic, other):
    """Threat T27: nothing of another tenant changes, and the trail tells who tried."""
    before = await ask_hall("GET", f"/v1/staff/{other.records['desk']}", headers=other.admin)
    seq = (await hall.trail.head()).seq
    await _answers(ask_hall, clinic.admin, {**other.records, "tenant": CLINIC})

    after = await ask_hall("GET", f"/v1/staff/{other.records['desk']}", headers=other.admin)

    assert after.json == before.json
    tried = [(actor, reason) for actor, _, reason in await hall.actions(since=seq)]
    assert tried == [("acc-admin-a", "API_RECORD_MISSING")] * len(ROWS)


@pytest.mark.case("IAM-03")
@pytest.mark.parametrize(
    ("asked", "body"),
    [
        (f"GET /v1/staff?tenant={OTHER}", None),
        ("GET /v1/staff?tenant=", None),
        (f"GET /v1/api-keys?tenant={OTHER}", None),
        ("POST /v1/api-keys", {"name": "x", "scopes": ["schedules.manage"], "tenant": OTHER}),
        ("POST /v1/staff", {"email": "x@x.example", "name": "X", "role": "finance", "tenant": OTHER}),
        ("POST /v1/staff", {"email": "x@x.example", "name": "X", "role": "registry.admin", "tenant": ""}),
        ("POST /v1/staff/acc-desk-a/grants", {"role": "finance", "tenant": OTHER}),
    ],
)
async def test_another_tenant_is_not_there(ask_hall, clinic, asked, body):
    """Threat T27: a tenant that is named in a query or a body is judged like a record."""
    got = await ask_hall(*asked.split(), headers=clinic.admin, json=body)

    assert (got.status, got.json["code"]) == (404, "API_RECORD_MISSING")


async def test_lists_hold_ones_own_only(ask_hall, clinic, other):
    """Threat T27: neither people nor keys of another tenant are listed."""
    staff = await ask_hall("GET", "/v1/staff", headers=clinic.admin)
    keys = await ask_hall("GET", "/v1/api-keys", headers=clinic.admin)

    assert {each["tenant"] for each in staff.json["accounts"]} == {CLINIC}
    assert [each["id"] for each in keys.json["keys"]] == [clinic.records["key"]]


async def test_developer_of_a_subscriber_makes_keys_for_it_and_touches_nobody_elses(hall, ask_hall):
    """Security rules, IAM: subscriber.owner and subscriber.developer; a key may do what its maker may, no more."""
    owner = await hall.person("owner", grant_of(AccessRole.SUBSCRIBER_OWNER))
    headers = await hall.token(await hall.person("developer", grant_of(AccessRole.SUBSCRIBER_DEVELOPER)))
    await hall.key(owner, CLINIC, Permission.SUBSCRIBER_OWN)
    [foreign] = await hall.parts.api_keys.of_tenant(CLINIC)

    async def make(scope: str, tenant: str = CLINIC) -> Got:
        wanted = {"name": "a program", "scopes": [scope], "tenant": tenant}
        return await ask_hall("POST", "/v1/api-keys", headers=headers, json=wanted)

    made, more, elsewhere = (
        await make("subscriber.own"),
        await make("money.manage"),
        await make("subscriber.own", OTHER),
    )
    listed = await ask_hall("GET", "/v1/api-keys", headers=headers)
    everybodys = await ask_hall("GET", "/v1/api-keys", headers=await hall.token(owner))
    others = await ask_hall("DELETE", f"/v1/api-keys/{foreign.id}", headers=headers)
    own = await ask_hall("DELETE", f"/v1/api-keys/{made.json['key']['id']}", headers=headers)

    assert (made.status, more.status, elsewhere.status) == (201, 403, 404)
    assert [key["id"] for key in listed.json["keys"]] == [made.json["key"]["id"]]
    assert len(everybodys.json["keys"]) == 2
    assert (others.status, own.status) == (404, 200)


async def test_auditor_of_a_tenant_reads_its_rows_only(hall, ask_hall, clinic):
    """Security rules, IAM: own tenant, for auditors too; where the whole trail ends is the network's to know."""
    auditor = await hall.token(await hall.person("auditor", Grant(AccessRole.AUDITOR)))
    auditor_there = await hall.token(await hall.person("auditor-b", Grant(AccessRole.AUDITOR, OTHER)))

    mine = await ask_hall("GET", "/v1/audit", headers=auditor_there)
    foreign = await ask_hall("GET", f"/v1/audit?tenant={CLINIC}", headers=auditor_there)
    whole = await ask_hall("GET", "/v1/audit?tenant=", headers=auditor_there)
    head = await ask_hall("GET", "/v1/audit/head", headers=auditor_there)
    everything = await ask_hall("GET", "/v1/audit", headers=auditor)

    assert {row["tenant"] for row in mine.json["rows"]} == {OTHER}
    assert {row["actor_email"] for row in everything.json["rows"]} == {""}
    assert (foreign.status, whole.status, head.status) == (404, 200, 404)
    assert whole.json == mine.json
    assert {row["tenant"] for row in everything.json["rows"]} > {CLINIC, OTHER}


def _without_id(got: Got) -> object:
    return {name: value for name, value in got.json.items() if name != "request_id"}
