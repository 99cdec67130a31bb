"""Who may call what: every role at every route, and nothing of another organisation on any of them."""

from __future__ import annotations

import pytest

from participants.hospital.organisations.program import Organisations
from tests.participants.hospital.organisations.scene import CARDIOLOGY, PICTURE, by, record
from uhi.identity.roles import AccessRole

CALLERS = (
    *(role.value for role in AccessRole if role.value.startswith("hospital.")),
    "clinician",
    "patient",
    "registry.admin",
    "service",
    "nobody",
)
NAMES = {403: "-", 401: "0", 404: "?", 400: "+", 200: "+"}
READS, MANAGES, OPERATES = "++++--+0", "-+----+0", "+------0"
EACH = ("departments", "locations", "practitioners", "practices", "services", "specialities")
TABLE = {
    ("GET", "/v1/organisations"): READS,
    ("POST", "/v1/organisations"): OPERATES,
    ("GET", "/v1/organisations/{id}"): READS,
    ("PATCH", "/v1/organisations/{id}"): MANAGES,
    ("POST", "/v1/organisations/{id}/submit"): MANAGES,
    ("POST", "/v1/organisations/{id}/verify"): OPERATES,
    ("POST", "/v1/organisations/{id}/return"): OPERATES,
    ("POST", "/v1/organisations/{id}/suspend"): OPERATES,
    ("POST", "/v1/organisations/{id}/resume"): OPERATES,
    ("POST", "/v1/organisations/{id}/admins"): OPERATES,
    **{("GET", f"/v1/{kind}"): READS for kind in EACH},
    **{("POST", f"/v1/{kind}"): MANAGES for kind in EACH},
    **{("GET", f"/v1/{kind}/{{id}}"): READS for kind in EACH},
    **{("PATCH", f"/v1/{kind}/{{id}}"): MANAGES for kind in EACH},
    **{("POST", f"/v1/{kind}/{{id}}/{turn}"): MANAGES for kind in EACH for turn in ("deactivate", "activate")},
    ("GET", "/v1/practitioners/{id}/photo"): READS,
    ("PUT", "/v1/practitioners/{id}/photo"): MANAGES,
    ("DELETE", "/v1/practitioners/{id}/photo"): MANAGES,
    ("POST", "/v1/imports/practitioners"): MANAGES,
    ("GET", "/v1/exports/practitioners"): READS,
}


@pytest.fixture
def database_url(sqlite_url):
    """One database: who may call what is decided before it is asked."""
    return sqlite_url


@pytest.fixture
async def foreign(ward, clinic):
    """The ids of everything that another organisation has."""
    other = await ward.hospital("IN2710000202", name="Lakeside")
    doctor = await other.doctor("imran.shaikh@hpr.ndhm", registration_number="MMC/2", council="MMC")
    practice = await other.practice("imran.shaikh@hpr.ndhm")
    service = await other.service(practice["id"])
    department = await ward.made(other.admin, "/v1/departments", name="Heart")
    speciality = await ward.made(other.admin, "/v1/specialities", parent_id="AYURVEDA", code="OWN", name="Own")
    return {
        "organisations": other.id,
        "departments": department["id"],
        "locations": other.location_id,
        "practitioners": doctor["id"],
        "practices": practice["id"],
        "services": service["id"],
        "specialities": speciality["id"],
    }


def test_the_table_has_every_route(database):
    """Security rules "IAM": a new route without a row fails."""

    async def invite(invitation, *, acting):
        return None

    groups = Organisations(database, database.clock, invite=invite).routes()

    assert {(route.method, route.path) for group in groups for route in group.all} == set(TABLE)


async def test_every_role_at_every_route(ward):
    """Security rules "IAM": role × route; the queries and bodies are of no form that fits."""
    got = {}
    for method, path in TABLE:
        options = {"params": {"unknown": "1"}} if method in ("GET", "DELETE") else {"json": {"unknown": "1"}}
        statuses = [(await ward.ask(method, path.format(id="one"), **(by(who) | options))).status for who in CALLERS]
        got[method, path] = "".join(NAMES[status] for status in statuses)

    assert got == TABLE


def _fitting(method: str, path: str) -> dict[str, object]:
    """A body that fits the route, so that only the id decides."""
    body: dict[str, object] = {"version": 1}
    if path.endswith("/photo") and method == "PUT":
        body["image"] = PICTURE
    if path.endswith(("/return", "/suspend")):
        body["reason"] = "none at all"
    if method == "PATCH" and "practices" in path:
        body["department_id"] = ""
    elif method == "PATCH" and "services" not in path:
        body["name"] = "Taken over"
    return {"params": {"version": "1"}} if method == "DELETE" else {} if method == "GET" else {"json": body}


@pytest.mark.case("IAM-03")
@pytest.mark.parametrize("kind", ["organisations", *EACH])
async def test_what_is_foreign_is_not_there(ward, clinic, foreign, kind):
    """Acceptance IAM-03: staff of one organisation on every id of another: 404, as for one that is not there."""
    routes = [each for each in TABLE if each[1].startswith(f"/v1/{kind}/{{id}}") and TABLE[each] != OPERATES]

    for method, path in routes:
        options = _fitting(method, path) | by(clinic.admin)
        got = await ward.ask(method, path.format(id=foreign[kind]), **options)
        missing = await ward.ask(method, path.format(id="missing"), **options)

        assert (got.status, missing.status) == (404, 404), (method, path)
        assert got.json | {"request_id": ""} == missing.json | {"request_id": ""}


@pytest.mark.case("IAM-03")
async def test_lists_hold_nothing_foreign(ward, clinic, foreign):
    """Acceptance IAM-03: not in a list either, nor by asking for the other organisation's."""
    for kind in ("organisations", *EACH):
        listed = record(await ward.get(clinic.admin, f"/v1/{kind}", most=100))[kind]
        asked = await ward.get(clinic.admin, f"/v1/{kind}", organisation_id=foreign["organisations"])

        assert foreign[kind] not in {each["id"] for each in listed}
        assert asked.status == 404


@pytest.mark.case("IAM-03")
async def test_nothing_foreign_can_be_built_upon(ward, clinic, foreign):
    """Acceptance IAM-03: ids in bodies are ids as well."""
    await clinic.doctor(registration_number="MMC/1", council="MMC")
    practice = await clinic.practice()
    there = {"hpr_address": "asha.verma@hpr.ndhm", "location_id": clinic.location_id, "speciality_id": CARDIOLOGY}
    offer = {"practice_id": practice["id"], "kind": "Online", "fee": "1"}

    got = [
        await ward.post(clinic.admin, "/v1/practices", **there | {"location_id": foreign["locations"]}),
        await ward.post(clinic.admin, "/v1/practices", **there, department_id=foreign["departments"]),
        await ward.post(clinic.admin, "/v1/practices", **there, organisation_id=foreign["organisations"]),
        await ward.post(clinic.admin, "/v1/services", **offer | {"practice_id": foreign["practices"]}),
        await ward.post(clinic.admin, "/v1/services", **offer, group=[foreign["practitioners"]]),
    ]

    assert [each.status for each in got] == [404] * 5


@pytest.mark.case("IAM-04")
@pytest.mark.parametrize("kind", ["organisations", *EACH])
async def test_what_is_not_theirs_to_set_is_refused(ward, clinic, foreign, kind):
    """Acceptance IAM-04: PATCH of tenant, state or owner: 400, unchanged."""
    other = f"hospital.admin:eve:{foreign['organisations']}"
    path = f"/v1/{kind}/{foreign[kind]}"
    before = await ward.get(other, path)

    for name in ("organisation_id", "tenant", "id", "is_active", "owner", "submitted_by"):
        got = await ward.patch(other, path, version=1, **{name: clinic.id})
        assert got.status == 400, name

    assert (await ward.get(other, path)).json == before.json


async def test_a_state_is_not_set_but_reached(ward, clinic):
    """Acceptance IAM-04: nobody patches an organisation to be verified."""
    got = await ward.patch(clinic.admin, f"/v1/organisations/{clinic.id}", version=3, state="VERIFIED")

    assert got.status == 400


async def test_operators_decide_with_two_factors(ward, clinic):
    """Issue 5: ORGANISATIONS_VERIFY, second factor."""
    path = f"/v1/organisations/{clinic.id}/suspend"
    got = await ward.post("hospital.operator:olga::one-factor", path, version=3, reason="none at all")

    assert got.json["code"] == "IAM_SECOND_FACTOR_REQUIRED"


async def test_a_key_of_no_organisation_reads_none(ward, clinic):
    """Ours: only people are operators; a key works for its own organisation."""
    listed = record(await ward.get("service", "/v1/locations"))["locations"]
    own = record(await ward.get(f"service::{clinic.id}", "/v1/locations"))["locations"]

    assert (listed, [each["id"] for each in own]) == ([], [clinic.location_id])
