"""A registry program from a file."""

from __future__ import annotations

import os

import pytest

from gateway.network_registry.bootstrap import PREFIX, registry_application, registry_from
from tests.registry.members_file import members_file
from uhi.errors import SetupError
from uhi.exchange.stamps import Stamps
from uhi.exchange.trust import RegistryTrust
from uhi.http import serve
from uhi.registry import LookupScope, NetworkRegistry, RegistryAccess
from uhi.subscribers import KeyRef, Role


async def test_registry_from_a_file_answers_its_members(tmp_path, members, signers, clock, transport):
    """Issue: signed lookup by HTTP, seeded from a file."""
    file = tmp_path / "registry.yaml"
    file.write_text(members_file(members), encoding="utf-8")
    entrance = registry_from(file, subscriber_id="registry.uhi", clock=clock)

    async with serve(registry_application(entrance)) as server:
        access = RegistryAccess(server.url + PREFIX, Stamps(signers["app.eua"]), LookupScope(("nic2004:85111",)))
        client = NetworkRegistry(access, transport=transport, clock=clock)
        record = await client.record(KeyRef("clinic.hspa", "k1", Role.PROVIDER))

    assert record.subscriber.id == "clinic.hspa"


def test_registry_without_its_file_does_not_start(tmp_path):
    """Errors: the operator's mistake is told before the first request."""
    with pytest.raises(SetupError, match="cannot be read"):
        registry_from(tmp_path / "none.yaml", subscriber_id="registry.uhi")


async def test_registry_from_a_file_signs_and_numbers_by_the_file(tmp_path, members, signers, clock, transport):
    """Decision 26: with a key every answer is signed; a file that was changed has a higher number."""
    file = tmp_path / "registry.yaml"
    file.write_text(members_file(members), encoding="utf-8")
    os.utime(file, (1_700_000_000, 1_700_000_000))
    signer = signers["registry.uhi"]
    entrance = registry_from(file, subscriber_id="registry.uhi", clock=clock, signer=signer)
    trust = RegistryTrust("registry.uhi", {signer.key_id: signer.key.public})

    async with serve(registry_application(entrance)) as server:
        scope = LookupScope(("nic2004:85111",))
        access = RegistryAccess(server.url + PREFIX, Stamps(signers["app.eua"]), scope, trust=trust)
        client = NetworkRegistry(access, transport=transport, clock=clock)
        record = await client.record(KeyRef("clinic.hspa", "k1", Role.PROVIDER))

    assert (record.subscriber.id, client.questions.seq) == ("clinic.hspa", 1_700_000_000)
