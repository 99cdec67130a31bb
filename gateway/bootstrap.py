"""Puts a gateway together from its settings: its identity, the network's registry, HTTP both ways, a call log.

The composition root of the gateway. Above: the command line; below: `gateway.app` and the adapters of the library.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from aiohttp import web

from gateway.app import Gateway
from gateway.settings import GatewaySettings
from uhi.clock import SystemClock
from uhi.exchange.stamps import Stamps
from uhi.http.addresses import any_address, public_only
from uhi.http.client import HttpTransport
from uhi.http.server import Server, application, serve
from uhi.observability.call_log import LoggedCalls
from uhi.ports import CallLog
from uhi.registry.network import LONGEST_PROVIDER_LIST, LookupScope, NetworkRegistry, RegistryAccess
from uhi.subscribers import Role
from uhi.world import World, identity_of


def gateway_from(settings: GatewaySettings, *, log: CallLog | None = None) -> tuple[Gateway, World]:
    """A gateway and the world around it, which whoever runs it closes; the log of hops is standard logging by default.

    Raises: SetupError when the key cannot be used.
    """
    identity = identity_of(settings, Role.GATEWAY)
    addresses = any_address if settings.preset.is_local else public_only
    clock = SystemClock()
    peers = HttpTransport(addresses=addresses)
    # Only the registry may answer at length: with the list of all providers.
    asking = HttpTransport(addresses=addresses, longest_answer=LONGEST_PROVIDER_LIST)
    scope = LookupScope(settings.domain_list, city=identity.city)
    access = RegistryAccess(settings.registry_url, Stamps(identity.signer), scope)
    registry = NetworkRegistry(access, transport=asking, clock=clock)
    world = World(
        registry=registry,
        transport=peers,
        clock=clock,
        log=log or LoggedCalls(),
        closing=(registry.aclose, asking.aclose, peers.aclose),
    )
    gateway = Gateway(identity, world=world, directory=registry, rules=settings.rules, network=settings.preset)
    return gateway, world


def gateway_application(gateway: Gateway) -> web.Application:
    """The gateway as an HTTP application, at the path of its registered address (`…/api/v1/uhi`)."""
    return application(gateway.entrance, prefix=urlsplit(gateway.identity.me.url).path)


@asynccontextmanager
async def gateway_serving(
    settings: GatewaySettings, *, host: str, port: int, log: CallLog | None = None
) -> AsyncIterator[Server]:
    """Run a gateway while the block does. Leaving it takes no more messages and finishes what is under way.

    Raises: SetupError when the key cannot be used or the address cannot be listened on.
    """
    gateway, world = gateway_from(settings, log=log)
    async with serve(gateway_application(gateway), host=host, port=port) as server:
        try:
            yield server
        finally:
            await gateway.stop()
            await world.aclose()
