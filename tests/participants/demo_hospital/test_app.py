"""The demo hospital as a participant: from settings and a file to answers on a network."""

from __future__ import annotations

from importlib import resources

import pytest

from participants.demo_hospital.app import app, hospital_app
from participants.demo_hospital.data import demo_hospital
from participants.patient.app import PatientApp
from tests.participants.demo_hospital.village import person
from uhi.booking.hospital import DoctorQuery
from uhi.booking.sql_bookings import bookings_of
from uhi.errors import BookingDeclined, SetupError
from uhi.keeping import Keeping, keeping_in_database
from uhi.messages.values import ONLINE
from uhi.network import LOCAL, NHA
from uhi.signing import PrivateKey
from uhi.signing.key_files import write_private_key_file
from uhi.storage.sealing import Sealing
from uhi.storage.sql.invariants import violations
from uhi.testing import FakeClock, Network, Options

SETTINGS = {
    "SUBSCRIBER_ID": "clinic.example",
    "KEY_ID": "k1",
    "URL": "https://clinic.example/uhi",
    "REGISTRY_URL": "https://registry.example",
}
LAKESIDE = resources.files("participants.demo_hospital") / "demo" / "lakeside-clinic.yaml"


@pytest.fixture
async def network():
    async with Network() as network:
        yield network


def kept_on(url: str, sealing: Sealing, clock: FakeClock) -> Keeping:
    """A database that the clock waits for."""
    return keeping_in_database(url, sealing, clock=clock, owner="one", during=clock.held)


async def found_slots(patient: PatientApp, query: DoctorQuery) -> list:
    """Every slot of every doctor that a search finds."""
    doctors = [found async for found in patient.bookings.find(query, wait=1)]
    return [slot for found in doctors for slot in await patient.bookings.slots(found, wait=1)]


async def test_search_finds_cardiologists_at_both_demo_hospitals(network):
    """Given by the project's owner: a patient finds a doctor through a gateway at two hospitals."""
    for name in ("city-hospital", "lakeside-clinic"):
        hospital_app(await network.provider(f"{name}.example"), demo_hospital(name))
    patient = PatientApp(await network.consumer())

    slots = await found_slots(patient, DoctorQuery(speciality="Cardiology"))

    assert {slot.thread.provider_id for slot in slots} == {"city-hospital.example", "lakeside-clinic.example"}
    assert {slot.slot.doctor.speciality.code for slot in slots} == {"CARDIOLOGY"}


@pytest.mark.case("BK-02")
async def test_second_init_for_a_slot_is_declined(network, data):
    """Acceptance case: one is held, the other hears 40002."""
    hospital_app(await network.provider(), data)
    patient = PatientApp(await network.consumer())
    slot, *_ = await found_slots(patient, DoctorQuery(doctor="Nair"))
    offer = await patient.bookings.hold(slot, person(1), wait=1)

    with pytest.raises(BookingDeclined) as caught:
        await patient.bookings.hold(slot, person(2), wait=1)

    assert caught.value.code == "40002"
    assert offer.found.slot.id == slot.slot.id


@pytest.mark.case("BK-05")
async def test_init_for_an_overlapping_slot_at_another_facility_is_declined(network, data):
    """Acceptance case: same doctor, two slot ids, two facilities."""
    hospital_app(await network.provider(), data)
    patient = PatientApp(await network.consumer())
    slots = await found_slots(patient, DoctorQuery(doctor="Verma"))
    first = slots[0]
    [other, *_] = [
        each
        for each in slots
        if each.slot.window.overlaps(first.slot.window)
        and each.slot.doctor.facility.id != first.slot.doctor.facility.id
    ]
    await patient.bookings.hold(first, person(1), wait=1)

    with pytest.raises(BookingDeclined) as caught:
        await patient.bookings.hold(other, person(2), wait=1)

    assert caught.value.code == "40002"


@pytest.mark.parametrize(("preset", "kinds"), [(LOCAL, 2), (NHA, 0)])
async def test_consultations_by_video_are_offered_where_the_network_has_them(data, preset, kinds):
    """Decision on teleconsultation: off in NHA's presets until NHA opens it."""
    async with Network(Options(preset=preset)) as network:
        hospital_app(await network.provider(), data)
        patient = PatientApp(await network.consumer())

        slots = await found_slots(patient, DoctorQuery(doctor="Nair", fulfilment=ONLINE))

    assert len({slot.slot.start.time() for slot in slots}) == kinds


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """Everything a participant's settings need, and a key."""
    key = tmp_path / "clinic.key"
    write_private_key_file(key, PrivateKey.new())
    for name, value in SETTINGS.items():
        monkeypatch.setenv(f"UHI_{name}", value)
    monkeypatch.setenv("UHI_KEY_FILE", str(key))
    monkeypatch.setenv("UHI_DATABASE_URL", "memory:")
    monkeypatch.delenv("UHI_HOSPITAL_FILE", raising=False)
    return monkeypatch


def test_hospital_comes_from_the_environment(settings):
    """Ours: `uhi serve hospital` needs settings and a file, and no code."""
    settings.setenv("UHI_HOSPITAL_FILE", str(LAKESIDE))

    participant = app()

    assert participant.subscriber_id == "clinic.example"
    assert {handler.leg.name for handler in participant.handlers} >= {"search", "init", "confirm", "cancel"}


def test_hospital_without_a_file_says_what_to_set(settings):
    """Ours: a mistake in the settings is told before the first request."""
    with pytest.raises(SetupError, match="UHI_HOSPITAL_FILE is missing"):
        app()


async def test_a_hospital_that_starts_again_stands_by_what_it_said(data, sqlite_url):
    """Nothing that was acknowledged is lost: a hold is confirmed and an appointment known, by another process."""
    sealing = Sealing.for_development()

    def keeping(subscriber_id: str, clock: FakeClock) -> Keeping | None:
        return kept_on(sqlite_url, sealing, clock) if subscriber_id == "clinic.example" else None

    async with Network(Options(keeping=keeping)) as network:
        first = await network.provider(prepare=lambda one: hospital_app(one, data))
        patient = PatientApp(await network.consumer())
        slots = await found_slots(patient, DoctorQuery(doctor="Nair"))
        booked, held = [await patient.bookings.hold(slot, person(1), wait=1) for slot in slots[:2]]
        booking = await patient.bookings.confirm(booked, agreed=booked.terms, wait=1)
        await network.settle()
        await first.stop()
        await first.world.aclose()
        await network.provider(prepare=lambda one: hospital_app(one, data))

        again = await patient.bookings.status(booking, wait=1)
        confirmed = await patient.bookings.confirm(held, agreed=held.terms, wait=1)
        left = await found_slots(patient, DoctorQuery(doctor="Nair"))

    assert (again.state, again.pin) == (booking.state, booking.pin)
    assert confirmed.is_confirmed
    assert {slot.slot.id for slot in left} == {slot.slot.id for slot in slots[2:]}


async def test_news_from_a_database_reaches_the_patient(data, database_url):
    """Reliability, outbox: the order, the letter that tells of it, and then the delivery."""
    sealing, providers = Sealing.for_development(), []

    def keeping(subscriber_id: str, clock: FakeClock) -> Keeping | None:
        return kept_on(database_url, sealing, clock) if subscriber_id == "clinic.example" else None

    async with Network(Options(keeping=keeping)) as network:
        clinic = await network.provider(prepare=lambda one: providers.append(hospital_app(one, data)))
        patient = PatientApp(await network.consumer())
        slot, *_ = await found_slots(patient, DoctorQuery(doctor="Nair"))
        offer = await patient.bookings.hold(slot, person(1), wait=1)
        booking = await patient.bookings.confirm(offer, agreed=offer.terms, wait=1)
        [order] = await bookings_of(clinic.world, provider_id="clinic.example").standing(now=slot.slot.start)

        await providers[0].cancelled(order.appointment_id, "FACILITY_CLOSURE")
        told = [await anext(patient.events) for _ in range(2)]
        await network.settle()
        wrong = await clinic.world.kept.database.read(lambda on: violations(on, network.clock.now(), grace=0))

    assert wrong == []
    assert [news.booking.order_id for news in told] == [booking.order_id] * 2
    assert [news.booking.state.value for news in told] == ["CONFIRMED", "CANCELLED"]


async def test_participant_takes_one_hospital(network, data):
    """Decision on the API: two handlers for one action are a SetupError."""
    participant = await network.provider()
    hospital_app(participant, data)

    with pytest.raises(SetupError, match="two handlers"):
        hospital_app(participant, data)
