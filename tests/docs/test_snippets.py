"""The code on the pages: every piece is a file, every file is on a page and is run."""

from __future__ import annotations

import runpy
from collections.abc import AsyncIterator

import aiohttp
import pytest

from examples.hospital_in_50_lines.hospital import DictHospital
from examples.hospital_in_50_lines.people import RAVI, slots_of
from participants.patient.app import PatientApp
from tests.api.asking import application_of, asker
from tests.api.ward import Trail, surroundings
from tests.docs.pages import ROOT, blocks, pages, shown
from tests.docs.shell import free_port
from uhi import Role, Subscriber
from uhi.booking import DoctorQuery
from uhi.booking.speaker import moment
from uhi.http import serve
from uhi.network import CONSULTATION_DOMAIN
from uhi.signing.key_files import write_private_key_file, write_private_text
from uhi.storage.sealing import new_body_key
from uhi.testing import FakeClock, Network, Options

TOKEN = {"Authorization": "Bearer token-1"}
SNIPPETS = ROOT / "docs" / "snippets"
RUN_HERE = {"hospital.py", "mounted.py", "own_routes.py"}
NEEDS_A_SERVER = {"read_events.py": "tests/signals/test_reading_events.py"}


@pytest.fixture
async def net(tmp_path, monkeypatch) -> AsyncIterator[tuple[Network, int]]:
    """A network over HTTP with a member `clinic.example` that the settings describe, and the port it is to serve on."""
    port = free_port()
    async with Network(Options(sockets=True)) as network:
        me = Subscriber("clinic.example", Role.PROVIDER, f"http://127.0.0.1:{port}/uhi", domains=(CONSULTATION_DOMAIN,))
        write_private_key_file(tmp_path / "clinic.pem", network.register(me).key)
        write_private_text(tmp_path / "body.key", new_body_key())
        settings = {"SUBSCRIBER_ID": me.id, "KEY_ID": "k1", "KEY_FILE": str(tmp_path / "clinic.pem"), "URL": me.url}
        settings |= {"REGISTRY_URL": network.registry_url, "GATEWAY_URL": network.gateway.identity.me.url}
        settings |= {"DATABASE_URL": f"sqlite:///{tmp_path}/c.db", "BODY_KEY_FILE": str(tmp_path / "body.key")}
        for name, value in settings.items():
            monkeypatch.setenv(f"UHI_{name}", value)
        monkeypatch.syspath_prepend(str(SNIPPETS))
        yield network, port


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    """Keeps no cookies."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


def test_every_piece_of_python_on_a_page_is_a_file():
    """Ours: README block == file content, and the generator keeps it so."""
    loose = [
        f"{block.page}:{block.line}"
        for page in pages()
        for block in blocks(page)
        if block.language == "python" and not block.word.startswith("docs/snippets/")
    ]

    assert loose == []


def test_every_snippet_is_on_a_page_and_run():
    """Ours: code that is not run rots, and code that nobody sees is not documentation."""
    snippets = {path.name for path in SNIPPETS.glob("*.py")}
    on_pages = {block.word.rpartition("/")[2] for page in pages() for block in blocks(page)}
    commands = " ".join(each.commands for page in pages() for each in shown(page) if each.word != "by-hand")

    run = {name for name in snippets if name in commands or f"{name.removesuffix('.py')}:app" in commands}

    assert snippets - on_pages == set()
    assert snippets - run == RUN_HERE | set(NEEDS_A_SERVER)


async def test_the_mounted_clinic_answers_a_search(net):
    """Ours: what the how-to mounts serves its own pages and UHI, with the settings of the environment."""
    network, port = net
    site = runpy.run_path(str(SNIPPETS / "mounted.py"))["site"]()
    app = PatientApp(await network.consumer())

    async with serve(site, port=port):
        found = [each.doctor.name async for each in app.bookings.find(DoctorQuery(), wait=1)]

    assert found == ["Dr. Asha Verma"]


async def test_a_hospital_behind_the_settings_takes_a_booking(net):
    """Ours: the README's high level is all it takes."""
    network, port = net
    system = DictHospital(slots_of(network.clock), now=lambda: moment(network.clock))
    participant, _ = runpy.run_path(str(SNIPPETS / "hospital.py"))["hospital_app"](system)
    app = PatientApp(await network.consumer())

    async with participant.serving(port=port):
        doctors = [each async for each in app.bookings.find(DoctorQuery(), wait=1)]
        offer = await app.bookings.hold((await app.bookings.slots(doctors[0]))[0], RAVI)
        booking = await app.bookings.confirm(offer, agreed=offer.terms)
        await network.settle()

    assert booking.is_confirmed


async def test_routes_of_ones_own_stand_behind_the_same_door(client):
    """Ours: what the how-to declares gives a patient their own letters and nobody else's."""
    letters = runpy.run_path(str(SNIPPETS / "own_routes.py"))["letters"]
    trail = Trail()

    async with serve(application_of([letters], surroundings(trail, FakeClock()))) as server:
        ask = asker(client, server.url)
        got = [await ask("GET", f"/v1/patients/{each}/letters", headers=TOKEN) for each in ("pat-1", "pat-2")]

    assert [each.status for each in got] == [200, 404]
    assert got[0].json == {"letters": ["Bring your last report."]}
    assert [entry.outcome.value for entry in trail.written] == ["done", "refused"]
