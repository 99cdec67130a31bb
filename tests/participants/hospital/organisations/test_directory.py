"""The directory: only what can be booked is in it, and it follows what changes."""

from __future__ import annotations

from decimal import Decimal

import pytest

from participants.hospital.organisations.directory import Directory
from tests.participants.hospital.organisations.scene import ANOTHER, OPERATOR, PICTURE, by


async def test_a_practice_can_be_booked_with_its_quotes(ward, clinic):
    """Issue 5: practitioners with fees; NHA Physical Consultation v2.0, quote."""
    await clinic.doctor(registration_number="MMC/1", council="Maharashtra Medical Council")
    practice = await clinic.practice()
    await clinic.service(practice["id"], registration_fee="50", taxed=True)
    await clinic.service(practice["id"], "Online", fee="499.50")

    found = ward.organisations.directory.snapshot.practices[practice["id"]]

    assert {kind: quote.total for kind, quote in found.quotes.items()} == {
        "Physical": Decimal("930.00"),
        "Online": Decimal("499.50"),
    }
    assert (found.doctor.id, found.doctor.price) == ("asha.verma@hpr.ndhm", Decimal("499.50"))
    assert found.doctor_for("Physical").price == Decimal("930.00")
    assert (found.doctor.facility.id, found.doctor.facility.hfr_id) == (clinic.location_id, "IN2710000101")
    assert found.doctor.speciality is not None
    assert found.doctor.speciality.system_code == "ALLOPATHY"
    assert len(practice["id"]) == 16


@pytest.mark.parametrize("kind", ["services", "practices", "practitioners", "locations"])
async def test_what_is_inactive_cannot_be_booked(ward, clinic, kind):
    """Issue 5: deactivate."""
    doctor = await clinic.doctor()
    practice = await clinic.practice()
    service = await clinic.service(practice["id"])
    ids = {
        "services": service["id"],
        "practices": practice["id"],
        "practitioners": doctor["id"],
        "locations": clinic.location_id,
    }
    path = f"/v1/{kind}/{ids[kind]}"

    off = await ward.made(clinic.admin, f"{path}/deactivate", version=1)
    without = ward.organisations.directory.snapshot.practices
    await ward.made(clinic.admin, f"{path}/activate", version=off["version"])

    assert not without
    assert set(ward.organisations.directory.snapshot.practices) == {practice["id"]}


async def test_only_a_verified_organisation_can_be_booked(ward, clinic):
    """Issue 5: verification workflow."""
    await clinic.doctor()
    practice = await clinic.practice()
    await clinic.service(practice["id"])
    path = f"/v1/organisations/{clinic.id}"

    await ward.made(OPERATOR, f"{path}/suspend", version=3, reason="its register entry ended")
    suspended = ward.organisations.directory.snapshot
    await ward.made(ANOTHER, f"{path}/resume", version=4)

    assert (suspended.practices, suspended.locations) == ({}, {})
    assert suspended.sites[clinic.location_id].organisation_id == clinic.id
    assert suspended.practitioner_ids["asha.verma@hpr.ndhm"] == practice["practitioner_id"]
    assert set(ward.organisations.directory.snapshot.practices) == {practice["id"]}


async def test_another_process_sees_a_change_at_its_next_look(ward, clinic, database):
    """Ours: other processes see it by polling one row."""
    other = Directory(database)
    before = await other.refresh()
    await clinic.doctor()
    await clinic.service((await clinic.practice())["id"])

    after = await other.refresh()

    assert (len(before.practices), len(after.practices)) == (0, 1)
    assert after.by_doctor["asha.verma@hpr.ndhm"] == tuple(after.practices.values())


async def test_nothing_is_read_anew_while_nothing_changed(ward, clinic, database):
    """Ours: cheap while unchanged, with 200 doctors as with one."""
    other = Directory(database)
    before = await other.refresh()

    assert await other.refresh() is before


async def test_a_small_picture_is_in_the_catalogue(ward, clinic):
    """NHA Physical Consultation v2.0, agent: image in base64."""
    doctor = await clinic.doctor()
    practice = await clinic.practice()
    await clinic.service(practice["id"])

    kept = await ward.ask(
        "PUT", f"/v1/practitioners/{doctor['id']}/photo", json={"version": 1, "image": PICTURE}, **by(clinic.admin)
    )

    assert kept.json["version"] == 2
    assert ward.organisations.directory.snapshot.practices[practice["id"]].doctor.image == PICTURE


async def test_both_doctors_of_a_group_are_shown(ward, clinic):
    """Issue 5: group consultation with two doctors."""
    registered = {"registration_number": "MMC/1", "council": "Maharashtra Medical Council"}
    await clinic.doctor(**registered)
    second = await clinic.doctor("imran.shaikh@hpr.ndhm", **registered)
    practice = await clinic.practice()
    await clinic.service(practice["id"], "Online", group=[second["id"]])

    found = ward.organisations.directory.snapshot.practices[practice["id"]]

    assert [doctor.id for doctor in found.groups["Online"]] == ["imran.shaikh@hpr.ndhm"]
    assert found.group == found.groups["Online"]
