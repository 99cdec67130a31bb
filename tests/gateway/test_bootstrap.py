"""A gateway put together from settings, in front of a real registry on this machine."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway.bootstrap import gateway_application, gateway_from, gateway_serving
from gateway.network_registry.bootstrap import PREFIX, registry_application
from gateway.network_registry.counters import lookup_entrance
from gateway.settings import GatewaySettings
from uhi.clock import SystemClock
from uhi.errors import SetupError
from uhi.http import serve
from uhi.observability.call_log import RememberedCalls
from uhi.registry import Member, MemoryRegistry
from uhi.settings import MEMORY
from uhi.signing import UHI, PrivateKey
from uhi.signing.key_files import write_private_key_file, write_private_text
from uhi.storage.sealing import new_body_key
from uhi.subscribers import Role, Subscriber, SubscriberKey

KEY = PrivateKey(bytes(range(32)))
PUBLISHED = PrivateKey.read("MC4CAQAwBQYDK2VwBCIEIGCioWvsJleY53bW5+8G9vWWqsdGA9y1JMoVvLslaFA7")
DOMAIN = "nic2004:85111"
PROVIDERS = 200


def settings(tmp_path: Path, registry_url: str, *, key: PrivateKey = KEY, network: str = "local") -> GatewaySettings:
    write_private_key_file(tmp_path / "gateway.pem", key)
    write_private_text(tmp_path / "body.key", new_body_key())
    return GatewaySettings(
        subscriber_id="gateway.example",
        key_id="k1",
        key_file=tmp_path / "gateway.pem",
        url="https://gateway.example/api/v1/uhi",
        registry_url=registry_url,
        network=network,
        database_url=f"sqlite:///{tmp_path}/gateway.db",
        body_key_file=tmp_path / "body.key",
    )


def members() -> MemoryRegistry:
    key = SubscriberKey("k1", KEY.public, UHI, 0, 4_000_000_000)
    registry = MemoryRegistry([Member(Subscriber("gateway.example", Role.GATEWAY, "https://gateway.example"), (key,))])
    for number in range(PROVIDERS):
        subscriber_id = f"clinic-{number}.example"
        clinic = Subscriber(subscriber_id, Role.PROVIDER, f"https://{subscriber_id}/uhi", domains=(DOMAIN,))
        registry.add(Member(clinic, (key,)))
    return registry


async def test_list_of_many_providers_is_read_whole(tmp_path):
    """Every other answer ends at 64 KiB; a network of a hundred providers is longer than that."""
    entrance = lookup_entrance("registry.example", members(), clock=SystemClock(), log=RememberedCalls())
    async with serve(registry_application(entrance)) as server:
        _, world = gateway_from(settings(tmp_path, server.url + PREFIX))

        found = await world.registry.providers(DOMAIN, "IND")

        await world.aclose()
    assert len(found) == PROVIDERS


def test_gateway_is_mounted_at_the_path_of_its_registered_address(tmp_path):
    """UHI: `/api/v1/uhi/search` at the gateway, and the callbacks and audit copies beside it."""
    gateway, _ = gateway_from(settings(tmp_path, "https://registry.example"))

    paths = {resource.canonical for resource in gateway_application(gateway).router.resources()}

    assert {"/api/v1/uhi/search", "/api/v1/uhi/on_search", "/api/v1/uhi/on_confirm_audit"} <= paths


async def test_gateway_is_up_while_the_block_runs(tmp_path):
    """Leaving the block stops the gateway first, then closes what it used; the port is free again."""
    given = settings(tmp_path, "https://registry.example")

    other = given.model_copy(update={"database_url": MEMORY})
    async with gateway_serving(given, host="127.0.0.1", port=0) as first:
        with pytest.raises(SetupError, match="cannot listen"):
            await gateway_serving(other, host="127.0.0.1", port=first.port).__aenter__()
        with pytest.raises(SetupError, match="another process serves the database file"):
            await gateway_serving(given, host="127.0.0.1", port=0).__aenter__()

    async with gateway_serving(given, host="127.0.0.1", port=first.port) as second:
        assert second.port == first.port


def test_published_key_is_refused_outside_development(tmp_path):
    """Decision on keys: anyone can sign with a key whose private half stands in a document."""
    with pytest.raises(SetupError, match="is published"):
        gateway_from(settings(tmp_path, "https://registry.example", key=PUBLISHED, network="nha"))


async def test_limits_of_the_settings_are_those_of_the_running_gateway(tmp_path):
    """Limits table: rates, connections of one address and proxies are settings; the third connection is cut here."""
    changes = {"connections_per_address": 2, "trusted_proxies": "10.0.0.0/8", "searches_per_second": 3}
    given = settings(tmp_path, "https://registry.example").model_copy(update=changes)
    gateway, world = gateway_from(given)
    await world.aclose()

    async with gateway_serving(given, host="127.0.0.1", port=0) as server:
        pairs = [await asyncio.open_connection(server.host, server.port) for _ in range(3)]
        cut = await asyncio.wait_for(pairs[2][0].read(), 10)
        for _, writer in pairs:
            writer.transport.abort()

    assert cut == b""
    assert gateway.world.rates.searches == 3
    assert gateway.world.limits.proxies.has("10.1.2.3")
