"""A participant's own edges: settings, handlers of the wrong role, and who it says it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from uhi.actions import INIT, SEARCH
from uhi.errors import SetupError
from uhi.handlers import Handlers
from uhi.participant import Participant
from uhi.signing import PrivateKey
from uhi.signing.key_files import write_private_key_file
from uhi.subscribers import Role
from uhi.testing import Network

NEEDED = ("UHI_SUBSCRIBER_ID", "UHI_KEY_ID", "UHI_KEY_FILE", "UHI_URL", "UHI_REGISTRY_URL")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """The environment of a hospital that is set up as it should be."""
    file = tmp_path / "key.pem"
    write_private_key_file(file, PrivateKey.new())
    values = {
        "UHI_SUBSCRIBER_ID": "clinic.example",
        "UHI_KEY_ID": "k1",
        "UHI_KEY_FILE": str(file),
        "UHI_URL": "https://clinic.example/uhi/",
        "UHI_REGISTRY_URL": "https://registry.example/networkregistry",
        "UHI_GATEWAY_URL": "https://gateway.example/uhi",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return values


async def test_settings_make_a_participant(environment):
    """Decision 27: one participant is one subscriber in one role."""
    clinic = Participant.from_env(Role.PROVIDER)

    assert (clinic.identity.me.id, clinic.identity.me.role) == ("clinic.example", Role.PROVIDER)
    assert clinic.identity.me.url == "https://clinic.example/uhi"
    assert clinic.identity.gateway.url == "https://gateway.example/uhi"
    assert clinic.network.name == "local"
    await clinic.world.aclose()


def test_every_missing_setting_is_named_at_once(monkeypatch):
    """Decision 27: one SetupError, so that an operator does not find them one by one."""
    for name in NEEDED:
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(SetupError) as raised:
        Participant.from_env()

    assert [name for name in NEEDED if name not in str(raised.value)] == []


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"UHI_URL": "clinic.example", "UHI_NETWORK": "nirvana"}, ["UHI_URL", "UHI_NETWORK"]),
        ({"UHI_REGISTRY_URL": "ftp://x", "UHI_SUBSCRIBER_ID": ""}, ["UHI_REGISTRY_URL", "UHI_SUBSCRIBER_ID"]),
        ({"UHI_DOMAINS": " , "}, ["UHI_DOMAINS"]),
        ({"UHI_SUBSCRIBER_ID": "clinic example"}, ["clinic example"]),
        ({"UHI_KEY_FILE": "/nowhere/key.pem"}, ["/nowhere/key.pem"]),
    ],
)
def test_wrong_settings_are_named(environment, monkeypatch, wrong, named):
    """Decision 27: what is wrong and what is expected, before the first request."""
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(SetupError) as raised:
        Participant.from_env()

    assert [name for name in named if name not in str(raised.value)] == []


def test_key_file_that_others_may_read_is_refused(environment):
    """Key storage rules: 0600, else start-up fails."""
    Path(environment["UHI_KEY_FILE"]).chmod(0o644)

    with pytest.raises(SetupError):
        Participant.from_env()


async def test_handler_for_what_never_arrives_is_the_developers_mistake():
    """Decision 29: found before the first request, and said where it belongs."""
    async with Network() as network:
        app = await network.consumer()

        @app.on(INIT)
        async def misplaced(request):
            return None

        with pytest.raises(SetupError, match=r"init never arrives at app\.example.*move it to a provider"):
            async with app.serving():
                pass


async def test_included_handlers_serve_like_declared_ones():
    """Architecture 2: handlers are grouped apart from the participant that runs them."""
    async with Network() as network:
        clinic, group = await network.provider(), Handlers()

        @group.on(SEARCH)
        async def find(request):
            return None

        clinic.include(group)

        assert clinic.handlers.of(SEARCH.request).function is find
