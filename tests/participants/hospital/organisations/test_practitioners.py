"""Practitioners: one record for each, kept by one organisation, used by others; their pictures."""

from __future__ import annotations

import base64

import pytest

from participants.hospital.organisations.pictures import MOST_BYTES, read_picture
from tests.participants.hospital.organisations.scene import CARDIOLOGY, PICTURE, PNG, by, record
from uhi.errors import Refusal

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(40) + b"\xff\xd9"


@pytest.fixture
async def lakeside(ward, clinic):
    """Another organisation."""
    return await ward.hospital("IN2710000202", name="Lakeside")


async def test_a_practitioner_is_one_person_in_the_program(ward, clinic, lakeside):
    """Issue 5: one person by HPR address; claims of two organisations overlap by it."""
    doctor = await clinic.doctor()

    again = await ward.post(lakeside.admin, "/v1/practitioners", hpr_address="Asha.Verma@hpr.ndhm", name="Dr. A. Verma")
    practice = await lakeside.practice()

    assert (again.status, again.json["code"]) == (409, "API_ALREADY_TAKEN")
    assert practice["practitioner_id"] == doctor["id"]


async def test_a_record_is_seen_where_its_practitioner_practises_and_changed_where_it_is_kept(ward, clinic, lakeside):
    """Ours: what another organisation keeps is read, not changed."""
    path = f"/v1/practitioners/{(await clinic.doctor())['id']}"
    before = await ward.get(lakeside.admin, path)
    await lakeside.practice()

    after = await ward.get(lakeside.admin, path)
    refused = await ward.patch(lakeside.admin, path, version=1, name="Dr. Nobody")

    assert (before.status, after.status) == (404, 200)
    assert (refused.status, refused.json["code"]) == (409, "API_STATE_REFUSED")
    assert record(await ward.get(clinic.admin, path))["name"] == "Dr. Asha Verma"


@pytest.mark.parametrize("change", [{"registration_number": ""}, {"council": ""}])
async def test_who_consults_online_keeps_their_registration(ward, clinic, change):
    """Telemedicine rules: the registration number is shown with everything online."""
    doctor = await clinic.doctor(registration_number="MMC/1", council="Maharashtra Medical Council")
    practice = await clinic.practice()
    service = await clinic.service(practice["id"], "Online")
    path = f"/v1/practitioners/{doctor['id']}"

    refused = await ward.patch(clinic.admin, path, version=1, **change)
    await ward.made(clinic.admin, f"/v1/services/{service['id']}/deactivate", version=1)

    assert refused.status == 409
    assert (await ward.patch(clinic.admin, path, version=1, **change)).status == 200


async def test_practitioners_are_found_by_what_they_practise(ward, clinic):
    """Issue 5: lists with filters."""
    asha, imran = await clinic.doctor(), await clinic.doctor("imran.shaikh@hpr.ndhm", name="Dr. Imran Shaikh")
    await clinic.practice()

    async def found(**query):
        listed = record(await ward.get(clinic.admin, "/v1/practitioners", **query))["practitioners"]
        return [each["id"] for each in listed]

    assert await found() == [asha["id"], imran["id"]]
    assert await found(speciality_id=CARDIOLOGY) == await found(location_id=clinic.location_id) == [asha["id"]]
    assert await found(speciality_id="ALLOPATHY.UROLOGY") == []
    assert await found(q="shaikh") == await found(q="IMRAN.shaikh@") == [imran["id"]]
    assert await found(active="no") == []


async def test_a_list_goes_on_where_the_page_before_ended(ward, clinic):
    """Issue 5: cursor paging."""
    made = [(await clinic.doctor(f"doctor{number}@hpr.ndhm"))["id"] for number in range(5)]

    pages, after = [], ""
    while True:
        page = record(await ward.get(clinic.admin, "/v1/practitioners", most=2, after=after))
        pages.append([each["id"] for each in page["practitioners"]])
        after = page["next"]
        if not after:
            break

    assert pages == [made[:2], made[2:4], made[4:]]


async def test_a_picture_is_kept_and_given_back(ward, clinic):
    """Issue 5: photo of a practitioner."""
    path = f"/v1/practitioners/{(await clinic.doctor())['id']}/photo"
    await ward.ask("PUT", path, json={"version": 1, "image": PICTURE}, **by(clinic.admin))

    got = record(await ward.get(clinic.admin, path))
    gone = await ward.ask("DELETE", path, params={"version": "2"}, **by(clinic.admin))

    assert (got["media_type"], got["image"]) == ("image/png", PICTURE)
    assert gone.json["version"] == 3
    assert (await ward.get(clinic.admin, path)).status == 404


async def test_a_large_picture_fits_into_its_route(ward, clinic):
    """Ours: pictures up to 200 KiB."""
    path = f"/v1/practitioners/{(await clinic.doctor())['id']}/photo"
    image = base64.b64encode(PNG[:-8] + bytes(MOST_BYTES - len(PNG)) + PNG[-8:]).decode()

    got = await ward.ask("PUT", path, json={"version": 1, "image": image}, **by(clinic.admin))

    assert got.status == 200


@pytest.mark.parametrize(("data", "media_type"), [(PNG, "image/png"), (JPEG, "image/jpeg")])
def test_a_picture_is_what_it_is_made_of(data, media_type):
    """Issue 5: small image, PNG or JPEG."""
    assert read_picture(base64.b64encode(data).decode()).media_type == media_type


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a" + bytes(40),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7\n",
        PNG + b"<script>",
        PNG[:-8] + bytes(MOST_BYTES) + PNG[-8:],
    ],
)
def test_another_file_is_no_picture(data):
    """Issue 5: content sniffed, size limited."""
    with pytest.raises(Refusal) as refused:
        read_picture(base64.b64encode(data).decode())

    assert refused.value.path == "image"


def test_what_is_not_base64_is_no_picture():
    """Ours: the picture comes in base64."""
    with pytest.raises(Refusal):
        read_picture("not base64!")
