"""Ambulances on a network: NHA's published test cases AMB-A to AMB-D and AMB-F, as far as they concern the wire."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from sqlalchemy import text

from participants.ambulance.app import ambulance_app
from participants.ambulance.calls import RecentCalls
from participants.ambulance.fleet import LISTS
from tests.listing.scene import FAR_AWAY, SHIVAJINAGAR, Scene, demo_origin, patient, run, sql_origin, stage, tables
from uhi.actions import INIT, STATUS
from uhi.errors import DeliveryError, SetupError
from uhi.listing.ambulance_calls import FoundAmbulance, read_ambulances, read_offer, write_init, write_search
from uhi.listing.ambulances import DOMAIN, EMERGENCY, NON_EMERGENCY, Call
from uhi.messages import Init, Order, Status
from uhi.messages.values import Location, Point
from uhi.testing import Network
from uhi.verified import Declined, Verified

CALL_COLUMNS = (
    *("call_key", "order_id", "called_at", "vehicle_id", "consumer_id", "kind"),
    *("patient_name", "patient_phone", "patient_address", "source", "destination"),
)
ROWS = {
    "ambulance_operator": [{"id": "op", "name": "Example Operator", "paused": "no"}],
    "ambulance": [
        {
            "id": "A1",
            "operator_id": "op",
            "category": "BLS",
            "gps": "18.53,73.85",
            "reach_km": "10",
            "earliest_minutes": "5",
            "latest_minutes": "9",
            "base_charge": "500",
            "available": "yes",
        }
    ],
    "ambulance_call": [dict.fromkeys(CALL_COLUMNS, "earlier")],
}
HERE = Call(EMERGENCY, SHIVAJINAGAR, None)
AUNDH = Point(18.558, 73.807)


@pytest.fixture
async def scene():
    async with Network() as network:
        calls = RecentCalls()
        made = await stage(
            network, DOMAIN, lambda one: ambulance_app(one, demo_origin("participants.ambulance", *LISTS), calls=calls)
        )
        made.calls = calls
        yield made


async def can_come(scene: Scene, call: Call = HERE) -> list[FoundAmbulance]:
    """The ambulances that a search finds."""
    return list(read_ambulances(await scene.found(write_search(call, now=scene.now))))


async def asked(scene: Scene, found: FoundAmbulance, call: Call = HERE, **changes: object):
    """The answer to an init for an ambulance."""
    order = write_init(found, patient(), call).model_copy(update=changes)
    return await scene.consumer.ask(INIT, Init(order=order), scene.answers[0].thread, wait=1)


async def test_a_source_alone_finds_the_ambulances_for_emergencies(scene):
    """NHA's test case AMB-B-01."""
    found = await can_come(scene)

    assert {one.fulfillment.id for one in found} == {"SH-ALS-01", "SH-BLS-01", "LK-BLS-01"}


@pytest.mark.parametrize(
    ("category", "kinds"), [("ALS", {"ALS"}), ("BLS", {"BLS"}), ("ALL", {"ALS", "BLS"}), ("", {"ALS", "BLS"})]
)
async def test_a_category_finds_only_its_own(scene, category, kinds):
    """NHA's test cases AMB-B-04 and AMB-B-05: ALS only ALS, none or ALL every class."""
    found = await can_come(scene, replace(HERE, category=category))

    assert {one.category for one in found} == kinds


async def test_what_an_ambulance_carries_is_told_and_puts_it_first(scene):
    """NHA's test case AMB-B-06: additional_services are reflected."""
    found = await can_come(scene, replace(HERE, additional_services="ventilator"))

    assert found[0].additional_services == "oxygen, ventilator"


async def test_a_planned_ride_needs_its_destination(scene):
    """NHA's test cases AMB-B-02 and AMB-B-03, published for a later phase: without a destination it is refused, in the
    answer, because an ACK is given before a search is read."""
    [refused] = await scene.search(write_search(replace(HERE, kind=NON_EMERGENCY), now=scene.now))
    taken = await can_come(scene, Call(NON_EMERGENCY, SHIVAJINAGAR, AUNDH))

    assert isinstance(refused, Declined)
    assert "DESTINATION" in refused.error.message
    assert [one.fulfillment.id for one in taken] == ["SH-BLS-01"]


async def test_a_search_without_a_source_is_refused(scene):
    """NHA's Ambulance document: SOURCE is required."""
    [refused] = await scene.search(write_search(replace(HERE, source=None), now=scene.now))

    assert isinstance(refused, Declined)
    assert "SOURCE" in refused.error.message


async def test_ids_are_unique_and_point_within_their_operator(scene):
    """NHA's test cases AMB-C-01, AMB-C-02 and AMB-C-03: unique ids, every fulfillment_id resolves, the type is the
    search's."""
    await can_come(scene)

    rides = []
    for provider in scene.answers[0].message.catalog.readable:
        own = {one.id for one in provider.fulfillments}
        assert {item.fulfillment_id for item in provider.items} == own
        assert {item.category_id for item in provider.items} <= {one.id for one in provider.categories}
        assert {one.type for one in provider.fulfillments} == {EMERGENCY}
        rides += own
    assert len(rides) == len(set(rides)) == 3


async def test_no_answer_names_a_driver_a_vehicle_or_a_telephone(scene):
    """NHA's test cases AMB-C-04, AMB-C-05 and AMB-D-05: an agent block fails certification."""
    [first, *_] = await can_come(scene)
    offer = await asked(scene, first)

    for answer in (scene.answers[0], offer):
        body = json.dumps(json.loads(answer.raw)["message"])
        assert not any(f'"{name}"' in body for name in ("agent", "driver", "vehicle", "vehicle_number", "contact"))
    assert offer.context.transaction_id == scene.answers[0].context.transaction_id


async def test_an_init_brings_a_quote_with_lines_and_five_terms(scene):
    """NHA's test cases AMB-A-04, AMB-D-01, AMB-D-02, AMB-D-03, AMB-D-04 and AMB-D-07 (the customer is an ABHA
    address)."""
    [first, *_] = await can_come(scene, replace(HERE, category="ALS"))

    answer = await asked(scene, first)
    offer = read_offer(answer.message.order)

    assert offer.order_id
    assert [(line.title, str(line.amount)) for line in offer.quote.lines] == [
        ("Ambulance base charge", "1200.00"),
        ("Consumables", "300.00"),
    ]
    assert {term.type for term in offer.terms} == {"Commercial", "Settlement", "Cancellation", "Refund", "Payment"}
    assert {term.termsState for term in offer.terms} == {"INITIATED"}
    assert answer.message.order.customer.id == "ravi.kumar@sbx"
    assert answer.message.order.fulfillment.tags["terms_reference"] == "https://ambulance.example/terms/v1"


async def test_places_of_a_call_are_echoed_as_they_came(scene):
    """NHA's test case AMB-D-06."""
    [first, *_] = await can_come(scene)
    places = [*write_init(first, patient(), replace(HERE, destination=AUNDH)).locations]
    places[0] = places[0].model_copy(update={"address": "Example Road, by the banyan"})

    answer = await asked(scene, first, locations=places)

    assert answer.message.order.locations == places


async def test_orders_have_ids_of_their_own_and_a_repeated_call_keeps_its_id(scene):
    """NHA's test case AMB-D-02 (order ids are unique), and AMB-F-03 for init: a call asked again does no harm."""
    one, other, *_ = await can_come(scene)

    offers = [await asked(scene, each) for each in (one, other, one)]
    ids = [offer.message.order.id for offer in offers]

    assert ids[0] == ids[2] != ids[1]
    assert {call.order.id for call in scene.calls.waiting} == set(ids)


async def test_operator_finds_who_to_call_back_until_it_has(scene):
    """NHA's Ambulance document: phase 1 ends with the quote, then the operator calls back."""
    [first, *_] = await can_come(scene)
    await asked(scene, first)
    [call] = scene.calls.waiting

    scene.calls.answered(call.order.id)

    assert call.order.billing.phone == "9000000001"
    assert scene.calls.waiting == ()


async def test_an_advance_is_told_with_its_amount(scene):
    """NHA's test case AMB-F-04: PRE-ORDER with a minimum that is not zero."""
    found = next(one for one in await can_come(scene) if one.needs_payment)

    answer = await asked(scene, found)

    assert (found.price.minimum_Value, found.price.maximum_Value) == ("200.00", "1000.00")
    assert answer.message.order.payment.type == "PRE-ORDER"
    assert read_offer(answer.message.order).pays_before


async def test_a_place_that_nobody_serves_is_met_with_silence(scene):
    """NHA's Ambulance document: silence is an area not served (AMB-F-01 shows a message then)."""
    assert await scene.search(write_search(replace(HERE, source=FAR_AWAY), now=scene.now)) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"locations": [Location(descriptor={"code": "SOURCE"}, gps="28.6,77.2")]},
        {"locations": None},
        {"provider": {"id": "shivaji-2"}},
    ],
    ids=["out of reach", "no source", "another operator"],
)
async def test_a_call_that_cannot_be_served_is_declined(scene, changes):
    """NHA's Ambulance document: provider, item and fulfilment are echoed exactly, and SOURCE is required."""
    [first, *_] = await can_come(scene)
    order = Order.model_validate({**write_init(first, patient(), HERE).model_dump(exclude_unset=True), **changes})

    answer = await scene.consumer.ask(INIT, Init(order=order), scene.answers[0].thread, wait=1)

    assert isinstance(answer, Declined)
    assert scene.calls.waiting == ()


async def test_a_call_at_another_price_is_declined(scene):
    """Ours, as for consultations: what was offered is what is quoted."""
    [first, *_] = await can_come(scene)
    cheaper = first.item.model_copy(update={"price": first.price.model_copy(update={"value": "1.00"})})

    answer = await asked(scene, first, item=cheaper)

    assert isinstance(answer, Declined)


async def test_what_is_not_published_yet_is_refused_as_not_handled(scene):
    """NHA's Ambulance document: confirm, status and cancel are phase 2, without a field reference."""
    [first, *_] = await can_come(scene)
    offer = await asked(scene, first)
    assert isinstance(offer, Verified)

    with pytest.raises(DeliveryError, match="UHI-1404"):
        await scene.consumer.ask(STATUS, Status(order=Order(id=offer.message.order.id)), offer.thread, wait=1)
    assert {handler.leg.name for handler in scene.provider.handlers} == {"search", "init"}


async def test_operators_that_are_all_paused_say_so(database_url):
    """NHA's Ambulance document: `flag: true` is paused, do not offer. One that is out is not offered either."""
    async with tables(database_url, ROWS) as database, Network() as network:
        scene = await stage(network, DOMAIN, lambda one: ambulance_app(one, sql_origin(database_url, one)))
        free = await can_come(scene)
        await run(database, "UPDATE ambulance SET available = 'no'")
        out = await scene.search(write_search(HERE, now=scene.now))
        await run(database, "UPDATE ambulance_operator SET paused = 'yes'")

        paused = await scene.found(write_search(HERE, now=scene.now))

    assert (len(free), out) == (1, [])
    assert paused.catalog.descriptor.flag is True
    assert list(read_ambulances(paused)) == []


async def test_a_call_waits_in_the_operators_own_table_once(database_url):
    """Ours: a quote was sent only for a call that the operator's dispatch can read, and a repeated call is one."""
    async with tables(database_url, ROWS) as database, Network() as network:
        scene = await stage(network, DOMAIN, lambda one: ambulance_app(one, sql_origin(database_url, one)))
        [found] = await can_come(scene)
        offers = [await asked(scene, found) for _ in range(2)]

        rows = await database.read(
            lambda connection: connection.execute(
                text("SELECT order_id, vehicle_id, patient_phone, source FROM ambulance_call WHERE kind = 'EMERGENCY'")
            ).all()
        )

    assert len({offer.message.order.id for offer in offers}) == 1
    assert [tuple(row) for row in rows] == [(offers[0].message.order.id, "A1", "9000000001", "18.530000,73.850000")]


async def test_an_ambulance_database_without_a_table_for_calls_does_not_start(database_url):
    """Ours: a call that nobody can see is told at the start, not when somebody calls."""
    without = {name: rows for name, rows in ROWS.items() if name != "ambulance_call"}
    async with tables(database_url, without), Network() as network:
        with pytest.raises(SetupError, match="the table ambulance_call cannot be read"):
            await stage(network, DOMAIN, lambda one: ambulance_app(one, sql_origin(database_url, one)))
