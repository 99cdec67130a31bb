"""HTTP by aiohttp: routes and a server in front of an `Entrance`, and the client behind `ports.Transport`."""

from uhi.http.addresses import AddressPolicy, any_address, public_only
from uhi.http.client import HttpTransport
from uhi.http.health import Check, Finding, Health, add_health
from uhi.http.reading import ServerLimits
from uhi.http.server import Server, add_routes, application, serve

__all__ = [
    "AddressPolicy",
    "Check",
    "Finding",
    "Health",
    "HttpTransport",
    "Server",
    "ServerLimits",
    "add_health",
    "add_routes",
    "any_address",
    "application",
    "public_only",
    "serve",
]
