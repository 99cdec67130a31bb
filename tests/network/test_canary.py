"""A patient whose every word is marked books, cancels and meets our own errors; what is written shows no mark."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import aiohttp
import pytest
from click.testing import CliRunner

from cli.dev_network import HOSPITALS, DevNetwork, running
from cli.home import Home
from cli.main import main
from participants.demo_hospital.hospital import DemoHospital
from tests.network.letters import Letter
from uhi.booking import Booking, DoctorQuery, Offer, OrderState, Patient
from uhi.errors import BookingError, UhiError
from uhi.messages.values import Address
from uhi.observability.logs import configure_logging

CANARIES = {
    "id": "kanari-adresse@sbx",
    "name": "Kanari Patientsson",
    "phone": "9876501234",
    "email": "kanari.mail@example.org",
    "abha": "91-2345-6789-0123",
    "door": "Kanaridoor 7",
    "building": "Kanarihouse",
    "locality": "Kanariward",
    "city": "Kanaripur",
    "state": "Kanaridesh",
    "pincode": "989796",
    "symptom": "kanarisymptom since Tuesday",
}
_EVERYWHERE = tuple(each.encode() for each in CANARIES.values())
_WAIT = 20.0


def a_patient() -> Patient:
    place = {name: CANARIES[name] for name in ("door", "building", "locality", "city", "state")}
    address = Address(name=CANARIES["name"], country="INDIA", area_code=CANARIES["pincode"], **place)
    return Patient(
        id=CANARIES["id"],
        name=CANARIES["name"],
        phone=CANARIES["phone"],
        address=address,
        email=CANARIES["email"],
        gender="F",
        born=date(1984, 2, 29),
        abha_number=CANARIES["abha"],
    )


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Everything that any logger of the process says, at its chattiest, as a program writes it."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logging(json=True, level=logging.DEBUG, stream=stream)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)


@dataclass
class Told:
    """What was written for people or machines to read; `opened` is what only the patient's own programs hold."""

    network: DevNetwork
    errors: list[str]

    def note(self, error: BaseException) -> None:
        self.errors += [str(error), repr(error)]


@asynccontextmanager
async def told(folder: Path) -> AsyncIterator[Told]:
    async with running(home=Home(folder)) as network:
        yield Told(network, [])


async def held(network: DevNetwork) -> Offer:
    """An offer of the first doctor that answers."""
    bookings = network.bookings
    async for doctor in bookings.find(DoctorQuery(speciality="CARDIOLOGY"), wait=_WAIT):
        slots = await bookings.slots(doctor, wait=_WAIT)
        return await bookings.hold(slots[-1], a_patient(), wait=_WAIT)
    raise AssertionError("nobody answered")


async def booked(network: DevNetwork) -> Booking:
    offer = await held(network)
    agreed = {term.type or "": CANARIES["symptom"] if term.needs_reason else "" for term in offer.terms}
    return await network.bookings.confirm(offer, agreed=agreed, wait=_WAIT)


def found(where: bytes) -> list[str]:
    return [name for name, mark in zip(CANARIES, _EVERYWHERE, strict=True) if mark in where]


@pytest.mark.case("IAM-09", "IAM-10")
async def test_nothing_that_is_written_tells_of_a_patient(tmp_path, lines, monkeypatch):
    """Security rules, log redaction and PHI at rest: logs, errors, call log, files and what operators are shown."""
    async with told(tmp_path / "home") as story:
        booking = await booked(story.network)
        cancelled = await story.network.bookings.cancel(booking, "PATIENT_BOOKED_IN_ERROR", wait=_WAIT)
        await _stumble(story, monkeypatch)
        await _send_rubbish(story.network)
        hops = repr(list(story.network.net.calls)).encode()
    files = {path.name: path.read_bytes() for path in sorted((tmp_path / "home").iterdir()) if path.is_file()}

    shown = await asyncio.to_thread(_shown, tmp_path / "home")

    assert (booking.state, cancelled.state) == (OrderState.CONFIRMED, OrderState.CANCELLED)
    assert found(repr((booking, cancelled)).encode()) == []
    assert story.errors
    assert lines.getvalue().count("unforeseen") >= 1
    written = {"log": lines.getvalue().encode(), "errors": repr(story.errors).encode(), "hops": hops}
    assert {name: found(raw) for name, raw in (written | files | shown).items() if found(raw)} == {}


async def _stumble(story: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our own program fails, with the patient in the text of its exception and in its frames."""

    async def fails(self: DemoHospital, hold: object) -> object:
        secret = a_patient()
        raise ValueError(f"cannot write {secret.name}, {secret.phone}, {CANARIES['symptom']}: {hold!r}")

    monkeypatch.setattr(DemoHospital, "book", fails)
    for work in (booked, held):
        try:
            await work(story.network)
        except (BookingError, UhiError) as error:
            story.note(error)
    monkeypatch.undo()


async def _send_rubbish(network: DevNetwork) -> None:
    """What is refused at each step of the door, full of marks: unsigned, of another form, no JSON, with a marked id."""
    signer = network.net.signers["patient.example"]
    marked = ",".join(f'"{name}":"{value}"' for name, value in CANARIES.items())
    for hospital in HOSPITALS:
        url = network.addresses[hospital]
        for body in (
            f"{{{marked}}}",
            f"{{{marked}",
            f'{{"context":{{{marked}}},"message":{{"order":"{CANARIES["name"]}"}}}}',
        ):
            letter = Letter("init", body.encode())
            for each in (letter, letter.signed(signer, network.net.clock.now())):
                answer = await _post(url, each)
                assert found(answer) == []


async def _post(url: str, letter: Letter) -> bytes:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/{letter.path}", data=letter.body, headers=letter.headers) as response,
    ):
        assert response.status >= 400
        return await response.read() + repr(response.headers).encode()


def _shown(folder: Path) -> dict[str, bytes]:
    """What an operator is shown of each database."""
    shown = {}
    for path in folder.glob("*.db"):
        for command in (("calls", "--limit", "1000"), ("outbox", "list", "--state", "DELIVERED"), ("audit", "list")):
            result = CliRunner().invoke(main, [*command, "--url", f"sqlite:///{path}", "--json"])
            assert result.exit_code == 0, result.output
            shown[f"{path.name} {command}"] = result.output.encode()
    return shown
