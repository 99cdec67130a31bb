"""How members are told of changes: all of them, in order, each what it was not told yet; nobody waits for anybody."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from gateway.network_registry.posting import Post
from gateway.network_registry.pushes import TRIES, Pushes
from gateway.network_registry.standing import Change
from uhi.errors import DeliveryError
from uhi.exchange.stamps import Stamps
from uhi.ports import Reply
from uhi.registry.memory import Member, MemoryRegistry
from uhi.signing import UHI, PrivateKey, Signer, body_digest, verify
from uhi.signing.authorization import parse
from uhi.subscribers import INITIATED, SUBSCRIBED, SUSPENDED, Role, Subscriber
from uhi.testing import FakeClock

SIGNER = Signer("registry.example", "r1", PrivateKey(bytes(range(32))), UHI)


@dataclass
class Told:
    """A transport that remembers who was told what; `status` by host, 0 for no answer."""

    status: dict[str, int] = field(default_factory=dict)
    heard: list[tuple[str, list[int]]] = field(default_factory=list)

    async def post(self, url: str, *, body: bytes, headers: dict[str, str], timeout: float) -> Reply:
        host = url.removeprefix("https://").partition("/")[0]
        verify(body, parse(headers["Authorization"]), key=SIGNER.key.public, profile=UHI)
        assert headers["Digest"] == f"BLAKE-512={body_digest(body)}"
        value = json.loads(body)
        assert value["registry_seq"] == value["changes"][-1]["seq"]
        self.heard.append((host, [change["seq"] for change in value["changes"]]))
        status = self.status.get(host, 200)
        if not status:
            raise DeliveryError("no answer")
        return Reply(status)

    def by(self, host: str) -> list[list[int]]:
        """The numbers that a host was sent, send by send."""
        return [numbers for each, numbers in self.heard if each == host]


@pytest.fixture
def told() -> Told:
    """Who hears what."""
    return Told()


@pytest.fixture
def pushes(told) -> Pushes:
    """Pushes to an app, a clinic, a gateway, and to nobody suspended, nor to the registry itself."""
    members = MemoryRegistry()
    for name, role, status in (
        ("app", Role.CONSUMER, SUBSCRIBED),
        ("clinic", Role.PROVIDER, SUBSCRIBED),
        ("gateway", Role.GATEWAY, SUBSCRIBED),
        ("away", Role.PROVIDER, SUSPENDED),
        ("registry", Role.REGISTRY, SUBSCRIBED),
    ):
        members.add(Member(Subscriber(name, role, f"https://{name}/uhi", status=status), ()))
    members.seq = 7
    return Pushes(members, Post(Stamps(SIGNER), told, FakeClock()))


def changes(*numbers: int, status: str = SUBSCRIBED) -> Sequence[Change]:
    """Changes of a clinic."""
    return [Change(number, 0.0, "clinic", Role.PROVIDER, status, ("k1",), "approve") for number in numbers]


async def test_every_member_is_told_and_gateways_first(pushes, told):
    """Contract 3: to every SUBSCRIBED subscriber, signed by the registry."""
    pushes.tell(changes(8))
    await pushes.idle()

    assert told.heard[0][0] == "gateway"
    assert {host for host, _ in told.heard} == {"app", "clinic", "gateway"}
    assert all(numbers == [8] for _, numbers in told.heard)


async def test_change_of_an_applicant_is_told_with_the_next_that_matters(pushes, told):
    """Contract 3: no gaps, and no news of who is nobody yet."""
    pushes.tell(changes(8, 9, status=INITIATED))
    await pushes.idle()
    assert told.heard == []

    pushes.tell(changes(10))
    await pushes.idle()

    assert told.by("app") == [[8, 9, 10]]


async def test_who_missed_a_change_is_told_it_with_the_next(pushes, told):
    """Contract 3: few tries; then the next round takes along what was missed."""
    told.status["app"] = 0
    pushes.tell(changes(8))
    await pushes.idle()
    told.status["app"] = 200

    pushes.tell(changes(9))
    await pushes.idle()

    assert told.by("app") == [[8]] * TRIES + [[8, 9]]
    assert told.by("clinic") == [[8], [9]]


@pytest.mark.parametrize(("status", "sends"), [(200, 1), (202, 1), (400, 1), (404, 1), (401, TRIES), (503, TRIES)])
async def test_answer_says_whether_to_try_again(pushes, told, status, sends):
    """Contract 3: who knows of no pushes is left to its cache; a signature is made anew."""
    told.status["app"] = status
    pushes.tell(changes(8))
    await pushes.idle()

    assert len(told.by("app")) == sends


async def test_change_during_a_round_is_told_in_it(pushes, told, monkeypatch):
    """Contract 3: nothing falls between two rounds."""
    post: Callable[..., object] = told.post

    async def meanwhile(url: str, **given: object) -> object:
        if not told.by("app") and "app" in url:
            pushes.tell(changes(9))
        return await post(url, **given)

    monkeypatch.setattr(told, "post", meanwhile)
    pushes.tell(changes(8))
    await pushes.idle()

    assert told.by("app") == [[8], [9]]
