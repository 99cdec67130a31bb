"""`uhi dev`: a whole network on this machine, a line for every message, until Ctrl-C."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from functools import partial

import click

from cli.dev_network import HOSPITALS, PATIENT, PROGRAMS, DevNetwork, register_searcher, running
from cli.dev_patient import Backend
from cli.home import SEARCHER, Home
from cli.loop import run, serve_until_stopped
from cli.output import json_option, plain, say, say_rows, show_json
from cli.people_admin import accepting
from cli.story import book, show_outcome
from cli.timeline import line, step
from uhi.errors import UhiError
from uhi.observability.logs import configure_logging
from uhi.ports import Direction, Hop
from uhi.testing.network import REGISTRY_ID

_SEARCHER_AFTER = len(PROGRAMS)


@click.command()
@click.option(
    "--port",
    type=click.IntRange(1, 65_527),
    default=9000,
    show_default=True,
    help="The first of nine ports in a row.",
)
@click.option("--quiet", is_flag=True, help="Let nobody book at the start.")
@json_option
def dev(port: int, *, quiet: bool, as_json: bool) -> None:
    """Run a whole network on this machine: registry, gateway, two hospitals, a patient app.

    At the start the patient finds a doctor and books; every message is a line. Keys are made on the fly and kept in
    the folder .uhi, and so is what the programs accept: it is there again when you start anew. The data are invented.
    Try `uhi search` in another terminal. The programs are whole ones: the hospitals' staff have an interface (see
    /openapi.json there), and an invitation for each administrator is shown until somebody takes it up; apps of patients
    have one, and an account to sign in with. Letters, such as the code of a new account, are shown here.
    """
    configure_logging(json=as_json)

    def announce(network: DevNetwork) -> None:
        if as_json:
            _announce_json(network)
        else:
            _announce(network)
        network.letters.show = partial(_show_letter, network, as_json=as_json)
        network.net.calls.heard = _print_json if as_json else _print
        if not quiet:
            network.background(_tell(network, as_json=as_json))

    run(serve_until_stopped(_network(port, Home()), announce))


async def _tell(network: DevNetwork, *, as_json: bool) -> None:
    try:
        story = await book(network)
    except UhiError as error:
        say(f"the booking did not succeed: {error}", style="bold red", to_stderr=True)
        return
    if not as_json:
        show_outcome(story)
        say("The network goes on. Ctrl-C ends it.", style="dim")


@asynccontextmanager
async def _network(port: int, home: Home) -> AsyncIterator[DevNetwork]:
    ports = {name: port + number for number, name in enumerate(PROGRAMS)}
    url = f"http://127.0.0.1:{port + _SEARCHER_AFTER}/uhi"
    people_ports = {name: port + _SEARCHER_AFTER + number for number, name in enumerate((*HOSPITALS, PATIENT), 1)}
    async with running(ports=ports, home=home, people_ports=people_ports) as network:
        register_searcher(network, SEARCHER, url)
        home.write_searcher(
            url=url,
            registry_url=network.net.registry_url,
            gateway_url=network.net.gateway.identity.me.url,
            registry=network.net.registry_trust,
        )
        try:
            yield network
        finally:
            home.forget_searcher()


def _announce(network: DevNetwork) -> None:
    say("A whole UHI network runs on this machine:", style="bold")
    say_rows((name, url) for name, url in network.addresses.items())
    say()
    say("For the staff of the hospitals:", style="bold")
    for each in network.staff:
        say_rows([(each.subscriber_id, f"{each.url}/v1/…, administrator {each.email}")])
        for way in accepting(each.url, email=each.email, token=each.token) if each.token else ():
            say(f"    {way}", style="dim")
    say()
    if network.backend is not None:
        _announce_backend(network.backend)
    say("In another terminal: uhi search --speciality CARDIOLOGY --city Pune")
    say("What the programs accept is kept in .uhi: stop this, start it again, and nothing is lost.", style="dim")
    say()


def _announce_backend(backend: Backend) -> None:
    say("For an app of patients:", style="bold")
    say_rows(
        [
            (backend.subscriber_id, f"{backend.url}/v1/…, described at {backend.url}/openapi.json"),
            ("account", f"{backend.email}, password {backend.password}"),
        ]
    )
    for command in backend.first_steps():
        say(f"    {command}", style="dim")
    say("Letters, such as the code of a new account, are shown here.", style="dim")
    say()


def _announce_json(network: DevNetwork) -> None:
    staff = [asdict(each) for each in network.staff]
    backend = asdict(network.backend) if network.backend else None
    show_json({"ok": True, "addresses": dict(network.addresses), "staff": staff, "backend": backend})


def _show_letter(network: DevNetwork, text: str, *, as_json: bool) -> None:
    if as_json:
        show_json({"letter": asdict(network.letters.letters[-1])})
        return
    say("a letter", style="bold")
    for each in text.splitlines():
        say(f"  {plain(each)}".rstrip())


def _print(hop: Hop) -> None:
    if _is_told(hop):
        say(line(step(hop)), style="" if hop.status == 200 else "red")


def _print_json(hop: Hop) -> None:
    if _is_told(hop):
        show_json(step(hop).as_json())


def _is_told(hop: Hop) -> bool:
    """Every message once: by who sent it; by who got it for lookups, and where another process sent it."""
    return hop.direction is Direction.OUT or hop.receiver == REGISTRY_ID or hop.sender not in PROGRAMS
