"""A laboratory on a network: found, booked, cancelled and told of by the library's own bookings."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from participants.diagnostics.app import diagnostics_app
from participants.diagnostics.labs import DOMAIN, HOME, LAB, LISTS
from tests.listing.scene import FAR_AWAY, Scene, around, demo_origin, patient, stage
from uhi.actions import SEARCH, STATUS, UPDATED
from uhi.booking.consumer import Bookings
from uhi.booking.hospital import DoctorQuery, Patient
from uhi.booking.sql_bookings import bookings_of
from uhi.booking.store import BookingStore, MemoryBookings
from uhi.errors import BookingDeclined
from uhi.keeping import keeping_in_database
from uhi.listing.subjects import write_intent
from uhi.messages import Order, Search, Status, Updated
from uhi.messages.values import Descriptor, Point
from uhi.storage.sealing import Sealing
from uhi.testing import Network, Options
from uhi.verified import Verified

PASHAN = Point(18.536, 73.787)


async def opened(network: Network, *, store: BookingStore | None = None) -> Scene:
    """The demo laboratory and a patient's application."""
    labs = []
    origin = demo_origin("participants.diagnostics", *LISTS)
    scene = await stage(network, DOMAIN, lambda one: labs.append(diagnostics_app(one, origin, store=store)))
    scene.lab, scene.store = labs[0], store
    scene.bookings = Bookings(scene.consumer)
    return scene


@pytest.fixture
async def scene():
    async with Network() as network:
        scene = await opened(network, store=MemoryBookings())
        scene.consumer.include(scene.bookings.handlers)
        yield scene


async def offered(scene: Scene, query: DoctorQuery) -> dict[tuple[str, str], str]:
    """The tests that a search finds: lab and code, and the price."""
    found = [one.doctor async for one in scene.bookings.find(query, wait=1)]
    return {(one.facility.id, one.speciality.code): str(one.price) for one in found}


async def first_slot(scene: Scene, code: str = "CBC", kind: str = HOME):
    """The first free time for a test."""
    found = [one async for one in scene.bookings.find(DoctorQuery(speciality=code, fulfilment=kind), wait=1)]
    slots = await scene.bookings.slots(found[0], wait=1)
    return slots[0]


async def booked(scene: Scene, **which: str):
    """A sample that is booked."""
    offer = await scene.bookings.hold(await first_slot(scene, **which), patient(), wait=1)
    return await scene.bookings.confirm(offer, agreed=offer.terms, wait=1)


async def appointment_of(scene: Scene) -> str:
    """What the laboratory calls the one appointment it has."""
    [order] = await scene.store.standing(now=scene.now)
    return order.appointment_id


def another(number: int) -> Patient:
    """One of several patients."""
    return replace(patient(), id=f"patient{number}@sbx")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (DoctorQuery(speciality="CBC", fulfilment=HOME), {("pashan", "CBC"): "450.00"}),
        (DoctorQuery(speciality="cbc", fulfilment=LAB), {("pashan", "CBC"): "350.00", ("aundh", "CBC"): "320.00"}),
        (DoctorQuery(speciality="ECG", fulfilment=HOME), {}),
        (
            DoctorQuery(speciality="Lipid", fulfilment=HOME),
            {("pashan", "LIPID"): "700.00", ("pashan", "PKG-BASIC"): "1200.00"},
        ),
        (DoctorQuery(speciality="CBC", fulfilment=HOME, near=around(PASHAN, 1)), {("pashan", "CBC"): "450.00"}),
        (DoctorQuery(speciality="CBC", fulfilment=HOME, near=around(FAR_AWAY, 50)), {}),
    ],
    ids=["at home", "at the lab", "not at home", "in a package", "in reach", "out of reach"],
)
async def test_tests_and_packages_are_found_with_their_price(scene, query, found):
    """Ours, as NHA publishes nothing: the visit is part of the price at home, and homes are served as far as a team
    drives."""
    assert await offered(scene, query) == found


async def test_a_test_named_as_item_is_found_and_items_are_called_by_their_test(scene):
    """Ours: the item is the test, not a consultation."""
    intent = write_intent(LAB, now=scene.now, item=Descriptor(code="LIPID", name="Lipid profile"))

    [answer] = [one async for one in scene.consumer.ask(SEARCH, Search(intent=intent), wait=1)]

    items = [item for lab in answer.message.catalog.readable for item in lab.items]
    assert {(item.descriptor.code, item.descriptor.name) for item in items} >= {("LIPID", "Lipid profile")}


async def test_a_sample_at_home_is_booked_and_told_of_until_its_report(scene):
    """Ours, in the order of a consultation: offer with five terms, confirmed, collected, reported."""
    events = scene.bookings.events()
    offer = await scene.bookings.hold(await first_slot(scene), patient(), wait=1)
    booking = await scene.bookings.confirm(offer, agreed=offer.terms, wait=1)
    appointment = await appointment_of(scene)

    await scene.lab.sample_collected(appointment)
    await scene.lab.report_ready(appointment, care_context_id="report-1")
    told = [(await anext(events)).booking for _ in range(3)]

    assert [(line.title, str(line.amount)) for line in offer.quote.lines] == [
        ("Complete blood count", "350.00"),
        ("Visit at home", "100.00"),
    ]
    assert {term.type for term in offer.terms} == {"Commercial", "Settlement", "Cancellation", "Refund", "Payment"}
    assert booking.is_confirmed
    assert [one.state.value for one in told] == ["CONFIRMED", "APPOINTMENT_STARTED", "COMPLETED"]
    assert told[-1].care_context_id == "report-1"


async def test_every_message_of_an_order_calls_the_item_by_its_test():
    """Ours: answers, news and refusals are worded alike."""
    told = []
    async with Network() as network:
        scene = await opened(network, store=MemoryBookings())

        @scene.consumer.on(UPDATED)
        async def updated(news: Verified[Updated]) -> None:
            told.append(news.message.order)

        offer = await scene.bookings.hold(await first_slot(scene), patient(), wait=1)
        booking = await scene.bookings.confirm(offer, agreed=offer.terms, wait=1)
        await scene.lab.sample_collected(await appointment_of(scene))
        of_status = await scene.consumer.ask(STATUS, Status(order=Order(id=booking.order_id)), offer.thread, wait=1)
        await network.settle()

    orders = [offer.received, of_status.message.order, *told]
    assert [order.item.descriptor.code for order in orders] == ["CBC"] * 3
    assert [order.item.descriptor.name for order in orders] == ["Complete blood count"] * 3


async def test_as_many_patients_as_a_team_has_seats_get_a_time(scene):
    """Ours: two seats at home; of three patients at once two are seen, in whatever test."""
    slot = await first_slot(scene)
    others = [
        await first_slot(scene, code="LIPID"),
        await first_slot(scene, code="PKG-BASIC"),
    ]
    assert {one.slot.start for one in (slot, *others)} == {slot.slot.start}

    held = [await scene.bookings.hold(one, another(at), wait=1) for at, one in enumerate((slot, others[0]))]
    with pytest.raises(BookingDeclined) as caught:
        await scene.bookings.hold(others[1], another(2), wait=1)

    assert len({offer.order_id for offer in held}) == 2
    assert caught.value.code == "40002"


async def test_a_cancelled_sample_frees_its_seat(scene):
    """Ours, as for consultations: the patient cancels before the time begins."""
    before = await first_slot(scene, kind=LAB, code="ECG")
    booking = await booked(scene, kind=LAB, code="ECG")

    cancelled = await scene.bookings.cancel(booking, "PATIENT_HEALTH_IMPROVED", wait=1)

    assert cancelled.state.value == "CANCELLED"
    assert (await first_slot(scene, kind=LAB, code="ECG")).slot.start == before.slot.start


async def test_a_sample_whose_time_has_begun_is_not_cancelled(scene):
    """Ours: then the team is on its way."""
    booking = await booked(scene)
    await scene.network.clock.advance((booking.slot.start - scene.now + timedelta(minutes=1)).total_seconds())

    with pytest.raises(BookingDeclined) as caught:
        await scene.bookings.cancel(booking, "PATIENT_HEALTH_IMPROVED", wait=1)

    assert caught.value.code == "50001"


async def test_a_search_for_consultations_is_met_with_silence(scene):
    """NHA's table of services: another kind of fulfilment gets no answer."""
    assert await offered(scene, DoctorQuery(speciality="CBC", fulfilment="Physical")) == {}


async def test_a_laboratory_on_a_database_gives_one_seat_to_one_patient(database_url):
    """The library's rule: the database decides who has a seat, and an order outlives the process."""
    sealing = Sealing.for_development()

    def keeping(subscriber_id, clock):
        if subscriber_id != "list.example":
            return None
        return keeping_in_database(database_url, sealing, clock=clock, owner="one", during=clock.held)

    async with Network(Options(keeping=keeping)) as network:
        scene = await opened(network)
        slot = await first_slot(scene)
        outcomes = await asyncio.gather(
            *(scene.bookings.hold(slot, another(at), wait=5) for at in range(4)), return_exceptions=True
        )
        following = await first_slot(scene)
        store = bookings_of(scene.provider.world, provider_id="list.example")
        seats = [(order.slot.doctor.id, order.slot.seat) for order in await store.standing(now=scene.now)]

    assert sorted(isinstance(one, BookingDeclined) for one in outcomes) == [False, False, True, True]
    assert len(seats) == len(set(seats)) == 2
    assert {team for team, _ in seats} == {"pashan-home"}
    assert following.slot.start > slot.slot.start
