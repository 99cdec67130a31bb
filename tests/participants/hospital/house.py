"""A hospital on a network in memory, its database real, its staff's interface on a port of this machine.

Time stands still: whoever wants it to be later says so. What embedding the hospital takes is all here: `hospital_on`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from hashlib import blake2b
from pathlib import Path

import aiohttp
from aiohttp import web

from participants.hospital.bootstrap import HospitalProgram, hospital_on
from participants.hospital.loading import load_hospital_file
from participants.hospital.settings import HospitalSettings
from tests.api.asking import Ask, asker
from tests.api.hall import BOTH, OPERATOR, PHONE, bearer
from tests.participants.hospital.premises import CLINIC, settings_in
from tests.participants.hospital.towns import CITY, LAKE
from uhi.audit.chain import Link
from uhi.audit.trail import Wanted
from uhi.booking import Booking, Bookings, DoctorQuery, FoundSlot, Offer, Patient
from uhi.exchange.rates import NO_LIMITS
from uhi.http import serve
from uhi.identity.api_keys import KeyWanted
from uhi.identity.people import Account
from uhi.identity.principals import Grant, Principal, PrincipalKind
from uhi.identity.roles import AccessRole, Permission
from uhi.identity.sign_in import SignedIn
from uhi.keeping import Keeping, keeping_in_database
from uhi.messages.values import Address
from uhi.participant import Participant
from uhi.people import database_of
from uhi.ports import Clock
from uhi.signing import PrivateKey
from uhi.storage.sealing import read_body_key_file
from uhi.storage.sql.database import Database
from uhi.testing import FakeClock, Network, Options

APP = "app.example"
WAIT = 30.0
RAVI = Patient(
    id="ravi.kumar@sbx",
    name="Ravi Kumar",
    phone="9000000001",
    address=Address(door="B-204", city="Delhi", state="Delhi", country="INDIA", area_code="110085"),
    gender="M",
    born=date(1990, 5, 15),
    abha_number="91-0000-0000-0001",
)
MEENA = replace(RAVI, id="meena.rao@sbx", name="Meena Rao", phone="9000000002")
ASHA, NAIR, NANDINI = "asha.verma@hpr.ndhm", "ravi.nair@hpr.ndhm", "nandini.joshi@hpr.ndhm"


def _key_of(subscriber_id: str) -> PrivateKey:
    """The same in every life."""
    return PrivateKey(blake2b(subscriber_id.encode(), digest_size=32).digest())


@dataclass
class House:
    """The running hospital; `ask` asks its staff's interface, `bookings` is a patient's application."""

    network: Network
    settings: HospitalSettings
    program: HospitalProgram
    bookings: Bookings
    ask: Ask
    folder: Path
    url: str
    named: int = 0
    organisations: list[str] = field(default_factory=list)
    people: dict[str, Account] = field(default_factory=dict)
    apps: list[Participant] = field(default_factory=list)

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, folder: Path, **more: object) -> AsyncIterator[House]:
        """Begin a life of the hospital on a database; the next one may begin when this one is over."""
        settings = settings_in(folder, url, **more)
        sealing = read_body_key_file(folder / "body.key")

        def keeping(subscriber_id: str, clock: Clock) -> Keeping | None:
            if subscriber_id != CLINIC:
                return None
            assert isinstance(clock, FakeClock)
            return keeping_in_database(url, sealing, clock=clock, owner=CLINIC, subscriber_id=CLINIC, during=clock.held)

        made: list[HospitalProgram] = []

        def prepare(participant: Participant) -> None:
            made.append(hospital_on(participant, settings))

        async with Network(Options(keeping=keeping, new_key=_key_of, rates=NO_LIMITS)) as network:
            assert isinstance(network.clock, FakeClock)
            network.clock.jumps = False
            await network.provider(CLINIC, prepare=prepare)
            app = await network.consumer(APP)
            bookings = Bookings(app)
            app.include(bookings.handlers)
            pages = web.Application()
            made[0].people.serve(pages, made[0].routes())
            session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
            async with serve(pages) as server, session:
                ask = asker(session, server.url)
                yield cls(network, settings, made[0], bookings, ask, folder, server.url, apps=[app])

    @property
    def clock(self) -> FakeClock:
        """The time of everybody here."""
        assert isinstance(self.network.clock, FakeClock)
        return self.network.clock

    @property
    def app(self) -> Participant:
        """The patient's application."""
        return self.apps[0]

    async def settle_in(self) -> None:
        """Take in the organisations of the towns, at the operator's word."""
        for text in (CITY, LAKE):
            file = self.folder / "hospital.yaml"
            file.write_text(text, "utf-8")
            loaded = await load_hospital_file(self.database, file, acting=OPERATOR)
            self.organisations.append(loaded.organisation_id)
        await self.program.look_up()

    @property
    def patient(self) -> Patient:
        """Who books, unless somebody else is named."""
        return RAVI

    @property
    def database(self) -> Database:
        """The hospital's own."""
        return database_of(self.program.participant.world)

    @property
    def city(self) -> str:
        """The organisation of Dr. Verma and Dr. Nair."""
        return self.organisations[0]

    @property
    def lake(self) -> str:
        """The organisation of Dr. Joshi."""
        return self.organisations[1]

    def record_of(self, doctor: str) -> str:
        """The id of a practitioner's record, by HPR address."""
        return self.program.organisations.directory.snapshot.practitioner_ids[doctor]

    async def desk(self, organisation: str = "") -> dict[str, str]:
        """The header of the front desk of an organisation, the city's by default."""
        return await self.person(Grant(AccessRole.HOSPITAL_FRONTDESK, organisation or self.city))

    async def clinician(self, doctor: str = ASHA, organisation: str = "") -> dict[str, str]:
        """The header of a doctor, in the city by default."""
        grant = Grant(AccessRole.CLINICIAN, organisation or self.city)
        return await self.person(grant, practitioner_id=self.record_of(doctor))

    async def person(
        self, *grants: Grant, practitioner_id: str = "", methods: tuple[str, ...] = BOTH
    ) -> dict[str, str]:
        """The header of somebody with these roles, who signed in just now."""
        self.named += 1
        parts = self.program.people.parts
        rows = await parts.accounts.rows()
        made = Account(
            id=f"acc-{self.named}",
            email=f"p{self.named}@{CLINIC}",
            name="Asha",
            tenant=grants[0].tenant,
            grants=frozenset(grants),
            is_email_verified=True,
            practitioner_id=practitioner_id,
        )
        kept = await parts.store.database.write(lambda each: rows.insert(each, made, password=None, at=0.0))
        arrived = SignedIn(kept, methods, self.clock.now())
        opened = await parts.sessions.open(arrived, client=PHONE, is_browser=False)
        self.people[made.id] = kept
        return bearer(opened.access_token)

    async def service(self, tenant: str, *scopes: Permission) -> dict[str, str]:
        """The header of a program's API key, made by an administrator of the tenant."""
        grant = Grant(AccessRole.HOSPITAL_ADMIN, tenant)
        await self.person(grant)
        maker = Principal(kind=PrincipalKind.PERSON, id=f"acc-{self.named}", tenant=tenant, grants=frozenset({grant}))
        wanted = KeyWanted(name="a program", tenant=tenant, scopes=frozenset(scopes))
        return bearer((await self.program.people.parts.api_keys.make(wanted, maker=maker, acting=OPERATOR)).text)

    async def book(self, doctor: str, *, number: int = 0, patient: Patient = RAVI) -> Booking:
        """A confirmed appointment, in the number-th free slot of a doctor from the coming Wednesday on."""
        offer = await self.held(doctor, number=number, patient=patient)
        return await self.bookings.confirm(offer, agreed={term.type or "": "" for term in offer.terms}, wait=WAIT)

    async def held(self, doctor: str, *, number: int = 0, patient: Patient = RAVI) -> Offer:
        """The offer of such a slot, which is held."""
        slots = await self.slots(doctor)
        return await self.bookings.hold(slots[number], patient, wait=WAIT)

    async def slots(self, doctor: str) -> tuple[FoundSlot, ...]:
        """The free slots of a doctor, as the patient's application finds them."""
        async for found in self.bookings.find(DoctorQuery(hpr=doctor), wait=WAIT):
            return await self.bookings.slots(found, wait=WAIT)
        raise AssertionError("nobody answered")

    async def audited(self, action: str) -> list[Link]:
        """The rows of the audit trail whose action begins so."""
        # What nobody waits for is written before what somebody waits for now.
        await self.database.write(lambda connection: None)
        return await self.program.people.trail.rows(wanted=Wanted(action=action))

    def be(self, moment: datetime) -> None:
        """Let it be another time, at once."""
        self.clock.time = moment.timestamp()
