"""A registry put together from its settings: its register, both its entrances, its interface for people, background.

The composition root below `bootstrap`. Source: security rules "Registry and key rules", decision 26.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from gateway.network_registry.counters import Lookups
from gateway.network_registry.described import registry_routes
from gateway.network_registry.desk import Desk
from gateway.network_registry.entrance import RegistryEntrance, Site
from gateway.network_registry.posting import Post
from gateway.network_registry.proofs import Proofs
from gateway.network_registry.pushes import Pushes
from gateway.network_registry.register import Register
from gateway.network_registry.rules import RegisterRules
from gateway.network_registry.settings import RegistrySettings
from uhi.api.routes import Routes
from uhi.audit.trail import AuditTrail
from uhi.errors import Refusal, SetupError
from uhi.exchange.background import Background
from uhi.exchange.stamps import Stamps
from uhi.frontage import health_of
from uhi.http.client import HttpTransport
from uhi.http.server import add_routes, application
from uhi.identity import parts as identities
from uhi.identity.parts import IdentityParts
from uhi.keeping import calls_of, keeping_of, sealing_of
from uhi.people import people_in, tidying
from uhi.storage.sql.database import Database
from uhi.subscribers import Role
from uhi.world import Identity, World, addresses_of, audited, checkpoints_of, identity_of


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryParts:
    """What a registry is made of; `proofs` work in the background."""

    settings: RegistrySettings
    identity: Identity
    world: World
    database: Database
    register: Register
    proofs: Proofs
    people: IdentityParts
    trail: AuditTrail


class RegistryProgram:
    """A registry that can be started and stopped. It takes part in its network from `start` on."""

    def __init__(self, parts: RegistryParts) -> None:
        self.parts = parts
        self._pushes: Pushes | None = None
        self._background = Background("the registry's background")
        self._is_open = False

    async def start(self) -> None:
        """Read the register, and begin the background.

        Raises: SetupError when the database cannot be used.
        """
        parts = self.parts
        await parts.world.open()
        try:
            await parts.register.open()
        except Refusal as refusal:
            raise SetupError(
                "the register cannot be read",
                got=str(refusal),
                next_step="check UHI_DATABASE_URL, or run uhi db upgrade",
            ) from None
        self._pushes = Pushes(parts.register.members, parts.proofs.post)
        parts.register.on_change(self._pushes.tell)
        for work in (*parts.world.kept.meanwhile, parts.register.follow, self._tidy):
            self._background.start(work())
        self._is_open = True

    def close(self) -> None:
        """Have the health pages say that questions should go elsewhere."""
        self._is_open = False

    async def stop(self) -> None:
        """Leave what is under way to the next start, and to the caches of others."""
        self.close()
        await self.parts.proofs.aclose()
        if self._pushes is not None:
            await self._pushes.aclose()
        await self._background.stop()

    async def aclose(self) -> None:
        """Close what was opened."""
        await self.parts.people.aclose()
        await self.parts.world.aclose()

    async def idle(self) -> None:
        """Return when no proof is asked for and nobody is told of a change any more."""
        await self.parts.proofs.idle()
        if self._pushes is not None:
            await self._pushes.idle()

    def application(self) -> web.Application:
        """The registry as an HTTP application: UHI's paths below its own, Beckn's at the root, the interface for people
        below `/v1`, the health pages."""
        parts = self.parts
        world, settings = parts.world, parts.settings
        site = Site(
            settings.subscriber_id,
            parts.register.members,
            world.clock,
            world.log,
            parts.identity.signer,
            world.new_rates(),
        )
        lookups = Lookups(site)
        desk = Desk(site, parts.register, parts.proofs, world.windows, settings.errands_per_minute)
        uhi = RegistryEntrance(site, {**lookups.counters(), **desk.counters()})
        beckn = RegistryEntrance(site, {**lookups.beckn_counters(), **desk.beckn_counters()})
        health = health_of(world, is_open=lambda: self._is_open)
        app = application(uhi, prefix=settings.path, limits=world.limits, health=health)
        add_routes(app, beckn, limits=world.limits)
        people_in(settings, world, parts.people).serve(app, self.routes())
        return app

    def routes(self) -> Sequence[Routes]:
        """The interface for people, and the page that describes it and the signed paths."""
        parts = self.parts
        return registry_routes(parts.people, parts.trail, parts.register, prefix=parts.settings.path)

    async def _tidy(self) -> None:
        world, retention = self.parts.world, self.parts.settings.retention
        await tidying(
            world.clock, self.parts.people.tidy, lambda: world.storage.purge(retention, now=world.clock.now())
        )


def registry_program(settings: RegistrySettings) -> RegistryProgram:
    """A registry as its settings describe it; nothing is opened yet.

    Raises: SetupError when a key, the database's address or the address of the registry cannot be used.
    """
    if not settings.path:
        raise SetupError(
            "the registry needs a path of its own: at the root is Beckn's",
            got=f"UHI_URL={settings.url}",
            expected="https://reg.example/api/v1/networkregistry",
        )
    identity = identity_of(settings, Role.REGISTRY)
    kept = keeping_of(settings)
    if kept.database is None:
        raise SetupError("a registry needs a database", next_step="set UHI_DATABASE_URL")
    addresses = addresses_of(settings)
    rules = RegisterRules(
        registry_id=settings.subscriber_id,
        addresses=addresses,
        is_local=settings.preset.is_local,
        encryption_key=identity.encryption_key,
    )
    clock = kept.database.clock
    register = Register(kept.database, rules, clock=clock)
    transport = HttpTransport(addresses=addresses)
    stamps = Stamps(identity.signer)
    plain = World(
        registry=register.members,
        transport=transport,
        clock=clock,
        log=calls_of(kept),
        keeping=kept,
        rates=settings.rates,
        limits=settings.limits,
        stamps=stamps,
        closing=(transport.aclose,),
    )
    world = audited(plain, *checkpoints_of(settings, plain))
    return RegistryProgram(
        RegistryParts(
            settings=settings,
            identity=identity,
            world=world,
            database=kept.database,
            register=register,
            proofs=Proofs(register, Post(stamps, transport, clock), transport, world.windows),
            people=identities.identity_of(kept.database, sealing_of(settings), clock, settings.identity(transport)),
            trail=AuditTrail(kept.database),
        )
    )
