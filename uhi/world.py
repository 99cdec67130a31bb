"""Who a program is and what surrounds it: identity, and a value for every port, from parts or from settings.

A composition root: with `participant` and the programs' own, the only place that chooses adapters.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from uhi.clock import SystemClock
from uhi.exchange.stamps import Stamps
from uhi.http.addresses import any_address, public_only
from uhi.http.client import HttpTransport
from uhi.observability.call_log import LoggedCalls
from uhi.ports import CallLog, Clock, Conversations, Journal, Registry, Transport
from uhi.registry.network import LookupScope, NetworkRegistry, RegistryAccess
from uhi.settings import Settings
from uhi.signing import UHI, Signer
from uhi.signing.key_files import read_private_key_file, refuse_published
from uhi.storage.memory import MemoryConversations, MemoryJournal
from uhi.subscribers import Role, Subscriber


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
    """Everything around a participant, each a port with an implementation that ships with the library."""

    registry: Registry
    transport: Transport
    clock: Clock = field(default_factory=SystemClock)
    journal: Journal = field(default_factory=MemoryJournal)
    conversations: Conversations = field(default_factory=MemoryConversations)
    log: CallLog = field(default_factory=LoggedCalls)
    closing: tuple[Callable[[], Awaitable[None]], ...] = ()

    async def aclose(self) -> None:
        """Close what was opened for this world, such as connection pools."""
        for close in self.closing:
            await close()


def identity_of(settings: Settings, role: Role) -> Identity:
    """Who the settings say we are.

    Raises: SetupError when the key file cannot be used, or holds a key that stands in public documents.
    """
    key = read_private_key_file(settings.key_file)
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
    """The real world the settings describe: HTTP, the network's registry, the journal in memory."""
    clock = SystemClock()
    addresses = any_address if settings.preset.is_local else public_only
    transport = HttpTransport(addresses=addresses)
    scope = LookupScope(settings.domain_list, city=settings.city)
    registry = NetworkRegistry(
        RegistryAccess(settings.registry_url, Stamps(signer), scope), transport=transport, clock=clock
    )
    return World(registry=registry, transport=transport, clock=clock, closing=(registry.aclose, transport.aclose))
