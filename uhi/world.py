"""Who a program is and what surrounds it: identity, and a value for every port, from parts or from settings.

A composition root: with `participant` and the programs' own, the only place that chooses adapters.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from uhi.clock import SystemClock
from uhi.exchange.pressure import MIB, Bounds
from uhi.exchange.stamps import Stamps
from uhi.http.addresses import any_address, public_only
from uhi.http.client import HttpTransport
from uhi.http.health import Check, Finding, Health, answering, good_answer_age, outbox_lag
from uhi.keeping import Keeping, calls_of, keeping_in_memory, keeping_of, keys_of
from uhi.observability.call_log import LoggedCalls
from uhi.ports import REGISTRY, CallLog, Clock, Registry, Retention, Signals, Storage, Transport, Windows
from uhi.registry.network import LookupScope, NetworkRegistry, RegistryAccess
from uhi.settings import Settings
from uhi.signing import UHI, Signer
from uhi.signing.key_files import private_key_in, refuse_published
from uhi.storage.migrating import schema_state
from uhi.storage.sql.database import Database
from uhi.subscribers import Role, Subscriber

_REGISTRY_LATE = 3_600.0


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a participant is: its registry entry, its signing key, its gateway, and the domain and city it asks in."""

    me: Subscriber
    signer: Signer
    gateway: Subscriber | None = None
    domain: str = ""
    city: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything around a participant, each a port with an implementation that ships with the library.

    `kept` is where it keeps what it promised: in memory where nothing else is given. `checks` are asked by the health
    pages.
    """

    registry: Registry
    transport: Transport
    clock: Clock = field(default_factory=SystemClock)
    log: CallLog = field(default_factory=LoggedCalls)
    keeping: Keeping | None = None
    retention: Retention = field(default_factory=Retention)
    bounds: Bounds = field(default_factory=Bounds)
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


def health_of(world: World, *, is_open: Callable[[], bool]) -> Health:
    """What the health pages of a program tell."""
    checks: dict[str, Check] = dict(world.checks)
    checks["outbox"] = outbox_lag(world.storage, world.clock)
    if world.kept.database is not None:
        database = world.kept.database
        checks["database"] = answering(database.ping)
        checks["migrations"] = _migrations(database)
    is_up = world.kept.redis_is_up
    if is_up is not None:

        async def redis() -> Finding:
            return Finding(True, "answers" if is_up() else "away")

        checks["redis"] = redis
    return Health(checks, is_open=is_open)


def _migrations(database: Database) -> Check:
    """Whether the schema has what this program needs; once it has, it is not looked at again."""
    current: list[bool] = []

    async def check() -> Finding:
        if not current:
            state = await schema_state(database)
            if not state.is_current:
                return Finding(False, "run uhi db upgrade")
            current.append(True)
        return Finding(True, "current")

    return check


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
    )


def world_of(settings: Settings, signer: Signer) -> World:
    """The real world the settings describe: HTTP, the network's registry, the database.

    Raises: SetupError when there is no key for what is kept.
    """
    clock = SystemClock()
    addresses = any_address if settings.preset.is_local else public_only
    transport = HttpTransport(addresses=addresses)
    scope = LookupScope(settings.domain_list, city=settings.city)
    registry = NetworkRegistry(
        RegistryAccess(settings.registry_url, Stamps(signer), scope), transport=transport, clock=clock
    )
    kept = keeping_of(settings)
    return around(
        settings,
        World(
            registry=registry,
            transport=transport,
            clock=clock,
            log=calls_of(kept),
            keeping=kept,
            closing=(registry.aclose, transport.aclose),
        ),
        registry,
    )


def around(settings: Settings, world: World, registry: NetworkRegistry) -> World:
    """A world with what the settings say of it: how long things are kept, how much may wait, and the registry's health;
    its processes tell one another what of the registry is out of date."""
    signals = world.kept.signals
    signals.hear(REGISTRY, registry.forget)
    registry.on_renewed(lambda subscriber_id: signals.tell(REGISTRY, subscriber_id))
    return replace(
        world,
        retention=settings.retention,
        bounds=Bounds(low_bytes=settings.full_mib * MIB, high_bytes=2 * settings.full_mib * MIB),
        checks=(("registry", good_answer_age(lambda: registry.answered_at, world.clock, most=_REGISTRY_LATE)),),
    )
