"""Who talks with the programs of a town: a consumer that searches, providers that answer, patients who book.

Each knows what was acknowledged, and what must hold once nothing waits any more.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from random import Random

from tests.booking.ward import RAVI
from tests.faults.processes import Program, busy
from tests.faults.town import APP, GATEWAY, HOSPITAL, STUB_DOMAIN, STUBS, Peer, Rows, Town, doctors, thread_with
from tests.network.messages import CATALOGUE, SEARCH_ALL
from uhi.actions import SEARCH
from uhi.booking.appointments import Booking
from uhi.booking.consumer import Bookings
from uhi.booking.found import FoundDoctor, FoundSlot

TAKEN = "SELECT message_id, count(*), min(status) FROM inbox WHERE path_role = :path GROUP BY 1"
ANSWERED = (
    "SELECT message_id, count(*), min(state) FROM outbox WHERE action = :path AND dest_role = 'consumer' GROUP BY 1"
)


def check_log(program: Program) -> None:
    """Nothing was unforeseen, and nothing of a patient is in a log."""
    said = program.said()
    assert [line for line in said.splitlines() if "Traceback" in line or "report it as a bug" in line] == []
    assert [name for name in (RAVI.name, RAVI.phone, RAVI.abha_number) if name in said] == []


@dataclass
class Asked:
    """A consumer and three providers around a gateway."""

    app: Peer
    stubs: list[Peer]
    count: int = 0

    async def search(self) -> None:
        """Search, until all three have answered."""
        app, heard = self.app.participant, set()
        thread = replace(app.new_thread(), domain=STUB_DOMAIN)
        async for answer in app.ask(SEARCH, SEARCH_ALL, thread, wait=45):
            heard.add(answer.sender.id)
            if len(heard) == len(STUBS):
                self.count += 1
                return

    async def check(self, rows: Rows, gateway: Program) -> None:
        """All that holds after any number of crashes, once nothing waits any more."""
        for peer in (self.app, *self.stubs):
            await peer.participant.idle()
        await rows.settled()
        acked = self.app.acked("search", GATEWAY)
        for stub in self.stubs:
            taken = stub.taken("search")
            assert {message for _, message in taken} == acked
            assert max(taken.values()) == 1
            answered = stub.acked("on_search", GATEWAY)
            assert {message for _, message in self.app.taken("on_search")} >= answered
        assert max(self.app.taken("on_search").values()) == 1
        letters = await rows.all("SELECT inbox_id, dest_subscriber_id, count(*) FROM outbox GROUP BY 1, 2")
        assert {count for _, _, count in letters} == {1}
        states = await rows.all("SELECT state, count(*) FROM outbox GROUP BY 1")
        assert dict(states) == {"DELIVERED": 2 * len(STUBS) * len(acked)}
        assert await rows.wrong() == []
        assert await gateway.is_ready()
        check_log(gateway)


@asynccontextmanager
async def around_a_gateway(town: Town, *, has_patients: bool = False) -> AsyncIterator[Asked]:
    """The consumer and the providers, listening; one with patients hears answers as they do."""

    async def offers(request: object) -> object:
        return CATALOGUE

    async def hears(answer: object) -> None:
        return None

    async with AsyncExitStack() as stack:
        peers = [await stack.enter_async_context(town.peer(name)) for name in (APP, *STUBS)]
        if not has_patients:
            peers[0].participant.on(SEARCH.answer)(hears)
        for peer in peers[1:]:
            peer.participant.on(SEARCH)(offers)
        for peer, name in zip(peers, (APP, *STUBS), strict=True):
            await stack.enter_async_context(peer.participant.serving(port=town.ports[name]))
        yield Asked(peers[0], peers[1:])


@dataclass
class Patients:
    """A consumer whose patients book visits at the hospital."""

    app: Peer
    bookings: Bookings
    doctors: list[FoundDoctor]
    slots: list[FoundSlot] = field(default_factory=list)
    looking: asyncio.Lock = field(default_factory=asyncio.Lock)
    count: int = 0
    visits: list[Booking] = field(default_factory=list)

    async def slot(self) -> FoundSlot:
        """A slot that nobody here has asked for, in a conversation of its own."""
        async with self.looking:
            while not self.slots:
                doctor = self.doctors.pop(0)
                self.slots = list(await self.bookings.slots(doctor, wait=25))
            return replace(self.slots.pop(0), thread=thread_with(self.app.participant, HOSPITAL))

    async def visit(self) -> None:
        """Book a slot, ask how it stands, and call every third visit off."""
        slot = await self.slot()
        self.count += 1
        number = self.count
        offer = await self.bookings.hold(slot, replace(RAVI, id=f"patient-{number}@sbx"), wait=25)
        booking = await self.bookings.confirm(offer, agreed=offer.terms, wait=25)
        assert await self.bookings.status(booking, wait=25) == booking
        if number % 3 == 0:
            booking = await self.bookings.cancel(booking, "PATIENT_HEALTH_IMPROVED", wait=25)
        self.visits.append(booking)

    async def check(self, rows: Rows, hospital: Program) -> None:
        """All that holds after any number of crashes, once nothing waits any more."""
        await self.app.participant.idle()
        await rows.settled()
        for path in ("init", "confirm", "status", "cancel"):
            taken = await rows.all(TAKEN, path=path)
            assert {str(message) for message, _, _ in taken} == self.app.acked(path, HOSPITAL)
            assert {(count, status) for _, count, status in taken} <= {(1, "DONE")}
            letters = await rows.all(ANSWERED, path=f"on_{path}")
            assert {str(message) for message, _, _ in letters} == self.app.acked(path, HOSPITAL)
            assert {(count, state) for _, count, state in letters} <= {(1, "DELIVERED")}
            heard = self.app.taken(f"on_{path}")
            assert {message for _, message in heard} == self.app.acked(path, HOSPITAL)
            assert set(heard.values()) <= {1}
        orders = await rows.all("SELECT id, state FROM orders WHERE state <> 'EXPIRED'")
        assert sorted(orders) == sorted((visit.order_id, visit.state.value) for visit in self.visits)
        booked = await rows.all("SELECT slot_id FROM hold WHERE state = 'CONFIRMED'")
        assert sorted(slot for (slot,) in booked) == sorted(v.slot.id for v in self.visits if v.is_confirmed)
        assert await rows.wrong() == []
        assert await hospital.is_ready()
        check_log(hospital)


@asynccontextmanager
async def patients(town: Town) -> AsyncIterator[Patients]:
    """The consumer, listening."""
    async with town.peer(APP) as app:
        booking = patients_of(town, app)
        async with app.participant.serving(port=town.ports[APP]):
            yield booking


def patients_of(town: Town, app: Peer) -> Patients:
    """Patients of a consumer that handles bookings from now on."""
    bookings = Bookings(app.participant)
    app.participant.include(bookings.handlers)
    return Patients(app, bookings, doctors(town, app.participant))


@dataclass
class Village:
    """A gateway with its workers, a hospital, and everybody who talks with them."""

    gateway: Program
    hospital: Program
    asked: Asked
    patients: Patients
    urls: tuple[str, str]

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Everybody searches and books while the block runs."""
        async with busy(self.asked.search, at_once=2), busy(self.patients.visit, at_once=2):
            yield

    async def strike(self, random: Random) -> None:
        """Kill a program, or one worker of it, at some moment, and let it come back."""
        await asyncio.sleep(random.uniform(0.1, 1.0))
        victim = random.choice((self.gateway, self.hospital))
        workers = victim.workers()
        if workers and random.random() < 0.8:
            os.kill(random.choice(workers), signal.SIGKILL)
            return
        await victim.kill()
        await victim.start()

    async def check(self) -> None:
        """All that holds of both, and that every copy of an order's news is at the gateway once."""
        async with Rows.of(self.urls[0]) as rows, Rows.of(self.urls[1]) as rows_of_hospital:
            await self.patients.check(rows_of_hospital, self.hospital)
            await self.asked.check(rows, self.gateway)
            sent = "SELECT DISTINCT message_id FROM outbox WHERE dest_role = 'gateway' AND state = 'DELIVERED'"
            kept = "SELECT message_id FROM inbox WHERE signer_id = :hospital"
            assert sorted(await rows.all(kept, hospital=HOSPITAL)) == sorted(await rows_of_hospital.all(sent))


@asynccontextmanager
async def village(town: Town, urls: tuple[str, str], *arguments: str, **settings: str) -> AsyncIterator[Village]:
    """A gateway and a hospital that run on these databases while the block does."""
    gateway = town.gateway_program(urls[0], *arguments, **settings)
    hospital = town.hospital_program(urls[1], audited=True, **settings)
    async with around_a_gateway(town, has_patients=True) as asked, gateway.ending(), hospital.ending():
        await gateway.start()
        await hospital.start()
        yield Village(gateway, hospital, asked, patients_of(town, asked.app), urls)
