"""A patient application with its interface, a demo hospital, people who have signed in; it can die and live again."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self
from uuid import uuid4

from aiohttp import ClientSession, DummyCookieJar, web

from participants.demo_hospital.app import hospital_app
from participants.demo_hospital.data import demo_hospital
from participants.patient.bootstrap import PatientProgram, patient_on
from participants.patient.people.notices import CURRENT, Purpose
from participants.patient.settings import PatientSettings
from tests.api.asking import Got, asker
from tests.api.hall import PHONE, bearer
from uhi.api.routes import Routes
from uhi.booking.found import FoundSlot
from uhi.booking.hospital import DoctorQuery
from uhi.booking.provider import ConsultationProvider
from uhi.conversation.contents import Document
from uhi.conversation.messages import Kind, Message
from uhi.http import serve
from uhi.identity.people import Account
from uhi.identity.principals import Grant
from uhi.identity.roles import AccessRole
from uhi.identity.sign_in import SignedIn
from uhi.keeping import Keeping, keeping_in_database, sealing_of
from uhi.participant import Participant
from uhi.ports import Clock
from uhi.signing import PrivateKey
from uhi.signing.key_files import write_private_key_file, write_private_text
from uhi.storage.sealing import new_body_key
from uhi.testing import Network, Options

APP = "app.example"
PATIENT = Grant(AccessRole.PATIENT, "patients")
ABHA = "91-1234-5678-9019"
RAVI = {
    "name": "Ravi Kumar",
    "relation": "self",
    "gender": "M",
    "born": "1990-05-15",
    "phone": "9000000001",
    "address": {"street": "1 Example Road", "city": "Pune", "state": "Maharashtra", "area_code": "411005"},
    "abha_address": "ravi.kumar@sbx",
}


def settings_in(folder: Path, **more: object) -> PatientSettings:
    """The settings of an application whose keys and files are in a folder."""
    if not (folder / "body.key").exists():
        write_private_key_file(folder / "app.pem", PrivateKey.new())
        write_private_text(folder / "body.key", new_body_key())
    given = {
        "subscriber_id": APP,
        "key_id": "k1",
        "key_file": folder / "app.pem",
        "url": f"https://{APP}/uhi",
        "registry_url": "https://registry.example",
        "database_url": "sqlite:///unused.db",
        "body_key_file": folder / "body.key",
        "token_key_folder": folder / "token-keys",
        "account_keys_folder": folder / "account-keys",
        "files_url": (folder / "files").as_uri(),
        "requests_per_minute": 1_000_000,
        "public_requests_per_minute": 1_000_000,
        **more,
    }
    return PatientSettings.model_validate(given)


@dataclass
class Person:
    """Somebody who has signed in."""

    scene: Scene
    account: Account
    headers: dict[str, str]

    async def ask(self, method: str, path: str, *, key: str = "", **options: object) -> Got:
        """Ask the interface; every POST has a new key unless one is given."""
        headers = dict(self.headers)
        if method == "POST":
            headers["Idempotency-Key"] = key or uuid4().hex
        return await self.scene.ask(method, path, headers=headers, **options)

    async def consent(self, purpose: Purpose = Purpose.BOOKING) -> Got:
        """Agree to a notice."""
        notice = next(each for each in CURRENT if (each.purpose, each.language) == (purpose, "en"))
        body = {"purpose": purpose.value, "text_hash": notice.text_hash}
        return await self.ask("POST", "/v1/consents", json=body)

    async def member(self, **changes: object) -> str:
        """Add somebody to book for; returns the id."""
        got = await self.ask("POST", "/v1/members", json={**RAVI, **changes})
        assert got.status == 201, got.text
        return str(got.json["id"])

    async def ready(self) -> str:
        """Consent, and have oneself as a member; returns the member's id."""
        await self.consent()
        return await self.member()

    async def held(self, member_id: str, number: int = 0) -> dict[str, object]:
        """A held slot, with its terms."""
        ref = await self.scene.found(self.account.id, number)
        got = await self.ask("POST", "/v1/bookings", json={"slot": ref, "member_id": member_id})
        assert got.status == 201, got.text
        return got.json

    async def confirmed(self, member_id: str, number: int = 0) -> dict[str, object]:
        """A confirmed booking."""
        offer = await self.held(member_id, number)
        got = await self.ask("POST", f"/v1/bookings/{offer['id']}/confirm", json=agreed(offer))
        assert got.status == 200, got.text
        return got.json


def agreed(offer: dict[str, object]) -> dict[str, object]:
    """Every term of an offer."""
    return {"agreed": {term["type"]: "" for term in offer["terms"]}}


@dataclass
class Scene:
    """`async with Scene(url, folder) as scene`, then `await scene.person("asha")`."""

    url: str
    folder: Path
    more: dict[str, object] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)

    async def __aenter__(self) -> Self:
        self._stack = AsyncExitStack()
        self.settings = settings_in(self.folder, **self.more)
        self.net = await self._stack.enter_async_context(Network(Options(sockets=True, keeping=self._keep)))
        self.provider: ConsultationProvider = hospital_app(await self.net.provider(), demo_hospital("city-hospital"))
        self.app = await self.net.consumer(APP, prepare=self._prepare)
        self._client = await self._stack.enter_async_context(ClientSession(cookie_jar=DummyCookieJar()))
        await self._serve()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def restart(self) -> None:
        """The application's process ends, and another begins on the same database."""
        old = self.app
        self.net._participants.remove(old)
        await old.stop(seconds=0)
        await old.world.aclose()
        self.app = Participant(old.identity, world=self.net.world(old.identity.signer))
        self._prepare(self.app)
        await self.app.start()
        self.net._participants.append(self.app)
        self.net.put_behind(APP, self.app.entrance)
        await self._serve()

    async def person(self, name: str, *grants: Grant, methods: tuple[str, ...] = ("pwd",)) -> Person:
        """Somebody signed in, a patient unless other grants are given."""
        parts, now = self.program.people.parts, self.net.clock.now()
        rows = await parts.accounts.rows()
        made = Account(
            id=f"acc-{name}",
            email=f"{name}@home.example",
            name=name.title(),
            tenant="patients",
            grants=frozenset(grants or {PATIENT}),
            is_email_verified=True,
        )
        kept = await parts.store.database.write(lambda on: rows.insert(on, made, password=None, at=now))
        opened = await parts.sessions.open(SignedIn(kept, methods, now), client=PHONE, is_browser=False)
        self.people[name] = Person(self, kept, bearer(opened.access_token))
        return self.people[name]

    async def heard(self, booking_id: str, text: str) -> None:
        """Somebody at the hospital has written about a booking."""
        await self.program.conversations._book.add(await self.from_hospital(booking_id, Kind.TEXT, text=text))

    async def received(self, booking_id: str) -> None:
        """Somebody at the hospital has sent a document about a booking."""
        talks, message = self.program.conversations, await self.from_hospital(booking_id, Kind.DOCUMENT)
        document = Document(content=b"All is well.", media_type="text/plain", name="x.txt")
        attached = await talks._vault.put(document, message.account_id)
        await talks._book.add(replace(message, document=attached))

    async def from_hospital(self, booking_id: str, kind: Kind, text: str = "") -> Message:
        """A message about a booking as it is kept."""
        ours, name = await self.program.desk.get(booking_id), str(uuid4())
        return Message(
            id=name,
            order_id=booking_id,
            account_id=ours.account_id,
            is_ours=False,
            kind=kind,
            at=self.net.clock.now(),
            content_id=name,
            text=text,
        )

    async def found(self, account_id: str, number: int = 0) -> str:
        """The reference of a slot that an account's search has found."""
        slots = await self._slots()
        return self.shelf.put(account_id, slots[number])

    async def _slots(self) -> tuple[FoundSlot, ...]:
        bookings = self.program.desk.bookings
        search = bookings.find(DoctorQuery(doctor="Verma"), wait=3)
        doctor = await anext(search)
        await search.aclose()
        return await bookings.slots(doctor)

    def routes(self) -> list[Routes]:
        """Everything that is served."""
        return list(self.program.routes())

    def _prepare(self, participant: Participant) -> None:
        self.program: PatientProgram = patient_on(participant, self.settings)
        self.shelf = Found(self.program.desk.shelf)
        object.__setattr__(self.program.desk, "shelf", self.shelf)

    def _keep(self, subscriber_id: str, clock: Clock) -> Keeping | None:
        if subscriber_id != APP:
            return None
        return keeping_in_database(self.url, sealing_of(self.settings), clock=clock, owner=subscriber_id)

    async def _serve(self) -> None:
        application = web.Application()
        self.program.people.serve(application, self.program.routes())
        self.server = await self._stack.enter_async_context(serve(application))
        self.ask = asker(self._client, self.server.url)


@dataclass
class Found:
    """The application's shelf, with what a test put there itself."""

    behind: object
    slots: dict[tuple[str, str], FoundSlot] = field(default_factory=dict)

    def put(self, account_id: str, slot: FoundSlot) -> str:
        """Keep a slot; returns its reference."""
        ref = f"slot-{slot.slot.start:%m%d%H%M}"
        self.slots[account_id, ref] = slot
        return ref

    async def found_slot(self, account_id: str, ref: str) -> FoundSlot:
        """See `Shelf`."""
        if (account_id, ref) in self.slots:
            return self.slots[account_id, ref]
        return await self.behind.found_slot(account_id, ref)  # type: ignore[attr-defined]
