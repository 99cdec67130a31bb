"""The program that is measured, in a process of its own: a gateway, or the same forwarder with nothing checked.

Run as `python -m tests.bench.program '{"kind": "gateway", …}'`, the JSON of `Task`; prints its port, serves until its
input ends, and then prints how its database grouped what it wrote. Rate limits and bounds are raised out of reach.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson
import uvloop

from gateway.app import Gateway
from gateway.matching import Audiences, MatchRules, Wanted
from uhi.clock import SystemClock
from uhi.errors import Refusal
from uhi.exchange.deliveries import Deliveries
from uhi.exchange.entrance import Manners, nack_reply
from uhi.exchange.pressure import Bounds, Pressure
from uhi.exchange.rates import NO_LIMITS
from uhi.exchange.row_ids import new_row_id
from uhi.exchange.send import Exit, FirstRound
from uhi.exchange.stamps import Stamps
from uhi.http.addresses import any_address
from uhi.http.client import HttpTransport
from uhi.http.reading import ServerLimits
from uhi.http.server import application, serve
from uhi.keeping import Keeping, calls_of, keeping_in_database
from uhi.messages.receipt import ACK
from uhi.observability.call_log import RememberedCalls
from uhi.ports import (
    Arrival,
    Change,
    Direction,
    Entrance,
    Hop,
    Inbound,
    Letter,
    OpenRequest,
    ProviderDirectory,
    Reply,
)
from uhi.registry.memory import Member, MemoryRegistry
from uhi.signing import UHI, PrivateKey, PublicKey, Signer
from uhi.storage.sealing import read_body_key_file
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
    database: str = ""
    body_key: str = ""

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
    world: World
    deliveries: Deliveries
    paths: Mapping[str, int]

    async def check_head(self, inbound: Inbound, *, size: int | None) -> Reply | None:
        """Takes whatever comes."""
        return None

    async def take(self, inbound: Inbound) -> Reply:
        """Pass a search on."""
        now = self.world.clock.now()
        body = orjson.loads(inbound.body)
        context, intent = body["context"], body["message"]["intent"]
        (header,) = inbound.headers["authorization"]
        providers = await self.directory.providers(context["domain"], context["country"])
        search = Wanted(context["city"], intent["fulfillment"]["type"])
        audience = self.audiences.of(providers, search)
        row = new_row_id(now)
        await self._remember(context, inbound.body, row, now)
        self._write(context, now)
        self.deliveries.spawn(self._pass_on(context, inbound, (row, header), audience))
        return Reply(200, {"Content-Type": "application/json"}, ACK)

    async def _pass_on(
        self, context: Mapping[str, str], inbound: Inbound, about: tuple[str, str], audience: Audience
    ) -> None:
        now, (row, header) = self.world.clock.now(), about
        letters = tuple(
            Letter(
                id=new_row_id(now),
                to=member,
                path=inbound.path,
                body=inbound.body,
                digest=row,
                transaction_id=context["transaction_id"],
                message_id=context["message_id"],
                deadline=now + 3_600,
                is_relayed=True,
                cause=row,
                kept=header,
            )
            for member in audience.members
        )
        await self.deliveries.commit(Change(finishes=row, letters=letters), first=FirstRound(header, now + 3_600))

    async def _remember(self, context: Mapping[str, str], body: bytes, row: str, now: float) -> None:
        consumer, transaction, message = context["consumer_id"], context["transaction_id"], context["message_id"]
        sender = Subscriber(consumer, Role.CONSUMER, context["consumer_uri"])
        await self.world.storage.accept(
            Arrival(
                id=row,
                receiver=GATEWAY,
                signer=consumer,
                path_role="search",
                message_id=message,
                variant=message,
                digest=message,
                transaction_id=transaction,
                received_at=now,
                cap=50,
                deadline=now + 60,
                body=body,
                hop_header=message,
                hop_expires=now + 10,
                opens=OpenRequest(GATEWAY, "search", row, transaction, "", now, now + 60, asker=sender, cause=row),
            )
        )

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


def _program(task: Task) -> tuple[Gateway, Entrance]:
    me = Subscriber(GATEWAY, Role.GATEWAY, "http://127.0.0.1")
    signer = Signer(GATEWAY, "k1", PrivateKey.new(), UHI)
    registry = registry_of(task)
    kept = _kept(task)
    remembered = RememberedCalls(most=1_000)
    world = World(
        registry=registry,
        transport=HttpTransport(addresses=any_address),
        log=calls_of(kept, remembered) if kept else remembered,
        bounds=Bounds(1 << 40, 1 << 40, 1 << 40, 1 << 40),
        rates=NO_LIMITS,
        limits=ServerLimits(connections=0),
        keeping=kept,
    )
    gateway = Gateway(Identity(me, signer), world=world, directory=Listed(registry))
    if task.kind == "gateway":
        return gateway, gateway.entrance
    way_out = Exit(me, Stamps(signer), world.transport, world.registry, world.clock, world.log)
    deliveries = Deliveries(way_out, world.storage, pressure=Pressure(world.bounds, world.clock), signals=world.signals)
    paths = gateway.entrance.paths
    return gateway, Unchecked(Listed(registry), Audiences(MatchRules()), world, deliveries, paths)


def _kept(task: Task) -> Keeping | None:
    if not task.database:
        return None
    sealing = read_body_key_file(Path(task.body_key))
    return keeping_in_database(task.database, sealing, clock=SystemClock(), owner="bench")


async def main() -> None:
    """Serve until the input ends."""
    gateway, entrance = _program(Task(**json.loads(sys.argv[1])))
    await gateway.start()
    async with serve(application(entrance), limits=ServerLimits(connections=0)) as server:
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
        print(server.port, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    database = gateway.world.kept.database
    print(json.dumps(asdict(database.groups) if database else {}), flush=True)
    await gateway.stop(seconds=1)
    await gateway.world.aclose()


if __name__ == "__main__":
    uvloop.run(main())
