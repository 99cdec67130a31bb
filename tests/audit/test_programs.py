"""Programs with a database: what they refuse is in their audit trail, and their checkpoints are made."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiohttp import ClientSession

from gateway.bootstrap import gateway_serving
from gateway.settings import GatewaySettings
from uhi.audit.chain import Link
from uhi.audit.checkpoints import read_checkpoints
from uhi.audit.trail import AuditTrail
from uhi.clock import SystemClock
from uhi.errors import SetupError
from uhi.keeping import keeping_in_database
from uhi.participant import Participant
from uhi.signing import PrivateKey
from uhi.signing.key_files import write_private_key_file, write_private_text
from uhi.storage.sealing import Sealing, new_body_key
from uhi.storage.sql.database import Database
from uhi.testing import Network, Options

KEY = PrivateKey(bytes(range(32)))
AUDIT_KEY = PrivateKey(bytes(range(1, 33)))


@pytest.fixture
def settings(tmp_path: Path) -> GatewaySettings:
    """A gateway with a database and checkpoints."""
    write_private_key_file(tmp_path / "gateway.pem", KEY)
    write_private_key_file(tmp_path / "audit.pem", AUDIT_KEY)
    write_private_text(tmp_path / "body.key", new_body_key())
    return GatewaySettings(
        subscriber_id="gateway.example",
        key_id="k1",
        key_file=tmp_path / "gateway.pem",
        url="http://gateway.example/api/v1/uhi",
        registry_url="http://registry.example",
        database_url=f"sqlite:///{tmp_path}/gateway.db",
        body_key_file=tmp_path / "body.key",
        audit_key_file=tmp_path / "audit.pem",
        audit_checkpoint_file=tmp_path / "checkpoints.jsonl",
    )


async def rows_in(url: str) -> list[Link]:
    """What the trail of a program has, once that is over."""
    database = Database.open(url, clock=SystemClock())
    rows = await AuditTrail(database).rows()
    await database.aclose()
    return rows


async def test_what_a_gateway_refused_is_in_its_trail(settings: GatewaySettings) -> None:
    """Issue: every refused message class."""
    async with gateway_serving(settings, host="127.0.0.1", port=0) as server, ClientSession() as session:
        for _ in range(3):
            async with session.post(f"{server.url}/api/v1/uhi/search", json={}) as answer:
                assert answer.status == 401
        async with asyncio.timeout(20):
            while not settings.audit_checkpoint_file.exists():  # noqa: ASYNC110  # a file that another thread writes
                await asyncio.sleep(0)

    [row] = await rows_in(settings.database_url)
    assert (row.action, row.object, row.address) == ("message.refused", "path search", "127.0.0.1")
    assert row.reason.startswith("AUT_SIGNATURE_MISSING, 3 times")
    [checkpoint] = read_checkpoints(settings.audit_checkpoint_file, [AUDIT_KEY.public], trail="gateway.example")
    assert checkpoint.head.seq == 0


def test_checkpoints_need_a_key_and_a_file(settings: GatewaySettings) -> None:
    """Ours: one without the other is a mistake that nobody would notice."""
    with pytest.raises(ValueError, match="both or neither"):
        GatewaySettings.model_validate(settings.model_dump() | {"audit_key_file": None})


async def test_an_audit_key_that_cannot_be_used_is_found_at_the_start(settings: GatewaySettings) -> None:
    """Ours: before the first request."""
    settings.audit_key_file.write_text("no key")

    with pytest.raises(SetupError, match="audit key file"):
        await gateway_serving(settings, host="127.0.0.1", port=0).__aenter__()


async def test_what_a_participant_refused_is_in_its_trail(tmp_path: Path) -> None:
    """Issue: programs of every kind with a database."""

    def keep(subscriber_id, clock):
        url = f"sqlite:///{tmp_path / subscriber_id}.db"
        return keeping_in_database(url, Sealing.for_development(), clock=clock, owner=subscriber_id)

    async with Network(Options(sockets=True, keeping=keep)) as network:
        clinic: Participant = await network.provider("clinic.example")
        async with ClientSession() as session, session.post(f"{clinic.identity.me.url}/init", json={}) as answer:
            assert answer.status == 401

    [row] = await rows_in(f"sqlite:///{tmp_path}/clinic.example.db")
    assert (row.object, row.tenant, row.actor_kind) == ("path init", "clinic.example", "nobody")
