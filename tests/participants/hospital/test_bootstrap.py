"""A hospital as a program: put together from its settings, served with its staff's interface, within its network."""

from __future__ import annotations

import socket
from datetime import timedelta

import aiohttp
import pytest

from participants.hospital.app import app
from participants.hospital.bootstrap import hospital_on, hospital_program, policy_of
from tests.booking.ward import slot
from tests.participants.hospital.premises import CLINIC, settings_in
from uhi.booking.appointments import OFFERED_SLOT
from uhi.errors import SetupError
from uhi.messages.values import ONLINE, PHYSICAL
from uhi.network import LOCAL, NETWORKS
from uhi.signing import PrivateKey
from uhi.signing.key_files import write_private_key_file
from uhi.testing import Network


@pytest.fixture
def settings(tmp_path):
    """The settings of a hospital that was never started."""
    write_private_key_file(tmp_path / "key.pem", PrivateKey.new())
    return settings_in(tmp_path, f"sqlite:///{tmp_path / 'hospital.db'}", key_file=tmp_path / "key.pem")


async def test_program_serves_network_and_people_on_one_port(settings):
    """Issue 5: the hospital's paths, its staff's interface, its health pages; a database is made at the first start."""
    program = hospital_program(settings)

    async with program.participant.serving() as server, aiohttp.ClientSession() as session:
        statuses = [
            (await session.request(method, f"{server.url}{path}")).status
            for method, path in (
                *(("GET", "/openapi.json"), ("GET", "/v1/appointments"), ("GET", "/healthz")),
                *(("POST", "/uhi/init"), ("POST", "/v1/accounts")),
            )
        ]

    assert statuses == [200, 401, 200, 415, 404]


async def test_taken_port_ends_it_at_once(settings, caplog):
    """Ours: what began before the port was found taken has ended before the database is closed."""
    settings = settings.model_copy(update={"smtp_host": "smtp.example", "smtp_sender": "no-reply@clinic.example"})
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(SetupError, match="cannot listen"):
            async with hospital_program(settings).participant.serving(port=other.getsockname()[1]):
                pass

    assert not [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")]


def test_served_by_its_name(settings, monkeypatch):
    """Decision 41: `uhi serve hospital`, from the environment alone."""
    for name, value in settings.model_dump(exclude_defaults=True).items():
        monkeypatch.setenv(f"UHI_{name.upper()}", str(value))

    assert app().subscriber_id == CLINIC


async def test_hospital_without_a_database_is_refused(settings):
    """Ours: what is to be kept is kept, or nothing begins."""
    async with Network() as network:
        with pytest.raises(SetupError, match="database"):
            await network.provider(prepare=lambda participant: hospital_on(participant, settings))


@pytest.mark.parametrize("name", ["nha", "nha-sandbox"])
def test_what_nha_has_not_opened_is_off(settings, name):
    """Decision 38: online consultations and select are built, and off in NHA's presets."""
    policy, here = policy_of(settings, NETWORKS[name]), policy_of(settings, LOCAL)

    assert (policy.rescheduled_to_tag, policy.offered_slot_tag) == ("", "")
    assert (policy.fulfilments, policy.select) == ((PHYSICAL,), False)
    assert (here.fulfilments, here.select) == ((PHYSICAL, ONLINE), True)
    assert here.offered_slot_tag == OFFERED_SLOT


def test_settings_become_rules_of_booking(tmp_path):
    """Issue 5: the hold is a setting, and so are notice and how the facility is reached."""
    given = {
        "hold_minutes": 10,
        "patient_notice_hours": 6,
        "facility_notice_hours": 3,
        "deep_link": "https://d.example",
    }
    settings = settings_in(tmp_path, "sqlite:///x.db", name="City Hospital", messaging_support=False, **given)

    policy = policy_of(settings, LOCAL)

    assert (policy.name, policy.hold, policy.deep_link) == ("City Hospital", timedelta(minutes=10), "https://d.example")
    assert (policy.patient_notice, policy.facility_notice) == (timedelta(hours=6), timedelta(hours=3))
    assert "6 hours" in policy.terms(slot())[2].descriptor.short_desc
    assert policy.messaging_support is False
