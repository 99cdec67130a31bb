"""`uhi gateway`: runs a network's gateway from its settings."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import click

from cli.loop import run, serve_until_stopped
from cli.output import json_option
from cli.serve import LOCAL_ONLY, PORT, announcer
from gateway.bootstrap import gateway_serving
from gateway.call_log import JsonLinesCalls
from gateway.settings import GatewaySettings
from uhi.observability.logs import configure_logging
from uhi.ports import CallLog
from uhi.subscribers import Role, Subscriber


@click.group()
def gateway() -> None:
    """Run a network's gateway: searches to the providers they concern, and their answers back."""


@gateway.command(short_help="Run the gateway.")
@click.option("--host", default=LOCAL_ONLY, show_default=True, help="The address to listen on.")
@click.option("--port", type=PORT, metavar="N", default=8070, show_default=True, help="The port; 0 takes a free one.")
@click.option(
    "--call-log", metavar="FILE", type=click.Path(path_type=Path), help="Append a JSON line for each hop to this file."
)
@json_option
def serve(host: str, port: int, call_log: Path | None, as_json: bool) -> None:
    """Run the gateway until Ctrl-C or SIGTERM; what is under way is finished first.

    \b
    Environment:
      UHI_SUBSCRIBER_ID, UHI_KEY_ID, UHI_KEY_FILE   who the gateway is, and its key
      UHI_URL                       its registered address, such as https://gw.example/api/v1/uhi
      UHI_REGISTRY_URL              the registry, such as https://reg.example/api/v1/networkregistry
      UHI_DOMAINS, UHI_NETWORK      as for every program
      UHI_MATCH_CITY                true: a search goes to providers of its city only
      UHI_MATCH_FULFILMENT_TYPE     true: and to those that declare its fulfilment type
      UHI_FAN_OUT_LIMIT             the most providers a search goes to (2000)
      UHI_OPEN_SECONDS              how long a search without a ttl may be answered (60)
    """
    configure_logging(json=as_json)
    settings = GatewaySettings.read()
    me = Subscriber(settings.subscriber_id, Role.GATEWAY, settings.url)
    with _calls(call_log) as log:
        serving = gateway_serving(settings, host=host, port=port, log=log)
        run(serve_until_stopped(serving, announcer(me, as_json=as_json)))


def _calls(path: Path | None) -> AbstractContextManager[CallLog | None]:
    return nullcontext() if path is None else JsonLinesCalls(path)
