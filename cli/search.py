"""`uhi search`: look for doctors on a network as a patient's app would, and print them as hospitals answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import click
from yarl import URL

from cli.home import Home
from cli.loop import run
from cli.output import json_option, plain, say, show_json
from participants.patient.app import PatientApp
from uhi.booking import DoctorQuery, FoundDoctor
from uhi.errors import DeliveryError
from uhi.faults import NO_PROVIDERS
from uhi.messages.values import Place
from uhi.observability.call_log import RememberedCalls
from uhi.observability.logs import configure_logging
from uhi.participant import Participant
from uhi.settings import MEMORY, Settings
from uhi.subscribers import Role
from uhi.world import identity_of, world_of


@click.command()
@click.option("--speciality", default="", help="A code or name: CARDIOLOGY.")
@click.option("--city", default="", help="Where: Pune.")
@click.option("--doctor", default="", help="A doctor's name, or a part of it.")
@click.option("--facility", default="", help="A hospital's name, or a part of it.")
@click.option(
    "--wait",
    type=click.FloatRange(min=0.1),
    default=5.0,
    show_default=True,
    help="Seconds to wait for answers.",
)
@json_option
def search(wait: float, *, as_json: bool, **filters: str) -> None:
    """Search for doctors as a patient would, through the gateway, and print them as hospitals answer.

    Takes part as the subscriber that the UHI_… settings name, or in the network that `uhi dev` runs.
    """
    configure_logging(json=as_json)
    query = DoctorQuery(
        speciality=filters["speciality"],
        city=Place(name=filters["city"]) if filters["city"] else None,
        doctor=filters["doctor"],
        facility=filters["facility"],
    )
    found = run(_search(Home().settings(), query, wait, _quiet if as_json else _print))
    if as_json:
        show_json({"ok": True, "doctors": [_as_json(each) for each in found]})
    elif not found:
        say("nobody answered with a doctor; widen the search, or wait longer (--wait)")


async def _search(
    settings: Settings, query: DoctorQuery, wait: float, tell: Callable[[FoundDoctor], None]
) -> list[FoundDoctor]:
    # One search is over when it ends: nothing of it needs to outlive the process.
    settings = settings.model_copy(update={"database_url": MEMORY})
    identity = identity_of(settings, Role.CONSUMER)
    world = replace(world_of(settings, identity.signer), log=RememberedCalls())
    participant = Participant(identity, world=world, network=settings.preset)
    app = PatientApp(participant)
    address = URL(settings.url)
    found = []
    async with participant.serving(host=address.host or "", port=address.port or 0):
        try:
            async for doctor in app.bookings.find(query, wait=wait):
                found.append(doctor)
                tell(doctor)
        except DeliveryError as error:
            # The gateway knows nobody to ask: nothing is broken, and nobody answers.
            if NO_PROVIDERS.type not in error.got:
                raise
    return found


def _quiet(_: FoundDoctor) -> None:
    """Nothing before the end."""


def _print(found: FoundDoctor) -> None:
    doctor = found.doctor
    field = doctor.speciality.name if doctor.speciality else ""
    say(plain(f"{doctor.name:<28}  {field:<18}  {doctor.price:>8} rupees"))
    say(plain(f"  {doctor.facility.name}  ({found.thread.provider_id})"))


def _as_json(found: FoundDoctor) -> dict[str, object]:
    doctor = found.doctor
    return {
        "id": doctor.id,
        "name": doctor.name,
        "speciality": doctor.speciality.code if doctor.speciality else "",
        "price": str(doctor.price),
        "facility": doctor.facility.name,
        "provider": found.thread.provider_id,
    }
