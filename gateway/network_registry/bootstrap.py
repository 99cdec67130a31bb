"""Puts a registry together: members from a YAML file, its own id, the system's clock and the log."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from gateway.network_registry.entrance import RegistryEntrance
from uhi.clock import SystemClock
from uhi.http.health import Health
from uhi.http.server import application
from uhi.observability.call_log import LoggedCalls
from uhi.ports import CallLog, Clock
from uhi.registry.yaml_file import load_registry

PREFIX = "/api/v1/networkregistry"
"""Where UHI's registry is found on its host."""


def registry_from(
    path: Path, *, subscriber_id: str, clock: Clock | None = None, log: CallLog | None = None
) -> RegistryEntrance:
    """The registry of the members in a YAML file, as subscriber `subscriber_id` of the network.

    Raises: SetupError naming the place of a mistake in the file.
    """
    members = load_registry(path)
    return RegistryEntrance(subscriber_id, members, clock=clock or SystemClock(), log=log or LoggedCalls())


def registry_application(entrance: RegistryEntrance) -> web.Application:
    """The registry as an HTTP application, at its place below the host."""
    return application(entrance, prefix=PREFIX, health=Health())
