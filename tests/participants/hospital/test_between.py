"""What changes between a hold and its confirmation, and what of it counts; on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.participants.hospital.house import ASHA, MEENA, WAIT, House
from uhi.booking import Offer, OrderState
from uhi.errors import BookingDeclined
from uhi.identity.principals import Grant
from uhi.identity.roles import AccessRole


async def confirmed(house: House, offer: Offer):
    """What the patient's application gets for it."""
    return await house.bookings.confirm(offer, agreed={term.type or "": "" for term in offer.terms}, wait=WAIT)


async def admin(house: House) -> dict[str, str]:
    """The header of an administrator of the city."""
    return await house.person(Grant(AccessRole.HOSPITAL_ADMIN, house.city))


async def one(house: House, kind: str, headers: dict[str, str]) -> dict[str, object]:
    """The record of this kind that is about Dr. Verma."""
    listed = await house.ask("GET", f"/v1/{kind}", headers=headers)
    return next(each for each in listed.json[kind] if house.record_of(ASHA) in str(each))


async def gone(house: House) -> None:
    """Dr. Verma does not practise there any more."""
    headers = await admin(house)
    practice = await one(house, "practices", headers)
    path, seen = f"/v1/practices/{practice['id']}/deactivate", {"version": practice["version"]}
    assert (await house.ask("POST", path, headers=headers, json=seen)).status == 200


async def suspended(house: House) -> None:
    """The operator takes the organisation off the network."""
    headers = await house.person(Grant(AccessRole.HOSPITAL_OPERATOR, ""))
    known = (await house.ask("GET", f"/v1/organisations/{house.city}", headers=headers)).json
    body = {"version": known["version"], "reason": "closed"}
    path = f"/v1/organisations/{house.city}/suspend"
    assert (await house.ask("POST", path, headers=headers, json=body)).status == 200


async def away(house: House, offer: Offer) -> None:
    """Dr. Verma takes the hour off that a slot begins with."""
    start = offer.found.slot.start
    body = {
        "organisation_id": house.city,
        "practitioner_id": house.record_of(ASHA),
        "starts_at": start.isoformat(),
        "ends_at": (start + timedelta(hours=1)).isoformat(),
    }
    assert (await house.ask("POST", "/v1/leave", headers=await admin(house), json=body)).status == 201


async def called_off(house: House, offer: Offer) -> None:
    """Another patient gets the slot, and the desk calls that appointment off: its seat is closed."""
    booking = await house.book(ASHA, patient=MEENA)
    assert booking.slot.id == offer.found.slot.id
    path, why = f"/v1/appointments/{booking.order_id}/cancel", {"reason": "DOCTOR_UNAVAILABLE"}
    assert (await house.ask("POST", path, headers=await house.desk(), json=why)).status == 200


@pytest.mark.parametrize("change", [gone, suspended])
async def test_nobody_is_booked_who_has_left_since_the_hold(either_house, change):
    """Issue 5: verified organisations and active doctors only; the patient hears the code for a slot that is gone."""
    house = either_house
    offer = await house.held(ASHA)
    await change(house)

    with pytest.raises(BookingDeclined) as refused:
        await confirmed(house, offer)

    assert refused.value.code == "40002"


async def test_fee_that_was_held_is_the_fee(either_house):
    """Issue 5: within the hold, the same price; what the hospital charges from now on is for others."""
    house = either_house
    offer, headers = await house.held(ASHA), await admin(house)
    practice = await one(house, "practices", headers)
    listed = (await house.ask("GET", "/v1/services", headers=headers)).json["services"]
    service = next(each for each in listed if each["practice_id"] == practice["id"])
    dearer = {"version": service["version"], "fee": "900.00"}
    changed = await house.ask("PATCH", f"/v1/services/{service['id']}", headers=headers, json=dearer)

    booking = await confirmed(house, offer)

    assert (changed.status, booking.state) == (200, OrderState.CONFIRMED)
    assert booking.slot.price == offer.found.slot.price != (await house.slots(ASHA))[0].slot.price


async def test_slot_that_is_closed_during_its_hold_is_booked_and_needs_attention(either_house):
    """Issue 5: a hold is kept for its time; changing a schedule loses no appointment, it lists it."""
    house = either_house
    offer = await house.held(ASHA)
    await away(house, offer)

    booking = await confirmed(house, offer)
    listed = await house.ask("GET", f"/v1/attention?organisation_id={house.city}", headers=await house.desk())

    assert [(each["id"], each["why"]) for each in listed.json["appointments"]] == [(booking.order_id, "leave")]


@pytest.mark.parametrize("change", [away, called_off])
async def test_slot_that_is_closed_is_not_booked_after_its_hold(either_house, change):
    """Decision 34: a confirmation after the hold books what is still free; FAILED where the facility has closed it."""
    house = either_house
    offer = await house.held(ASHA)
    house.clock.time += 16 * 60
    await change(house, offer)

    with pytest.raises(BookingDeclined) as refused:
        await confirmed(house, offer)

    assert refused.value.code == "40002"


async def test_appointments_of_a_suspended_organisation_stay_its_desks(either_house):
    """Issue 5: nothing new is booked; who is booked is seen, or called off."""
    house = either_house
    booking, desk = await house.book(ASHA), await house.desk()
    await suspended(house)

    path = f"/v1/appointments/{booking.order_id}/cancel"
    done = await house.ask("POST", path, headers=desk, json={"reason": "DOCTOR_UNAVAILABLE"})

    assert (done.status, done.json["appointment"]["state"]) == (200, "CANCELLED")


async def test_one_application_does_not_hoard_a_doctors_day(database_url, tmp_path):
    """Issue 5, case BK-10: a twentieth of the day, one slot in any case; what is confirmed is not held any more."""
    async with House.open(database_url, tmp_path, hold_share_percent=5) as house:
        await house.settle_in()
        offer = await house.held(ASHA)

        with pytest.raises(BookingDeclined) as refused:
            await house.held(ASHA, number=1, patient=MEENA)
        await confirmed(house, offer)
        second = await house.book(ASHA, number=1, patient=MEENA)

    assert (refused.value.code, second.state) == ("40002", OrderState.CONFIRMED)
