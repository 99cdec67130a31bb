"""The facility calls appointments off, with or without another slot for the patient, who is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from participants.hospital.schedules.tables import schedule_off
from tests.participants.hospital.house import ASHA, MEENA, NANDINI, House
from uhi.booking import OrderState
from uhi.booking.reasons import CancelledBy
from uhi.errors import BookingDeclined

REASON = {"reason": "DOCTOR_UNAVAILABLE"}


@dataclass
class Seen:
    """How often a step was taken."""

    called: int = 0


def looking_after(house: House, step: str, offered: list[str]) -> Seen:
    """Ask what is free right after the provider's step, before the desk goes on."""
    seen, taken = Seen(), getattr(house.program.provider, step)

    async def watched(*given: object, **named: object) -> object:
        done = await taken(*given, **named)
        seen.called += 1
        offered.extend(each.slot.id for each in await house.slots(ASHA))
        return done

    setattr(house.program.provider, step, watched)
    return seen


async def closed(house: House) -> int:
    """How many seats the hospital keeps closed."""
    return await house.database.read(lambda each: each.execute(select(func.count()).select_from(schedule_off)).scalar())


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
    assert await closed(house) == 0


@pytest.mark.parametrize("step", ["cancel", "move"])
async def test_called_off_seat_is_never_offered_again(either_house, step):
    """Issue 5: no slot is sold twice; there is no moment between the end of the appointment and its closed seat."""
    house = either_house
    booking, desk, offered = await house.book(ASHA), await house.desk(), []
    other = (await house.slots(ASHA))[2]
    seen = looking_after(house, "cancelled" if step == "cancel" else "move", offered)

    body = REASON if step == "cancel" else {**REASON, "slot_id": other.slot.id}
    got = await house.ask("POST", f"/v1/appointments/{booking.order_id}/{step}", headers=desk, json=body)

    assert (got.status, seen.called) == (200, 1)
    assert offered
    assert booking.slot.id not in offered


async def test_hospital_that_dies_while_it_calls_off_has_an_appointment_that_needs_attention(either_house):
    """Issue 5: a changed schedule loses no appointment; the seat is sold to nobody, and the desk can go on."""
    house = either_house
    booking, desk = await house.book(ASHA), await house.desk()
    order = await house.program.store.get(booking.order_id)
    await house.program.hospital.cancel(order.appointment_id, by=CancelledBy.DOCTOR, reason="DOCTOR_UNAVAILABLE")

    listed = await house.ask("GET", f"/v1/attention?organisation_id={house.city}", headers=desk)
    free = {each.slot.id for each in await house.slots(ASHA)}
    again = await house.ask("POST", f"/v1/appointments/{booking.order_id}/cancel", headers=desk, json=REASON)

    assert [each["id"] for each in listed.json["appointments"]] == [booking.order_id]
    assert booking.slot.id not in free
    assert (again.status, again.json["appointment"]["state"]) == (200, "CANCELLED")


async def test_refused_cancellation_leaves_the_seat_as_it_was(house):
    """Ours: an appointment that stands has its seat, and when its patient gives it up another may have it."""
    booking, desk = await house.book(ASHA), await house.desk()
    body = {"reason": "DOCTOR_OTHER"}

    got = await house.ask("POST", f"/v1/appointments/{booking.order_id}/cancel", headers=desk, json=body)
    await house.bookings.cancel(booking, "PATIENT_OTHER", text="x", wait=5)

    assert (got.status, await closed(house)) == (400, 0)
    assert booking.slot.id in {each.slot.id for each in await house.slots(ASHA)}


async def test_desk_hears_that_the_patient_was_faster_and_the_seat_is_free(either_house, monkeypatch):
    """Ours: the patient cancels while the seat is being closed; nobody is told twice, and another may have it."""
    house = either_house
    booking, desk = await house.book(ASHA), await house.desk()
    cancelled = house.program.provider.cancelled

    async def late(*asked: object, **told: object) -> None:
        await house.bookings.cancel(booking, "PATIENT_OTHER", text="x", wait=5)
        await cancelled(*asked, **told)

    monkeypatch.setattr(house.program.provider, "cancelled", late)
    got = await house.ask("POST", f"/v1/appointments/{booking.order_id}/cancel", headers=desk, json=REASON)

    assert (got.status, got.json["code"]) == (409, "API_STATE_REFUSED")
    assert "the patient has called it off already" in got.text
    assert booking.slot.id in {each.slot.id for each in await house.slots(ASHA)}


async def test_patient_is_not_moved_to_another_organisation(house):
    """Case IAM-03: its slots are as little there for this desk as any that nobody has."""
    booking, desk = await house.book(ASHA), await house.desk()
    there, path = (await house.slots(NANDINI))[0].slot.id, f"/v1/appointments/{booking.order_id}/move"

    got = await house.ask("POST", path, headers=desk, json={**REASON, "slot_id": there})
    none = await house.ask("POST", path, headers=desk, json={**REASON, "slot_id": f"{'0' * 16}{there[16:]}"})

    told = [{name: each.json[name] for name in ("status", "code", "errors")} for each in (got, none)]
    assert told[0] == told[1]
    assert got.status == 409
    assert there in {each.slot.id for each in await house.slots(NANDINI)}
