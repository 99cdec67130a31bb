"""A crowd that confirms late, over HTTP, at a hospital that runs on the library: as many appointments as slots, and
everybody else is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from participants.hospital.loading import load_hospital_file
from participants.hospital.organisations.program import Organisations
from participants.hospital.schedules.facade import Schedules
from participants.hospital.schedules.hospital import DatabaseHospital
from tests.api.hall import OPERATOR
from tests.booking.ward import RAVI, found
from tests.faults.processes import seed
from tests.faults.town import Rows
from uhi.actions import CONFIRM, INIT
from uhi.booking.holds import HoldLimits
from uhi.booking.hospital import Slot, Window
from uhi.booking.offers import Offer, accept, read_offer, write_init
from uhi.booking.policy import Policy
from uhi.booking.provider import ConsultationProvider
from uhi.booking.rebuilding import check
from uhi.booking.speaker import moment
from uhi.keeping import Keeping, keeping_in_database
from uhi.messages import Confirm, Init
from uhi.participant import Participant
from uhi.people import database_of
from uhi.ports import Clock
from uhi.storage.sealing import Sealing
from uhi.storage.sql.storage import SqlStorage
from uhi.testing import Network, Options
from uhi.verified import Declined, Thread

SLOTS = 10
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
HOURS = ", ".join(f"{day}: [10:00-13:20]" for day in DAYS)
DOCTOR, HOSPITAL = "asha.verma@hpr.ndhm", "clinic.example"
TOWN = f"""
name: City Hospital
facilities:
  - id: city-main
    name: City Hospital
    hfr_id: IN2710000101
    helpline_number: 1800 000 0101
    doctors:
      - id: {DOCTOR}
        name: Dr. Asha Verma
        speciality: {{ code: CARDIOLOGY, name: Cardiology }}
        fee: 500.00
        slot_minutes: 20
        hours: {{{HOURS}}}
"""


@dataclass
class Crowd:
    """Everybody in the race, and the hospital as its own process has it."""

    network: Network
    app: Participant
    hospital: DatabaseHospital
    storage: SqlStorage
    provider: ConsultationProvider

    async def slots(self) -> list[Slot]:
        """The free slots of tomorrow."""
        midnight = moment(self.app.clock).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        return list(await self.hospital.find_slots(DOCTOR, window=Window(midnight, midnight + timedelta(days=1))))

    async def offered(self, number: int, one: Slot) -> Offer:
        """An offer of a slot to one of the crowd; its hold is over when it arrives."""
        thread = Thread("nic2004:85111", f"t-{number}", "app.example", HOSPITAL, "std:011")
        place, patient = found(one, thread), replace(RAVI, id=f"patient-{number}@sbx")
        answer = await self.app.ask(INIT, Init(order=write_init(place, patient)), thread, wait=60)
        assert not isinstance(answer, Declined), answer.error
        return read_offer(answer.message.order, place, patient, until=moment(self.app.clock), thread=thread)

    async def confirmed(self, offer: Offer) -> str:
        """What the hospital says to a confirmation: the order's state, or the error's code."""
        answer = await self.app.ask(CONFIRM, Confirm(order=accept(offer, offer.terms)), offer.thread, wait=300)
        return str(answer.error.code) if answer.error else str(answer.message.order.state)


async def race(crowd: Crowd, number: int, chosen: int) -> list[str]:
    """So many take offers of the same slots, one after the other; when all have lapsed they confirm at once."""
    free, offers = await crowd.slots(), []
    assert len(free) == SLOTS
    for start in range(0, number, SLOTS):
        offers += await asyncio.gather(*(crowd.offered(start + each, free[each]) for each in range(SLOTS)))
        await crowd.provider.release_lapsed()
    Random(chosen).shuffle(offers)
    answers = await asyncio.gather(*map(crowd.confirmed, offers))
    await crowd.network.settle()
    return answers


@pytest.fixture
async def crowd(database_url: str, tmp_path: Path) -> AsyncIterator[Crowd]:
    """A consumer, and a hospital with ten slots a day whose holds lapse at once."""
    sealing, made, town = Sealing.for_development(), [], tmp_path / "town.yaml"
    town.write_text(TOWN, "utf-8")

    def keeping(subscriber_id: str, clock: Clock) -> Keeping | None:
        if subscriber_id != HOSPITAL:
            return None
        return keeping_in_database(database_url, sealing, clock=clock, owner="here/0")

    def open_hospital(participant: Participant) -> None:
        world, policy = participant.world, Policy(hold=timedelta(0), holds=HoldLimits(per_consumer=None))
        database, storage = database_of(world), world.storage
        assert isinstance(storage, SqlStorage)
        directory = Organisations(database, world.clock).directory
        schedules = Schedules(database, clock=world.clock, directory=directory, provider_id=HOSPITAL)
        hospital = DatabaseHospital(directory, schedules, storage, provider_id=HOSPITAL, clock=world.clock)
        provider = ConsultationProvider(hospital, speaker=participant, policy=policy)
        participant.include(provider.handlers)
        made.append((directory, hospital, storage, provider))

    async with Network(Options(sockets=True, keeping=keeping)) as network:
        hospital_participant = await network.provider(HOSPITAL, prepare=open_hospital)
        ((directory, hospital, storage, provider),) = made
        await load_hospital_file(database_of(hospital_participant.world), town, acting=OPERATOR)
        await directory.refresh()
        yield Crowd(network, await network.consumer(), hospital, storage, provider)


async def check_race(crowd: Crowd, answers: list[str], url: str) -> None:
    """As many are booked as there are slots, everybody else heard the code for it, and the database is in order."""
    assert sorted(set(answers)) == ["40002", "CONFIRMED"]
    assert answers.count("CONFIRMED") == SLOTS
    async with Rows.of(url) as rows:
        booked = await rows.all("SELECT DISTINCT slot_id FROM hold WHERE state = 'CONFIRMED'")
        assert len(booked) == SLOTS
        assert await rows.count("SELECT count(*) FROM orders WHERE state = 'CONFIRMED'") == SLOTS
        assert await rows.count("SELECT count(*) FROM orders WHERE state = 'FAILED'") == len(answers) - SLOTS
        assert await rows.wrong() == []
    assert await check(crowd.storage, HOSPITAL, crowd.app.clock.now()) == []


@pytest.mark.case("BK-01")
@pytest.mark.parametrize("number", [50, pytest.param(1_000, marks=pytest.mark.faults)])
async def test_of_all_late_confirms_of_ten_slots_ten_are_booked(crowd: Crowd, database_url: str, number: int):
    """Issue 5; reliability rules, P3: the constraint decides who has a slot; the others hear 40002."""
    answers = await race(crowd, number, seed())

    await check_race(crowd, answers, database_url)


@pytest.mark.soak
@pytest.mark.parametrize("chosen", range(20))
async def test_ten_are_booked_whatever_the_order_they_come_in(crowd: Crowd, database_url: str, chosen: int):
    """Issue 5: 1,000 orders for 10 slots, both databases, 20 seeds."""
    answers = await race(crowd, 1_000, chosen)

    await check_race(crowd, answers, database_url)
