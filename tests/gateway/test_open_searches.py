"""The searches that may still be answered, by whom and until when: what the gateway asks its storage for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count

import pytest

from tests.network import letters
from tests.network.scene import Scene
from uhi.actions import SEARCH
from uhi.exchange.pressure import Bounds
from uhi.faults import NO_OPEN_REQUEST, OVERLOADED
from uhi.ports import Arrival, Arrived, Change, Letter, OpenRequest, Retention
from uhi.storage.memory import MemoryStorage
from uhi.subscribers import Role, Subscriber
from uhi.testing import FakeClock, Network
from uhi.testing.clock import START

NOW = START
_NUMBERS = count()


@dataclass
class Opened:
    """A gateway's storage with searches in it."""

    storage: MemoryStorage

    async def open(
        self, consumer: str = "app", transaction: str = "t-1", *, asked: str = "clinic", until: float = NOW + 60
    ) -> None:
        """Accept a search, and tell the providers it goes to."""
        row = f"row-{next(_NUMBERS)}"
        entry = Subscriber(consumer, Role.CONSUMER, f"https://{consumer}.example")
        opens = OpenRequest("gateway", "search", row, transaction, "", NOW, until, asker=entry, cause=row)
        arrival = Arrival(
            id=row,
            receiver="gateway",
            signer=consumer,
            path_role="search",
            message_id=row,
            variant=row,
            digest=row,
            transaction_id=transaction,
            received_at=NOW,
            cap=50,
            deadline=until,
            body=b"{}",
            opens=opens,
        )
        assert await self.storage.accept(arrival) is Arrived.NEW
        follows = tuple(letter(row, each, until) for each in asked.split())
        await self.storage.commit(Change(finishes=row, letters=follows))

    async def find(
        self, consumer: str, transaction: str = "t-1", *, provider: str = "clinic", now: float = NOW
    ) -> str | None:
        """Who asked, in the search that a catalogue of this provider belongs to."""
        found = await self.storage.search_of("gateway", transaction, asker=consumer, provider=provider, now=now)
        return found.asker.id if found and found.asker else None


def letter(row: str, provider: str, until: float) -> Letter:
    to = Subscriber(provider, Role.PROVIDER, f"https://{provider}.example")
    return Letter(
        id=f"{row} {provider}",
        to=to,
        path="search",
        digest=row,
        transaction_id="t-1",
        message_id=row,
        deadline=until,
        body=b"{}",
        cause=row,
    )


@pytest.fixture
async def opened() -> Opened:
    """A gateway's storage with nothing in it."""
    return Opened(MemoryStorage(FakeClock()))


@pytest.mark.parametrize("consumer", ["app", ""])
async def test_search_is_found_for_a_provider_that_was_asked(opened, consumer):
    """Decision 3: without a consumer id it is taken from the open transaction."""
    await opened.open()

    assert await opened.find(consumer) == "app"


@pytest.mark.case("CB-03")
@pytest.mark.parametrize(
    ("consumer", "transaction", "provider", "now"),
    [
        ("app", "t-1", "other", NOW),
        ("app", "t-2", "clinic", NOW),
        ("second", "t-1", "clinic", NOW),
        ("", "t-2", "clinic", NOW),
        ("app", "t-1", "clinic", NOW + 60.1),
    ],
)
async def test_anybody_else_and_any_other_time_finds_nothing(opened, consumer, transaction, provider, now):
    """Decision 18: keyed by consumer and transaction, open to the providers asked, until it closes."""
    await opened.open()

    assert await opened.find(consumer, transaction, provider=provider, now=now) is None


async def test_transaction_of_two_consumers_is_not_guessed(opened):
    """Threat T16: an answer goes to nobody rather than to the wrong one."""
    await opened.open()
    await opened.open("second")

    assert await opened.find("") is None
    assert await opened.find("second") == "second"


async def test_further_search_of_a_transaction_adds_to_the_first(opened):
    """Decision 18: whoever was asked first may still answer, each for as long as its search is open."""
    await opened.open(until=NOW + 90)
    await opened.open(asked="other", until=NOW + 60)

    at = {
        now: [await opened.find("app", provider=name, now=now) for name in ("clinic", "other")]
        for now in (NOW, NOW + 80)
    }

    assert at == {NOW: ["app", "app"], NOW + 80: ["app", None]}


async def test_closed_searches_are_forgotten(opened):
    """Ours: looked through once in a while, and nothing is left of them."""
    for number in range(30):
        await opened.open(transaction=str(number), until=NOW + number)

    await opened.storage.purge(Retention(), now=NOW + 20)

    requests, outbox = opened.storage._requests, opened.storage._outbox
    assert await opened.find("", "5") is None
    assert await opened.find("", "25") == "app"
    assert (len(requests._requests), len(requests._by_transaction), len(outbox._asked)) == (10, 10, 10)


async def test_two_consumers_may_choose_the_same_ids():
    """Decision 17: ids are the sender's own; one consumer's search neither hides nor ends another's."""
    async with Network() as network:
        scene = await Scene.on(network)
        second = await network.consumer("second.example")
        await scene.send(scene.letter("search"), scene.gateway)
        context = letters.context("search", second.identity.me)
        await scene.send(
            letters.letter("search", context).signed(network.signers["second.example"], scene.now), scene.gateway
        )

        for name in ("app.example", "second.example"):
            answer = await scene.send(scene.callback("on_search", consumer_id=name, message_id=name), scene.gateway)
            assert answer.is_ack

    relayed = scene.deliveries("on_search", sender="gateway.example")
    assert {hop.receiver for hop in relayed if hop.message_id == hop.receiver} == {"app.example", "second.example"}


async def test_one_consumer_may_use_its_id_again():
    """Decision 17: published samples use one id for several messages; each of the searches stays open."""
    async with Network() as network:
        scene = await Scene.on(network)
        for version in ("0.7.1", "0.7.2"):
            await scene.send(scene.letter("search", core_version=version), scene.gateway)

        answers = [
            await scene.send(scene.callback("on_search", by=by, message_id="m-2"), scene.gateway)
            for by in (scene.clinic, scene.other)
        ]

    assert [answer.is_ack for answer in answers] == [True, True]
    assert len([name for _, name in scene.handled if name == "search"]) == 4


async def test_search_that_has_closed_is_forgotten_by_the_gateway_too():
    """Decision 20: answered while it is open, refused afterwards, and gone after that."""
    async with Network() as network:
        scene = await Scene.on(network)
        await scene.send(scene.letter("search", ttl="PT5S"), scene.gateway)
        first = await scene.send(scene.callback("on_search", message_id="m-2"), scene.gateway)
        await network.clock.advance(6)

        late = await scene.send(scene.callback("on_search", message_id="m-3"), scene.gateway)

    assert first.is_ack
    assert late.error["type"] == NO_OPEN_REQUEST.type


@pytest.mark.case("GW-04")
async def test_full_gateway_refuses_and_forgets_nobody():
    """Reliability rules, backpressure: overload is told to whoever comes, not suffered by whoever waits."""
    async with Network() as network:
        scene = await Scene.on(network)
        await scene.send(scene.letter("search"), scene.gateway)
        pressure = scene.gateway._deliveries._pressure
        pressure.bounds = Bounds(low_messages=1)
        pressure.add(0, messages=1)

        refused = await scene.send(scene.letter("search", transaction_id="t-2", message_id="m-2"), scene.gateway)
        pressure.remove(0, messages=1)
        answered = await scene.send(scene.callback("on_search", message_id="m-3"), scene.gateway)

        sent = scene.deliveries("search", sender="gateway.example")

    assert {hop.transaction_id for hop in sent} == {"t-1"}
    assert [hop.outcome for hop in sent] == ["ACK", "ACK"]
    assert (refused.status, refused.error["type"]) == (503, OVERLOADED.type)
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert answered.is_ack


async def test_catalogue_goes_to_the_address_that_the_consumer_has_by_then():
    """Decision 3: the registry's, looked up anew when a letter has waited."""
    async with Network() as network:
        scene = await Scene.on(network)
        for provider in (scene.clinic, scene.other):
            provider.handlers._by_leg.clear()
            provider.on(SEARCH)(_silent)
        await scene.send(scene.letter("search"), scene.gateway)
        network.faults.drop("on_search", to=scene.app.identity.me.url)
        moved = replace(scene.app.identity.me, url="https://moved.example/uhi")
        network._memory.entrances[moved.url] = scene.app.entrance

        await scene.send(scene.callback("on_search", message_id="m-2"), scene.gateway, settle=False)
        await _move(network, moved)
        await network.settle()

    hops = scene.deliveries("on_search", sender="gateway.example")
    assert [hop.outcome for hop in hops] == ["no answer", "CTX_NO_PENDING_REQUEST"]


async def _silent(request: object) -> None:
    return None


async def _move(network: Network, moved: Subscriber) -> None:
    [member] = [each for each in network.members.members() if each.subscriber.id == moved.id]
    network.members.replace(replace(member, subscriber=moved))
    network.gateway.world.registry.forget(moved.id)
