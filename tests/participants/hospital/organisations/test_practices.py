"""Practices and consultations: who works where, what it costs, what has to be there for online ones."""

from __future__ import annotations

import pytest

from tests.participants.hospital.organisations.scene import CARDIOLOGY, record

REGISTERED = {"registration_number": "MMC/2011/04711", "council": "Maharashtra Medical Council"}


async def test_a_practitioner_practises_at_a_location_once(ward, clinic):
    """Ours: a practice is a practitioner and a location."""
    await clinic.doctor()
    await clinic.practice()

    again = await ward.post(
        clinic.admin,
        "/v1/practices",
        hpr_address="asha.verma@hpr.ndhm",
        location_id=clinic.location_id,
        speciality_id="ALLOPATHY.UROLOGY",
    )

    assert again.status == 409


async def test_a_practice_is_in_a_speciality_of_the_tree(ward, clinic):
    """NHA Physical Consultation v2.0, categories: a speciality below a system of medicine."""
    await clinic.doctor()
    there = {"hpr_address": "asha.verma@hpr.ndhm", "location_id": clinic.location_id}

    for speciality in ("ALLOPATHY", "ALLOPATHY.NOTHING", "CARDIOLOGY"):
        got = await ward.post(clinic.admin, "/v1/practices", **there, speciality_id=speciality)

        assert (got.status, got.json["errors"][0]["path"]) == (400, "speciality_id")


async def test_a_practice_moves_to_another_department(ward, clinic):
    """Issue 5: departments."""
    heart = await ward.made(clinic.admin, "/v1/departments", name="Heart")
    await clinic.doctor()
    practice = await clinic.practice()

    path = f"/v1/practices/{practice['id']}"
    moved = record(await ward.patch(clinic.admin, path, version=1, department_id=heart["id"]))
    found = record(await ward.get(clinic.admin, "/v1/practices", department_id=heart["id"]))["practices"]
    none = record(await ward.patch(clinic.admin, path, version=2, department_id=""))

    assert (moved["department_id"], moved["speciality_id"]) == (heart["id"], CARDIOLOGY)
    assert found == [moved]
    assert none["department_id"] == ""


async def test_the_total_is_what_a_patient_pays(ward, clinic):
    """NHA Physical Consultation v2.0, quote: fee, 5 % CGST, 5 % SGST, registration."""
    await clinic.doctor()
    practice = await clinic.practice()

    got = await clinic.service(practice["id"], fee="499.5", registration_fee="50", taxed=True)

    assert (got["fee"], got["registration_fee"], got["total"]) == ("499.50", "50.00", "599.46")


@pytest.mark.parametrize("known", [{}, {"registration_number": "MMC/1"}, {"council": "MMC"}])
async def test_online_takes_number_and_council_of_the_registration(ward, clinic, known):
    """Telemedicine rules: registration number and council are mandatory for offers online."""
    await clinic.doctor(**known)
    practice = await clinic.practice()

    got = await ward.post(clinic.admin, "/v1/services", practice_id=practice["id"], kind="Online", fee="1")

    assert (got.status, got.json["code"]) == (409, "API_STATE_REFUSED")


async def test_a_group_is_of_known_practitioners(ward, clinic):
    """Issue 5: group consultation with two doctors; unknown ones are refused."""
    first, second = await clinic.doctor(**REGISTERED), await clinic.doctor("imran.shaikh@hpr.ndhm")
    practice = await clinic.practice()
    service = await clinic.service(practice["id"], "Online")
    path = f"/v1/services/{service['id']}"

    async def tried(*group):
        return (await ward.patch(clinic.admin, path, version=1, group=list(group))).status

    assert await tried("unknown") == 404
    assert await tried(first["id"]) == 400
    assert await tried(second["id"]) == 409
    await ward.patch(clinic.admin, f"/v1/practitioners/{second['id']}", version=1, **REGISTERED)
    assert await tried(second["id"], second["id"]) == 400
    assert await tried(second["id"]) == 200


async def test_services_are_found_by_practitioner_and_kind(ward, clinic):
    """Issue 5: lists with filters."""
    doctor = await clinic.doctor(**REGISTERED)
    practice = await clinic.practice()
    physical, online = await clinic.service(practice["id"]), await clinic.service(practice["id"], "Online")

    async def found(**query):
        return record(await ward.get(clinic.admin, "/v1/services", **query))["services"]

    assert await found(practitioner_id=doctor["id"]) == await found(practice_id=practice["id"]) == [physical, online]
    assert await found(kind="Online") == [online]
    assert await found(practitioner_id="another") == []


async def test_a_fee_is_rupees(ward, clinic):
    """Ours: amounts are texts with at most two decimals."""
    await clinic.doctor()
    practice = await clinic.practice()
    given = {"practice_id": practice["id"], "kind": "Physical", "fee": "500"}

    for body in ({"fee": "-1"}, {"fee": "1.005"}, {"fee": ""}, {"kind": "Somewhere"}, {"fee": 5}):
        assert (await ward.post(clinic.admin, "/v1/services", **given | body)).status == 400


async def test_what_was_changed_meanwhile_is_not_overwritten(ward, clinic):
    """Issue 5: optimistic locking."""
    path = f"/v1/locations/{clinic.location_id}"
    first = await ward.patch(clinic.admin, path, version=1, name="First")

    second = await ward.patch(clinic.admin, path, version=1, name="Second")
    unversioned = await ward.patch(clinic.admin, path, name="Third")

    assert (record(first)["version"], second.status, unversioned.status) == (2, 409, 400)
    assert record(await ward.get(clinic.admin, path))["name"] == "First"


async def test_what_changes_nothing_is_no_change(ward, clinic):
    """Ours: the version and the trail tell of changes."""
    before = len(await ward.trail())

    got = record(await ward.patch(clinic.admin, f"/v1/locations/{clinic.location_id}", version=1, code="main"))

    assert (got["version"], len(await ward.trail())) == (1, before)
