"""NHA's checklist before going live, where it asks something of a hospital: discovery by every filter, nothing found,
the day of the appointment as the patient's application hears of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from participants.hospital.loading import load_hospital_file
from tests.api.hall import OPERATOR
from tests.participants.hospital.house import APP, ASHA, House
from tests.participants.hospital.towns import CITY
from uhi.booking import DoctorQuery, FoundDoctor, OrderState
from uhi.errors import BookingDeclined
from uhi.messages.places import Circle, Place, Point
from uhi.testing.network import GATEWAY_ID

WHERE = """    pincode: 411001
    city: { name: Pune, code: "521" }
    district: { name: PUNE, code: "490" }
    state: { name: MAHARASHTRA, code: "27" }
"""
BOTH = {"Dr. Asha Verma", "Dr. Ravi Nair"}
HERE = Circle(Point(18.52, 73.86), 3)


@pytest.fixture
async def placed(house: House, tmp_path: Path) -> House:
    """A hospital whose places are known."""
    file = tmp_path / "placed.yaml"
    file.write_text(CITY.replace("    pincode: 411001\n", WHERE), "utf-8")
    await load_hospital_file(house.database, file, acting=OPERATOR)
    await house.program.look_up()
    return house


async def found(house: House, query: DoctorQuery) -> list[FoundDoctor]:
    """Whom the patient's application is told of, through the gateway."""
    house.clock.jumps = True
    told = [each async for each in house.bookings.find(query, wait=5)]
    house.clock.jumps = False
    return told


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (DoctorQuery(doctor="asha verma"), {"Dr. Asha Verma"}),
        (DoctorQuery(hpr="71-0000-0000-0102"), {"Dr. Ravi Nair"}),
        (DoctorQuery(hpr="ravi.nair@hpr.ndhm"), {"Dr. Ravi Nair"}),
        (DoctorQuery(speciality="DERMATOLOGY"), {"Dr. Ravi Nair"}),
        (DoctorQuery(near=HERE), BOTH),
        (DoctorQuery(state=Place(name="MAHARASHTRA", code="27"), district=Place(name="PUNE", code="490")), BOTH),
        (DoctorQuery(state=Place(code="27"), district=Place(code="490"), doctor="nair"), {"Dr. Ravi Nair"}),
        (DoctorQuery(state=Place(name="GUJARAT", code="24"), district=Place(name="PUNE", code="490")), set()),
        (DoctorQuery(city=Place(name="Pune")), BOTH),
        (DoctorQuery(pincode="411001"), BOTH),
        (DoctorQuery(pincode="110001"), set()),
        (DoctorQuery(facility="City Hospital"), BOTH),
        (DoctorQuery(facility="City Hospital", speciality="CARDIOLOGY", near=HERE), {"Dr. Asha Verma"}),
    ],
)
async def test_doctors_are_found_by_every_filter(placed, query, expected):
    """NHA go-live checklist 8: name, HPR id, speciality, GPS, state and district, city, pincode, facility; combined."""
    assert {each.doctor.name for each in await found(placed, query)} == expected


async def test_nothing_found_is_told_by_an_empty_catalogue(placed):
    """NHA go-live checklist 14: an empty on_search travels through the gateway, and ends nothing."""
    assert await found(placed, DoctorQuery(doctor="nobody of this name")) == []
    await placed.network.settle()

    answers = [hop for hop in placed.network.calls if hop.action == "on_search"]
    assert {hop.receiver for hop in answers} == {GATEWAY_ID, APP}
    assert await found(placed, DoctorQuery(hpr=ASHA)) != []


async def test_slot_that_is_gone_is_declined(house):
    """NHA go-live checklist 14: slot unavailable."""
    slots = await house.slots(ASHA)
    await house.book(ASHA)

    with pytest.raises(BookingDeclined) as declined:
        await house.bookings.hold(slots[0], house.patient, wait=5)

    assert declined.value.code == "40002"


async def test_application_hears_how_the_visit_goes(either_house):
    """NHA go-live checklist 10 and 12: the PIN arrives; on_update APPOINTMENT_STARTED and COMPLETED come unasked."""
    house = either_house
    booking = await house.book(ASHA)
    one = f"/v1/appointments/{booking.order_id}"
    house.be(booking.slot.start)
    desk = await house.desk()

    states = []
    for step, body in (("pin", {"pin": booking.pin}), ("start", {}), ("complete", {"care_context_id": "visit-1"})):
        assert (await house.ask("POST", f"{one}/{step}", headers=desk, json=body)).status == 200
        await house.network.settle()
        states.append((await house.bookings.known(booking.order_id, thread=booking.thread)).state)

    assert len(booking.pin) == 4
    assert states == [OrderState.CONFIRMED, OrderState.APPOINTMENT_STARTED, OrderState.COMPLETED]


async def test_doctor_who_did_not_come_is_on_the_desks_list(either_house):
    """NHA go-live checklist 13: DOCTOR_NO_SHOW by the patient's application; the desk sees it and starts nothing."""
    house = either_house
    booking = await house.book(ASHA)
    house.be(booking.slot.start)
    desk = await house.desk()

    await house.bookings.report_doctor_no_show(booking)
    await house.network.settle()

    one = f"/v1/appointments/{booking.order_id}"
    seen = await house.ask("GET", one, headers=desk)
    started = await house.ask("POST", f"{one}/start", headers=desk, json={})
    assert (seen.json["appointment"]["state"], started.status) == ("DOCTOR_NO_SHOW", 409)
    assert seen.json["history"][-1]["by"] == f"consumer {APP}"
