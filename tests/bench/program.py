"""The program that is measured, in a process of its own: a gateway, or the same forwarder with nothing checked.

Run as `python -m tests.bench.program '{"kind": "gateway", …}'`; prints its port and serves until its input ends. Rate
limits do not exist in this gateway; `net` is the JSON of `Task`.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import orjson
import uvloop

from gateway.app import Gateway
from gateway.matching import Audiences, MatchRules, Wanted
from gateway.open_searches import OpenSearch, OpenSearches
from uhi.errors import Refusal
from uhi.exchange.deliveries import Deliveries
from uhi.exchange.entrance import Manners, nack_reply
from uhi.exchange.retry import DISCOVERY
from uhi.exchange.send import GATEWAYS_HEADER, SENDERS_HEADER, Exit, Parcel
from uhi.exchange.stamps import Stamps
from uhi.http.addresses import any_address
from uhi.http.client import HttpTransport
from uhi.http.server import application, serve
from uhi.messages.receipt import ACK
from uhi.observability.call_log import RememberedCalls
from uhi.ports import Arrival, Direction, Entrance, Hop, Inbound, ProviderDirectory, Reply
from uhi.registry.memory import Member, MemoryRegistry
from uhi.signing import UHI, PrivateKey, PublicKey, Signer
from uhi.subscribers import Audience, Role, Subscriber, SubscriberKey
from uhi.world import Identity, World

DOMAIN = "nic2004:85111"
GATEWAY = "gateway.example"
CONSUMER = "app.example"


@dataclass(frozen=True, slots=True)
class Task:
    """What a measured program is told: the consumer's address and key, the providers' addresses and keys."""

    kind: str
    consumer_url: str
    consumer_key: str
    provider_key: str
    provider_urls: list[str]

    def text(self) -> str:
        """As one argument."""
        return json.dumps(asdict(self))


def provider_id(number: int) -> str:
    """The subscriber id of the numbered provider."""
    return f"clinic{number:04}.example"


def registry_of(task: Task) -> MemoryRegistry:
    """The network's content. All providers share a key: what is measured does not depend on it."""
    consumer = Subscriber(CONSUMER, Role.CONSUMER, task.consumer_url, domains=(DOMAIN,))
    members = [Member(consumer, (_key(task.consumer_key),))]
    provider_key = _key(task.provider_key)
    for number, url in enumerate(task.provider_urls):
        provider = Subscriber(provider_id(number), Role.PROVIDER, url, domains=(DOMAIN,))
        members.append(Member(provider, (provider_key,)))
    return MemoryRegistry(members)


def _key(text: str) -> SubscriberKey:
    return SubscriberKey("k1", PublicKey.read(text), UHI, 0.0, 1e11)


@dataclass(slots=True)
class Listed:
    """Keeps the list of providers, as the client of a network's registry does for its 30 seconds."""

    registry: MemoryRegistry
    _list: tuple[Subscriber, ...] = ()

    async def providers(self, domain: str, country: str) -> tuple[Subscriber, ...]:
        """See `uhi.ports.ProviderDirectory`."""
        self._list = self._list or await self.registry.providers(domain, country)
        return self._list


@dataclass(slots=True)
class Unchecked:
    """The same forwarder with verification, validation and signing removed, and nothing else: it reads the context,
    finds whom the search concerns, remembers it, writes the call log, says ACK and delivers the same bytes."""

    directory: ProviderDirectory
    audiences: Audiences
    open_searches: OpenSearches
    world: World
    deliveries: Deliveries
    paths: Mapping[str, int]

    async def take(self, inbound: Inbound) -> Reply:
        """Pass a search on."""
        now = self.world.clock.now()
        body = orjson.loads(inbound.body)
        context, intent = body["context"], body["message"]["intent"]
        (header,) = inbound.headers["authorization"]
        providers = await self.directory.providers(context["domain"], context["country"])
        search = Wanted(context["city"], intent["fulfillment"]["type"])
        audience = self.audiences.of(providers, search)
        await self._remember(context, audience, now)
        self._write(context, now)
        for member in audience.members:
            self.deliveries.start(
                Parcel(
                    to=member,
                    path=inbound.path,
                    body=inbound.body,
                    digest="",
                    transaction_id=context["transaction_id"],
                    message_id=context["message_id"],
                    schedule=DISCOVERY,
                    deadline=now + 3_600,
                    header_name=GATEWAYS_HEADER,
                    kept={SENDERS_HEADER: header},
                    first_header=header,
                    first_until=now + 3_600,
                )
            )
        return Reply(200, {"Content-Type": "application/json"}, ACK)

    async def _remember(self, context: Mapping[str, str], audience: Audience, now: float) -> None:
        consumer, transaction, message = context["consumer_id"], context["transaction_id"], context["message_id"]
        await self.world.journal.accept(
            Arrival(GATEWAY, consumer, "search", message, message, message, transaction, now, 50, message, now + 10)
        )
        sender = Subscriber(consumer, Role.CONSUMER, context["consumer_uri"])
        self.open_searches.open(OpenSearch(sender, transaction, message, audience.ids, now + 60))

    def _write(self, context: Mapping[str, str], now: float) -> None:
        self.world.log.write(
            Hop(
                at=now,
                direction=Direction.IN,
                sender=context["consumer_id"],
                receiver=GATEWAY,
                action="search",
                transaction_id=context["transaction_id"],
                message_id=context["message_id"],
                outcome="ACK",
                status=200,
                ms=(self.world.clock.now() - now) * 1_000,
            )
        )

    def refuse(self, refusal: Refusal, path: str = "") -> Reply:
        """What the server itself refuses."""
        return nack_reply(refusal, Manners(GATEWAY))


def _entrance(task: Task) -> Entrance:
    me = Subscriber(GATEWAY, Role.GATEWAY, "http://127.0.0.1")
    signer = Signer(GATEWAY, "k1", PrivateKey.new(), UHI)
    registry = registry_of(task)
    world = World(registry=registry, transport=HttpTransport(addresses=any_address), log=RememberedCalls(most=1_000))
    gateway = Gateway(Identity(me, signer), world=world, directory=Listed(registry))
    if task.kind == "gateway":
        return gateway.entrance
    deliveries = Deliveries(Exit(me, Stamps(signer), world.transport, world.clock, world.log))
    return Unchecked(
        Listed(registry), Audiences(MatchRules()), OpenSearches(), world, deliveries, gateway.entrance.paths
    )


async def main() -> None:
    """Serve until the input ends."""
    entrance = _entrance(Task(**json.loads(sys.argv[1])))
    async with serve(application(entrance)) as server:
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
        print(server.port, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    uvloop.run(main())
