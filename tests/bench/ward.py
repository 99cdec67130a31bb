"""The hospital whose bookings are measured: a hundred doctors, open day and night, each slot a quarter of an hour.

Run as a program it serves until its input ends; the load knows the same slots by the same functions.
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
from participants.demo_hospital.hospital import DemoHospital
from participants.demo_hospital.schedule import Schedule, Span
from tests.bench.program import CONSUMER, DOMAIN
from uhi import Identity, Participant, Role, Subscriber
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
from uhi.registry.memory import Member, MemoryRegistry
from uhi.signing import UHI, PrivateKey, PublicKey, Signer
from uhi.storage.sealing import read_body_key_file
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


async def slots() -> Iterator[Slot]:
    """Free slots from tomorrow on, one doctor after the other for each time, so that neighbours are not in one row."""
    hospital = DemoHospital(practices(), clock=SystemClock())
    begin = datetime.now(UTC).astimezone(IST).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    found = [
        await hospital.find_slots(each.doctor.id, window=Window(begin, begin + timedelta(days=2)))
        for each in practices().practices
    ]
    return iter([slot for same_time in zip(*found, strict=True) for slot in same_time])


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
    policy = Policy(name="Ward", holds=HoldLimits(per_consumer=None))
    hospital = DemoHospital(practices(), clock=participant.clock)
    provider = ConsultationProvider(hospital, speaker=participant, policy=policy)
    participant.include(provider.handlers)
    participant.meanwhile(provider.watch_holds)
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
