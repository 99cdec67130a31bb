"""A registry with a patient app, two hospitals, a gateway and itself in it, over HTTP on this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest

from gateway.network_registry.bootstrap import PREFIX, registry_application
from gateway.network_registry.counters import lookup_entrance
from gateway.network_registry.entrance import RegistryEntrance
from uhi.exchange.stamps import Stamps
from uhi.http import HttpTransport, any_address, serve
from uhi.ports import Hop
from uhi.registry import LookupScope, Member, MemoryRegistry, NetworkRegistry, RegistryAccess
from uhi.signing import UHI, PrivateKey, Signer
from uhi.subscribers import Role, Subscriber, SubscriberKey

NOW = 1_767_225_600.0
DOMAIN = "nic2004:85111"
ROLES = {
    "app.eua": Role.CONSUMER,
    "clinic.hspa": Role.PROVIDER,
    "other.hspa": Role.PROVIDER,
    "gateway.uhi": Role.GATEWAY,
    "registry.uhi": Role.REGISTRY,
}


@dataclass
class Standing:
    """A clock that moves only when told, and by nobody's sleep."""

    time: float = NOW

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nobody sleeps in a lookup")


@dataclass
class Remembered:
    """A call log."""

    hops: list[Hop] = field(default_factory=list)

    def write(self, hop: Hop) -> None:
        self.hops.append(hop)


@pytest.fixture
def clock() -> Standing:
    """Stands at 2026-01-01."""
    return Standing()


@pytest.fixture
def calls() -> Remembered:
    """What the registry writes into its call log."""
    return Remembered()


@pytest.fixture
def signers() -> dict[str, Signer]:
    """The keys of everybody."""
    return {each: Signer(each, "k1", PrivateKey(each.encode().ljust(32, b".")), UHI) for each in ROLES}


@pytest.fixture
def members(signers: dict[str, Signer]) -> MemoryRegistry:
    """Everybody, registered; only the hospitals for a domain."""
    registry = MemoryRegistry()
    for subscriber_id, role in ROLES.items():
        domains = (DOMAIN,) if role is Role.PROVIDER else ()
        subscriber = Subscriber(subscriber_id, role, f"https://{subscriber_id}.example", domains=domains)
        key = SubscriberKey("k1", signers[subscriber_id].key.public, UHI, NOW - 1_000, NOW + 1_000_000)
        registry.add(Member(subscriber, (key,)))
    return registry


@pytest.fixture
def entrance(members: MemoryRegistry, clock: Standing, calls: Remembered) -> RegistryEntrance:
    """The registry."""
    return lookup_entrance("registry.uhi", members, clock=clock, log=calls)


@pytest.fixture
async def url(entrance: RegistryEntrance) -> AsyncIterator[str]:
    """Where the registry is served."""
    async with serve(registry_application(entrance)) as server:
        yield server.url + PREFIX


@pytest.fixture
async def transport() -> AsyncIterator[HttpTransport]:
    """The real client."""
    client = HttpTransport(addresses=any_address)
    yield client
    await client.aclose()


@pytest.fixture
def ask_as(
    url: str, transport: HttpTransport, clock: Standing, signers: dict[str, Signer]
) -> Callable[[str], NetworkRegistry]:
    """The registry client of one of the members."""

    def client(subscriber_id: str) -> NetworkRegistry:
        access = RegistryAccess(url, Stamps(signers[subscriber_id]), LookupScope((DOMAIN,)))
        return NetworkRegistry(access, transport=transport, clock=clock)

    return client
