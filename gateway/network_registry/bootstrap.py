"""Runs a registry: one with a register, from its settings, or, for development, one whose members are in a YAML file.

Above: the command line; below: `program`, `counters`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypedDict, Unpack

from aiohttp import web

from gateway.network_registry.counters import lookup_entrance
from gateway.network_registry.entrance import RegistryEntrance
from gateway.network_registry.program import registry_program
from gateway.network_registry.settings import RegistrySettings
from uhi.clock import SystemClock
from uhi.http.health import Health
from uhi.http.server import Server, application, serve
from uhi.observability.call_log import LoggedCalls
from uhi.ports import CallLog, Clock
from uhi.registry.yaml_file import load_registry
from uhi.signing import Signer

PREFIX = "/api/v1/networkregistry"
"""Where UHI's registry is found on its host."""


class _Options(TypedDict, total=False):
    clock: Clock | None
    log: CallLog | None
    signer: Signer | None


def registry_from(path: Path, *, subscriber_id: str, **options: Unpack[_Options]) -> RegistryEntrance:
    """The registry of the members in a YAML file, as subscriber `subscriber_id` of the network.

    With a `signer` its answers are signed, and numbered by when the file was changed.
    Raises: SetupError naming the place of a mistake in the file.
    """
    members = load_registry(path)
    members.seq = int(path.stat().st_mtime)
    clock, log = options.get("clock") or SystemClock(), options.get("log") or LoggedCalls()
    return lookup_entrance(subscriber_id, members, clock=clock, log=log, signer=options.get("signer"))


def registry_application(entrance: RegistryEntrance) -> web.Application:
    """The registry as an HTTP application, at its place below the host."""
    return application(entrance, prefix=PREFIX, health=Health())


@asynccontextmanager
async def registry_serving(settings: RegistrySettings, *, host: str, port: int) -> AsyncIterator[Server]:
    """Run a registry while the block does, listening at `host` and `port`.

    Raises: SetupError when a key cannot be used, the database cannot, or the address cannot be listened on.
    """
    program = registry_program(settings)
    try:
        await program.start()
        try:
            limits = settings.limits
            async with serve(program.application(), host=host, port=port, limits=limits) as server:
                try:
                    yield server
                finally:
                    program.close()
        finally:
            await program.stop()
    finally:
        await program.aclose()
