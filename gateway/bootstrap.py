"""Puts a gateway together from its settings: its identity, the network's registry, HTTP both ways, a call log.

The composition root of the gateway. Above: the command line; below: `gateway.app` and the adapters of the library.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Required, TypedDict, Unpack
from urllib.parse import urlsplit

from aiohttp import web

from gateway.app import Gateway
from gateway.settings import GatewaySettings
from uhi.clock import SystemClock
from uhi.exchange.stamps import Stamps
from uhi.frontage import site_page
from uhi.http.client import HttpTransport
from uhi.http.server import Server, application, serve
from uhi.keeping import calls_of, keeping_of
from uhi.ports import CallLog
from uhi.registry.network import LONGEST_PROVIDER_LIST, LookupScope, NetworkRegistry, RegistryAccess
from uhi.registry.pinned import read_trust
from uhi.subscribers import Role
from uhi.world import World, addresses_of, around, identity_of


def gateway_from(settings: GatewaySettings, *, log: CallLog | None = None, worker: int = 0) -> tuple[Gateway, World]:
    """A gateway and the world around it, which whoever runs it closes.

    The call log goes into the database; hops go to `log` as well, or to standard logging.
    Raises: SetupError when the key cannot be used, or there is none for what is kept.
    """
    identity = identity_of(settings, Role.GATEWAY)
    addresses = addresses_of(settings)
    clock = SystemClock()
    peers = HttpTransport(addresses=addresses)
    # Only the registry may answer at length: with the list of all providers.
    asking = HttpTransport(addresses=addresses, longest_answer=LONGEST_PROVIDER_LIST)
    scope = LookupScope(settings.domain_list, city=identity.city)
    stamps, trust = Stamps(identity.signer), read_trust(settings.registry_id, settings.registry_keys)
    access = RegistryAccess(settings.registry_url, stamps, scope, trust=trust)
    registry = NetworkRegistry(access, transport=asking, clock=clock)
    kept = keeping_of(settings, worker=worker)
    world = World(
        registry=registry,
        transport=peers,
        clock=clock,
        log=calls_of(kept, log),
        keeping=kept,
        stamps=stamps,
        closing=(registry.aclose, asking.aclose, peers.aclose),
    )
    world = around(settings, world, registry)
    gateway = Gateway(identity, world=world, directory=registry, rules=settings.rules, network=settings.preset)
    return gateway, world


def gateway_application(gateway: Gateway) -> web.Application:
    """The gateway as an HTTP application, at the path of its registered address (`…/api/v1/uhi`), and its health
    pages."""
    return application(
        gateway.entrance,
        prefix=urlsplit(gateway.identity.me.url).path,
        limits=gateway.world.limits,
        health=gateway.health(),
        pages=site_page(gateway.identity),
    )


class _Where(TypedDict, total=False):
    host: Required[str]
    port: Required[int]
    log: CallLog | None
    worker: int
    reuse_port: bool


@asynccontextmanager
async def gateway_serving(settings: GatewaySettings, **where: Unpack[_Where]) -> AsyncIterator[Server]:
    """Run a gateway while the block does, listening at `host` and `port`. Leaving it takes no more messages and
    finishes what is under way; what is stored goes on with the next start.

    `worker` numbers the processes that share a port, each with `reuse_port`.
    Raises: SetupError when the key cannot be used, the database cannot, or the address cannot be listened on.
    """
    gateway, world = gateway_from(settings, log=where.get("log"), worker=where.get("worker", 0))
    try:
        await gateway.start()
        app = gateway_application(gateway)
        reuse_port = where.get("reuse_port", False)
        listening = serve(
            app, host=where["host"], port=where["port"], reuse_port=reuse_port, limits=gateway.world.limits
        )
        async with listening as server:
            try:
                yield server
            finally:
                await gateway.stop()
    finally:
        await world.aclose()
