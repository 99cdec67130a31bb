"""Who a program is and what surrounds it: identity, and a value for every port, from parts or from settings.

A composition root: with `participant` and the programs' own, the only place that chooses adapters.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from uhi.audit.checkpointing import Anchor, Checkpointing
from uhi.audit.refusals import AuditedCalls
from uhi.audit.trail import AuditTrail
from uhi.clock import SystemClock
from uhi.errors import Refusal, SetupError
from uhi.exchange.clock_offset import ClockOffset
from uhi.exchange.pressure import MIB, Bounds
from uhi.exchange.rates import RateRules, Rates
from uhi.exchange.stamps import Stamps
from uhi.http.addresses import AddressPolicy, any_address, public_only
from uhi.http.client import HttpTransport
from uhi.http.health import Check, good_answer_age
from uhi.http.peers import read_proxies
from uhi.http.reading import DEFAULT_LIMITS, ServerLimits
from uhi.keeping import Keeping, Work, calls_of, keeping_in_memory, keeping_of, keys_of
from uhi.observability.call_log import LoggedCalls
from uhi.ports import REGISTRY, CallLog, Clock, Registry, Retention, Signals, Storage, Transport, Windows
from uhi.registry.network import LookupScope, NetworkRegistry, RegistryAccess
from uhi.registry.pinned import read_trust
from uhi.settings import Settings
from uhi.signals.local import LocalWindows
from uhi.signing import UHI, Signer
from uhi.signing.beckn_challenge import public_half
from uhi.signing.key_files import private_key_in, refuse_published
from uhi.subscribers import Role, Subscriber

_REGISTRY_LATE = 3_600.0


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a participant is: its registry entry, its signing key, its gateway, and the domain and city it asks in.

    `spares` are further keys of ours, to prove and to change to. `encryption_key` is an X25519 key (base64; secret) for
    registries that ask for one, and `registry_encryption_key` such a registry's public one.
    """

    me: Subscriber
    signer: Signer
    gateway: Subscriber | None = None
    domain: str = ""
    city: str = ""
    spares: tuple[Signer, ...] = ()
    encryption_key: str = field(default="", repr=False)
    registry_encryption_key: str = ""

    def signing_with(self, key_id: str) -> Identity:
        """The same party, signing with another of its keys.

        Raises: SetupError when it holds no such key.
        """
        for each in (self.signer, *self.spares):
            if each.key_id == key_id:
                rest = tuple(other for other in (self.signer, *self.spares) if other is not each)
                return replace(self, signer=each, spares=rest)
        raise SetupError(f"{self.me.id} holds no key {key_id}", next_step="set UHI_NEXT_KEY_ID and UHI_NEXT_KEY_FILE")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything around a participant, each a port with an implementation that ships with the library.

    `kept` is where it keeps what it promised: in memory where nothing else is given. `bounds` say how much may wait,
    `rates` how often somebody may come, `limits` what a connection and a request may cost. `checks` are asked by the
    health pages. `pinned` is the registry where its keys are known: then it may call us, and its answers tell whether
    our clock is right. `stamps` make all signatures of ours.
    """

    registry: Registry
    transport: Transport
    clock: Clock = field(default_factory=SystemClock)
    log: CallLog = field(default_factory=LoggedCalls)
    keeping: Keeping | None = None
    retention: Retention = field(default_factory=Retention)
    bounds: Bounds = field(default_factory=Bounds)
    rates: RateRules = field(default_factory=RateRules)
    limits: ServerLimits = DEFAULT_LIMITS
    pinned: NetworkRegistry | None = None
    stamps: Stamps | None = None
    checks: tuple[tuple[str, Check], ...] = ()
    closing: tuple[Callable[[], Awaitable[None]], ...] = ()
    kept: Keeping = field(init=False)

    def __post_init__(self) -> None:
        kept = self.keeping or keeping_in_memory(self.clock, self.log)
        object.__setattr__(self, "kept", kept)

    @property
    def storage(self) -> Storage:
        """What must not be lost."""
        return self.kept.storage

    @property
    def signals(self) -> Signals:
        """What the processes of the program tell one another."""
        return self.kept.signals

    @property
    def windows(self) -> Windows:
        """How often something happened lately."""
        return self.kept.windows

    @property
    def clock_offset(self) -> ClockOffset | None:
        """How far our clock is from the registry's, where that can be told."""
        return self.pinned.questions.clock_offset if self.pinned else None

    def new_rates(self) -> Rates:
        """What counts how often somebody comes."""
        return Rates(self.rates, self.windows, own=LocalWindows(self.clock), clock=self.clock)

    async def open(self) -> None:
        """Reach what must be reached before the first message.

        Raises: SetupError.
        """
        for each in self.kept.opening:
            await each()

    async def aclose(self) -> None:
        """Close what was opened for this world, such as connection pools; each of them, whatever becomes of another."""
        async with AsyncExitStack() as stack:
            for close in reversed((*self.closing, *self.kept.closing)):
                stack.push_async_callback(close)


def identity_of(settings: Settings, role: Role) -> Identity:
    """Who the settings say we are.

    Raises: SetupError when the key file cannot be used, or holds a key that stands in public documents.
    """
    place = str(settings.key_file)
    key = private_key_in(keys_of(settings).read(place), where=f"key file {place}")
    if not settings.preset.is_local:
        refuse_published(key.public)
    domains = settings.domain_list
    return Identity(
        me=Subscriber(settings.subscriber_id, role, settings.url, domains=domains, cities=(settings.city,)),
        signer=Signer(settings.subscriber_id, settings.key_id, key, UHI),
        gateway=Subscriber(urlsplit(settings.gateway_url).hostname or "gateway", Role.GATEWAY, settings.gateway_url)
        if settings.gateway_url
        else None,
        domain=domains[0] if domains else "",
        city=settings.city,
        spares=_spares(settings),
        encryption_key=_encryption_key(settings),
        registry_encryption_key=settings.registry_encryption_key,
    )


def _spares(settings: Settings) -> tuple[Signer, ...]:
    if settings.next_key_file is None:
        return ()
    place = str(settings.next_key_file)
    key = private_key_in(keys_of(settings).read(place), where=f"key file {place}")
    return (Signer(settings.subscriber_id, settings.next_key_id, key, UHI),)


def _encryption_key(settings: Settings) -> str:
    if settings.encryption_key_file is None:
        return ""
    raw = keys_of(settings).read(str(settings.encryption_key_file))
    try:
        text = raw.decode("ascii").strip()
        public_half(text)
    except (UnicodeDecodeError, Refusal):
        raise SetupError(
            "UHI_ENCRYPTION_KEY_FILE holds no X25519 key", expected="PEM, or base64 of 32 bytes or of PKCS#8 DER"
        ) from None
    return text


def addresses_of(settings: Settings) -> AddressPolicy:
    """Where the settings let a program send to."""
    return any_address if settings.preset.is_local else replace(public_only, ports=settings.port_list)


def world_of(settings: Settings, signer: Signer) -> World:
    """The real world the settings describe: HTTP, the network's registry, the database.

    Raises: SetupError when there is no key for what is kept.
    """
    clock = SystemClock()
    addresses = addresses_of(settings)
    transport = HttpTransport(addresses=addresses)
    scope = LookupScope(settings.domain_list, city=settings.city)
    stamps, trust = Stamps(signer), read_trust(settings.registry_id, settings.registry_keys)
    access = RegistryAccess(settings.registry_url, stamps, scope, trust=trust)
    registry = NetworkRegistry(access, transport=transport, clock=clock)
    kept = keeping_of(settings)
    return around(
        settings,
        World(
            registry=registry,
            transport=transport,
            clock=clock,
            log=calls_of(kept),
            keeping=kept,
            stamps=stamps,
            closing=(registry.aclose, transport.aclose),
        ),
        registry,
    )


def around(settings: Settings, world: World, registry: NetworkRegistry) -> World:
    """A world with what the settings say of it: how long things are kept, how much may wait, how often somebody may
    come, and the registry's health; its processes tell one another what of the registry is out of date."""
    signals = world.kept.signals
    signals.hear(REGISTRY, registry.heard)
    registry.on_news(lambda text: signals.tell(REGISTRY, text))
    described = replace(
        world,
        pinned=registry if registry.trust is not None else None,
        retention=settings.retention,
        rates=settings.rates,
        limits=ServerLimits(
            connections=settings.connections_per_address, proxies=read_proxies(settings.trusted_proxies)
        ),
        bounds=Bounds(low_bytes=settings.full_mib * MIB, high_bytes=2 * settings.full_mib * MIB),
        checks=(("registry", good_answer_age(lambda: registry.answered_at, world.clock, most=_REGISTRY_LATE)),),
    )
    return audited(described, *checkpoints_of(settings, world))


def audited(world: World, *meanwhile: Work) -> World:
    """A world whose audit trail tells what was refused, where it has a database; `meanwhile` runs in the background of
    such a one too."""
    kept = world.kept
    if kept.database is None:
        return world
    calls = AuditedCalls(world.log, AuditTrail(kept.database), clock=world.clock)
    kept = replace(kept, meanwhile=(*kept.meanwhile, calls.run, *meanwhile), closing=(calls.aclose, *kept.closing))
    return replace(world, log=calls, keeping=kept)


def checkpoints_of(settings: Settings, world: World) -> tuple[Work, ...]:
    """What makes the checkpoints of the audit trail, where the settings say where they go."""
    place, file, database = settings.audit_key_file, settings.audit_checkpoint_file, world.kept.database
    if place is None or file is None or database is None:
        return ()
    key = private_key_in(keys_of(settings).read(str(place)), where=f"audit key file {place}")
    if not settings.preset.is_local:
        refuse_published(key.public)
    anchor = Anchor(file, key, settings.subscriber_id)
    return (Checkpointing(AuditTrail(database), anchor, clock=world.clock).run,)
