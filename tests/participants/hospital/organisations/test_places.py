"""Departments, locations and the tree of specialities."""

from __future__ import annotations

import pytest

from tests.participants.hospital.organisations.scene import OPERATOR, record


async def test_a_location_keeps_all_that_patients_are_shown(ward, clinic):
    """Issue 5: locations with HFR id, address, pincode, position, city, district, state, helpline."""
    given = {
        "code": "aundh",
        "name": "City Hospital Aundh",
        "short_desc": "Day clinic",
        "long_desc": "Two floors.\nLift.",
        "hfr_id": "IN2710000777",
        "address": "1 Lake Road, Aundh",
        "pincode": "411007",
        "gps": "18.561400,73.807300",
        "city": {"name": "PUNE", "code": "020"},
        "district": {"name": "PUNE", "code": "490"},
        "state": {"name": "MAHARASHTRA", "code": "27"},
        "helpline": "1800 000 0102",
    }

    made = await ward.made(clinic.admin, "/v1/locations", **given)
    facility = ward.organisations.directory.snapshot.locations[made["id"]]

    assert {name: made[name] for name in given} == given
    assert (facility.pincode, facility.city.code, facility.hfr_id) == ("411007", "020", "IN2710000777")
    assert facility.point.latitude == pytest.approx(18.5614)


MISTAKES = [
    {"hfr_id": "2710000101"},
    {"pincode": "011007"},
    {"gps": "91.0,73.8"},
    {"gps": "Pune"},
    {"helpline": "call us"},
    {"name": ""},
    {"name": "two\nlines"},
    {"name": "x" * 201},
    {"code": "with blank"},
    {"short_desc": "bell\u0007"},
    {"city": {"name": "PUNE", "code": "020", "zone": "1"}},
]


async def test_a_location_is_well_formed(ward, clinic):
    """Issue 5: text fields are validated."""
    for mistake in MISTAKES:
        got = await ward.patch(clinic.admin, f"/v1/locations/{clinic.location_id}", version=1, **mistake)

        assert got.status == 400, mistake
        assert got.json["errors"][0]["path"].startswith(next(iter(mistake)))


async def test_a_verified_organisation_can_be_rung_up(ward, clinic):
    """NHA Physical Consultation v2.0: on_confirm names a helpline."""
    got = await ward.patch(clinic.admin, f"/v1/locations/{clinic.location_id}", version=1, helpline="")
    another = await ward.post(clinic.admin, "/v1/locations", code="b", name="B")

    assert (got.status, another.status) == (409, 409)


async def test_a_facility_of_the_register_is_one_organisations(ward, clinic):
    """Ours: no location goes by another verified organisation's HFR id."""
    other = await ward.hospital("IN2710000202", name="Lakeside")

    got = await ward.patch(other.admin, f"/v1/locations/{other.location_id}", version=1, hfr_id="IN2710000101")

    assert (got.status, got.json["code"]) == (409, "API_ALREADY_TAKEN")


@pytest.mark.parametrize(
    ("path", "body"), [("locations", {"code": "main", "name": "B"}), ("departments", {"name": "Heart"})]
)
async def test_names_are_taken_once_in_an_organisation(ward, clinic, path, body):
    """Ours: codes and names tell records apart, in imports too."""
    await ward.post(clinic.admin, "/v1/departments", name="Heart")
    other = await ward.hospital("IN2710000202", name="Lakeside")

    again = await ward.post(clinic.admin, f"/v1/{path}", **body, **({"helpline": "1800"} if "code" in body else {}))
    elsewhere = await ward.post(other.admin, "/v1/departments", name="Heart")

    assert (again.status, again.json["code"]) == (409, "API_ALREADY_TAKEN")
    assert elsewhere.status == 201


async def test_locations_are_found_by_where_they_are(ward, clinic):
    """Issue 5: lists with filters."""
    await ward.patch(
        clinic.admin,
        f"/v1/locations/{clinic.location_id}",
        version=1,
        pincode="411005",
        state={"name": "MAHARASHTRA", "code": "27"},
    )

    async def found(**query):
        return len(record(await ward.get(OPERATOR, "/v1/locations", **query))["locations"])

    assert [await found(state="27"), await found(pincode="411005"), await found(state="29")] == [1, 1, 0]
    assert [await found(city="020"), await found(q="main"), await found(q="%")] == [0, 1, 0]


async def test_the_tree_has_two_levels_and_can_be_added_to(ward, clinic):
    """Issue 5: systems of medicine and specialities; organisations may add."""
    system = await ward.made(clinic.admin, "/v1/specialities", code="TRIBAL", name="Tribal medicine")
    made = await ward.made(clinic.admin, "/v1/specialities", parent_id=system["id"], code="BONES", name="Bone setting")
    third = await ward.post(clinic.admin, "/v1/specialities", parent_id=made["id"], code="DEEPER", name="Deeper")
    again = await ward.post(clinic.admin, "/v1/specialities", parent_id="ALLOPATHY", code="CARDIOLOGY", name="C")
    lower = await ward.post(clinic.admin, "/v1/specialities", parent_id="ALLOPATHY", code="lower", name="L")

    below = record(await ward.get(clinic.admin, "/v1/specialities", system=system["id"]))["specialities"]

    assert {each["code"] for each in below} == {"TRIBAL", "BONES"}
    assert (third.status, again.status, lower.status) == (400, 409, 400)


async def test_what_ships_is_read_and_not_changed(ward, clinic):
    """Issue 5: a shipped default list."""
    path = "/v1/specialities/ALLOPATHY.CARDIOLOGY"

    got = record(await ward.get(clinic.admin, path))
    found = record(await ward.get(clinic.admin, "/v1/specialities", q="cardiol"))["specialities"]
    changed = await ward.patch(clinic.admin, path, version=1, name="Mine")

    assert (got["code"], got["parent_id"], found) == ("CARDIOLOGY", "ALLOPATHY", [got])
    assert changed.status == 404


async def test_an_inactive_speciality_is_taken_by_nobody_else(ward, clinic):
    """Ours: who has it keeps it."""
    own = await ward.made(clinic.admin, "/v1/specialities", parent_id="ALLOPATHY", code="OWN", name="Own")
    await clinic.doctor()
    await clinic.doctor("imran.shaikh@hpr.ndhm")
    practice = await clinic.practice(speciality_id=own["id"])
    await ward.made(clinic.admin, f"/v1/specialities/{own['id']}/deactivate", version=1)

    kept = await ward.patch(clinic.admin, f"/v1/practices/{practice['id']}", version=1, department_id="")
    other = {"hpr_address": "imran.shaikh@hpr.ndhm", "location_id": clinic.location_id, "speciality_id": own["id"]}

    assert kept.status == 200
    assert (await ward.post(clinic.admin, "/v1/practices", **other)).status == 400
