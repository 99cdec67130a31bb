"""`uhi registry`: runs a network's registry from a file."""

from __future__ import annotations

from pathlib import Path

import click

from cli.loop import run, serve_until_stopped
from cli.output import json_option
from cli.serve import LOCAL_ONLY, PORT, announcer
from gateway.network_registry.bootstrap import PREFIX, registry_application, registry_from
from uhi.http.server import serve as http_serve
from uhi.observability.logs import configure_logging
from uhi.subscribers import Role, Subscriber


@click.group()
def registry() -> None:
    """Run a network's registry: who takes part, with which address and keys."""


@registry.command(short_help="Run the registry.")
@click.option(
    "--file", "path", metavar="FILE", type=click.Path(path_type=Path), required=True, help="The members, in YAML."
)
@click.option("--subscriber-id", metavar="ID", required=True, help="The registry's own id, such as registry.example.")
@click.option("--host", default=LOCAL_ONLY, show_default=True, help="The address to listen on.")
@click.option("--port", type=PORT, metavar="N", default=8060, show_default=True, help="The port; 0 takes a free one.")
@json_option
def serve(path: Path, subscriber_id: str, host: str, port: int, as_json: bool) -> None:
    """Run the registry until Ctrl-C or SIGTERM. It answers signed lookups of the members in FILE.

    \b
    A member in FILE:
      - id: clinic.example
        role: provider                     # or consumer, gateway
        url: https://clinic.example/uhi
        domains: [nic2004:85111]
        keys:
          - id: k1
            public_key: MCowBQYDK2VwAyEA…  # uhi keys show FILE
            valid_from: 2026-01-01T00:00:00Z
            valid_until: 2028-01-01T00:00:00Z
    """
    configure_logging(json=as_json)
    entrance = registry_from(path, subscriber_id=subscriber_id)
    me = Subscriber(subscriber_id, Role.REGISTRY, PREFIX)
    serving = http_serve(registry_application(entrance), host=host, port=port)
    run(serve_until_stopped(serving, announcer(me, as_json=as_json)))
