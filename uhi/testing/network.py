"""A whole network in one process: registry, gateway, any number of participants, with real keys and signatures.

In memory on a fake clock, or over HTTP on ports of this machine; the doors, the bytes and the headers are the same.
What embedding developers test with, and what this project's own flow tests stand on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from gateway.app import Gateway
from gateway.network_registry.counters import lookup_entrance
from gateway.network_registry.posting import Post
from gateway.network_registry.pushes import Pushes
from gateway.network_registry.standing import Change
from gateway.relays import GATEWAY_LEGS
from gateway.search import SearchRules
from uhi.actions import legs_of
from uhi.clock import SystemClock
from uhi.errors import Refusal
from uhi.exchange.legs import AnyLeg
from uhi.exchange.rates import NO_LIMITS, RateRules
from uhi.exchange.stamps import Stamps
from uhi.exchange.trust import RegistryTrust
from uhi.faults import OVERLOADED
from uhi.http.addresses import any_address
from uhi.http.client import HttpTransport
from uhi.http.health import Check, Health
from uhi.http.reading import ServerLimits
from uhi.http.server import application, serve
from uhi.keeping import Keeping, calls_of
from uhi.messages.receipt import nack
from uhi.network import CONSULTATION_DOMAIN, LOCAL
from uhi.network import Network as Preset
from uhi.observability.call_log import RememberedCalls
from uhi.participant import Participant
from uhi.ports import Clock, Entrance, Inbound, Reply, Transport
from uhi.registry.callbacks import ON_SUBSCRIBE, REGISTRY_CHANGED
from uhi.registry.memory import Member, MemoryRegistry
from uhi.registry.network import LONGEST_PROVIDER_LIST, LookupScope, NetworkRegistry, RegistryAccess
from uhi.signing import UHI, PrivateKey, Profile, Signer
from uhi.subscribers import Role, Subscriber, SubscriberKey
from uhi.testing.clock import FakeClock
from uhi.testing.transport import Faults, MemoryTransport
from uhi.world import Identity, World, audited

CITY = "std:011"
GATEWAY_ID = "gateway.example"
REGISTRY_ID = "registry.example"
_PREFIXES = {GATEWAY_ID: "/api/v1/uhi", REGISTRY_ID: "/api/v1/networkregistry"}
_A_YEAR = 365 * 86_400.0


@dataclass(slots=True)
class _Doormat:
    """An entrance whose address is known before the participant behind it exists."""

    paths: Mapping[str, int]
    behind: Entrance | None = None
    program: Participant | Gateway | None = None
    checks: dict[str, Check] = field(default_factory=dict)

    def let_in(self, program: Participant | Gateway) -> None:
        """Open to the program, whose health is told from now on."""
        self.behind, self.program = program.entrance, program
        self.checks.update(program.health().checks)

    @property
    def health(self) -> Health:
        """What the health pages tell: of the program, once there is one."""
        return Health(self.checks, is_open=lambda: self.program is not None and self.program.health().is_open())

    async def check_head(self, inbound: Inbound, *, size: int | None) -> Reply | None:
        return await self.behind.check_head(inbound, size=size) if self.behind else None

    async def take(self, inbound: Inbound) -> Reply:
        return await self.behind.take(inbound) if self.behind else self.refuse(Refusal(OVERLOADED))

    def refuse(self, refusal: Refusal, path: str = "") -> Reply:
        if self.behind is not None:
            return self.behind.refuse(refusal, path)
        return Reply(refusal.fault.status, {}, nack(refusal.fault, ""))


Prepare = Callable[[Participant], None]


def _as_it_is(participant: Participant) -> None:
    """Handlers come later."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a test network runs. `sockets` chooses HTTP and real time; `rules` are the gateway's.

    `ports` gives a subscriber a port of its own choice (others take a free one), `new_key` makes the key of each.
    `keeping` is where each program keeps what it promised, by its id; None: in memory. `rates` are no limits unless
    set. With `pinned` everybody believes only what the registry signed. `clock_of` gives a program a clock that goes
    wrong.
    """

    sockets: bool = False
    preset: Preset = LOCAL
    rules: SearchRules = field(default_factory=SearchRules)
    ports: Mapping[str, int] = field(default_factory=dict)
    new_key: Callable[[str], PrivateKey] = lambda subscriber_id: PrivateKey.new()
    keeping: Callable[[str, Clock], Keeping | None] = lambda subscriber_id, clock: None
    rates: RateRules = NO_LIMITS
    pinned: bool = True
    clock_of: Callable[[str, Clock], Clock] = lambda subscriber_id, clock: clock


class Network:
    """`async with Network() as net:` then `await net.provider()`, `await net.consumer()`, and talk.

    `net.faults` breaks what travels, `net.clock` is its time, `net.calls` every hop that was made, `net.members` the
    registry's content, `net.gateway` the gateway.
    """

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or Options()
        self.clock: Clock = SystemClock() if self.options.sockets else FakeClock()
        self.calls = RememberedCalls()
        self.members = MemoryRegistry()
        self.signers: dict[str, Signer] = {}
        self._stack = AsyncExitStack()
        self._memory = MemoryTransport(self.clock) if isinstance(self.clock, FakeClock) else None
        self._http = HttpTransport(addresses=any_address, longest_answer=LONGEST_PROVIDER_LIST)
        inner: Transport = self._memory or self._http
        self.faults = Faults(self.clock, inner)
        self._participants: list[Participant] = []
        self._doormats: dict[str, _Doormat] = {}
        self._registries: list[NetworkRegistry] = []

    async def __aenter__(self) -> Self:
        self._stack.push_async_callback(self._http.aclose)
        self.registry_signer = Signer(REGISTRY_ID, "k1", self.options.new_key(REGISTRY_ID), UHI)
        registry = lookup_entrance(
            REGISTRY_ID, self.members, clock=self.clock, log=self.calls, signer=self.registry_signer
        )
        self.registry_url = await self._serve(registry, REGISTRY_ID)
        self._pushes = Pushes(self.members, Post(Stamps(self.registry_signer), self.faults, self.clock))
        self._stack.push_async_callback(self._pushes.aclose)
        self.gateway = await self._make_gateway()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.faults.aclose()
        for participant in self._participants:
            await participant.stop(seconds=0)
            await participant.world.aclose()
        await self.gateway.stop(seconds=0)
        await self.gateway.world.aclose()
        for registry in self._registries:
            await registry.aclose()
        await self._stack.aclose()

    async def consumer(
        self, subscriber_id: str = "app.example", *, prepare: Prepare = _as_it_is, **declared: object
    ) -> Participant:
        """A patient-side participant, registered and listening.

        `prepare` may give it handlers before it takes up what an earlier life has left. `declared` may set fields of
        its registry entry.
        """
        return await self._participant(subscriber_id, Role.CONSUMER, prepare, declared)

    async def provider(
        self, subscriber_id: str = "clinic.example", *, prepare: Prepare = _as_it_is, **declared: object
    ) -> Participant:
        """A hospital-side participant, registered and listening; as `consumer`."""
        return await self._participant(subscriber_id, Role.PROVIDER, prepare, declared)

    def put_behind(self, subscriber_id: str, entrance: Entrance) -> None:
        """Let something else take what comes to a subscriber's address: a load balancer, another process."""
        self._doormats[subscriber_id].behind = entrance

    async def settle(self) -> None:
        """Return when no handler and no delivery is under way any more."""
        busy: tuple[Participant | Gateway | Faults, ...] = (*self._participants, self.gateway, self.faults)
        while any(each.waiting for each in busy):
            for each in busy:
                await each.idle()

    def register(self, subscriber: Subscriber, *, profile: Profile = UHI) -> Signer:
        """Put a subscriber with a new key into the registry; returns how it signs."""
        signer = Signer(subscriber.id, "k1", self.options.new_key(subscriber.id), profile)
        now = self.clock.now()
        key = SubscriberKey("k1", signer.key.public, profile, now - _A_YEAR, now + _A_YEAR)
        self.members.replace(Member(subscriber, (key,)))
        self.signers[subscriber.id] = signer
        return signer

    async def announce(self, member: Member) -> None:
        """Put a member in the place of the one with its id and role, and have the registry tell everybody at once."""
        self.members.replace(member)
        now = self.clock.now()
        keys = tuple(key.id for key in member.keys if key.valid_from <= now <= key.valid_until)
        entry = member.subscriber
        change = Change(self.members.seq, now, entry.id, entry.role, entry.status, keys, "announced")
        self._pushes.tell([change])
        await self._pushes.idle()

    @property
    def registry_trust(self) -> RegistryTrust:
        """The registry's id and public key, as everybody knows them beforehand."""
        signer = self.registry_signer
        return RegistryTrust(REGISTRY_ID, {signer.key_id: signer.key.public})

    def world(self, signer: Signer) -> World:
        """The ports of one program on this network: its own lookups, signed with its own key."""
        clock = self.options.clock_of(signer.subscriber_id, self.clock)
        kept = self.options.keeping(signer.subscriber_id, clock)
        stamps = Stamps(signer)
        registry = self._registry(stamps, clock)
        world = World(
            registry=registry,
            pinned=registry if self.options.pinned else None,
            stamps=stamps,
            transport=self.faults,
            clock=clock,
            log=calls_of(kept, self.calls) if kept else self.calls,
            keeping=kept,
            rates=self.options.rates,
        )
        return audited(world)

    async def _participant(
        self, subscriber_id: str, role: Role, prepare: Prepare, declared: Mapping[str, object]
    ) -> Participant:
        doormat = self._doormats[subscriber_id] = _Doormat(_paths(legs_of(role)))
        url = await self._serve(doormat, subscriber_id)
        entry: dict[str, object] = {"domains": (CONSULTATION_DOMAIN,), "cities": (CITY,)} | dict(declared)
        me = Subscriber(subscriber_id, role, url, **entry)  # type: ignore[arg-type]  # fields by name, as documented
        signer = self.register(me)
        identity = Identity(me, signer, self.gateway.identity.me, CONSULTATION_DOMAIN, CITY)
        participant = Participant(identity, world=self.world(signer), network=self.options.preset)
        prepare(participant)
        await participant.start()
        doormat.let_in(participant)
        self._participants.append(participant)
        return participant

    async def _make_gateway(self) -> Gateway:
        doormat = self._doormats[GATEWAY_ID] = _Doormat(_paths(GATEWAY_LEGS))
        url = await self._serve(doormat, GATEWAY_ID)
        me = Subscriber(GATEWAY_ID, Role.GATEWAY, url, domains=("*",))
        signer = self.register(me)
        world = self.world(signer)
        made = Gateway(
            Identity(me, signer),
            world=world,
            directory=self._registries[-1],
            rules=self.options.rules,
            network=self.options.preset,
        )
        await made.start()
        doormat.let_in(made)
        return made

    def _registry(self, stamps: Stamps, clock: Clock) -> NetworkRegistry:
        scope = LookupScope((CONSULTATION_DOMAIN,), city=CITY)
        trust = self.registry_trust if self.options.pinned else None
        access = RegistryAccess(self.registry_url, stamps, scope, trust=trust)
        registry = NetworkRegistry(access, transport=self.faults, clock=clock)
        self._registries.append(registry)
        return registry

    async def _serve(self, entrance: Entrance, subscriber_id: str) -> str:
        prefix = _PREFIXES.get(subscriber_id, "/uhi")
        if self._memory is not None:
            url = f"https://{subscriber_id}{prefix}"
            self._memory.entrances[url] = entrance
            return url
        port = self.options.ports.get(subscriber_id, 0)
        # Everybody is at one address here.
        limits = ServerLimits(connections=0)
        health = entrance.health if isinstance(entrance, _Doormat) else Health()
        listening = serve(application(entrance, prefix=prefix, health=health), port=port, limits=limits)
        server = await self._stack.enter_async_context(listening)
        return f"{server.url}{prefix}"


def _paths(legs: Sequence[AnyLeg]) -> dict[str, int]:
    return {leg.path: leg.limits.body for leg in (*legs, REGISTRY_CHANGED, ON_SUBSCRIBE)}
