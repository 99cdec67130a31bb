"""The application as its settings describe it."""

from __future__ import annotations

import pytest

from participants.patient.app import app
from participants.patient.bootstrap import patient_on, patient_program
from participants.patient.settings import PatientSettings
from tests.participants.patient.scene import settings_in
from uhi.errors import SetupError
from uhi.subscribers import Role
from uhi.testing import Network


def test_application_comes_from_the_environment(tmp_path, monkeypatch):
    """Ours: `uhi serve patient` needs settings and no code."""
    settings_in(tmp_path)
    given = {
        "SUBSCRIBER_ID": "app.example",
        "KEY_ID": "k1",
        "KEY_FILE": str(tmp_path / "app.pem"),
        "URL": "https://app.example/uhi",
        "REGISTRY_URL": "https://registry.example",
        "DATABASE_URL": f"sqlite:///{tmp_path}/app.db",
        "BODY_KEY_FILE": str(tmp_path / "body.key"),
        "TOKEN_KEY_FOLDER": str(tmp_path / "tokens"),
        "ACCOUNT_KEYS_FOLDER": str(tmp_path / "account-keys"),
        "FILES_URL": (tmp_path / "files").as_uri(),
    }
    for name, value in given.items():
        monkeypatch.setenv(f"UHI_{name}", value)

    participant = app()

    assert participant.identity.me.role is Role.CONSUMER
    named = {handler.leg.name for handler in participant.handlers}
    assert named >= {"on_search", "on_confirm", "on_status", "on_cancel", "cancelled", "to_consumer"}


async def test_an_application_needs_a_database(tmp_path):
    """Ours: accounts and bookings are kept."""
    async with Network() as net:
        with pytest.raises(SetupError, match="database"):
            patient_on(await net.consumer(), settings_in(tmp_path))


@pytest.mark.parametrize(
    ("name", "value"), [("hospital_wait", 5), ("hospital_wait", 0), ("database_url", "memory:"), ("url", "app.example")]
)
def test_settings_that_cannot_work_are_refused(tmp_path, name, value):
    """Ours: whoever waits longer than a request may take is never answered."""
    with pytest.raises(ValueError, match="1 validation error"):
        settings_in(tmp_path, **{name: value})


def test_every_route_is_once_there_and_described(tmp_path):
    """Ours: no two routes have one name or one place."""
    program = patient_program(settings_in(tmp_path))
    routes = [route for group in program.routes() for route in group.all]

    assert len({(route.method, route.path) for route in routes}) == len({route.name for route in routes}) == len(routes)
    assert all(route.summary for route in routes)
    assert isinstance(program.settings, PatientSettings)


def test_a_folder_of_keys_that_is_open_to_others_is_refused_at_the_start(tmp_path):
    """Ours: as every other key; later it would be every patient's first call that fails."""
    settings = settings_in(tmp_path)
    settings.account_keys_folder.mkdir(mode=0o755)

    with pytest.raises(SetupError, match="chmod 700"):
        patient_program(settings)
