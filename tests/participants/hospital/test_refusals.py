"""What staff are told when the hospital says no: what, got, expected, next step, as the operator reads it."""

from __future__ import annotations

import pytest

from tests.participants.hospital.house import ASHA, NANDINI, House
from uhi.identity.principals import Grant
from uhi.identity.roles import AccessRole

MAIL = {"smtp_host": "mail.example", "smtp_sender": "no-reply@clinic.example"}
RAVI = {"email": "ravi@clinic.example", "name": "Ravi"}
HEART = "ALLOPATHY.CARDIOLOGY"


async def admin_of(house: House, organisation: str = "") -> dict[str, str]:
    """The header of an administrator, the city's by default."""
    return await house.person(Grant(AccessRole.HOSPITAL_ADMIN, organisation or house.city))


async def told(house: House, who: dict[str, str], call: str, body: object = None) -> tuple[int, list[dict[str, str]]]:
    """The status of a refusal, and what is said of it."""
    method, _, path = call.partition(" ")
    got = await house.ask(method, path, headers=who, **({} if body is None else {"json": body}))
    return got.status, got.json["errors"]


async def first(house: House, who: dict[str, str], kind: str) -> dict[str, object]:
    """The first record of a kind."""
    return (await house.ask("GET", f"/v1/{kind}", headers=who)).json[kind][0]


@pytest.mark.parametrize("place", ["/v1/staff", "/v1/organisations/{city}/admins"])
async def test_nobody_is_invited_where_no_letter_leaves(house, place):
    """Ours: who invites learns that nobody would get the invitation, and what to do instead."""
    is_admin = place == "/v1/staff"
    who = await (admin_of(house) if is_admin else house.person(Grant(AccessRole.HOSPITAL_OPERATOR)))
    more = {"role": "hospital.frontdesk", "tenant": house.city} if is_admin else {}

    status, (mistake,) = await told(house, who, f"POST {place.format(city=house.city)}", {**RAVI, **more})

    accounts = (await house.ask("GET", "/v1/staff", headers=await admin_of(house))).json["accounts"]
    assert (status, "UHI_SMTP_HOST" in mistake["message"], "admin invite" in mistake["message"]) == (409, True, True)
    assert RAVI["email"] not in {each["email"] for each in accounts}


@pytest.mark.parametrize(
    ("more", "path", "said"),
    [
        ({"role": "hospital.frontdesk", "tenant": "elsewhere"}, "tenant", "expected one's own"),
        ({"role": "clinician", "tenant": "city"}, "practitioner_id", "got no practitioner"),
        ({"role": "clinician", "tenant": "city", "practitioner_id": "nobody"}, "practitioner_id", "got nobody"),
        ({"role": "hospital.frontdesk", "tenant": "city", "practitioner_id": "nobody"}, "practitioner_id", "clinician"),
    ],
)
async def test_nobody_is_invited_to_what_is_not_there(sqlite_url, tmp_path, more, path, said):
    """Ours: as at the command line, by the same rule."""
    async with House.open(sqlite_url, tmp_path, **MAIL) as house:
        await house.settle_in()
        asked = RAVI | more | ({"tenant": house.city} if more["tenant"] == "city" else {})

        status, (mistake,) = await told(house, await admin_of(house), "POST /v1/staff", asked)

        assert (status in (400, 404), mistake["path"], said in mistake["message"]) == (True, path, True)


async def test_clinician_is_tied_to_a_practitioner_of_their_own_organisation(house):
    """Ours: an id of somebody who is not there, or elsewhere, would leave them without patients."""
    await house.clinician()
    doctor, who = f"acc-{house.named}", await admin_of(house)

    refused = [
        await told(house, who, f"PUT /v1/staff/{doctor}/ties", {"practitioner_id": each})
        for each in ("nobody", house.record_of(NANDINI))
    ]
    tied = await house.ask(
        "PUT", f"/v1/staff/{doctor}/ties", headers=who, json={"practitioner_id": house.record_of(ASHA)}
    )

    assert [(status, errors[0]["path"]) for status, errors in refused] == [(404, "practitioner_id")] * 2
    assert tied.status == 200


@pytest.mark.parametrize(
    ("call", "body", "path", "said"),
    [
        ("POST /v1/practices", {"hpr_address": "no.body@hpr.ndhm"}, "hpr_address", "POST /v1/practitioners"),
        ("POST /v1/practices", {"location_id": "nowhere"}, "location_id", "expected the id of one"),
        ("POST /v1/practices", {"department_id": "none"}, "department_id", "expected the id of one"),
        ("POST /v1/practices", {}, "location_id", "change or activate practice"),
        ("POST /v1/practices", {"organisation_id": "other"}, "organisation_id", "expected one's own"),
    ],
)
async def test_what_a_body_names_is_told_by_its_place(house, call, body, path, said):
    """Ours: of several ids in a body, the one that is wrong is named, with what to do."""
    who = await admin_of(house)
    fine = {"hpr_address": ASHA, "speciality_id": HEART, "location_id": (await first(house, who, "locations"))["id"]}

    status, (mistake,) = await told(house, who, call, fine | body)

    assert (status in (404, 409), mistake["path"], said in mistake["message"]) == (True, path, True)


async def test_a_change_on_an_old_version_says_which_there_is(house):
    """Ours: what, got, expected, next step."""
    who = await admin_of(house)
    place = (await first(house, who, "locations"))["id"]

    status, (mistake,) = await told(house, who, f"PATCH /v1/locations/{place}", {"version": 7, "name": "New"})

    assert (status, mistake["message"]) == (
        409,
        "the record was changed meanwhile, got version 7, expected version 1; read it again and decide again",
    )


async def test_foreign_and_missing_are_told_alike(house):
    """Security rules, T27: what is foreign is missing, also in what is explained."""
    lake = await first(house, await admin_of(house, house.lake), "locations")
    who, change = await admin_of(house), {"version": 1, "name": "New"}

    answers = [await told(house, who, f"PATCH /v1/locations/{each}", change) for each in (lake["id"], "nowhere")]

    assert answers[0] == answers[1]
    assert "the list of its kind" in answers[0][1][0]["message"]


async def test_a_slot_that_cannot_be_had_is_told_by_its_place(house):
    """Ours: the desk is told where the free ones are; the appointment stands."""
    booking, who = await house.book(ASHA), await house.desk()
    path = f"POST /v1/appointments/{booking.order_id}/move"

    answers = [
        await told(house, who, path, {"reason": "FACILITY_CLOSURE", "slot_id": each})
        for each in ("nowhere", booking.slot.id)
    ]

    assert [(status, errors[0]["path"]) for status, errors in answers] == [(409, "slot_id")] * 2
    assert "has this slot already" in answers[1][1][0]["message"]
    assert "/slots" in answers[0][1][0]["message"]
