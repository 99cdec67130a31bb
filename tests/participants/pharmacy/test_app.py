"""Jan Aushadhi on a network: find a Kendra, find a medicine, see who has it."""

from __future__ import annotations

import pytest

from participants.pharmacy.app import pharmacy_app
from participants.pharmacy.kendras import LISTS
from tests.listing.scene import Scene, around, demo_origin, sql_origin, stage, tables
from uhi.listing import Area
from uhi.listing.medicines import (
    DOMAIN,
    KENDRA,
    KendraQuery,
    read_kendras,
    read_medicines,
    search_kendras,
    search_medicines,
    search_stock,
)
from uhi.listing.subjects import write_intent
from uhi.messages import Intent
from uhi.messages.values import Descriptor, Place, Point
from uhi.testing import Network

TELANGANA = Area(state=Place(name="Telangana", code="36"), district=Place(name="HYDERABAD", code="507"))
PETH = Point(18.51, 73.86)


@pytest.fixture
async def scene():
    async with Network() as network:
        yield await stage(network, DOMAIN, lambda one: pharmacy_app(one, demo_origin("participants.pharmacy", *LISTS)))


async def kendras(scene: Scene, intent: Intent) -> dict[str, bool | None]:
    """The Kendras that a search finds, and whether they have what was asked for."""
    return {one.kendra.id: one.is_in_stock for one in read_kendras(await scene.found(intent))}


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        (KendraQuery(), {"PMBJK90001", "PMBJK90002", "PMBJK90003"}),
        (KendraQuery("PMBJK90002"), {"PMBJK90002"}),
        (KendraQuery(area=TELANGANA), {"PMBJK90003"}),
        (KendraQuery(area=Area(pincode="411014")), {"PMBJK90002"}),
        (KendraQuery(area=Area(near=around(PETH, 5))), {"PMBJK90001"}),
        (KendraQuery("PMBJK90002", TELANGANA), set()),
    ],
    ids=["all", "code", "state and district", "pincode", "circle", "filters combine"],
)
async def test_kendras_are_found_by_every_filter(scene, query, ids):
    """NHA's Jan Aushadhi requirements, flow A: all optional, combinable."""
    assert await kendras(scene, search_kendras(query, now=scene.now)) == dict.fromkeys(ids)


async def test_distance_is_told_to_who_told_where_they_are(scene):
    """NHA's Jan Aushadhi requirements: `location.radius` is the distance where GPS was sent."""
    near = await scene.found(search_kendras(KendraQuery(area=Area(near=around(PETH, 5))), now=scene.now))
    anywhere = await scene.found(search_kendras(KendraQuery("PMBJK90001"), now=scene.now))

    assert near.catalog.readable[0].location.radius.kilometres == 0
    assert anywhere.catalog.readable[0].location.radius is None


async def test_person_in_charge_and_telephone_are_read(scene):
    """NHA's Jan Aushadhi requirements: the fulfilment of type contact names a person, and the day of enrolment."""
    found = await scene.found(search_kendras(KendraQuery("PMBJK90001"), now=scene.now))

    [kendra] = read_kendras(found)

    assert (kendra.person, kendra.reached.phone) == ("Meera Joshi", "+91 9000000061")
    assert found.catalog.readable[0].fulfillments[0].start.time.timestamp == "2023-06-30T00:00:00"


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("aceclofenac", {"76476", "77041"}),
        ("Metformin 500", {"75001"}),
        ("Aspirin", set()),
        ("500mg Tablets", {"75001"}),
    ],
)
async def test_medicines_are_found_by_a_part_of_their_name(scene, name, ids):
    """NHA's Jan Aushadhi requirements, flow B; how names are compared is not published, so every part of one counts."""
    found = list(read_medicines(await scene.found(search_medicines(name, now=scene.now))))

    assert {one.id for one in found} == ids


async def test_price_of_a_medicine_has_three_decimals_on_the_wire(scene):
    """NHA's Jan Aushadhi example: MRP "10.320", pack "10's"."""
    found = await scene.found(search_medicines("Metformin", now=scene.now))

    item = found.catalog.readable[0].items[0]

    assert (item.price.value, item.quantity.measure.unit) == ("6.600", "10's")


async def test_stock_of_a_medicine_is_found_by_its_id(scene):
    """NHA's Jan Aushadhi requirements, flow C: `flag` is in stock; who does not keep it is no answer."""
    found = await kendras(scene, search_stock("76476", KendraQuery(), now=scene.now))
    there = await kendras(scene, search_stock("76476", KendraQuery(area=TELANGANA), now=scene.now))

    assert found == {"PMBJK90001": True, "PMBJK90002": False, "PMBJK90003": True}
    assert there == {"PMBJK90003": True}


async def test_an_unknown_medicine_is_nowhere(scene):
    """NHA's test TC-E02, which holds for every list: empty providers are an answer."""
    assert await kendras(scene, search_stock("1", KendraQuery(), now=scene.now)) == {}


async def test_another_item_in_a_search_for_kendras_is_met_with_silence(scene):
    """NHA's table of services: a wrong item code gets an ACK and no answer at all."""
    intent = write_intent(KENDRA, now=scene.now, item=Descriptor(code="AMRIT_PHARMACY", name="Amrit"))

    assert await scene.search(intent) == []


async def test_three_tables_of_a_database_make_a_pharmacy(database_url):
    """Ours: each list is a table of its name, with the same columns."""
    rows = {
        "kendra": [{"id": "K1", "name": "Kendra", "district": "PUNE"}],
        "medicine": [{"id": "7", "name": "Metformin 500mg Tablets", "price": "6.6"}],
        "kendra_stock": [{"kendra_id": "K1", "medicine_id": "7", "in_stock": "yes"}],
    }
    async with tables(database_url, rows), Network() as network:
        scene = await stage(network, DOMAIN, lambda one: pharmacy_app(one, sql_origin(database_url, one)))

        found = await kendras(scene, search_stock("7", KendraQuery(), now=scene.now))

    assert found == {"K1": True}
