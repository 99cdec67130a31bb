"""The network that `uhi dev` and `uhi demo` run: registry, gateway, two hospitals, a patient app, each on a port of its
own, with real keys, signatures and HTTP. Demo data.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial

from cli.dev_hospitals import Staff, open_hospital
from cli.dev_patient import Backend, open_patient
from cli.dev_people import Site
from cli.home import Home
from participants.demo_hospital.app import hospital_app
from participants.demo_hospital.data import HospitalData, demo_hospital
from participants.patient.app import PatientApp
from uhi.booking import Bookings
from uhi.identity.sending import KeptLetters
from uhi.participant import Participant
from uhi.subscribers import Role, Subscriber
from uhi.testing import Network, Options
from uhi.testing.network import CITY, GATEWAY_ID, REGISTRY_ID

PATIENT = "patient.example"
HOSPITALS = {"city-hospital.example": "city-hospital", "lakeside-clinic.example": "lakeside-clinic"}
PROGRAMS = (REGISTRY_ID, GATEWAY_ID, *HOSPITALS, PATIENT)


@dataclass(frozen=True, slots=True)
class DevNetwork:
    """The running network; `addresses` are the base URLs by subscriber id, in order, `bookings` those of `patient`.
    `staff` are the interfaces of the hospitals' staff, `backend` that of patients' apps, `letters` what people got from
    either. `background` runs something until it ends or the network does."""

    net: Network
    patient: Participant
    bookings: Bookings
    addresses: Mapping[str, str]
    staff: tuple[Staff, ...]
    backend: Backend | None
    letters: KeptLetters
    background: Callable[[Coroutine[object, object, None]], None]


@asynccontextmanager
async def running(
    *, ports: Mapping[str, int] | None = None, home: Home | None = None, people_ports: Mapping[str, int] | None = None
) -> AsyncIterator[DevNetwork]:
    """Run the network while the block does. `ports` by subscriber id; without one a program takes any free port.

    Keys and what the programs accepted are kept in `home`, and in memory without one. With `people_ports` (and a home)
    hospitals and patient are whole programs, with people of their own; without, the hospitals answer from the demo
    files alone, and the patient is bookings and nothing else.
    Raises: SetupError when a port is taken, or the home cannot be used.
    """
    options = Options(sockets=True, ports=ports or {})
    if home is not None:
        options = replace(options, new_key=home.key, keeping=home.keeping)
    async with AsyncExitStack() as stack:
        net = await stack.enter_async_context(Network(options))

        def background(work: Coroutine[object, object, None]) -> None:
            stack.callback(asyncio.ensure_future(work).cancel)

        letters = KeptLetters(show=_not_yet)
        sites = (
            {name: Site(name, port, home, letters) for name, port in people_ports.items()}
            if home is not None and people_ports is not None
            else {}
        )
        addresses = {REGISTRY_ID: net.registry_url, GATEWAY_ID: net.gateway.identity.me.url}
        staff: list[Staff] = []
        for subscriber_id, name in HOSPITALS.items():
            if subscriber_id in sites:
                hospital, people = await open_hospital(net, sites[subscriber_id], name, stack)
                staff.append(people)
            else:
                hospital = await net.provider(subscriber_id, prepare=partial(_open, demo_hospital(name)))
            addresses[subscriber_id] = hospital.identity.me.url
        patient, bookings, backend = await _open_patient(net, sites.get(PATIENT), stack)
        addresses[PATIENT] = patient.identity.me.url
        yield DevNetwork(net, patient, bookings, addresses, tuple(staff), backend, letters, background)


async def _open_patient(
    net: Network, site: Site | None, stack: AsyncExitStack
) -> tuple[Participant, Bookings, Backend | None]:
    if site is None:
        app = PatientApp(await net.consumer(PATIENT))
        return app.participant, app.bookings, None
    program, backend = await open_patient(net, site, stack)
    return program.participant, program.desk.bookings, backend


def _not_yet(letter: str) -> None:
    """Whoever started the network is told of nothing before they are told that it is up."""


def _open(data: HospitalData, participant: Participant) -> None:
    hospital_app(participant, data)


def register_searcher(network: DevNetwork, subscriber_id: str, url: str) -> None:
    """Let one more consumer take part, which runs in a process of its own."""
    domains = network.patient.identity.me.domains
    network.net.register(Subscriber(subscriber_id, Role.CONSUMER, url, domains=domains, cities=(CITY,)))
