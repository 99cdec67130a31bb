"""The facility calls appointments off, with or without another slot for the patient, who is told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.participants.hospital.house import ASHA, MEENA
from uhi.booking import OrderState
from uhi.errors import BookingDeclined

REASON = {"reason": "DOCTOR_UNAVAILABLE"}


async def test_patient_is_told_of_a_cancellation(either_house):
    """NHA, on_cancel: unsolicited, with `cancelledby` doctor and a D-code; the seat stays closed."""
    house = either_house
    booking, desk = await house.book(ASHA), await house.desk()

    got = await house.ask("POST", f"/v1/appointments/{booking.order_id}/cancel", headers=desk, json=REASON)
    await house.network.settle()

    told = await house.bookings.status(booking, wait=5)
    assert (got.status, got.json["cancellation"]["by"], got.json["cancellation"]["is_late"]) == (200, "doctor", False)
    assert (told.state, told.cancellation.reason) == (OrderState.CANCELLED, "DOCTOR_UNAVAILABLE")
    assert booking.slot.id not in {each.slot.id for each in await house.slots(ASHA)}


async def test_late_cancellation_is_recorded_as_late(house):
    """NHA, terms: the facility tries to tell the patient at least 2 hours before."""
    booking = await house.book(ASHA)
    house.be(booking.slot.start - timedelta(hours=1))

    got = await house.ask(
        "POST", f"/v1/appointments/{booking.order_id}/cancel", headers=await house.desk(), json=REASON
    )

    assert got.json["cancellation"]["is_late"] is True


@pytest.mark.parametrize(
    "body", [{}, {"reason": "PATIENT_OTHER"}, {"reason": "DOCTOR_OTHER"}, {**REASON, "state": "COMPLETED"}]
)
async def test_cancellation_takes_a_reason_of_the_facility(house, body):
    """NHA, reason codes D1 to D6, OTHER with a text; case IAM-04: nobody sets what is not theirs to set."""
    booking, desk = await house.book(ASHA), await house.desk()
    one = f"/v1/appointments/{booking.order_id}"

    got = await house.ask("POST", f"{one}/cancel", headers=desk, json=body)

    assert (got.status, got.json["code"]) == (400, "API_REQUEST_INVALID")
    assert (await house.ask("GET", one, headers=desk)).json["appointment"]["state"] == "CONFIRMED"


async def test_moved_patient_alone_gets_the_other_slot(either_house):
    """Decision 38: a hospital's move is on_cancel with an offer; the patient is never left with nothing."""
    house = either_house
    booking, desk = await house.book(ASHA), await house.desk()
    other = (await house.slots(ASHA))[2]
    body = {**REASON, "slot_id": other.slot.id}

    moved = await house.ask("POST", f"/v1/appointments/{booking.order_id}/move", headers=desk, json=body)
    await house.network.settle()

    assert moved.status == 200, moved.text
    assert moved.json["cancellation"]["offered_slot_id"] == other.slot.id
    with pytest.raises(BookingDeclined):
        await house.bookings.hold(other, MEENA, wait=5)
    offer = await house.bookings.hold(other, house.patient, wait=5)
    again = await house.bookings.confirm(offer, agreed={term.type or "": "" for term in offer.terms}, wait=5)
    assert again.state is OrderState.CONFIRMED


async def test_move_to_a_slot_that_is_taken_leaves_the_appointment(house):
    """Decision 38: nothing is called off before there is another slot."""
    booking, taken = await house.book(ASHA), await house.book(ASHA, number=1, patient=MEENA)
    desk, one = await house.desk(), f"/v1/appointments/{booking.order_id}"

    got = await house.ask("POST", f"{one}/move", headers=desk, json={**REASON, "slot_id": taken.slot.id})
    none = await house.ask("POST", f"{one}/move", headers=desk, json={**REASON, "slot_id": "none"})

    assert (got.status, none.status, got.json["code"]) == (409, 409, "API_ALREADY_TAKEN")
    assert (await house.ask("GET", one, headers=desk)).json["appointment"]["state"] == "CONFIRMED"
