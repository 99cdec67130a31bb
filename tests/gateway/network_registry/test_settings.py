"""A registry's settings."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from gateway.network_registry.program import registry_program
from tests.gateway.network_registry.scene import Scene, write_settings
from uhi.api import Pace
from uhi.errors import SetupError
from uhi.identity.sms_http import HttpSmsSender
from uhi.signing.key_files import write_private_text
from uhi.testing import FakeClock
from uhi.testing.transport import MemoryTransport


def test_registry_has_an_origin_a_path_and_an_issuer(tmp_path):
    """Issue: the issuer of access tokens is where the registry is, unless it is said."""
    settings = write_settings(tmp_path, url="https://reg.example/api/v1/networkregistry/", pages="https://a.example, ")

    assert (settings.origin, settings.path) == ("https://reg.example", "/api/v1/networkregistry")
    identity = settings.identity(MemoryTransport(FakeClock()))
    assert (identity.issuer, identity.site) == ("https://reg.example", "")
    assert settings.page_origins == {"https://a.example"}


def test_registry_in_memory_is_refused(tmp_path):
    """Durability: what a registry decides is kept."""
    with pytest.raises(ValidationError, match="expected a database"):
        write_settings(tmp_path, "memory:")


def test_letters_without_a_sender_are_refused(tmp_path):
    """Ours: the operator's mistake is told before the first request."""
    settings = write_settings(tmp_path, smtp_host="mail.example")

    with pytest.raises(SetupError, match="no sender"):
        settings.identity(MemoryTransport(FakeClock()))


def test_text_messages_are_offered_where_they_can_leave(tmp_path):
    """Issue: SMS second factor; DLT's ids are needed in India, and without a gateway nobody is offered codes."""
    write_private_text(tmp_path / "sms.token", "token")
    named = {"sms_url": "https://sms.example", "sms_token_file": tmp_path / "sms.token", "sms_header": "UHIREG"}
    full = {**named, "sms_entity_id": "1101", "sms_code_template": "1107"}

    settings = write_settings(tmp_path, **full)
    with_texts = settings.identity(MemoryTransport(FakeClock()))
    without = settings.model_copy(update={"sms_url": ""}).identity(MemoryTransport(FakeClock()))

    assert (with_texts.has_sms, without.has_sms) == (True, False)
    assert isinstance(with_texts.sender.by_sms, HttpSmsSender)


def test_text_messages_without_the_ids_of_dlt_are_refused(tmp_path):
    """Ours: the operator's mistake is told before the first request."""
    settings = write_settings(tmp_path, sms_url="https://sms.example", sms_header="UHIREG")

    with pytest.raises(SetupError, match="UHI_SMS_TOKEN_FILE, UHI_SMS_ENTITY_ID, UHI_SMS_CODE_TEMPLATE"):
        settings.identity(MemoryTransport(FakeClock()))


def test_pace_is_the_operators_choice(tmp_path):
    """Limits: how often one address may use the interface for people."""
    settings = write_settings(tmp_path, requests_per_minute=7, public_requests_per_minute=3)

    assert settings.pace == Pace(public=3, all=7)


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
