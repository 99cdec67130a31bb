"""A patient's searches on a network of their own: two people who have signed in, demo hospitals, all over sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

import aiohttp

from participants.demo_hospital.app import hospital_app
from participants.demo_hospital.data import HospitalData, demo_hospital
from participants.patient.search.kept import KeptSearches
from participants.patient.search.routes import SearchPages
from participants.patient.search.searches import Searches, SearchRules
from tests.api.asking import application_of
from tests.api.ward import Badges, Trail
from uhi.actions import SEARCH
from uhi.api import Doorkeeper, Pace, Sites, Surroundings
from uhi.api.streams import StreamLimits
from uhi.booking.catalog import write_doctors
from uhi.booking.consumer import Bookings
from uhi.booking.hospital import Doctor, Window
from uhi.errors import Refusal
from uhi.faults import TOKEN_INVALID
from uhi.http import Server, serve
from uhi.identity import Grant, Principal, PrincipalKind
from uhi.identity.roles import AccessRole
from uhi.identity.sessions import Browsing
from uhi.keeping import Keeping, keeping_in_database
from uhi.messages import Catalog, OnSearch, Search
from uhi.messages.values import IST, PHYSICAL
from uhi.messages.wire import dump
from uhi.participant import Participant
from uhi.ports import Clock
from uhi.signals.local import LocalWindows
from uhi.storage.sealing import Sealing
from uhi.testing import Network
from uhi.testing.network import Options
from uhi.verified import Verified

APP = "app.example"
OWN = "https://app.example"
ASHA, RAVI = {"Authorization": "Bearer asha"}, {"Authorization": "Bearer ravi"}
SEALING = Sealing([bytes(range(32))])
RULES = SearchRules(wait=30.0, late=90.0, searches_per_minute=100)


class People(Badges):
    """Asha and Ravi, each by a token, Asha by a cookie too."""

    async def by_token(self, token: str) -> Principal:
        if token not in {"asha", "ravi"}:
            raise Refusal(TOKEN_INVALID)
        return Principal(kind=PrincipalKind.PERSON, id=f"acc-{token}", grants=frozenset({Grant(AccessRole.PATIENT)}))

    async def by_cookie(self, cookie: str) -> Browsing:
        return Browsing(await self.by_token(cookie), "csrf")


@dataclass
class Stand:
    """The backend of an app, on a network."""

    network: Network
    client: aiohttp.ClientSession
    limits: StreamLimits
    app: Participant | None = None
    searches: Searches | None = None
    bookings: Bookings | None = None
    server: Server | None = None
    trail: Trail = field(default_factory=Trail)

    @property
    def around(self) -> Surroundings:
        """What its routes stand in."""
        clock = self.network.clock
        pace = Pace(public=10_000, all=10_000)
        keeper = Doorkeeper(proofs=People(), sites=Sites(own=OWN), windows=LocalWindows(clock), pace=pace)
        return Surroundings(doorkeeper=keeper, trail=self.trail, clock=clock, streams=self.limits)

    async def hospital(self, subscriber_id: str, data: HospitalData) -> Participant:
        """Another hospital."""
        made = await self.network.provider(subscriber_id)
        hospital_app(made, data)
        return made

    def days(self, ahead: int) -> str:
        """The day so many days ahead, in India."""
        return datetime.fromtimestamp(self.network.clock.now() + ahead * 86_400, IST).date().isoformat()

    async def clinic(self, *doctors: Doctor, subscriber_id: str = "own.example") -> Clinic:
        """A hospital that answers when it is told to."""
        clinic = Clinic(list(doctors))
        await self.network.provider(subscriber_id, prepare=clinic.prepare)
        return clinic

    async def get(self, path: str, who: dict[str, str] = ASHA, **options: object) -> tuple[int, dict]:
        """Status and JSON."""
        return await self._ask("GET", path, who, **options)

    async def begin(self, who: dict[str, str] = ASHA, **wanted: object) -> str:
        """Begin a search; returns its id."""
        status, got = await self._ask("POST", "/v1/searches", who, json=wanted)
        assert status == 201, got
        return got["id"]

    async def post(self, who: dict[str, str] = ASHA, **wanted: object) -> tuple[int, dict]:
        """What a body is answered with."""
        return await self._ask("POST", "/v1/searches", who, json=wanted)

    async def found(self, search_id: str, *, answers: int = 1, **query: object) -> list[dict]:
        """The doctors once so many hospitals have answered."""
        async with self.events(search_id) as told:
            while (await told.next())["progress"]["answered"] < answers:
                pass
        _, got = await self.get(f"/v1/searches/{search_id}", params=query)
        return got["doctors"]

    async def nothing(self, search_id: str) -> dict:
        """How far a search is of which nothing comes, once nobody waits any more."""
        async with self.events(search_id) as told:
            return (await told.until("done"))[-1]["progress"]

    async def _ask(self, method: str, path: str, who: dict[str, str], **options: object) -> tuple[int, dict]:
        async with self.client.request(method, self.server.url + path, headers=who, **options) as response:
            text = await response.text()
            return response.status, json.loads(text) if text else {}

    @asynccontextmanager
    async def events(self, search_id: str, who: dict[str, str] = ASHA, **headers: str) -> AsyncIterator[Told]:
        """The events of a search, as they come."""
        path = f"{self.server.url}/v1/searches/{search_id}/events"
        async with self.client.get(path, headers={**who, **headers}) as response:
            yield Told(response)


@dataclass
class Clinic:
    """Answers every search with its doctors, as soon as it `may_answer`; `asked` is set when it was asked. `more` are
    members of its catalogue."""

    doctors: list[Doctor]
    more: dict[str, object] = field(default_factory=dict)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    def prepare(self, participant: Participant) -> None:
        """Take searches."""

        @participant.on(SEARCH)
        async def search(asked: Verified[Search]) -> OnSearch:
            self.asked.set()
            await self.may_answer.wait()
            window = Window(*(datetime.fromtimestamp(participant.clock.now() + n, IST) for n in (60, 7_200)))
            catalog = write_doctors("Own Clinic", self.doctors, fulfilment=PHYSICAL, window=window)
            return OnSearch(catalog=Catalog.model_validate({**dump(catalog), **self.more}))


@dataclass
class Told:
    """Events read from a response."""

    response: aiohttp.ClientResponse

    async def next(self) -> dict:
        """The next event: `event`, `id`, and its data."""
        told: dict = {}
        while line := (await self.response.content.readline()).decode().rstrip("\n"):
            name, _, value = line.partition(": ")
            told[name] = value
        if "data" not in told:
            assert not self.response.content.at_eof()
            return await self.next()
        return {"event": told["event"], "id": told.get("id", ""), **json.loads(told["data"])}

    async def until(self, *names: str) -> list[dict]:
        """Events up to the first of a name."""
        events = [await self.next()]
        while events[-1]["event"] not in names:
            events.append(await self.next())
        return events


def pune() -> HospitalData:
    """The city hospital of the demo."""
    return demo_hospital("city-hospital")


def lakeside() -> HospitalData:
    """The clinic of the demo."""
    return demo_hospital("lakeside-clinic")


def cheaper(data: HospitalData, *, by: int = 100) -> HospitalData:
    """The same doctors for less."""
    practices = tuple(
        replace(
            one,
            doctor=replace(one.doctor, price=one.doctor.price - by),
            quote=replace(one.quote, total=one.quote.total - by),
        )
        for one in data.practices
    )
    return replace(data, practices=practices)


@asynccontextmanager
async def standing(
    url: str, *hospitals: HospitalData, rules: SearchRules = RULES, limits: StreamLimits | None = None
) -> AsyncIterator[Stand]:
    """A stand with hospitals, named one.example and on."""
    names = ("one.example", "two.example", "three.example")

    def keeping(subscriber_id: str, clock: Clock) -> Keeping | None:
        return keeping_in_database(url, SEALING, clock=clock, owner="test") if subscriber_id == APP else None

    async with AsyncExitStack() as stack:
        network = await stack.enter_async_context(Network(Options(sockets=True, keeping=keeping)))
        client = await stack.enter_async_context(aiohttp.ClientSession())
        stand = Stand(network, client, limits or StreamLimits(quiet_seconds=0.2))

        def prepare(participant: Participant) -> None:
            bookings = stand.bookings = Bookings(participant)
            participant.include(bookings.handlers)
            kept = KeptSearches(participant.world.kept.database, SEALING)
            stand.searches = Searches(participant, bookings, kept, rules)

        for name, data in zip(names, hospitals, strict=False):
            await stand.hospital(name, data)
        stand.app = await network.consumer(APP, prepare=prepare)
        pages = SearchPages(stand.searches).routes()
        stand.server = await stack.enter_async_context(serve(application_of([pages], stand.around)))
        yield stand


def names(doctors: Sequence[dict]) -> list[str]:
    """Who they are."""
    return [doctor["name"] for doctor in doctors]


async def soon(coroutine: object) -> object:
    """Not for ever."""
    return await asyncio.wait_for(coroutine, 20)
