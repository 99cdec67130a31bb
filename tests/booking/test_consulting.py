"""A consultation online while it is held: its link, consent, who came, and how it starts and ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.booking.ward import REGISTERED, THREAD, Front, slot
from uhi.booking.consulting import CallStep
from uhi.booking.join_links import Call, Links, RoomLinks
from uhi.booking.policy import Policy
from uhi.booking.speaker import moment
from uhi.booking.telemedicine import PATIENT, Attendance, Initiator, Mode
from uhi.errors import IncompleteMessage, SetupError, StateConflict
from uhi.messages import Order

SECOND = replace(REGISTERED, id="nair@hpr.ndhm", name="Dr. Nair", registration_number="MCI/2", gender="M")
ONLINE = replace(slot(0, doctor=REGISTERED), fulfilment="Online")
PAIR = replace(ONLINE, others=(SECOND,))
VISIT = "appointment-slot-0"
URI = "@abdm/gov.in/teleconsultation/uri"
STAFF = "person p-1"
CALLS = CallStep(PATIENT, Attendance.JOINED, Mode.VIDEO, is_calling=True)


def online_front(one=ONLINE, links=None) -> Front:
    """A desk with one slot online, and links to its calls."""
    links = links or RoomLinks("https://meet.example/calls")
    front = Front(policy=Policy(fulfilments=("Physical", "Online"), join_links=links, grievance_contact="1800 9"))
    front.ward.offer(one)
    return front


async def status(front: Front, order_id: str) -> Order:
    """The order as its consumer is told it now."""
    return (await front.attending.status(Order(id=order_id), THREAD)).order


async def kinds(front: Front, order_id: str) -> list[str]:
    """What happened to an order after it was confirmed."""
    return [event.kind.value for event in await front.provider.history(order_id)][3:]


async def test_link_is_told_from_the_confirmation_on_and_gone_when_it_is_over():
    """UHI teleconsultation: the join link, Online only; none is left of a consultation that is over."""
    front = online_front()
    offer = await front.offered(ONLINE)
    confirmed = (await front.confirm(offer)).order
    await front.provider.record_consent(VISIT, Mode.VIDEO, by=STAFF)
    await front.provider.started(VISIT, by=STAFF)
    started = await status(front, confirmed.id)
    await front.provider.completed(VISIT, by=STAFF)

    link = confirmed.fulfillment.tags[URI]
    assert URI not in offer.received.fulfillment.tags
    assert link.startswith("https://meet.example/calls/uhi-")
    assert started.fulfillment.tags[URI] == link
    assert URI not in (await status(front, confirmed.id)).fulfillment.tags
    assert confirmed.fulfillment.tags["@uhi-network/grievance_contact"] == "1800 9"


async def test_link_tells_nothing_of_the_order_and_is_nowhere_in_clear():
    """Ours: whoever knows the room may come in, so it is random, and shows in no repr."""
    front = online_front()
    order = await front.booked(ONLINE)

    room = order.fulfillment.tags[URI].rpartition("uhi-")[2]
    kept = await front.store.get(order.id)
    assert len(room) == 32
    assert order.id not in order.fulfillment.tags[URI]
    assert room not in repr(kept) + repr(await front.provider.history(order.id)) + repr(Links("https://x", {}))


async def test_cancelled_consultation_has_no_link():
    """UHI teleconsultation: there is no call to join any more."""
    front = online_front()
    order = await front.booked(ONLINE)

    await front.provider.cancelled(VISIT, "DOCTOR_UNAVAILABLE", by=STAFF)

    assert URI not in front.voice.told[-1][1].fulfillment.tags
    assert URI not in (await status(front, order.id)).fulfillment.tags


async def test_order_goes_without_a_link_that_cannot_be_made(caplog):
    """Ours: a video service that is down keeps nobody from booking; the log says nothing but its error's name."""

    class Broken:
        async def links(self, call: Call) -> Links:
            raise RuntimeError(call.room)

    front = online_front(links=Broken())

    order = await front.booked(ONLINE)

    assert (order.state, URI in order.fulfillment.tags) == ("CONFIRMED", False)
    assert (await front.store.get(order.id)).room not in caplog.text


@pytest.mark.parametrize("url", ["http://meet.example", "meet.example", "https://meet.example/?a=b", "https://"])
def test_address_of_meetings_that_is_not_https_is_refused(url):
    """Ours: a link in clear text is no link for a consultation."""
    with pytest.raises(SetupError):
        RoomLinks(url)


async def test_start_without_consent_is_refused():
    """Telemedicine guidelines: where the doctor begins, explicit consent is recorded first."""
    front = online_front()
    order = await front.booked(ONLINE)

    with pytest.raises(StateConflict, match="has not agreed"):
        await front.provider.started(VISIT, by=STAFF)
    await front.provider.record_consent(VISIT, Mode.AUDIO, text="yes, on the phone", by=STAFF)
    await front.provider.started(VISIT, by=STAFF)

    kept = await front.store.get(order.id)
    assert [(each.is_explicit, each.mode) for each in kept.consents] == [(True, Mode.AUDIO)]
    assert (kept.mode, await kinds(front, order.id)) == (Mode.AUDIO, ["CONSENT_GIVEN", "STARTED"])
    assert "on the phone" not in repr(kept)


async def test_explicit_consent_needs_who_asked():
    """Telemedicine guidelines: consent is recorded; a record names who made it."""
    front = online_front()
    await front.booked(ONLINE)

    with pytest.raises(IncompleteMessage):
        await front.provider.record_consent(VISIT, Mode.VIDEO, by="")


async def test_patient_who_calls_in_agrees_by_that():
    """Telemedicine guidelines: consent is implied where the patient begins the consultation."""
    front = online_front()
    order = await front.booked(ONLINE)
    front.clock.time = ONLINE.start.timestamp()

    await front.provider.call_signalled(order.id, CALLS)
    await front.provider.started(VISIT, by=STAFF)

    (consent,) = (await front.store.get(order.id)).consents
    events = await front.provider.history(order.id)
    assert (consent.initiator, consent.mode, consent.at) == (Initiator.PATIENT, Mode.VIDEO, moment(front.clock))
    assert await kinds(front, order.id) == ["CONSENT_GIVEN", "JOINED", "STARTED"]
    assert [event.by for event in events[3:5]] == ["consumer app.example"] * 2


@pytest.mark.parametrize("is_calling", [True, False])
async def test_patient_who_answers_the_doctor_has_to_be_asked(is_calling):
    """Telemedicine guidelines: the doctor began it, so consent is explicit."""
    front = online_front()
    order = await front.booked(ONLINE)
    front.clock.time = ONLINE.start.timestamp()
    await front.provider.call_signalled(order.id, replace(CALLS, who=REGISTERED.id))

    await front.provider.call_signalled(order.id, replace(CALLS, is_calling=is_calling))

    with pytest.raises(StateConflict):
        await front.provider.started(VISIT, by=STAFF)


async def test_signals_long_before_the_appointment_are_no_consent():
    """Ours: trying out the camera the day before begins nothing."""
    front = online_front()
    order = await front.booked(ONLINE)
    front.clock.time = (ONLINE.start - timedelta(hours=2)).timestamp()

    await front.provider.call_signalled(order.id, CALLS)

    assert await kinds(front, order.id) == []


async def test_log_tells_who_joined_and_left():
    """Telemedicine guidelines: a log of the interaction is kept; what it says already is not put down again."""
    front = online_front()
    order = await front.booked(ONLINE)
    front.clock.time = ONLINE.start.timestamp()
    bye = replace(CALLS, what=Attendance.LEFT)
    for seen in (bye, CALLS, CALLS, replace(CALLS, who=REGISTERED.id)):
        await front.provider.call_signalled(order.id, seen)
    await front.provider.started(VISIT, by=STAFF)
    await front.provider.completed(VISIT, by=STAFF)

    await front.provider.call_signalled(order.id, bye)

    log = [(each.who, each.what.value) for each in (await front.store.get(order.id)).presences]
    assert log == [(PATIENT, "joined"), (REGISTERED.id, "joined"), (PATIENT, "left")]
    assert await kinds(front, order.id) == ["CONSENT_GIVEN", "JOINED", "JOINED", "STARTED", "COMPLETED", "LEFT"]


async def test_strangers_and_visits_have_no_log():
    """Ours: nobody but the order's own people takes part, and a visit has no call."""
    front = online_front()
    front.ward.offer(slot(1))
    await front.booked(ONLINE)
    await front.booked(slot(1))

    for visit, seen in ((VISIT, replace(CALLS, who="stranger@hpr.ndhm")), ("appointment-slot-1", CALLS)):
        with pytest.raises(StateConflict):
            await front.provider.attended(visit, seen, by=STAFF)


async def test_both_doctors_have_a_link_and_are_shown():
    """UHI group consultation: the second doctor stands in the agent's tags, registered like the first."""
    front = online_front(PAIR)
    order = await front.booked(PAIR)

    links = [await front.provider.join_link(VISIT, doctor.id) for doctor in PAIR.doctors]

    tags = order.fulfillment.agent.tags
    assert links == [order.fulfillment.tags[URI]] * 2
    assert (tags["@abdm/gov.in/groupConsultation"], tags["@abdm/gov.in/secondaryDoctorName"]) == ("true", "Dr. Nair")
    assert tags["@uhi-network/secondary_registration_number"] == "MCI/2"
    with pytest.raises(StateConflict):
        await front.provider.join_link(VISIT, "stranger@hpr.ndhm")


async def test_one_of_two_doctors_may_not_come():
    """Group consultation: the other one sees the patient; of one alone the appointment is called off instead."""
    front = online_front(PAIR)
    order = await front.booked(PAIR)
    absent = CallStep(SECOND.id, Attendance.ABSENT)

    await front.provider.attended(VISIT, absent, by=STAFF)
    await front.provider.attended(VISIT, absent, by=STAFF)

    assert await kinds(front, order.id) == ["DOCTOR_ABSENT"]
    alone = online_front()
    await alone.booked(ONLINE)
    with pytest.raises(StateConflict, match="nobody else"):
        await alone.provider.attended(VISIT, replace(absent, who=REGISTERED.id), by=STAFF)
