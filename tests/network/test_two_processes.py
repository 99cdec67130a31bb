"""Two processes of one program on one PostgreSQL: whichever a message comes to, the program knows it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.app import Gateway
from tests.network.messages import A_BOOKING, A_WISH, AN_AGREEMENT, AN_OFFER, CATALOGUE, SEARCH_ALL
from tests.network.scene import A_THREAD
from uhi.actions import CONFIRM, INIT, SEARCH
from uhi.exchange.stamps import Stamps
from uhi.keeping import keeping_of
from uhi.network import CONSULTATION_DOMAIN
from uhi.participant import Participant
from uhi.ports import Inbound, Reply
from uhi.registry.network import LookupScope, NetworkRegistry, RegistryAccess
from uhi.settings import Settings
from uhi.signing.key_files import write_private_key_file, write_private_text
from uhi.storage.sealing import new_body_key
from uhi.testing import Network, Options
from uhi.testing.network import CITY
from uhi.verified import Verified
from uhi.world import World


class Balancer:
    """Stands at one address in front of several processes, each message to the next, or to the one that is chosen."""

    def __init__(self, *behind: Participant | Gateway) -> None:
        self.behind = list(behind)
        self.taken: list[int] = []
        self.turn = 0

    @property
    def paths(self) -> dict[str, int]:
        return dict(self.behind[0].entrance.paths)

    async def check_head(self, inbound: Inbound, *, size: int | None) -> Reply | None:
        return await self.behind[0].entrance.check_head(inbound, size=size)

    async def take(self, inbound: Inbound) -> Reply:
        self.taken.append(self.turn % len(self.behind))
        self.turn += 1
        return await self.behind[self.taken[-1]].entrance.take(inbound)

    def refuse(self, refusal, path=""):
        return self.behind[0].entrance.refuse(refusal, path)


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    async with Network(Options(sockets=True)) as running:
        yield running


@pytest.fixture(params=[False, True], ids=["without redis", "with redis"])
def redis(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue("redis_url") if request.param else ""


@pytest.fixture
async def worlds(network: Network, postgres_url: str, redis: str, tmp_path: Path):
    """Makes the world of one process of a subscriber: the composition that its settings ask for."""
    opened: list[World] = []
    write_private_text(tmp_path / "body.key", new_body_key())

    def world(subscriber_id: str, instance: str) -> tuple[World, NetworkRegistry]:
        signer = network.signers[subscriber_id]
        if not (tmp_path / "k.pem").exists():
            write_private_key_file(tmp_path / "k.pem", signer.key)
        settings = Settings(
            subscriber_id=subscriber_id,
            key_id="k1",
            key_file=tmp_path / "k.pem",
            url="http://127.0.0.1:1/uhi",
            registry_url=network.registry_url,
            database_url=postgres_url,
            body_key_file=tmp_path / "body.key",
            redis_url=redis,
            instance=instance,
        )
        scope = LookupScope((CONSULTATION_DOMAIN,), city=CITY)
        registry = NetworkRegistry(
            RegistryAccess(network.registry_url, Stamps(signer), scope), transport=network.faults, clock=network.clock
        )
        opened.append(
            World(
                registry=registry,
                transport=network.faults,
                clock=network.clock,
                log=network.calls,
                keeping=keeping_of(settings),
                closing=(registry.aclose,),
            )
        )
        return opened[-1], registry

    yield world
    for each in opened:
        await each.aclose()


@pytest.mark.parametrize(("question", "message"), [(INIT, A_WISH), (CONFIRM, AN_AGREEMENT)], ids=["init", "confirm"])
async def test_answer_that_comes_to_another_process_is_heard_by_whoever_asked(network, worlds, question, message):
    """Issue: answers awaited by another process, also one with a PIN, whose body is not kept for long."""
    clinic = await network.provider()
    app = await network.consumer()
    _answer(clinic)
    heard: list[str] = []
    told = asyncio.Event()
    processes = [Participant(app.identity, world=worlds("app.example", each)[0]) for each in ("a", "b")]
    for number, each in enumerate(processes):
        each.on(question.answer)(_hear(heard, number, told))
        await each.start()
    network.put_behind("app.example", Balancer(processes[1]))

    answer = await processes[0].ask(question, message, A_THREAD)

    assert isinstance(answer, Verified)
    async with asyncio.timeout(10):
        await told.wait()
    assert heard == ["1"]
    for each in processes:
        await each.stop()


async def test_same_message_at_two_processes_has_one_effect(network, worlds):
    """Issue: seen messages are known to all processes."""
    handled: list[str] = []
    clinic = await network.provider()
    app = await network.consumer()
    processes = [Participant(clinic.identity, world=worlds("clinic.example", each)[0]) for each in ("a", "b")]
    for number, each in enumerate(processes):
        _answer(each, handled, number)
        await each.start()
    balancer = Balancer(*processes)
    network.put_behind("clinic.example", balancer)
    network.faults.lose_answer("init", times=3)

    answer = await app.ask(INIT, A_WISH, A_THREAD)
    await network.settle()

    assert isinstance(answer, Verified)
    assert len(balancer.taken) == 4
    assert len(handled) == 1
    for each in processes:
        await each.stop()


async def test_catalogue_that_comes_to_another_gateway_process_finds_its_search(network, worlds):
    """Issue: open searches are known to all processes."""
    clinic = await network.provider()
    app = await network.consumer()
    _answer(clinic)
    gateways = []
    for name in ("a", "b"):
        world, registry = worlds("gateway.example", name)
        gateways.append(Gateway(network.gateway.identity, world=world, directory=registry))
        await gateways[-1].start()
    balancer = Balancer(*gateways)
    network.put_behind("gateway.example", balancer)

    answer = await app.ask(SEARCH, SEARCH_ALL, wait=5)

    assert isinstance(answer, Verified)
    assert balancer.taken == [0, 1]
    for each in gateways:
        await each.stop()


def _answer(provider: Participant, handled: list[str] | None = None, number: int = 0) -> None:
    @provider.on(SEARCH)
    async def find(request):
        return CATALOGUE

    @provider.on(INIT)
    async def offer(request):
        if handled is not None:
            handled.append(str(number))
        return AN_OFFER

    @provider.on(CONFIRM)
    async def book(request):
        return A_BOOKING


def _hear(heard: list[str], number: int, told: asyncio.Event):
    async def hear(answer):
        heard.append(str(number))
        told.set()

    return hear
