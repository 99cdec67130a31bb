"""The patient's application: its bookings are heard from the start, and its news is kept until it is read."""

from __future__ import annotations

import pytest

from participants.demo_hospital.app import hospital_app
from participants.demo_hospital.data import demo_hospital
from participants.patient.app import PatientApp
from tests.participants.demo_hospital.village import person
from uhi.booking.hospital import DoctorQuery
from uhi.booking.states import OrderState
from uhi.errors import SetupError
from uhi.signing import PrivateKey
from uhi.signing.key_files import write_private_key_file
from uhi.subscribers import Role
from uhi.testing import Network


@pytest.fixture
async def network():
    async with Network() as network:
        yield network


async def test_news_is_kept_until_it_is_read(network):
    """Ours: whoever shows bookings to people may come later than the news."""
    hospital_app(await network.provider(), demo_hospital("city-hospital"))
    patient = PatientApp(await network.consumer())
    bookings = patient.bookings
    doctor = await anext(aiter(bookings.find(DoctorQuery(doctor="Verma"), wait=1)))
    offer = await bookings.hold((await bookings.slots(doctor, wait=1))[0], person(), wait=1)
    booking = await bookings.confirm(offer, agreed=offer.terms, wait=1)
    await bookings.cancel(booking, "PATIENT_BOOKED_IN_ERROR", wait=1)

    told = [await anext(patient.events) for _ in range(2)]

    assert [news.booking.state for news in told] == [OrderState.CONFIRMED, OrderState.CANCELLED]


async def test_participant_takes_one_application(network):
    """Decision on the API: two handlers for one action are a SetupError."""
    participant = await network.consumer()
    PatientApp(participant)

    with pytest.raises(SetupError, match="two handlers"):
        PatientApp(participant)


def test_the_bookings_alone_come_from_the_environment(tmp_path, monkeypatch):
    """Ours: whoever shows bookings in another way needs no accounts and no database."""
    key = tmp_path / "app.key"
    write_private_key_file(key, PrivateKey.new())
    settings = {
        "SUBSCRIBER_ID": "app.example",
        "KEY_ID": "k1",
        "KEY_FILE": str(key),
        "URL": "https://app.example/uhi",
        "REGISTRY_URL": "https://registry.example",
        "DATABASE_URL": "memory:",
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"UHI_{name}", value)

    participant = PatientApp.from_env().participant

    assert participant.identity.me.role is Role.CONSUMER
    assert {handler.leg.name for handler in participant.handlers} >= {"on_search", "on_confirm", "on_cancel"}
