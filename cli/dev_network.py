"""The network that `uhi dev` and `uhi demo` run: registry, gateway, two hospitals, a patient app, each on a port of its
own, with real keys, signatures and HTTP. Demo data.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial

from cli.dev_hospitals import Staff, Ward, open_hospital
from cli.home import Home
from participants.demo_hospital.app import hospital_app
from participants.demo_hospital.data import HospitalData, demo_hospital
from participants.patient.app import PatientApp
from uhi.participant import Participant
from uhi.subscribers import Role, Subscriber
from uhi.testing import Network, Options
from uhi.testing.network import CITY, GATEWAY_ID, REGISTRY_ID

PATIENT = "patient.example"
HOSPITALS = {"city-hospital.example": "city-hospital", "lakeside-clinic.example": "lakeside-clinic"}
PROGRAMS = (REGISTRY_ID, GATEWAY_ID, *HOSPITALS, PATIENT)


@dataclass(frozen=True, slots=True)
class DevNetwork:
    """The running network; `addresses` are the base URLs by subscriber id, in order, `staff` the interfaces of the
    hospitals' staff. `background` runs something until it ends or the network does."""

    net: Network
    patient: PatientApp
    addresses: Mapping[str, str]
    staff: tuple[Staff, ...]
    background: Callable[[Coroutine[object, object, None]], None]


@asynccontextmanager
async def running(
    *, ports: Mapping[str, int] | None = None, home: Home | None = None, staff_ports: Mapping[str, int] | None = None
) -> AsyncIterator[DevNetwork]:
    """Run the network while the block does. `ports` by subscriber id; without one a program takes any free port.

    Keys and what the programs accepted are kept in `home`, and in memory without one. With `staff_ports` (and a home)
    the hospitals are whole ones with people of their own; without, they answer from the demo files alone.
    Raises: SetupError when a port is taken, or the home cannot be used.
    """
    options = Options(sockets=True, ports=ports or {})
    if home is not None:
        options = replace(options, new_key=home.key, keeping=home.keeping)
    async with AsyncExitStack() as stack:
        net = await stack.enter_async_context(Network(options))

        def background(work: Coroutine[object, object, None]) -> None:
            stack.callback(asyncio.ensure_future(work).cancel)

        addresses = {REGISTRY_ID: net.registry_url, GATEWAY_ID: net.gateway.identity.me.url}
        staff: list[Staff] = []
        for subscriber_id, name in HOSPITALS.items():
            if home is not None and staff_ports is not None:
                ward = Ward(subscriber_id, name, staff_ports[subscriber_id])
                hospital, people = await open_hospital(net, ward, home, stack)
                staff.append(people)
            else:
                hospital = await net.provider(subscriber_id, prepare=partial(_open, demo_hospital(name)))
            addresses[subscriber_id] = hospital.identity.me.url
        patient = PatientApp(await net.consumer(PATIENT))
        addresses[PATIENT] = patient.participant.identity.me.url
        yield DevNetwork(net, patient, addresses, tuple(staff), background)


def _open(data: HospitalData, participant: Participant) -> None:
    hospital_app(participant, data)


def register_searcher(network: DevNetwork, subscriber_id: str, url: str) -> None:
    """Let one more consumer take part, which runs in a process of its own."""
    domains = network.patient.participant.identity.me.domains
    network.net.register(Subscriber(subscriber_id, Role.CONSUMER, url, domains=domains, cities=(CITY,)))
