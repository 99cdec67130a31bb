"""The hospital whose bookings are measured: a hundred doctors, open day and night, each slot a quarter of an hour.

What `participants.hospital` serves, without the interface for people. Run as a program it serves until its input ends.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import uvloop

from participants.demo_hospital.data import HospitalData, Practice
from participants.demo_hospital.schedule import Schedule, Span
from participants.hospital.loading import load_hospital_of
from participants.hospital.organisations.directory import Directory
from participants.hospital.schedules.facade import Schedules
from participants.hospital.schedules.hospital import DatabaseHospital
from tests.bench.hop import Kept
from tests.bench.program import CONSUMER, DOMAIN
from uhi import Identity, Participant, Role, Subscriber
from uhi.audit import Acting, ActorKind
from uhi.booking import ConsultationProvider, Doctor, Facility, HoldLimits, Policy, Slot, Speciality, Window
from uhi.booking.quotes import consultation_quote
from uhi.clock import SystemClock
from uhi.exchange.pressure import Bounds
from uhi.exchange.rates import NO_LIMITS
from uhi.http.addresses import any_address
from uhi.http.client import HttpTransport
from uhi.http.reading import ServerLimits
from uhi.http.server import application, serve
from uhi.keeping import calls_of, keeping_in_database
from uhi.messages.values import IST
from uhi.observability.call_log import RememberedCalls
from uhi.ports import Clock
from uhi.registry.memory import Member, MemoryRegistry
from uhi.signing import UHI, PrivateKey, PublicKey, Signer
from uhi.storage.sealing import Sealing, read_body_key_file
from uhi.storage.sql.database import Database
from uhi.storage.sql.storage import SqlStorage
from uhi.subscribers import SubscriberKey
from uhi.world import World

HOSPITAL = "ward.example"
GATEWAY = "gateway.example"
DOCTORS = 100
_FOR_EVER = 1e11


@dataclass(frozen=True, slots=True)
class Task:
    """What the hospital is told: where the consumer and the gateway are, the consumer's key, and where to keep."""

    peers_url: str
    consumer_key: str
    database: str
    body_key: str


def practices() -> HospitalData:
    """The hospital as its file would describe it."""
    quote = consultation_quote(Decimal(500))
    facility = Facility(id="ward", name="Ward", helpline_number="1800000001", hip_id="IN1")
    schedule = Schedule(hours=((Span(0, 1_440),),) * 7, slot_minutes=15)
    speciality = Speciality("CARDIOLOGY", "Cardiology")
    return HospitalData(
        "Ward",
        tuple(
            Practice(
                Doctor(
                    id=f"doctor{number:03}@hpr.ndhm",
                    name=f"Dr. Number {number}",
                    facility=facility,
                    price=quote.total,
                    speciality=speciality,
                ),
                schedule,
                quote,
            )
            for number in range(DOCTORS)
        ),
    )


@dataclass(frozen=True, slots=True)
class Rooms:
    """What can be booked there, and the port that knows it."""

    directory: Directory
    hospital: DatabaseHospital

    async def look_up(self) -> None:
        """Know what can be booked, before the first message."""
        await self.directory.refresh()


def rooms_on(storage: SqlStorage, clock: Clock) -> Rooms:
    """The hospital on a database."""
    directory = Directory(storage.database)
    schedules = Schedules(storage.database, clock=clock, directory=directory, provider_id=HOSPITAL)
    return Rooms(directory, DatabaseHospital(directory, schedules, storage, provider_id=HOSPITAL, clock=clock))


async def fill(kept: Kept) -> Iterator[Slot]:
    """Load the hospital into its database; returns its free slots from tomorrow on, one doctor after the other for each
    time, so that neighbours are not in one row."""
    clock = SystemClock()
    database = Database.open(kept.database, clock=clock)
    try:
        await load_hospital_of(database, practices(), acting=Acting(actor="bench", kind=ActorKind.OPERATOR))
        rooms = rooms_on(SqlStorage(database, Sealing.for_development(), owner="bench"), clock)
        await rooms.look_up()
        begin = datetime.now(UTC).astimezone(IST).replace(hour=0, minute=0, second=0, microsecond=0)
        window = Window(begin + timedelta(days=1), begin + timedelta(days=3))
        found = [await rooms.hospital.find_slots(each.doctor.id, window=window) for each in practices().practices]
        return iter([slot for same_time in zip(*found, strict=True) for slot in same_time])
    finally:
        await database.aclose()


def _world(task: Task) -> World:
    def key(text: str) -> SubscriberKey:
        return SubscriberKey("k1", PublicKey.read(text), UHI, 0.0, _FOR_EVER)

    consumer = Subscriber(CONSUMER, Role.CONSUMER, f"{task.peers_url}/app", domains=(DOMAIN,))
    gateway = Subscriber(GATEWAY, Role.GATEWAY, f"{task.peers_url}/gateway", domains=(DOMAIN,))
    members = [Member(consumer, (key(task.consumer_key),)), Member(gateway, (key(task.consumer_key),))]
    kept = keeping_in_database(
        task.database, read_body_key_file(Path(task.body_key)), clock=SystemClock(), owner="bench"
    )
    return World(
        registry=MemoryRegistry(members),
        transport=HttpTransport(addresses=any_address),
        log=calls_of(kept, RememberedCalls(most=1_000)),
        bounds=Bounds(1 << 40, 1 << 40, 1 << 40, 1 << 40),
        rates=NO_LIMITS,
        limits=ServerLimits(connections=0),
        keeping=kept,
    )


async def main() -> None:
    """Serve until the input ends."""
    task = Task(**json.loads(sys.argv[1]))
    me = Subscriber(HOSPITAL, Role.PROVIDER, "http://127.0.0.1")
    gateway = Subscriber(GATEWAY, Role.GATEWAY, f"{task.peers_url}/gateway", domains=(DOMAIN,))
    identity = Identity(me, Signer(HOSPITAL, "k1", PrivateKey.new(), UHI), gateway, DOMAIN)
    participant = Participant(identity, world=_world(task))
    policy = Policy(name="Ward", holds=HoldLimits(per_consumer=None, day_share=1.0))
    storage, clock = participant.world.storage, participant.clock
    assert isinstance(storage, SqlStorage)
    rooms = rooms_on(storage, clock)
    provider = ConsultationProvider(rooms.hospital, speaker=participant, policy=policy)
    participant.include(provider.handlers)
    participant.at_start(rooms.look_up)
    for work in (provider.watch_holds, rooms.directory.follow):
        participant.meanwhile(work)
    await participant.start()
    async with serve(application(participant.entrance), limits=ServerLimits(connections=0)) as server:
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
        print(server.port, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    database = participant.world.kept.database
    print(json.dumps(asdict(database.groups) if database else {}), flush=True)
    await participant.stop(seconds=1)
    await participant.world.aclose()


if __name__ == "__main__":
    uvloop.run(main())
