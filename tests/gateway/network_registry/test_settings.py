"""A registry's settings."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from gateway.network_registry.program import registry_program
from tests.gateway.network_registry.scene import Scene, write_settings
from uhi.errors import SetupError


def test_registry_has_an_origin_a_path_and_an_issuer(tmp_path):
    """Issue: the issuer of access tokens is where the registry is, unless it is said."""
    settings = write_settings(tmp_path, url="https://reg.example/api/v1/networkregistry/", pages="https://a.example, ")

    assert (settings.origin, settings.path) == ("https://reg.example", "/api/v1/networkregistry")
    assert settings.identity.issuer == settings.identity.site == "https://reg.example"
    assert settings.page_origins == {"https://a.example"}


def test_registry_in_memory_is_refused(tmp_path):
    """Durability: what a registry decides is kept."""
    with pytest.raises(ValidationError, match="expected a database"):
        write_settings(tmp_path, "memory:")


def test_letters_without_a_sender_are_refused(tmp_path):
    """Ours: the operator's mistake is told before the first request."""
    settings = write_settings(tmp_path, smtp_host="mail.example")

    with pytest.raises(SetupError, match="no sender"):
        _ = settings.identity


def test_registry_at_the_root_is_refused(tmp_path):
    """Beckn's lookup has UHI's name: it is at the root."""
    with pytest.raises(SetupError, match="path of its own"):
        registry_program(write_settings(tmp_path, url="http://registry.example"))


async def test_registry_works_on_both_databases(tmp_path, database_url):
    """What touches storage is tested on both: apply, prove, approve, ask."""
    async with Scene(write_settings(tmp_path, database_url)) as scene:
        clinic = await scene.member()
        found = await scene.post(clinic, "lookup", {"subscriber_id": clinic.id})
        ready = await scene.session.get(f"{scene.server.url}/readyz")
        told = await ready.json()

    assert found.status == 200
    assert (ready.status, told["checks"]["migrations"]["ok"]) == (200, True)
