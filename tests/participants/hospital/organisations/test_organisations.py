"""Organisations through their lives: drafted, completed, submitted, verified, changed, suspended."""

from __future__ import annotations

import pytest

from participants.hospital.organisations.program import inviting
from tests.participants.hospital.organisations.scene import ANOTHER, OPERATOR, record
from uhi.audit import Acting, ActorKind


@pytest.fixture
async def draft(ward):
    """An organisation that was only just taken in, and its administrator."""
    made = await ward.made(OPERATOR, "/v1/organisations", name="City Hospital")
    return f"/v1/organisations/{made['id']}", f"hospital.admin:ada:{made['id']}"


async def test_a_new_organisation_is_a_draft(ward, draft):
    """Issue 5: verification workflow."""
    path, admin = draft

    got = record(await ward.get(admin, path))

    assert (got["state"], got["kind"], got["version"]) == ("DRAFT", "hospital", 1)
    assert "submitted_by" not in got


async def test_what_is_missing_is_said_when_it_is_submitted(ward, draft):
    """Issue 5: HFR id, a location and a helpline are needed."""
    path, admin = draft
    empty = await ward.post(admin, f"{path}/submit", version=1)
    await ward.made(admin, "/v1/locations", code="main", name="Main")
    record(await ward.patch(admin, path, version=1, hfr_id="IN2710000101", legal_name="City Hospital Ltd"))

    without_helpline = await ward.post(admin, f"{path}/submit", version=2)

    assert (empty.status, without_helpline.status) == (409, 409)
    assert record(await ward.get(admin, path))["state"] == "DRAFT"


async def test_whoever_submits_does_not_verify(ward, clinic):
    """Issue 5: not the person who submitted."""
    path = f"/v1/organisations/{clinic.id}"
    await ward.patch(clinic.admin, path, version=3, legal_name="Another Ltd")

    same = await ward.post("hospital.operator:ada", f"{path}/verify", version=4)
    other = await ward.post(OPERATOR, f"{path}/verify", version=4)

    assert (same.status, same.json["code"]) == (403, "IAM_ANOTHER_PERSON_REQUIRED")
    assert record(other)["state"] == "VERIFIED"


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({"hfr_id": "IN2710000999"}, "SUBMITTED"),
        ({"legal_name": "Another Ltd"}, "SUBMITTED"),
        ({"kind": "clinic"}, "SUBMITTED"),
        ({"hip_id": "IN2710000999"}, "SUBMITTED"),
        ({"name": "City Care"}, "VERIFIED"),
        ({"phone": "020 4711 0815"}, "VERIFIED"),
    ],
)
async def test_what_is_vouched_for_is_verified_again(ward, clinic, change, state):
    """Ours: a verified HFR id or legal name is not changed without another look."""
    got = record(await ward.patch(clinic.admin, f"/v1/organisations/{clinic.id}", version=3, **change))

    assert got["state"] == state
    assert (clinic.location_id in ward.organisations.directory.snapshot.locations) == (state == "VERIFIED")


async def test_nothing_changes_below_the_eyes_of_who_verifies(ward, draft):
    """Ours: a submitted organisation that is changed is a draft again, and its version moves on."""
    path, admin = draft
    await ward.made(admin, "/v1/locations", code="main", name="Main", helpline="1800 000 0101")
    await ward.patch(admin, path, version=1, hfr_id="IN2710000101", legal_name="City Hospital Ltd")
    await ward.made(admin, f"{path}/submit", version=2)
    await ward.patch(admin, path, version=3, hfr_id="IN2710000102")

    got = await ward.post(ANOTHER, f"{path}/verify", version=3)

    assert got.status == 409
    assert record(await ward.get(admin, path))["state"] == "DRAFT"


async def test_a_returned_organisation_learns_why(ward, clinic):
    """Issue 5: RETURNED with reason."""
    path = f"/v1/organisations/{clinic.id}"
    await ward.patch(clinic.admin, path, version=3, legal_name="Another Ltd")

    await ward.made(ANOTHER, f"{path}/return", version=4, reason="the register says otherwise")
    got = record(await ward.get(clinic.admin, path))

    assert (got["state"], got["reason"]) == ("RETURNED", "the register says otherwise")


async def test_one_hfr_id_is_one_verified_organisation(ward, clinic):
    """Ours: nobody is verified under another's number."""
    other = await ward.made(OPERATOR, "/v1/organisations", name="Double", legal_name="Double", hfr_id="IN2710000101")
    admin = f"hospital.admin:eve:{other['id']}"
    await ward.made(admin, "/v1/locations", code="main", name="Main", helpline="1800 000 0102")

    got = await ward.post(admin, f"/v1/organisations/{other['id']}/submit", version=1)

    assert (got.status, got.json["code"]) == (409, "API_ALREADY_TAKEN")


async def test_operators_see_all_and_staff_their_own(ward, clinic):
    """Issue 5: an operator takes organisations in, so sees all of them."""
    other = await ward.hospital("IN2710000202", name="Lakeside")

    all_of_them = record(await ward.get(OPERATOR, "/v1/organisations"))["organisations"]
    clinics = record(await ward.get(OPERATOR, "/v1/organisations", kind="clinic"))["organisations"]
    named = record(await ward.get(OPERATOR, "/v1/organisations", q="LAKE", state="VERIFIED"))["organisations"]
    own = record(await ward.get(clinic.admin, "/v1/organisations"))["organisations"]

    assert ([each["id"] for each in all_of_them], clinics) == ([clinic.id, other.id], [])
    assert [each["id"] for each in named] == [other.id]
    assert [each["id"] for each in own] == [clinic.id]


async def test_an_operator_invites_the_first_administrator(ward, clinic):
    """Issue 5: creating an organisation may invite its first hospital.admin."""
    path = f"/v1/organisations/{clinic.id}/admins"

    got = await ward.post(OPERATOR, path, email="ada@clinic.example", name="Ada")

    assert got.status == 204
    assert ward.invited == [("ada@clinic.example", "hospital.admin", clinic.id)]


async def test_the_program_gives_the_role_in_the_operators_name():
    """Ours: an operator has no role within an organisation, and the trail still says who it was."""

    class Joining:
        async def invite(self, invitation, *, acting):
            self.acting = acting

    joining = Joining()
    await inviting(joining)(None, acting=Acting(actor="olga", kind=ActorKind.PERSON))

    assert (joining.acting.actor, joining.acting.kind) == ("olga", ActorKind.SYSTEM)


async def test_every_change_is_in_the_trail(ward, clinic):
    """Issue 5: every change audited."""
    assert await ward.trail() == [
        ("organisation.create", "olga"),
        ("location.create", "ada"),
        ("organisation.submit", "ada"),
        ("organisation.verify", "oskar"),
    ]
