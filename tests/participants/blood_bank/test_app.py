"""Blood banks on a network: from a search through the gateway to what a consumer reads."""

from __future__ import annotations

import pytest

from participants.blood_bank.app import app, blood_bank_app
from participants.blood_bank.stock import BANKS, STOCK
from tests.listing.scene import FAR_AWAY, SHIVAJINAGAR, Scene, around, demo_origin, run, sql_origin, stage, tables
from uhi.errors import SetupError
from uhi.listing import Area
from uhi.listing.blood import DOMAIN, StockQuery, Units, read_stock, write_search
from uhi.listing.subjects import write_intent
from uhi.messages.values import Place
from uhi.testing import Network

LISTS = (BANKS.name, STOCK.name)


@pytest.fixture
async def scene():
    async with Network() as network:
        yield await stage(
            network, DOMAIN, lambda one: blood_bank_app(one, demo_origin("participants.blood_bank", *LISTS))
        )


async def stock_of(scene: Scene, query: StockQuery) -> set[tuple[str, str, str, int | None, bool]]:
    """What a search finds, one line each."""
    found = read_stock(await scene.found(write_search(query, now=scene.now)))
    return {(one.bank.id, one.group_name, one.component_name, one.count, one.is_available) for one in found}


async def test_a_group_and_component_are_found_by_code_at_every_bank(scene):
    """NHA's Blood Bank document: item is the group, category the component, the count a number."""
    found = await stock_of(scene, StockQuery(group="17", component="11"))

    assert found == {
        ("civil-pune", "AB+Ve", "Whole Blood", 88, True),
        ("demo-trust-aundh", "AB+Ve", "Whole Blood", 16, True),
    }


async def test_minus_one_finds_every_group_and_component(scene):
    """NHA's Blood Bank document: -1 is All."""
    found = await stock_of(scene, StockQuery())

    assert len(found) == 6


async def test_a_search_without_group_and_component_finds_all_of_them(scene):
    """NHA's Blood Bank document, section 6.4: All when omitted."""
    found = await scene.found(write_intent("BloodStock", now=scene.now))

    assert len(list(read_stock(found))) == 6


async def test_units_that_are_promised_or_gone_are_not_available(scene):
    """NHA's Blood Bank document: the item's fulfilment tells; a group not available may have a count."""
    found = await stock_of(scene, StockQuery(area=Area(facility="Civil")))

    assert {one[1:] for one in found if not one[4]} == {
        ("AB-Ve", "Whole Blood", 4, False),
        ("O+Ve", "Packed Red Blood Cells", 0, False),
    }


@pytest.mark.parametrize(
    ("area", "banks"),
    [
        (Area(near=around(SHIVAJINAGAR, 2)), {"civil-pune"}),
        (Area(near=around(SHIVAJINAGAR, 30)), {"civil-pune", "demo-trust-aundh"}),
        (Area(near=around(FAR_AWAY, 30)), set()),
        (
            Area(state=Place(name="Maharashtra", code="311"), district=Place(name="Pune", code="022")),
            {"civil-pune", "demo-trust-aundh"},
        ),
        (Area(state=Place(name="Kerala", code="32")), set()),
        (Area(pincode="411007"), {"demo-trust-aundh"}),
    ],
)
async def test_banks_are_found_by_circle_or_by_state_and_district(scene, area, banks):
    """NHA's Blood Bank document: one of both; its codes of places are others in searches than in answers."""
    found = await stock_of(scene, StockQuery(area=area))

    assert {one[0] for one in found} == banks


async def test_items_are_joined_to_components_and_availability_within_their_bank(scene):
    """NHA's Blood Bank document: category_id and fulfillment_id; counts are numbers on the wire."""
    answer = await scene.search(write_search(StockQuery(), now=scene.now))

    for bank in answer[0].message.catalog.readable:
        assert {item.category_id for item in bank.items} <= {one.id for one in bank.categories}
        assert {item.fulfillment_id for item in bank.items} <= {one.id for one in bank.fulfillments}
        assert all(type(item.quantity.count) is int for item in bank.items)


@pytest.mark.parametrize("kind", ["Physical", "bloodstock"])
async def test_another_kind_of_fulfilment_is_met_with_silence(scene, kind):
    """NHA's table of services: a wrong domain or type gets an ACK and no answer at all."""
    assert await scene.search(write_intent(kind, now=scene.now)) == []


async def test_nothing_found_is_an_answer_too(scene):
    """NHA's test TC-E02, which holds for every list: empty providers are an answer."""
    found = await scene.found(write_search(StockQuery(group="23"), now=scene.now))

    assert found.catalog.providers == []


async def test_stock_of_a_database_is_read_at_every_search(database_url):
    """NHA's Blood Bank document: stock is real-time or nearly so; the banks themselves may be older."""
    bank = {"id": "civil", "name": "Civil Hospital", "gps": "18.53,73.85", "phone": "9000000031"}
    units = {"bank_id": "civil", "group_code": "17", "component_code": "11", "count": "5"}
    async with tables(database_url, {"blood_bank": [bank], "blood_stock": [units]}) as database, Network() as network:
        scene = await stage(network, DOMAIN, lambda one: blood_bank_app(one, sql_origin(database_url, one)))
        before = await stock_of(scene, StockQuery())
        await run(database, "UPDATE blood_stock SET count = '4'")
        await run(database, "UPDATE blood_bank SET id = 'another'")

        after = await stock_of(scene, StockQuery())

    assert [one[:1] + one[3:4] for one in (*before, *after)] == [("civil", 5), ("civil", 4)]


async def test_stock_may_come_from_a_system_of_ones_own():
    """The seam: `Stock` is asked at every search, for the banks that the search concerns."""
    asked = []

    class Counter:
        async def units(self, bank_ids):
            asked.append(sorted(bank_ids))
            return [Units("civil-pune", "15", "11", 1, True)]

    async with Network() as network:
        origin = demo_origin("participants.blood_bank", *LISTS)
        scene = await stage(network, DOMAIN, lambda one: blood_bank_app(one, origin, stock=Counter()))

        found = await stock_of(scene, StockQuery(area=Area(pincode="411005")))

    assert found == {("civil-pune", "O+Ve", "Whole Blood", 1, True)}
    assert asked == [["civil-pune"]]


async def test_a_participant_of_another_domain_cannot_be_a_blood_bank():
    """Ours: no gateway would bring it a search, so it is told at the start."""
    async with Network() as network:
        participant = await network.provider()

        with pytest.raises(SetupError, match="UHI_DOMAINS=nic2008:86906"):
            blood_bank_app(participant, demo_origin("participants.blood_bank", *LISTS))


def test_blood_banks_without_a_list_say_what_to_set():
    """Ours: a mistake in the settings is told before the first request."""
    with pytest.raises(SetupError, match="UHI_BLOOD_BANK_FILE or UHI_BLOOD_BANK_DATABASE_URL is missing"):
        app()
