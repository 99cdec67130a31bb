"""A hospital's program and a patient's application on one network in memory, each on a database of its own.

Time stands still: whoever wants it to be later says so. The hospital is that of `tests.participants.hospital`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from aiohttp import web

from participants.hospital.bootstrap import HospitalProgram, hospital_on
from participants.patient.bootstrap import PatientProgram, patient_on
from tests.api.asking import Ask, asker
from tests.api.hall import PHONE, bearer
from tests.participants.hospital.house import House
from tests.participants.hospital.premises import CLINIC
from tests.participants.hospital.premises import settings_in as clinic_settings
from tests.participants.patient.scene import APP, Found, Person, Scene
from tests.participants.patient.scene import settings_in as app_settings
from uhi.http import serve
from uhi.identity.sign_in import SignedIn
from uhi.keeping import Keeping, keeping_in_database, sealing_of
from uhi.participant import Participant
from uhi.people import PeopleSettings
from uhi.ports import Clock
from uhi.testing import FakeClock, Network, Options


@dataclass
class Town:
    """`house` is the hospital, `scene` the application."""

    house: House
    scene: Scene

    @property
    def net(self) -> Network:
        """The network between them."""
        return self.house.network

    async def back(self, person: Person) -> None:
        """Somebody signs in again: time has passed."""
        arrived = SignedIn(person.account, ("pwd",), self.net.clock.now())
        opened = await self.scene.program.people.parts.sessions.open(arrived, client=PHONE, is_browser=False)
        person.headers = bearer(opened.access_token)

    async def order(self, order_id: str) -> dict[str, object]:
        """What the desk has of an order."""
        got = await self.house.ask("GET", f"/v1/appointments/{order_id}", headers=await self.house.desk())
        assert got.status == 200, got.text
        return got.json

    async def desk(self, order_id: str, step: str, **body: object) -> dict[str, object]:
        """Let the desk take a step, and everybody hear of it."""
        path = f"/v1/appointments/{order_id}/{step}"
        got = await self.house.ask("POST", path, headers=await self.house.desk(), json=body)
        assert got.status == 200, got.text
        await self.net.settle()
        return got.json


@asynccontextmanager
async def open_town(clinic_url: str, app_url: str, folder: Path, **more: object) -> AsyncIterator[Town]:
    """Begin, with the organisations of the hospital's own tests; `more` are settings of the application."""
    for name in ("clinic", "app"):
        (folder / name).mkdir()
    clinic = clinic_settings(folder / "clinic", clinic_url)
    app = app_settings(folder / "app", database_url=app_url, **more)
    urls: dict[str, tuple[str, PeopleSettings]] = {CLINIC: (clinic_url, clinic), APP: (app_url, app)}

    def keeping(subscriber_id: str, clock: Clock) -> Keeping | None:
        if subscriber_id not in urls:
            return None
        assert isinstance(clock, FakeClock)
        url, settings = urls[subscriber_id]
        sealing = sealing_of(settings)
        return keeping_in_database(url, sealing, clock=clock, owner=subscriber_id, during=clock.held)

    made: list[HospitalProgram] = []

    def prepare(participant: Participant) -> None:
        made.append(hospital_on(participant, clinic))

    scene = Scene(app_url, folder / "app")

    def prepare_app(participant: Participant) -> None:
        scene.program = patient_on(participant, app)
        scene.shelf = Found(scene.program.desk.shelf)
        object.__setattr__(scene.program.desk, "shelf", scene.shelf)

    async with AsyncExitStack() as stack:
        network = await stack.enter_async_context(Network(Options(keeping=keeping)))
        assert isinstance(network.clock, FakeClock)
        network.clock.jumps = False
        await network.provider(CLINIC, prepare=prepare)
        scene.app, scene.net = await network.consumer(APP, prepare=prepare_app), network
        session = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
        ask, url = await _served(stack, made[0], session)
        scene.ask, _ = await _served(stack, scene.program, session)
        bookings = scene.program.desk.bookings
        house = House(network, clinic, made[0], bookings, ask, folder / "clinic", url)
        await house.settle_in()
        yield Town(house, scene)


async def _served(
    stack: AsyncExitStack, program: HospitalProgram | PatientProgram, session: aiohttp.ClientSession
) -> tuple[Ask, str]:
    pages = web.Application()
    program.people.serve(pages, program.routes())
    server = await stack.enter_async_context(serve(pages))
    return asker(session, server.url), server.url
