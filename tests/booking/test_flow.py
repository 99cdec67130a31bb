"""Bookings across a whole network: both sides, real doors, a clock that jumps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from tests.booking.ward import ASHA, MEENA, RAVI, Ward, slot
from tests.stores import Shelves
from uhi.actions import CONFIRM, SLOTS, STATUS_NEWS, UPDATED, Decline
from uhi.booking import (
    Booking,
    BookingNews,
    Bookings,
    ConsultationProvider,
    DoctorQuery,
    FoundDoctor,
    FoundSlot,
    LateDoctors,
    Offer,
    OrderState,
    Policy,
    Window,
)
from uhi.booking.offers import accept
from uhi.errors import (
    BookingDeclined,
    BookingError,
    DeliveryError,
    IncompleteMessage,
    NoAnswer,
    PriceMismatch,
    StateConflict,
)
from uhi.faults import SLOT_UNAVAILABLE
from uhi.handlers import Handlers
from uhi.messages import Confirm, OnConfirm, OnStatus, Order, Slots, SlotsFound, Updated
from uhi.messages.values import Price, Quotation
from uhi.participant import Participant
from uhi.testing import FakeClock, Network, Options
from uhi.verified import Declined, Verified

VISIT = "appointment-slot-0"


@dataclass
class World:
    """A hospital and a patient's application on one network."""

    net: Network
    hospital: Participant
    app: Participant
    ward: Ward
    provider: ConsultationProvider
    bookings: Bookings

    async def found(self) -> FoundDoctor:
        doctors = [one async for one in self.bookings.find(DoctorQuery(speciality="CARDIOLOGY"), wait=2)]
        return doctors[0]

    async def slots(self) -> tuple[FoundSlot, ...]:
        return await self.bookings.slots(await self.found())

    async def offer(self) -> Offer:
        return await self.bookings.hold((await self.slots())[0], RAVI)

    async def booked(self) -> Booking:
        offer = await self.offer()
        return await self.bookings.confirm(offer, agreed=offer.terms)

    async def to_the_day(self) -> None:
        clock = self.net.clock
        assert isinstance(clock, FakeClock)
        clock.time = slot(0).start.timestamp() - 600


@pytest.fixture
def shelves() -> Shelves:
    """What each program keeps."""
    return Shelves()


@pytest.fixture
async def world(shelves: Shelves) -> AsyncIterator[World]:
    """One hospital with three slots, one application."""
    async with Network(Options(keeping=shelves)) as net:
        hospital, app = await net.provider(), await net.consumer()
        ward = Ward(net.clock)
        ward.offer(slot(0), slot(1), slot(2))
        provider = ConsultationProvider(ward, speaker=hospital, policy=Policy(name="Demo", select=True))
        hospital.include(provider.handlers)
        bookings = Bookings(app)
        app.include(bookings.handlers)
        yield World(net, hospital, app, ward, provider, bookings)


def replaced(world: World, action: object, function: object) -> None:
    """Let the hospital answer one action with another function."""
    handlers = Handlers()
    handlers.on(action)(function)  # type: ignore[call-overload]
    world.hospital.handlers._by_leg.update(handlers._by_leg)


async def test_a_patient_finds_holds_confirms_and_cancels(world):
    """UHI: search, second search, init, confirm, status, cancel."""
    offer = await world.offer()
    booking = await world.bookings.confirm(offer, agreed=offer.terms)
    status = await world.bookings.status(booking)
    cancelled = await world.bookings.cancel(booking, "PATIENT_HEALTH_IMPROVED")

    assert (booking.is_confirmed, len(booking.pin), booking.slot.id) == (True, 4, "slot-0")
    assert status == booking
    assert cancelled.state is OrderState.CANCELLED
    assert cancelled.cancellation.reason == "PATIENT_HEALTH_IMPROVED"


async def test_find_yields_doctors_of_every_hospital_and_ends_at_its_wait(world):
    """UHI search: no end signal; several answers, one wait."""
    other = await world.net.provider("second.example")
    ward = Ward(world.net.clock)
    ward.offer(slot(0, doctor=replace(ASHA, id="b@hpr.ndhm")))
    other.include(ConsultationProvider(ward, speaker=other).handlers)
    before = world.net.clock.now()

    found = {one.thread.provider_id: one.doctor.id async for one in world.bookings.find(DoctorQuery(), wait=3)}

    assert found == {"clinic.example": ASHA.id, "second.example": "b@hpr.ndhm"}
    assert world.net.clock.now() == pytest.approx(before + 3, abs=0.5)


async def test_find_may_be_left_early(world):
    """Ours: whoever has seen enough stops looking."""
    search = world.bookings.find(DoctorQuery(), wait=3)

    first = await anext(search)
    await search.aclose()

    assert first.doctor.id == ASHA.id
    await world.net.settle()


async def test_doctors_that_come_late_are_told(world):
    """Decision 20: shown and marked late."""
    events = world.bookings.events()
    world.net.faults.delay(5, "on_search")

    found = [one async for one in world.bookings.find(DoctorQuery(), wait=2)]
    late = await anext(events)

    assert found == []
    assert isinstance(late, LateDoctors)
    assert [(one.doctor.id, one.late) for one in late.doctors] == [(ASHA.id, True)]


async def test_doctors_that_are_taken_in_while_the_wait_ends_are_told(world, shelves):
    """Decision 20: an answer that is in time at the door and kept when nobody waits any more is not lost."""

    async def slowly(step: str) -> None:
        if step == "accept":
            await world.net.clock.sleep(3)

    events, shelves.stores[world.app.subscriber_id].before = world.bookings.events(), slowly

    found = [one async for one in world.bookings.find(DoctorQuery(), wait=2)]
    late = await anext(events)

    assert found == []
    assert isinstance(late, LateDoctors)
    assert [(one.doctor.id, one.late) for one in late.doctors] == [(ASHA.id, True)]


async def test_slots_are_those_of_the_window_earliest_first(world):
    """UHI search second: start and end."""
    window = Window(slot(1).start, slot(2).end)

    slots = await world.bookings.slots(await world.found(), window)

    assert [one.slot.id for one in slots] == ["slot-1", "slot-2"]


async def test_a_slot_that_is_gone_is_declined_with_its_code(world):
    """UHI slots and hold: slot gone at init: callback with error 40002."""
    slots = await world.slots()
    await world.bookings.hold(slots[0], RAVI)

    with pytest.raises(BookingDeclined) as caught:
        await world.bookings.hold(slots[0], MEENA)

    assert caught.value.code == SLOT_UNAVAILABLE.code


async def test_the_same_hold_again_gives_no_more_time(world):
    """UHI slots and hold: no extension, at the consumer too."""
    slots = await world.slots()
    first = await world.bookings.hold(slots[0], RAVI)
    world.net.clock.time += 300

    again = await world.bookings.hold(slots[0], RAVI)

    assert (again.order_id, again.until) == (first.order_id, first.until)


@pytest.mark.case("BK-04")
async def test_the_same_confirm_again_is_the_same_appointment(world):
    """Decision 35: a new message_id, the same order, state and PIN."""
    offer = await world.offer()

    first = await world.bookings.confirm(offer, agreed=offer.terms)
    again = await asyncio.gather(*(world.bookings.confirm(offer, agreed=offer.terms) for _ in range(10)))

    assert again == [first] * 10
    assert world.ward.count == 1


async def test_a_term_that_is_not_agreed_sends_nothing(world):
    """UHI go-live checklist 15: guard in confirm."""
    offer = await world.offer()

    with pytest.raises(IncompleteMessage):
        await world.bookings.confirm(offer, agreed=offer.terms[:4])

    assert not any(hop.action == "confirm" for hop in world.net.calls)


@pytest.mark.case("BK-03")
async def test_a_late_confirm_of_a_slot_that_is_taken_fails_with_its_code(world):
    """Decision 34: on_confirm tells FAILED and 40002 in one message."""
    slots = await world.slots()
    offer = await world.bookings.hold(slots[0], RAVI)
    world.net.clock.time += 16 * 60
    await world.bookings.hold(slots[0], MEENA)

    with pytest.raises(BookingDeclined) as caught:
        await world.bookings.confirm(offer, agreed=offer.terms)

    await world.net.settle()
    assert caught.value.code == "40002"
    assert "on_confirm_audit" in {hop.action for hop in world.net.calls}
    assert (await world.bookings.known(offer.order_id, thread=offer.thread)).state is OrderState.FAILED


async def test_an_answer_that_comes_after_the_wait_is_taken_and_told(world):
    """Decision 29: the handler of the answer always runs."""
    offer = await world.offer()
    events = world.bookings.events()
    world.net.faults.delay(30, "on_confirm")

    with pytest.raises(NoAnswer):
        await world.bookings.confirm(offer, agreed=offer.terms, wait=5)
    news = await anext(events)

    assert (news.late, news.about, news.booking.is_confirmed) == (True, "on_confirm", True)


async def test_the_pin_comes_back_after_a_restart(world):
    """Decision 37: kept in memory only; status brings it back."""
    booking = await world.booked()
    reborn = Bookings(world.app)

    again = await reborn.status(replace(booking, pin="", pin_status=""))

    assert again.pin == booking.pin


@pytest.mark.case("CB-07")
async def test_an_order_confirmed_at_another_price_is_called_off(world):
    """Security T30: not shown as confirmed, and cancelled."""
    offer = await world.offer()
    events = world.bookings.events()
    honest = world.hospital.handlers.of(CONFIRM.request).function

    async def dearer(request: Verified[Confirm]) -> OnConfirm:
        answer = await honest(request)
        quote = Quotation(price=Price(currency="INR", value="900.00"))
        return OnConfirm(order=answer.order.model_copy(update={"quote": quote}))

    replaced(world, CONFIRM, dearer)

    with pytest.raises(PriceMismatch):
        await world.bookings.confirm(offer, agreed=offer.terms)
    states = [(await anext(events)).booking.state.value for _ in range(2)]

    assert states == ["HELD", "CANCELLED"]
    assert world.ward.called_off == [(VISIT, "patient", "PATIENT_OTHER")]


async def test_an_order_that_cannot_be_called_off_is_an_operators_matter(world, caplog):
    """Ours: logged, and tried again with the provider's next word."""
    booking = await world.booked()
    world.ward.is_closed = True
    full = (await world.provider._attending.status(Order(id=booking.order_id), booking.thread)).order
    dearer = full.model_copy(update={"quote": Quotation(price=Price(currency="INR", value="900.00"))})

    for _ in range(2):
        await world.hospital.tell(STATUS_NEWS, OnStatus(order=dearer), booking.thread)
        await world.net.settle()

    assert caplog.text.count("could not be called off") == 2
    assert not (await world.bookings.known(booking.order_id, thread=booking.thread)).is_confirmed


async def test_slots_that_a_hospital_cannot_tell_are_an_error(world):
    """Decision 10: a handler that fails answers with an error."""
    doctor = await world.found()

    async def broken(request: Verified[Slots]) -> SlotsFound:
        raise LookupError

    replaced(world, SLOTS, broken)

    with pytest.raises(BookingDeclined) as caught:
        await world.bookings.slots(doctor)
    assert caught.value.code == "23001"


@pytest.mark.case("CB-06")
async def test_a_late_confirmation_does_not_bring_a_cancelled_order_back(world):
    """UHI order states: on_cancel overtakes a copy of on_confirm that was given up; stays CANCELLED."""
    offer = await world.offer()
    world.net.faults.delay(60, "on_confirm", to="https://app.example")

    with pytest.raises(NoAnswer):
        await world.bookings.confirm(offer, agreed=offer.terms, wait=5)
    held = await world.bookings.known(offer.order_id, thread=offer.thread)
    await world.bookings.cancel(held, "PATIENT_BOOKED_IN_ERROR", wait=50)
    world.net.clock.time += 120
    await world.net.settle()

    assert (await world.bookings.known(offer.order_id, thread=offer.thread)).state is OrderState.CANCELLED


async def test_a_visit_is_told_from_start_to_end(world):
    """UHI on_update: APPOINTMENT_STARTED after the PIN, COMPLETED with the records' id."""
    booking = await world.booked()
    events = world.bookings.events()
    await world.to_the_day()

    await world.provider.verify_pin(VISIT, booking.pin)
    await world.provider.started(VISIT)
    first = await anext(events)
    await world.provider.completed(VISIT, care_context_id="care-1")
    second = await anext(events)

    assert (first.booking.state.value, first.booking.pin_status) == ("APPOINTMENT_STARTED", "VERIFIED")
    assert (second.booking.state.value, second.booking.care_context_id) == ("COMPLETED", "care-1")


async def test_an_overridden_pin_and_a_missed_visit_are_told(world):
    """UHI on_update: HSPAOVERRIDE; NO_SHOW."""
    booking = await world.booked()
    events = world.bookings.events()

    await world.provider.override_pin(VISIT, "OVERRIDE_VULNERABLE_PATIENT")
    world.net.clock.time = slot(0).start.timestamp()
    await world.provider.no_show(VISIT)
    news = await anext(events)

    assert (news.booking.order_id, news.booking.state.value) == (booking.order_id, "NO_SHOW")
    assert news.booking.pin_status == "HSPAOVERRIDE"


async def test_the_hospital_cancels_unasked(world):
    """UHI on_cancel by doctor, with audit copies of every word about the order."""
    booking = await world.booked()
    events = world.bookings.events()

    await world.provider.cancelled(VISIT, "FACILITY_CLOSURE")
    news = await anext(events)
    await world.net.settle()

    assert isinstance(news, BookingNews)
    assert (news.about, news.booking.order_id) == ("on_cancel", booking.order_id)
    assert news.booking.cancellation.by.value == "doctor"
    audits = [
        hop.action
        for hop in world.net.calls
        if hop.action.endswith("_audit") and (hop.direction.value, hop.outcome) == ("in", "ACK")
    ]
    assert audits == ["on_confirm_audit", "on_cancel_audit"]


async def test_a_doctor_who_did_not_come_is_reported_once_and_not_after_the_end(world):
    """UHI on_update to the provider: the only state a consumer may set."""
    booking = await world.booked()
    with pytest.raises(StateConflict):
        await world.bookings.report_doctor_no_show(booking)
    world.net.clock.time = slot(0).start.timestamp()

    reported = await world.bookings.report_doctor_no_show(booking)
    await world.net.settle()
    status = await world.bookings.status(booking)

    assert reported.state is status.state is OrderState.DOCTOR_NO_SHOW
    with pytest.raises(StateConflict):
        await world.provider.no_show(VISIT)


async def test_a_booking_that_has_ended_cannot_be_reported(world):
    """UHI order states: DOCTOR_NO_SHOW from CONFIRMED only."""
    booking = await world.booked()
    await world.bookings.cancel(booking, "PATIENT_HEALTH_IMPROVED")

    with pytest.raises(StateConflict):
        await world.bookings.report_doctor_no_show(booking)


async def test_a_status_told_unasked_is_heard(world):
    """UHI on_status: may be sent after an internal event."""
    booking = await world.booked()
    events = world.bookings.events()
    order = Order(id=booking.order_id, state="COMPLETED")
    full = (await world.provider._attending.status(Order(id=booking.order_id), booking.thread)).order

    await world.hospital.tell(
        STATUS_NEWS, OnStatus(order=full.model_copy(update={"state": "COMPLETED"})), booking.thread
    )

    assert (await anext(events)).booking.state.value == order.state


async def test_news_of_an_order_that_tells_too_little_is_ignored(world, caplog):
    """Ours: logged by provider, nothing made up."""
    booking = await world.booked()
    full = (await world.provider._attending.status(Order(id=booking.order_id), booking.thread)).order
    strange = full.model_copy(update={"id": "f00", "quote": None, "item": full.item.model_copy(update={"price": None})})

    await world.hospital.tell(UPDATED, Updated(order=strange), booking.thread)
    await world.net.settle()

    assert await world.bookings.known("f00", thread=booking.thread) is None
    assert "clinic.example" in caplog.text


async def test_an_order_nobody_knows_is_declined(world):
    """Decision 10: 30010 in the callback's error."""
    booking = await world.booked()

    with pytest.raises(BookingDeclined) as caught:
        await world.bookings.status(replace(booking, order_id="0" * 32))

    assert caught.value.code == "30010"


async def test_a_quote_costs_no_hold(world):
    """Decision 32: select asks what a slot costs and keeps it for nobody."""
    slot_found = (await world.slots())[0]

    quote = await world.bookings.quote(slot_found)

    assert quote.total == slot_found.slot.price
    assert await world.bookings.hold((await world.slots())[0], MEENA)


async def test_select_is_refused_where_it_is_off(world):
    """Decision 32: off in NHA's presets, where nobody handles it."""
    slot_found = (await world.slots())[0]
    off = await world.net.provider("off.example")
    off.include(ConsultationProvider(Ward(world.net.clock), speaker=off).handlers)
    elsewhere = replace(slot_found, thread=replace(slot_found.thread, provider_id="off.example"))

    with pytest.raises(DeliveryError):
        await world.bookings.quote(elsewhere)


async def test_an_answer_for_another_order_is_not_taken(world):
    """Security: whatever a provider says, this question was about this order."""
    offer = await world.offer()
    honest = world.hospital.handlers.of(CONFIRM.request).function

    async def confused(request: Verified[Confirm]) -> OnConfirm:
        answer = await honest(request)
        return OnConfirm(order=answer.order.model_copy(update={"id": "f00"}))

    replaced(world, CONFIRM, confused)

    with pytest.raises(BookingError):
        await world.bookings.confirm(offer, agreed=offer.terms)

    assert (await world.bookings.known(offer.order_id, thread=offer.thread)).state is OrderState.HELD


async def test_a_confirm_that_is_answered_with_another_state_is_not_a_booking(world):
    """Ours: whoever gets a booking back has an appointment."""
    offer = await world.offer()

    async def undecided(request: Verified[Confirm]) -> OnConfirm:
        return OnConfirm(order=request.message.order.model_copy(update={"state": "PENDING"}))

    replaced(world, CONFIRM, undecided)

    with pytest.raises(BookingError, match="not confirmed yet"):
        await world.bookings.confirm(offer, agreed=offer.terms)


async def test_news_of_an_order_that_was_never_held_is_dropped(world, caplog):
    """Security: only an answer to our own question may bring in an order that is not known here."""
    booking = await world.booked()
    full = (await world.provider._attending.status(Order(id=booking.order_id), booking.thread)).order
    invented = full.model_copy(update={"id": "f00"})

    await world.hospital.tell(STATUS_NEWS, OnStatus(order=invented), booking.thread)
    await world.hospital.tell(UPDATED, Updated(order=invented), booking.thread)
    await world.net.settle()

    assert await world.bookings.known("f00", thread=booking.thread) is None
    assert caplog.text.count("is about an order that is not known here") == 2


async def test_the_watch_over_holds_outlives_a_failure(world, caplog):
    """Ours: the next minute sweeps again."""
    await world.offer()
    lapsed = world.provider._holding._desk.store.lapsed
    world.provider._holding._desk.store.lapsed = None
    watching = asyncio.ensure_future(world.provider.watch_holds())
    await world.net.clock.sleep(timedelta(minutes=16).total_seconds())
    world.provider._holding._desk.store.lapsed = lapsed

    await world.net.clock.sleep(120)
    watching.cancel()

    assert world.ward.released == ["hold-1"]
    assert "TypeError" in caplog.text


async def test_lapsed_holds_are_given_back_every_minute(world):
    """Reliability, slots: a sweeper each minute."""
    await world.offer()
    watching = asyncio.ensure_future(world.provider.watch_holds())

    await world.net.clock.sleep(timedelta(minutes=16).total_seconds())
    watching.cancel()
    await world.provider.release_lapsed()

    assert world.ward.released == ["hold-1"]


async def test_a_pin_is_forgotten_when_its_day_is_over(world, caplog):
    """Decision 37: the watch over holds does it, and tries again where it failed."""
    booking = await world.booked()
    store = world.provider._store
    forget = store.forget_pins
    store.forget_pins = None
    watching = asyncio.ensure_future(world.provider.watch_holds())
    world.net.clock.time = slot(0).start.replace(hour=23, minute=59, second=30).timestamp()
    await world.net.clock.sleep(90)
    before = await store.get(booking.order_id)

    store.forget_pins = forget
    await world.net.clock.sleep(90)
    watching.cancel()

    assert before.pin.token == booking.pin
    assert (await store.get(booking.order_id)).pin.token == ""
    assert "TypeError" in caplog.text


async def test_patients_and_pins_are_in_no_log(world, caplog):
    """Privacy: a whole flow at the most talkative level."""
    caplog.set_level("DEBUG")
    booking = await world.booked()
    await world.bookings.cancel(booking, "PATIENT_OTHER", text="a private matter")
    await world.net.settle()

    told = caplog.text + repr(booking) + repr(list(world.net.calls))
    for secret in (RAVI.name, RAVI.id, RAVI.phone, RAVI.abha_number, "a private matter", f"'{booking.pin}'"):
        assert secret not in told


async def test_a_declined_answer_is_declined_for_whoever_waits(world):
    """Decision 29: an answer may be an error without a message."""

    async def refuse(request: Verified[Confirm]) -> Decline:
        return Decline(SLOT_UNAVAILABLE)

    offer = await world.offer()
    replaced(world, CONFIRM, refuse)

    answer = await world.app.ask(CONFIRM, Confirm(order=accept(offer, offer.terms)), offer.thread)

    assert isinstance(answer, Declined)
    with pytest.raises(BookingDeclined):
        await world.bookings.confirm(offer, agreed=offer.terms)
