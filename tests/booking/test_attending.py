"""Status, cancellation and the news of the day, at the desk of a hospital."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.booking.ward import MEENA, REGISTERED, THREAD, Front, slot
from uhi.actions import Decline
from uhi.booking.hospital import Appointment
from uhi.booking.offers import write_cancel
from uhi.booking.policy import Policy
from uhi.booking.reasons import Cancellation, CancelledBy
from uhi.booking.telemedicine import Mode
from uhi.errors import IncompleteMessage, OrderUnknown, PinInvalid, StateConflict
from uhi.faults import CANCELLATION_IMPOSSIBLE, ORDER_UNKNOWN
from uhi.messages import OnCancel, Order

VISIT = "appointment-slot-0"
OTHERS = replace(THREAD, consumer_id="other.example")
TO_THE_DAY = 2 * 86_400


async def opened(front: Front) -> Order:
    """A confirmed order on the morning of its day."""
    order = await front.booked(slot(0))
    await front.clock.advance(TO_THE_DAY - 12 * 3_600)
    return order


async def started(front: Front) -> Order:
    order = await opened(front)
    await front.attending.verify_pin(VISIT, order.authorization.pin)
    await front.attending.started(VISIT)
    return order


def cancel(front: Front, order: Order, reason: str = "PATIENT_BOOKED_IN_ERROR", thread=THREAD):
    return front.attending.cancel(write_cancel(order.id, reason=reason), thread)


async def test_status_tells_the_full_order_with_its_pin(front):
    """UHI on_status: full order, PIN token repeated."""
    order = await front.booked(slot(0))

    answer = await front.attending.status(Order(id=order.id), THREAD)

    assert answer.order == order


@pytest.mark.case("IAM-02")
@pytest.mark.parametrize("thread", [THREAD, OTHERS])
async def test_status_of_a_hold_or_of_anothers_order_is_unknown(front, thread):
    """UHI order states: none before on_confirm; security: foreign ids tell nothing."""
    held = await front.offered(slot(0))
    booked = await front.booked(slot(1), MEENA)
    order_id = held.order_id if thread is THREAD else booked.id

    assert await front.attending.status(Order(id=order_id), thread) == Decline(ORDER_UNKNOWN)
    assert await front.attending.status(Order(), thread) == Decline(ORDER_UNKNOWN)


async def test_status_adds_what_only_the_hospital_knows(front):
    """UHI on_status: care_context_id once it exists; a cancellation made in the hospital's own system."""
    order = await front.booked(slot(0))
    called_off = Cancellation(CancelledBy.DOCTOR, "DOCTOR_UNAVAILABLE")
    front.ward.taken["slot-0"] = Appointment(id=VISIT, care_context_id="care-1", cancelled=called_off)

    answer = await front.attending.status(Order(id=order.id), THREAD)

    told = answer.order
    assert (told.state, told.fulfillment.care_context_id) == ("CANCELLED", "care-1")
    assert (told.fulfillment.cancelled_by, told.fulfillment.cancel_reason) == ("doctor", "DOCTOR_UNAVAILABLE")


async def test_status_is_told_though_the_hospital_knows_nothing_or_nothing_was_booked(front):
    """Ours: the library keeps the order; a failed one has no appointment."""
    order = await front.booked(slot(0))
    lost = await front.offered(slot(1), MEENA)
    front.ward.taken.clear()
    await front.confirm(lost)

    states = [
        (await front.attending.status(Order(id=known), THREAD)).order.state for known in (order.id, lost.order_id)
    ]

    assert states == ["CONFIRMED", "FAILED"]


async def test_a_desk_hears_that_the_patient_was_faster(front):
    """Ours: it is the patient's cancellation that is told, once, with the patient's reason."""
    await cancel(front, await front.booked(slot(0)))

    with pytest.raises(StateConflict, match="the patient has called it off already"):
        await front.attending.cancelled(VISIT, "DOCTOR_UNAVAILABLE")

    assert front.voice.told == []


async def test_a_patient_cancels_and_the_slot_is_free(front):
    """UHI cancel: CANCELLED, cancelledby patient, the P-code."""
    order = await front.booked(slot(0))

    answer = await cancel(front, order)

    tags = answer.order.fulfillment
    assert (answer.order.state, tags.cancelled_by, tags.cancel_reason) == (
        "CANCELLED",
        "patient",
        "PATIENT_BOOKED_IN_ERROR",
    )
    assert front.ward.called_off == [(VISIT, CancelledBy.PATIENT, "PATIENT_BOOKED_IN_ERROR")]
    assert (await front.booked(slot(0), MEENA)).state == "CONFIRMED"


async def test_cancelling_twice_gives_the_same_answer(front):
    """UHI order states: same state again is a refresh."""
    order = await front.booked(slot(0))

    answers = await asyncio.gather(cancel(front, order), cancel(front, order, "PATIENT_HEALTH_IMPROVED"))

    assert answers[0] == answers[1]
    assert len(front.ward.called_off) == 1


@pytest.mark.parametrize("reason", ["SOMETHING_NEW", ""])
async def test_an_unknown_reason_or_none_cancels_all_the_same(front, reason):
    """UHI reason codes: accept the cancellation, record the raw value."""
    order = await front.booked(slot(0))

    answer = await cancel(front, order, reason)

    assert isinstance(answer, OnCancel)
    assert front.ward.called_off[0][2] == reason
    assert answer.order.fulfillment.cancel_reason == (reason or "PATIENT_OTHER")


async def test_a_reason_in_the_patients_words_is_kept_where_a_tag_is_set():
    """UHI reason codes: the field for free text is the network's choice."""
    front = Front(policy=Policy(free_text_tag="@abdm/gov.in/cancel_text"))
    front.ward.offer(slot(0))
    order = await front.booked(slot(0))
    asked = write_cancel(order.id, reason="PATIENT_OTHER", text="moved away", text_tag="@abdm/gov.in/cancel_text")

    answer = await front.attending.cancel(asked, THREAD)

    assert answer.order.fulfillment.tags["@abdm/gov.in/cancel_text"] == "moved away"


async def test_after_the_start_nothing_can_be_cancelled(front):
    """UHI order states: CANCELLED is reached from CONFIRMED only; 50001."""
    order = await started(front)

    assert await cancel(front, order) == Decline(CANCELLATION_IMPOSSIBLE)
    with pytest.raises(StateConflict):
        await front.attending.cancelled(VISIT, "DOCTOR_UNAVAILABLE")


async def test_a_hold_is_not_cancelled_and_a_hospital_may_refuse(front):
    """UHI order states: before on_confirm there is nothing to cancel; the hospital's books may be closed."""
    held = await front.offered(slot(1), MEENA)
    order = await front.booked(slot(0))
    front.ward.is_closed = True

    assert await cancel(front, Order(id=held.order_id)) == Decline(CANCELLATION_IMPOSSIBLE)
    assert await cancel(front, order) == Decline(CANCELLATION_IMPOSSIBLE)
    assert (await front.attending.status(Order(id=order.id), THREAD)).order.state == "CONFIRMED"


@pytest.mark.parametrize("change", [{"state": "COMPLETED"}, {"fulfillment": None}])
async def test_a_cancel_is_for_the_patient_and_to_cancelled(front, change):
    """UHI cancel: state CANCELLED, cancelledby patient; without the tag the sender says it."""
    order = await front.booked(slot(0))
    asked = write_cancel(order.id, reason="").model_copy(update=change)

    answer = await front.attending.cancel(asked, THREAD)

    assert isinstance(answer, Decline) is ("state" in change)


async def test_a_consumer_does_not_cancel_in_the_doctors_name(front):
    """UHI cancel: doctor is the provider's word."""
    order = await front.booked(slot(0))
    asked = write_cancel(order.id, reason="DOCTOR_UNAVAILABLE")
    asked.fulfillment.tags["@abdm/gov.in/cancelledby"] = "doctor"

    answer = await front.attending.cancel(asked, THREAD)

    assert answer.outcome is CANCELLATION_IMPOSSIBLE


@pytest.mark.case("IAM-02")
async def test_anothers_order_cannot_be_cancelled(front):
    """Security: foreign ids tell nothing and do nothing."""
    order = await front.booked(slot(0))

    assert await cancel(front, order, thread=OTHERS) == Decline(ORDER_UNKNOWN)
    assert front.ward.called_off == []


async def test_the_hospital_cancels_and_tells_unasked(front):
    """UHI on_cancel by doctor: a D-code, unsolicited."""
    order = await front.booked(slot(0))

    await front.attending.cancelled(VISIT, "DOCTOR_SCHEDULE_CHANGE")

    name, told, thread = front.voice.told[0]
    assert (name, thread, told.id, told.state) == ("cancelled", THREAD, order.id, "CANCELLED")
    assert (told.fulfillment.cancelled_by, told.fulfillment.cancel_reason) == ("doctor", "DOCTOR_SCHEDULE_CHANGE")


@pytest.mark.parametrize("reason", ["DOCTOR_OTHER", "PATIENT_OTHER", "anything"])
async def test_the_hospital_cancels_with_its_own_codes(front, reason):
    """UHI reason codes: D1 to D6, OTHER with a text."""
    await front.booked(slot(0))

    with pytest.raises(IncompleteMessage):
        await front.attending.cancelled(VISIT, reason)

    assert front.voice.told == []


async def test_a_consultation_starts_after_the_pin_and_ends_with_its_records(front):
    """UHI on_update: APPOINTMENT_STARTED with VERIFIED, COMPLETED, and once more with the care context."""
    await started(front)
    await front.attending.completed(VISIT)
    await front.attending.completed(VISIT, care_context_id="care-1")
    await front.attending.completed(VISIT)

    told = [
        (order.state, order.authorization.status, order.fulfillment.care_context_id) for _, order, _ in front.voice.told
    ]
    assert told == [
        ("APPOINTMENT_STARTED", "VERIFIED", None),
        ("COMPLETED", "VERIFIED", None),
        ("COMPLETED", "VERIFIED", "care-1"),
        ("COMPLETED", "VERIFIED", "care-1"),
    ]


async def test_without_the_pin_nothing_starts(front):
    """UHI PIN: shown, or set aside."""
    await opened(front)

    with pytest.raises(StateConflict):
        await front.attending.started(VISIT)

    assert front.voice.told == []


async def test_an_appointment_without_a_pin_starts_without_one():
    """UHI teleconsultation: no authorization, so nothing to show."""
    front = Front(policy=Policy(fulfilments=("Online",)))
    online = replace(slot(0, doctor=REGISTERED), fulfilment="Online")
    front.ward.offer(online)
    await front.booked(online)
    await front.provider.record_consent(VISIT, Mode.VIDEO, by="person p-1")

    await front.attending.started(VISIT)

    assert front.voice.told[0][1].state == "APPOINTMENT_STARTED"
    with pytest.raises(StateConflict):
        await front.attending.verify_pin(VISIT, "0000")


async def test_three_wrong_pins_leave_the_override(front):
    """UHI PIN: three mismatches, then O6."""
    order = await opened(front)
    wrong = "0000" if order.authorization.pin != "0000" else "1111"
    left = []
    for _ in range(3):
        with pytest.raises(PinInvalid) as caught:
            await front.attending.verify_pin(VISIT, wrong)
        left.append(caught.value.attempts_left)

    with pytest.raises(PinInvalid):
        await front.attending.verify_pin(VISIT, order.authorization.pin)
    await front.attending.override_pin(VISIT, "OVERRIDE_MISMATCH")
    await front.attending.started(VISIT)

    assert left == [2, 1, 0]
    assert front.voice.told[0][1].authorization.status == "HSPAOVERRIDE"


async def test_a_try_on_the_wrong_day_does_not_count(front):
    """UHI PIN: valid on the day of the appointment."""
    order = await front.booked(slot(0))
    for _ in range(5):
        with pytest.raises(PinInvalid):
            await front.attending.verify_pin(VISIT, "0000")
    await front.clock.advance(TO_THE_DAY - 12 * 3_600)

    await front.attending.verify_pin(VISIT, order.authorization.pin)


async def test_parallel_tries_are_counted_one_by_one(front):
    """Security: three tries are three, however they come."""
    order = await opened(front)
    wrong = "0000" if order.authorization.pin != "0000" else "1111"

    tries = await asyncio.gather(*(front.attending.verify_pin(VISIT, wrong) for _ in range(10)), return_exceptions=True)

    assert sorted(error.attempts_left for error in tries) == [0] * 8 + [1, 2]


async def test_a_patient_who_did_not_come_is_told(front):
    """UHI on_update: NO_SHOW with the PIN still GENERATED."""
    await opened(front)
    front.clock.time = slot(0).start.timestamp()

    await front.attending.no_show(VISIT)

    name, order, _ = front.voice.told[0]
    assert (name, order.state, order.authorization.status) == ("updated", "NO_SHOW", "GENERATED")
    with pytest.raises(StateConflict):
        await front.attending.verify_pin(VISIT, order.authorization.pin)


async def test_no_patient_is_missed_before_the_appointment(front):
    """Ours: nobody has failed to come before it was time; it could not be undone."""
    order = await opened(front)
    front.clock.time = slot(0).start.timestamp() - 1

    with pytest.raises(StateConflict, match="wait until then, or cancel it"):
        await front.attending.no_show(VISIT)

    assert (await front.attending.status(Order(id=order.id), THREAD)).order.state == "CONFIRMED"


async def test_news_out_of_order_is_refused(front):
    """UHI order states: the table decides."""
    await opened(front)
    front.clock.time = slot(0).start.timestamp()
    with pytest.raises(StateConflict, match="start it first"):
        await front.attending.completed(VISIT)
    await front.attending.no_show(VISIT)
    with pytest.raises(StateConflict):
        await front.attending.override_pin(VISIT, "OVERRIDE_EUA_OUTAGE")

    assert len(front.voice.told) == 1


async def test_news_of_an_unknown_appointment_is_refused(front):
    """Ours: the id is the one that book() returned."""
    for news in (front.attending.started, front.attending.completed, front.attending.no_show):
        with pytest.raises(OrderUnknown):
            await news("nobody")


async def test_a_consumer_reports_that_the_doctor_did_not_come(front):
    """UHI on_update to the provider: DOCTOR_NO_SHOW from CONFIRMED."""
    order = await opened(front)
    front.clock.time = slot(0).start.timestamp()

    await front.attending.report(Order(id=order.id, state="DOCTOR_NO_SHOW"), THREAD)

    assert (await front.attending.status(Order(id=order.id), THREAD)).order.state == "DOCTOR_NO_SHOW"


async def test_a_report_before_the_appointment_changes_nothing(front, caplog):
    """Ours: nobody has failed to come before it was time."""
    order = await front.booked(slot(0))
    front.clock.time = slot(0).start.timestamp() - 1

    await front.attending.report(Order(id=order.id, state="DOCTOR_NO_SHOW"), THREAD)

    assert (await front.attending.status(Order(id=order.id), THREAD)).order.state == "CONFIRMED"
    assert "before the appointment" in caplog.text


async def test_a_report_that_does_not_fit_changes_nothing(front, caplog):
    """UHI order states: not after the start, not for another's order; it is logged without the patient."""
    order = await started(front)

    await front.attending.report(Order(id=order.id, state="DOCTOR_NO_SHOW"), THREAD)
    await front.attending.report(Order(id=order.id, state="DOCTOR_NO_SHOW"), OTHERS)

    assert (await front.attending.status(Order(id=order.id), THREAD)).order.state == "APPOINTMENT_STARTED"
    assert len(caplog.records) == 2
    assert "Ravi" not in caplog.text
    assert order.authorization.pin not in caplog.text


async def test_a_doctor_who_treated_the_patient_did_come(front):
    """UHI order states: DOCTOR_NO_SHOW after COMPLETED changes nothing."""
    order = await started(front)
    await front.attending.completed(VISIT)

    await front.attending.report(Order(id=order.id, state="DOCTOR_NO_SHOW"), THREAD)

    assert (await front.attending.status(Order(id=order.id), THREAD)).order.state == "COMPLETED"


async def test_the_stream_says_who_did_what_at_the_desk(front):
    """Issue: the stream is the audit trail: tries, override, start, end and records, each by whoever made it."""
    order = await opened(front)
    desk = {"by": "person 1"}
    with pytest.raises(PinInvalid):
        await front.attending.verify_pin("appointment-slot-0", "none", **desk)
    await front.attending.override_pin("appointment-slot-0", "OVERRIDE_EUA_OUTAGE", **desk)
    await front.attending.started("appointment-slot-0", by="person 2")
    await front.attending.completed("appointment-slot-0", by="person 2")
    await front.attending.completed("appointment-slot-0", care_context_id="care-1")

    events = await front.store.history(order.id)

    assert [(event.kind.value, event.by) for event in events] == [
        ("HELD", "consumer app.example"),
        ("TERMS_AGREED", "consumer app.example"),
        ("CONFIRMED", "provider clinic.example"),
        ("PIN_MISSED", "person 1"),
        ("PIN_OVERRIDDEN", "person 1"),
        ("STARTED", "person 2"),
        ("COMPLETED", "person 2"),
        ("RECORDS_LINKED", "provider clinic.example"),
    ]


async def test_the_same_news_again_is_told_and_is_no_event(front):
    """UHI order states: the same state again is a refresh."""
    order = await started(front)
    before = await front.store.history(order.id)

    await front.attending.started("appointment-slot-0")

    assert await front.store.history(order.id) == before
    assert len(front.voice.told) == 2
