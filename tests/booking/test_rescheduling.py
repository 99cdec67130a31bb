"""A patient moves an appointment: hold new, confirm new, cancel old, across a network; and what interrupts it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.booking.ward import MEENA, RAVI, Ward, slot
from uhi.booking import Booking, Bookings, ConsultationProvider, DoctorQuery, FoundSlot, Offer, OrderState, Policy
from uhi.booking.appointments import OFFERED_SLOT
from uhi.booking.speaker import moment
from uhi.errors import BookingDeclined, IncompleteMessage, NoAnswer, StateConflict
from uhi.keeping import Keeping, keeping_in_database
from uhi.participant import Participant
from uhi.ports import Clock
from uhi.storage.sealing import Sealing
from uhi.testing import Network, Options
from uhi.verified import Thread

TAG = "@uhi-network/rescheduled_to"
APP = "app.example"


@dataclass
class Town:
    """A hospital, and an application that keeps its bookings in a database and may die."""

    url: str
    sealing: Sealing = field(default_factory=Sealing.for_development)

    def keep(self, subscriber_id: str, clock: Clock) -> Keeping | None:
        if subscriber_id != APP:
            return None
        during = clock.held  # type: ignore[attr-defined]  # a fake clock
        return keeping_in_database(self.url, self.sealing, clock=clock, owner=APP, during=during)

    async def open(self) -> None:
        self.net = await Network(Options(keeping=self.keep)).__aenter__()
        self.ward, self.provider = await self.hospital("clinic.example")
        self.app = await self.net.consumer(APP, prepare=self._prepare)

    async def hospital(self, subscriber_id: str) -> tuple[Ward, ConsultationProvider]:
        """A hospital with three slots."""
        hospital, ward = await self.net.provider(subscriber_id), Ward(self.net.clock)
        ward.offer(slot(0), slot(1), slot(2))
        policy = Policy(rescheduled_to_tag=TAG, offered_slot_tag=OFFERED_SLOT)
        provider = ConsultationProvider(ward, speaker=hospital, policy=policy)
        hospital.include(provider.handlers)
        return ward, provider

    async def restart(self) -> None:
        old, clock = self.app, self.net.clock
        # Closing a database takes real time, in which nobody is to give up.
        with clock.held():  # type: ignore[attr-defined]  # a fake clock
            await self._restart(old)

    async def _restart(self, old: Participant) -> None:
        self.net._participants.remove(old)
        await old.stop(seconds=0)
        await old.world.aclose()
        self.app = Participant(old.identity, world=self.net.world(old.identity.signer))
        self._prepare(self.app)
        await self.app.start()
        self.net._participants.append(self.app)
        self.net.put_behind(APP, self.app.entrance)

    def _prepare(self, app: Participant) -> None:
        self.bookings = Bookings(app, rescheduled_to_tag=TAG)
        app.include(self.bookings.handlers)
        app.meanwhile(self.bookings.watch)

    async def slots(self) -> tuple[FoundSlot, ...]:
        doctors = [one async for one in self.bookings.find(DoctorQuery(), wait=1)]
        return await self.bookings.slots(doctors[0])

    async def booked_and_offered(self) -> tuple[Booking, Offer]:
        """A confirmed booking, and an offer of a later slot."""
        slots = await self.slots()
        first = await self.bookings.hold(slots[0], RAVI)
        booked = await self.bookings.confirm(first, agreed=first.terms)
        return booked, await self.bookings.hold(slots[1], RAVI)

    async def state(self, order_id: str, thread: Thread) -> OrderState:
        known = await self.bookings.known(order_id, thread=thread)
        assert known is not None
        return known.state


@pytest.fixture
async def town(database_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    """On SQLite and on PostgreSQL."""
    town = Town(database_url)
    await town.open()
    yield town
    await town.net.__aexit__(None, None, None)


async def test_the_new_one_is_confirmed_and_then_the_old_one_cancelled(town):
    """Decision 38: in that order; the cancellation names the order that takes the place."""
    old, offer = await town.booked_and_offered()

    new = await town.bookings.reschedule(old, offer, agreed=offer.terms)
    await town.net.settle()

    assert new.is_confirmed
    assert await town.state(old.order_id, old.thread) is OrderState.CANCELLED
    assert [reason for *_, reason in town.ward.called_off] == ["PATIENT_OTHER"]
    sent = [hop.action for hop in town.net.calls if hop.direction.value == "out"]
    assert sent.index("cancel") > len(sent) - 1 - sent[::-1].index("on_confirm")
    kept = await town.provider._attending._desk.store.get(old.order_id)
    assert kept.rescheduled_to == new.order_id


async def test_where_the_new_one_fails_the_old_one_stays(town):
    """Decision 38: the patient never has nothing."""
    old, offer = await town.booked_and_offered()
    town.net.clock.time += 16 * 60
    await town.bookings.hold((await town.slots())[0], MEENA)

    with pytest.raises(BookingDeclined):
        await town.bookings.reschedule(old, offer, agreed=offer.terms)
    await town.net.settle()

    assert await town.state(old.order_id, old.thread) is OrderState.CONFIRMED
    assert town.ward.called_off == []


@pytest.mark.parametrize(("notice", "was", "now"), [(0.1, "CONFIRMED", "CANCELLED"), (-0.1, "CANCELLED", "CONFIRMED")])
async def test_where_the_old_one_is_not_let_go_the_new_one_is_called_off(notice, was, now, town):
    """Decision 38: never two; a hospital asks for notice, and only its answer to the cancellation says so."""
    old, offer = await town.booked_and_offered()
    left = old.slot.start - moment(town.net.clock) + timedelta(hours=notice)
    desk = town.provider._attending._desk
    object.__setattr__(desk, "policy", replace(desk.policy, patient_notice=left))

    await town.bookings.reschedule(old, offer, agreed=offer.terms)
    await town.net.settle()

    assert (await town.state(old.order_id, old.thread)).value == was
    assert (await town.state(offer.order_id, offer.thread)).value == now


async def test_a_booking_is_moved_to_another_hospital(town):
    """Decision 38: the first hospital knows nothing of the order at the second, and is not told of it."""
    await town.hospital("other.example")
    doctors = [one async for one in town.bookings.find(DoctorQuery(), wait=1)]
    slots = [await town.bookings.slots(doctor) for doctor in doctors]
    first, offer = [await town.bookings.hold(each[number], RAVI) for number, each in enumerate(slots)]
    old = await town.bookings.confirm(first, agreed=first.terms)

    new = await town.bookings.reschedule(old, offer, agreed=offer.terms)
    await town.net.settle()

    assert new.is_confirmed
    assert await town.state(old.order_id, old.thread) is OrderState.CANCELLED


async def test_what_has_begun_is_not_moved(town):
    """Decision 38: nobody lets go of an appointment that has begun, so there would be two."""
    old, offer = await town.booked_and_offered()
    town.net.clock.time = old.slot.start.timestamp()

    with pytest.raises(StateConflict):
        await town.bookings.reschedule(old, offer, agreed=offer.terms)


async def test_terms_that_are_not_agreed_and_bookings_that_are_not_confirmed_are_not_moved(town):
    """Ours: nothing is sent, and nothing waits to be cancelled."""
    old, offer = await town.booked_and_offered()

    with pytest.raises(IncompleteMessage):
        await town.bookings.reschedule(old, offer, agreed=offer.terms[:4])
    with pytest.raises(StateConflict):
        await town.bookings.reschedule(await town.bookings.known(offer.order_id, thread=offer.thread), offer, agreed={})
    await town.bookings.confirm(offer, agreed=offer.terms)
    await town.net.settle()

    assert await town.state(old.order_id, old.thread) is OrderState.CONFIRMED


async def test_a_confirmation_that_comes_late_and_after_a_restart_moves_it(town):
    """Decision 38, durable: the process dies between confirm and cancel."""
    old, offer = await town.booked_and_offered()
    town.net.faults.delay(30, "on_confirm")
    with pytest.raises(NoAnswer):
        await town.bookings.reschedule(old, offer, agreed=offer.terms, wait=2)

    await town.restart()
    await town.net.clock.advance(40)
    await town.net.settle()

    assert await town.state(offer.order_id, offer.thread) is OrderState.CONFIRMED
    assert await town.state(old.order_id, old.thread) is OrderState.CANCELLED
    assert len(town.ward.called_off) == 1


async def test_the_old_one_is_cancelled_after_a_restart(town):
    """Decision 38, durable: confirmed, and dead before the cancellation left."""
    old, offer = await town.booked_and_offered()
    town.net.faults.drop("cancel", times=1_000)
    await town.bookings.reschedule(old, offer, agreed=offer.terms)

    await town.restart()
    town.net.faults.heal()
    await town.net.clock.advance(2_000)
    await town.net.settle()

    assert await town.state(old.order_id, old.thread) is OrderState.CANCELLED


async def test_bookings_survive_a_restart_and_the_pin_comes_back_by_status(town):
    """Decision 37: callbacks have their effect in the next life; digits are in memory only."""
    booked, _ = await town.booked_and_offered()

    await town.restart()
    known = await town.bookings.known(booked.order_id, thread=booked.thread)
    asked = await town.bookings.status(known)
    await town.provider.cancelled("appointment-slot-0", "DOCTOR_UNAVAILABLE")
    await town.net.settle()

    assert (known.state, known.pin, known.slot, known.pin_status) == (booked.state, "", booked.slot, booked.pin_status)
    assert asked.pin == booked.pin != ""
    assert await town.state(booked.order_id, booked.thread) is OrderState.CANCELLED


async def test_a_hospital_that_moves_an_appointment_offers_another_slot(town):
    """Decision 38: a hospital's move is on_cancel with an offer, which the booking shows."""
    booked, _ = await town.booked_and_offered()

    await town.provider.move("appointment-slot-0", "DOCTOR_SCHEDULE_CHANGE", "slot-2")
    await town.net.settle()

    known = await town.bookings.known(booked.order_id, thread=booked.thread)
    assert (known.state, known.offered_slot) == (OrderState.CANCELLED, "slot-2")
