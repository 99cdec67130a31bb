"""`uhi serve`: runs a participant that somebody wrote, until it is stopped; and what every server's command says."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import click

from cli.loading import load_participant
from cli.loop import run, serve_until_stopped
from cli.output import json_option, say, say_rows, show
from uhi.http.server import Server
from uhi.observability.logs import configure_logging
from uhi.subscribers import Subscriber

LOCAL_ONLY = "127.0.0.1"
PORT = click.IntRange(0, 65_535)
"""The type of an option that takes a port; 0 takes a free one."""


@click.command("serve")
@click.argument("target", metavar="MODULE:APP")
@click.option("--host", default=LOCAL_ONLY, show_default=True, help="The address to listen on.")
@click.option("--port", type=PORT, metavar="N", default=8080, show_default=True, help="The port; 0 takes a free one.")
@json_option
def serve(target: str, host: str, port: int, as_json: bool) -> None:
    """Run a participant until Ctrl-C or SIGTERM; what is under way is finished first.

    Beside its paths it serves /healthz, /readyz and /version. MODULE:APP is a uhi.Participant, or a function that
    returns one, in a module of this folder or an installed one; or the short name of an installed participant, of which
    this package brings ambulance, blood-bank, demo-hospital, diagnostics, hospital, patient, pharmacy and pmjay.

    \b
    Example:
      uhi serve clinic.app:app --port 8081
    """
    configure_logging(json=as_json)
    participant = load_participant(target)
    me = participant.identity.me
    serving = participant.serving(host=host, port=port)
    run(serve_until_stopped(serving, announcer(me, as_json=as_json)))


def announcer(me: Subscriber, *, as_json: bool, workers: int = 1) -> Callable[[Server], None]:
    """What tells the operator that a server is up: who it is, where its paths begin, and its registered address.

    `workers` is how many processes it consists of.
    """

    def announce(server: Server) -> None:
        base = server.url + urlsplit(me.url).path
        value = {"ok": True, "serving": me.id, "role": me.role.value, "url": base, "workers": workers}

        def human() -> None:
            many = f", with {workers} workers" if workers > 1 else ""
            say(f"{me.id} is up as {me.role.value}{many}", style="bold green")
            say_rows([("serves", f"{base}/…"), *([("registered as", me.url)] if me.url.startswith("http") else [])])
            say("Ctrl-C stops it; what is under way is finished first.")

        show(value, human, as_json=as_json)

    return announce
