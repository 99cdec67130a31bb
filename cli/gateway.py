"""`uhi gateway`: runs a network's gateway from its settings, in one process or several."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from cli.loop import run, serve_until_stopped
from cli.output import json_option
from cli.serve import LOCAL_ONLY, PORT, announcer
from cli.workers import Crew, again, held_port, mark_lines, supervise, work
from gateway.bootstrap import gateway_serving
from gateway.call_log import JsonLinesCalls
from gateway.settings import GatewaySettings
from uhi.errors import SetupError
from uhi.http.server import Server
from uhi.observability.logs import configure_logging
from uhi.ports import CallLog
from uhi.subscribers import Role, Subscriber


@click.group()
def gateway() -> None:
    """Run a network's gateway: searches to the providers they concern, and their answers back."""


@dataclass(frozen=True, slots=True)
class _Options:
    host: str
    port: int
    workers: int
    worker_index: int | None
    call_log: Path | None
    as_json: bool

    def command(self, port: int, index: int) -> tuple[str, ...]:
        """The command line of one worker."""
        place = ("--host", self.host, "--port", str(port), "--worker-index", str(index))
        calls = () if self.call_log is None else ("--call-log", str(self.call_log))
        return again("gateway", "serve", *place, *calls, *(("--json",) if self.as_json else ()))


@gateway.command(short_help="Run the gateway.")
@click.option("--host", default=LOCAL_ONLY, show_default=True, help="The address to listen on.")
@click.option("--port", type=PORT, metavar="N", default=8070, show_default=True, help="The port; 0 takes a free one.")
@click.option(
    "--workers",
    type=click.IntRange(1),
    metavar="N",
    default=1,
    show_default=True,
    help="So many processes on the port; more than one needs PostgreSQL.",
)
@click.option("--worker-index", type=click.IntRange(0), hidden=True)
@click.option(
    "--call-log", metavar="FILE", type=click.Path(path_type=Path), help="Append a JSON line for each hop to this file."
)
@json_option
def serve(**given: Any) -> None:
    """Run the gateway until Ctrl-C or SIGTERM; what is under way is finished first.

    With several workers one that ends is started again, and the others go on meanwhile. Beside the protocol's paths
    /healthz, /readyz and /version are served.

    \b
    Environment:
      UHI_SUBSCRIBER_ID, UHI_KEY_ID, UHI_KEY_FILE   the gateway and its key
      UHI_URL                       its registered address, such as
                                    https://gw.example/api/v1/uhi
      UHI_REGISTRY_URL              the registry, such as
                                    https://reg.example/api/v1/networkregistry
      UHI_DATABASE_URL              what was accepted is kept here, such as
                                    postgresql://uhi@db.example/uhi
      UHI_BODY_KEY_FILE             the key that it is encrypted with
                                    (`uhi db key` makes one)
      UHI_REDIS_URL, UHI_EVENTS_URL signals between processes; events for others
                                    (both optional)
      UHI_INSTANCE                  this machine among several (its host's name)
      UHI_DOMAINS, UHI_NETWORK      as for every program
      UHI_MATCH_CITY                true: search providers of its city only
      UHI_MATCH_FULFILMENT_TYPE     true: and of its fulfilment type only
      UHI_FAN_OUT_LIMIT             the most providers a search goes to (2000)
      UHI_OPEN_SECONDS              how long a search without a ttl lasts (60)
      UHI_SEARCHES_PER_SECOND       how often one consumer may search (10)
      UHI_ANSWERS_PER_SECOND        catalogues from one provider (500)
    """
    options = _Options(**given)
    configure_logging(json=options.as_json)
    settings = GatewaySettings.read()
    if options.workers > 1:
        _supervise(options, settings)
    elif options.worker_index is not None:
        _work(options, settings, options.worker_index)
    else:
        _serve(options, settings)


def _serve(options: _Options, settings: GatewaySettings) -> None:
    with _calls(options.call_log) as log:
        serving = gateway_serving(settings, host=options.host, port=options.port, log=log)
        run(serve_until_stopped(serving, announcer(_me(settings), as_json=options.as_json)))


def _work(options: _Options, settings: GatewaySettings, index: int) -> None:
    mark_lines(index)
    with _calls(options.call_log) as log:
        serving = gateway_serving(
            settings, host=options.host, port=options.port, log=log, worker=index, reuse_port=True
        )
        run(work(serving, announcer(_me(settings), as_json=True)))


def _supervise(options: _Options, settings: GatewaySettings) -> None:
    _check_shared(options, settings)
    announce = announcer(_me(settings), as_json=options.as_json, workers=options.workers)
    with held_port(options.host, options.port) as port:
        crew = Crew(options.workers, lambda index: options.command(port, index))
        code = run(supervise(crew, lambda: announce(Server(options.host, port))))
    click.get_current_context().exit(code)


def _check_shared(options: _Options, settings: GatewaySettings) -> None:
    if not settings.storage_url.startswith("postgresql://"):
        raise SetupError(
            f"{options.workers} workers cannot share this storage",
            got=f"{settings.storage_url.partition(':')[0]}, which is for one process",
            expected="PostgreSQL",
            next_step="set UHI_DATABASE_URL=postgresql://user@host/name, or leave --workers out",
        )


def _me(settings: GatewaySettings) -> Subscriber:
    return Subscriber(settings.subscriber_id, Role.GATEWAY, settings.url)


def _calls(path: Path | None) -> AbstractContextManager[CallLog | None]:
    return nullcontext() if path is None else JsonLinesCalls(path)
