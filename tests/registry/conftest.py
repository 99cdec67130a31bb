"""A clock that moves when told, members of a small network, and a registry at the other end of no wire."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

from uhi.errors import DeliveryError
from uhi.exchange.stamps import Stamps
from uhi.ports import Reply
from uhi.registry import LookupScope, Member, NetworkRegistry, RegistryAccess
from uhi.signing import UHI, PrivateKey, Signer
from uhi.subscribers import Role, Subscriber, SubscriberKey

NOW = 1_767_225_600.0
DOMAIN = "nic2004:85111"
SEED = PrivateKey(bytes(range(32)))


class FakeClock:
    """Stands still; whoever sleeps on it wakes when it has been moved far enough."""

    def __init__(self) -> None:
        self._now = NOW
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        sleeper = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._now + seconds, sleeper))
        await sleeper

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds
        due = [each for each in self._sleepers if each[0] <= self._now]
        self._sleepers = [each for each in self._sleepers if each not in due]
        for _, sleeper in due:
            if not sleeper.done():
                sleeper.set_result(None)


def subscriber_key(key_id: str = "k1", *, key: PrivateKey = SEED) -> SubscriberKey:
    return SubscriberKey(key_id, key.public, UHI, NOW - 1_000, NOW + 86_400)


def member(
    subscriber_id: str = "clinic.hspa", role: Role = Role.PROVIDER, *, key_ids: tuple[str, ...] = ("k1",)
) -> Member:
    subscriber = Subscriber(subscriber_id, role, f"https://{subscriber_id}.example/uhi", domains=(DOMAIN,))
    return Member(subscriber, tuple(subscriber_key(key_id) for key_id in key_ids))


def row(**changes: object) -> dict[str, object]:
    """One row of a registry's answer; a change to None leaves the field out."""
    fields: dict[str, object] = {
        "subscriber_id": "clinic.hspa",
        "participant_id": "clinic",
        "pub_key_id": "k1",
        "type": "provider",
        "status": "SUBSCRIBED",
        "domain": DOMAIN,
        "country": "IND",
        "city": "std:011",
        "subscriber_url": "https://clinic.example/uhi",
        "encr_public_key": SEED.public.spki_base64(),
        "valid_from": "2025-01-01T00:00:00.000Z",
        "valid_until": "2027-01-01T00:00:00.000Z",
    }
    return {name: value for name, value in (fields | changes).items() if value is not None}


@dataclass
class FakeTransport:
    """Answers every call with what `answer` says, and remembers the questions."""

    answer: object = field(default_factory=lambda: [row()])
    status: int = 200
    calls: list[tuple[str, dict[str, object], Mapping[str, str]]] = field(default_factory=list)
    gate: asyncio.Event | None = None

    async def post(self, url: str, *, body: bytes, headers: Mapping[str, str], timeout: float) -> Reply:
        self.calls.append((url, json.loads(body), headers))
        if self.gate is not None:
            await self.gate.wait()
        if isinstance(self.answer, DeliveryError):
            raise self.answer
        raw = self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()
        return Reply(self.status, {}, raw)


@pytest.fixture
def clock() -> FakeClock:
    """Stands at 2026-01-01 until moved."""
    return FakeClock()


@pytest.fixture
def transport() -> FakeTransport:
    """The registry's end of the wire."""
    return FakeTransport()


@pytest.fixture
def registry(transport: FakeTransport, clock: FakeClock) -> NetworkRegistry:
    """Our end of the wire."""
    stamps = Stamps(Signer("app.eua", "k9", PrivateKey(bytes(32)), UHI))
    access = RegistryAccess("https://registry.example/networkregistry", stamps, LookupScope((DOMAIN,)))
    return NetworkRegistry(access, transport=transport, clock=clock)


@pytest.fixture
def make_member() -> Callable[..., Member]:
    """Makes members of a registry in memory."""
    return member


@pytest.fixture
def make_row() -> Callable[..., dict[str, object]]:
    """Makes rows of a registry's answer."""
    return row
