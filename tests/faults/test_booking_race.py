"""A crowd that confirms late, over HTTP: as many appointments as slots, and everybody else is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from tests.booking.test_sql_bookings import Generous
from tests.booking.ward import ASHA, RAVI, found, slot
from tests.faults.processes import seed
from tests.faults.town import Rows
from uhi.actions import CONFIRM, INIT
from uhi.booking.holds import HoldLimits
from uhi.booking.hospital import Slot
from uhi.booking.offers import Offer, accept, read_offer, write_init
from uhi.booking.policy import Policy
from uhi.booking.provider import ConsultationProvider
from uhi.booking.speaker import moment
from uhi.keeping import Keeping, keeping_in_database
from uhi.messages import Confirm, Init
from uhi.participant import Participant
from uhi.ports import Clock
from uhi.storage.sealing import Sealing
from uhi.testing import Network, Options
from uhi.verified import Declined, Thread

pytestmark = pytest.mark.faults

SLOTS, CROWD, AT_ONCE = 10, 300, 30


def slots(app: Participant) -> list[Slot]:
    """Slots of tomorrow."""
    tomorrow = moment(app.clock).replace(hour=10, minute=0, second=0, microsecond=0) + timedelta(days=1)
    made = [slot(number, doctor=ASHA) for number in range(SLOTS)]
    moved = [timedelta(minutes=20 * number) for number in range(SLOTS)]
    return [
        replace(one, start=tomorrow + later, end=tomorrow + later + timedelta(minutes=20))
        for one, later in zip(made, moved, strict=True)
    ]


async def offered(app: Participant, number: int, one: Slot) -> Offer:
    """An offer of a slot to one of the crowd; its hold is over when it arrives."""
    thread = Thread("nic2004:85111", f"t-{number}", "app.example", "clinic.example", "std:011")
    place, patient = found(one, thread), replace(RAVI, id=f"patient-{number}@sbx")
    answer = await app.ask(INIT, Init(order=write_init(place, patient)), thread, wait=30)
    assert not isinstance(answer, Declined), answer.error
    return read_offer(answer.message.order, place, patient, until=moment(app.clock), thread=thread)


async def confirmed(app: Participant, offer: Offer, gate: asyncio.Semaphore) -> str:
    """What the hospital says to a confirmation: the order's state, or the error's code."""
    async with gate:
        answer = await app.ask(CONFIRM, Confirm(order=accept(offer, offer.terms)), offer.thread, wait=60)
    return str(answer.error.code) if answer.error else str(answer.message.order.state)


@pytest.fixture
async def crowd(database_url: str) -> AsyncIterator[tuple[Network, Participant]]:
    """A consumer, and a hospital whose own system gives a slot to whoever asks; holds lapse at once."""
    sealing = Sealing.for_development()

    def keeping(subscriber_id: str, clock: Clock) -> Keeping | None:
        if subscriber_id != "clinic.example":
            return None
        return keeping_in_database(database_url, sealing, clock=clock, owner="here/0")

    def open_hospital(participant: Participant) -> None:
        ward = Generous(participant.clock)
        ward.offer(*slots(participant))
        policy = Policy(hold=timedelta(0), holds=HoldLimits(per_consumer=None))
        participant.include(ConsultationProvider(ward, speaker=participant, policy=policy).handlers)

    async with Network(Options(sockets=True, keeping=keeping)) as network:
        await network.provider(prepare=open_hospital)
        yield network, await network.consumer()


async def test_of_three_hundred_late_confirms_of_ten_slots_ten_are_booked(crowd, database_url):
    """Reliability rules, P3: the constraint decides, whatever the hospital's own system says; the others hear 40002."""
    network, app = crowd
    free, gate, offers = slots(app), asyncio.Semaphore(AT_ONCE), []
    for start in range(0, CROWD, SLOTS):
        offers += await asyncio.gather(*(offered(app, start + each, free[each]) for each in range(SLOTS)))
    Random(seed()).shuffle(offers)
    answers = await asyncio.gather(*(confirmed(app, offer, gate) for offer in offers))
    await network.settle()

    assert sorted(set(answers)) == ["40002", "CONFIRMED"]
    assert answers.count("CONFIRMED") == SLOTS
    async with Rows.of(database_url) as rows:
        booked = await rows.all("SELECT DISTINCT slot_id FROM hold WHERE state = 'CONFIRMED'")
        assert len(booked) == SLOTS
        assert await rows.count("SELECT count(*) FROM orders WHERE state = 'CONFIRMED'") == SLOTS
        assert await rows.wrong() == []
