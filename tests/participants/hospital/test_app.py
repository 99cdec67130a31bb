"""The demo hospital as a participant: from settings and a file to answers on a network."""

from __future__ import annotations

from importlib import resources

import pytest

from participants.hospital.app import app, hospital_app
from participants.hospital.data import demo_hospital
from participants.patient.app import PatientApp
from tests.participants.hospital.village import person
from uhi.booking.hospital import DoctorQuery
from uhi.errors import BookingDeclined, SetupError
from uhi.messages.values import ONLINE
from uhi.network import LOCAL, NHA
from uhi.signing import PrivateKey
from uhi.signing.key_files import write_private_key_file
from uhi.testing import Network, Options

SETTINGS = {
    "SUBSCRIBER_ID": "clinic.example",
    "KEY_ID": "k1",
    "URL": "https://clinic.example/uhi",
    "REGISTRY_URL": "https://registry.example",
}
LAKESIDE = resources.files("participants.hospital") / "demo" / "lakeside-clinic.yaml"


@pytest.fixture
async def network():
    async with Network() as network:
        yield network


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


async def test_participant_takes_one_hospital(network, data):
    """Decision on the API: two handlers for one action are a SetupError."""
    participant = await network.provider()
    hospital_app(participant, data)

    with pytest.raises(SetupError, match="two handlers"):
        hospital_app(participant, data)
