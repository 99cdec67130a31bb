"""PM-JAY hospitals on a network: NHA's published test cases TC-A to TC-C and TC-E, as far as they concern the wire."""

from __future__ import annotations

import json

import pytest

from participants.pmjay.app import pmjay_app
from participants.pmjay.hospitals import HOSPITALS
from tests.listing.scene import FAR_AWAY, Scene, around, demo_origin, sql_origin, stage, tables
from uhi.booking.matching import distance_km
from uhi.listing import Area
from uhi.listing.pmjay import (
    DOMAIN,
    EMPANELLED,
    ESTABLISHED,
    FoundHospital,
    HospitalQuery,
    read_hospitals,
    write_search,
)
from uhi.messages.values import Place, Point
from uhi.testing import Network
from uhi.verified import Verified

ANDHRA = Place(name="ANDHRA PRADESH", code="28")
ONGOLE = Point(15.5, 80.05)
EVERYWHERE = HospitalQuery()
GOOD = {
    "id": "HOSP1",
    "name": "General",
    "kind": "G",
    "gps": "15.5,80.05",
    "phone": "9000000021",
    "nodal_officer": "9000000023",
    "established": "1915",
    "empanelled": "2018-09-14",
    "specialities": "100002 Cardiology",
}


@pytest.fixture
async def scene():
    async with Network() as network:
        yield await stage(
            network, DOMAIN, lambda one: pmjay_app(one, demo_origin("participants.pmjay", HOSPITALS.name))
        )


async def hospitals(scene: Scene, query: HospitalQuery) -> list[FoundHospital]:
    """What a search finds."""
    return list(read_hospitals(await scene.found(write_search(query, now=scene.now))))


async def raw(scene: Scene, query: HospitalQuery) -> dict:
    """The one answer to a search, as it came."""
    [answer] = await scene.search(write_search(query, now=scene.now))
    return json.loads(answer.raw)


async def test_answer_is_in_the_transaction_and_domain_of_the_search(scene):
    """NHA's test cases TC-A01, TC-A02 and TC-A03."""
    [answer] = await scene.search(write_search(EVERYWHERE, now=scene.now))

    assert isinstance(answer, Verified)
    assert answer.context.domain == "nic2004:85112"
    assert answer.context.transaction_id == answer.thread.transaction_id


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        (HospitalQuery(area=Area(state=ANDHRA)), {"HOSP27G90001", "HOSP28P90002"}),
        (HospitalQuery(area=Area(state=ANDHRA, district=Place(name="ANAKAPALLI", code="744"))), {"HOSP28P90002"}),
        (HospitalQuery("100002", "Cardiology", Area(state=ANDHRA)), {"HOSP27G90001"}),
        (HospitalQuery("", "Cardio", Area(state=ANDHRA)), {"HOSP27G90001"}),
        (HospitalQuery(area=Area(state=ANDHRA, facility="demo care")), {"HOSP28P90002"}),
        (HospitalQuery(area=Area(state=ANDHRA, pincode="531001")), {"HOSP28P90002"}),
        (HospitalQuery("100002", "Cardiology", Area(state=ANDHRA, pincode="531001")), set()),
    ],
    ids=["state", "district", "speciality", "speciality by name", "facility", "pincode", "all at once"],
)
async def test_every_record_fits_every_filter(scene, query, ids):
    """NHA's test cases TC-B01 to TC-B05."""
    found = await hospitals(scene, query)

    assert {one.facility.id for one in found} == ids


async def test_circle_finds_hospitals_without_a_state(scene):
    """NHA's test case TC-B06: GPS and radius without state, all hospitals inside the radius."""
    found = await hospitals(scene, HospitalQuery(area=Area(near=around(ONGOLE, 13))))

    assert [one.facility.id for one in found] == ["HOSP27G90001"]
    assert all(distance_km(one.facility.point, ONGOLE) <= 13 for one in found)


async def test_every_record_has_what_a_patient_needs_to_go_there(scene):
    """NHA's test cases TC-C02, TC-C03, TC-C06: id, name, position and telephone, none of them empty."""
    for one in await hospitals(scene, EVERYWHERE):
        assert one.facility.id
        assert one.facility.name
        assert one.facility.point is not None
        assert one.reached.phone.isdigit()


async def test_every_record_tells_both_its_days(scene):
    """NHA's test cases TC-C04 and TC-C05."""
    for provider in (await raw(scene, EVERYWHERE))["message"]["catalog"]["providers"]:
        told = {one["type"]: one["start"]["time"]["timestamp"] for one in provider["fulfillments"]}
        assert told.keys() == {ESTABLISHED, EMPANELLED}
        assert all(told.values())


async def test_numbers_travel_as_numbers(scene):
    """NHA's test cases TC-C07, TC-C08, TC-C09: nodal officer numeric, integer codes of specialities, a kind of one
    character."""
    for provider in (await raw(scene, EVERYWHERE))["message"]["catalog"]["providers"]:
        codes = [category["descriptor"]["code"] for category in provider["categories"]]
        assert type(provider["contact"]["tags"]["nodalOfficerNumber"]) is int
        assert codes
        assert all(type(code) is int for code in codes)
        assert len(provider["descriptor"]["code"]) == 1


async def test_numbers_of_a_search_travel_as_numbers(scene):
    """NHA's PM-JAY document: pincode and code of the speciality are integers in the search too."""
    intent = write_search(HospitalQuery("100002", "Cardiology", Area(pincode="523001")), now=scene.now)

    [answer] = await scene.search(intent)

    assert intent.model_dump()["address"]["area_code"] == "523001"
    assert [one.facility.id for one in read_hospitals(answer.message)] == ["HOSP27G90001"]


async def test_nothing_found_is_an_answer_without_hospitals(scene):
    """NHA's test case TC-E02."""
    assert await hospitals(scene, HospitalQuery(area=Area(near=around(FAR_AWAY, 5)))) == []


async def test_another_item_is_met_with_silence(scene):
    """NHA's table of services: a wrong item code gets an ACK and no answer at all."""
    intent = write_search(EVERYWHERE, now=scene.now)
    item = intent.item.model_copy(update={"descriptor": intent.item.descriptor.model_copy(update={"code": "NOTTO"})})

    assert await scene.search(intent.model_copy(update={"item": item})) == []


async def test_hospitals_of_a_database_are_answered_and_a_bad_row_is_left_out(database_url, caplog):
    """Ours: a plain table; one mistake in it does not silence the others, and no value of it is logged."""
    rows = [GOOD, {**GOOD, "id": "HOSP2", "phone": "call us"}, {**GOOD, "id": "HOSP3", "gps": None}]
    async with tables(database_url, {"hospital": rows}), Network() as network:
        scene = await stage(network, DOMAIN, lambda one: pmjay_app(one, sql_origin(database_url, one)))

        found = await hospitals(scene, EVERYWHERE)

    assert [one.facility.id for one in found] == ["HOSP1"]
    assert "row 2 of hospital, column phone" in caplog.text
    assert "row 3 of hospital, column gps" in caplog.text
    assert "call us" not in caplog.text
