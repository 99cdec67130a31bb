"""What the desk and the consulting room see: their own appointments, by day, doctor, place and state, and no PIN."""

from __future__ import annotations

import pytest

from tests.participants.hospital.house import ASHA, MEENA, NAIR, NANDINI

DAY = "since=2026-09-23&until=2026-09-23"
ALL = "/v1/appointments"


def ids(got) -> list[str]:
    """The ids of a list."""
    assert got.status == 200, got.text
    return [each["id"] for each in got.json["appointments"]]


async def test_desk_sees_its_own_organisation(either_house):
    """Case IAM-03 and issue 5: a desk's list is of its organisation, with names, by the start of the slots."""
    later = await either_house.book(ASHA, number=1)
    first = await either_house.book(ASHA, patient=MEENA)
    foreign = await either_house.book(NANDINI)

    city = await either_house.ask("GET", f"{ALL}?{DAY}", headers=await either_house.desk())
    lake = await either_house.ask("GET", f"{ALL}?{DAY}", headers=await either_house.desk(either_house.lake))

    assert ids(city) == [first.order_id, later.order_id]
    assert [each["patient_name"] for each in city.json["appointments"]] == ["Meena Rao", "Ravi Kumar"]
    assert ids(lake) == [foreign.order_id]


async def test_no_answer_shows_a_pin(house):
    """Decision 37: the PIN is never on a screen that is not the patient's."""
    booking, desk = await house.book(ASHA), await house.desk()

    listed = await house.ask("GET", f"{ALL}?{DAY}", headers=desk)
    shown = await house.ask("GET", f"{ALL}/{booking.order_id}", headers=desk)

    pin = listed.json["appointments"][0]["pin"]
    assert (pin["status"], pin["attempts_left"], "token" in pin) == ("GENERATED", 3, False)
    assert f'"{booking.pin}"' not in listed.text + shown.text


async def test_desk_narrows_its_list(house):
    """Issue 5: by practitioner, location and state."""
    asha, nair = await house.book(ASHA), await house.book(NAIR)
    desk, query = await house.desk(), f"{ALL}?{DAY}"
    place = (await house.ask("GET", query, headers=desk)).json["appointments"][0]["location_id"]

    by_doctor = await house.ask("GET", f"{query}&practitioner_id={house.record_of(NAIR)}", headers=desk)
    by_place = await house.ask("GET", f"{query}&location_id={place}", headers=desk)
    by_state = await house.ask("GET", f"{query}&state=CANCELLED", headers=desk)
    by_id = await house.ask("GET", f"{ALL}?q={asha.order_id}", headers=desk)

    assert (ids(by_doctor), ids(by_state), ids(by_id)) == ([nair.order_id], [], [asha.order_id])
    assert sorted(ids(by_place)) == sorted([asha.order_id, nair.order_id])


async def test_foreign_doctors_and_places_narrow_to_nothing(house):
    """Case IAM-03: what is another organisation's is as if it were not there, in a query too."""
    booking, desk = await house.book(NANDINI), await house.desk()
    lake = await house.ask("GET", f"{ALL}?{DAY}", headers=await house.desk(house.lake))
    place = lake.json["appointments"][0]["location_id"]

    asked = [f"practitioner_id={house.record_of(NANDINI)}", "practitioner_id=none"]
    empty = [await house.ask("GET", f"{ALL}?{DAY}&{each}", headers=desk) for each in asked]
    asked = [f"location_id={place}", "location_id=none", f"q={booking.order_id}", "q=none"]
    missing = [await house.ask("GET", f"{ALL}?{DAY}&{each}", headers=desk) for each in asked]

    assert [ids(each) for each in empty] == [[], []]
    assert {each.status for each in missing} == {404}


async def test_lists_are_paged(house):
    """Issue 5: cursor paging; each order is on one page."""
    booked = [
        (await house.book(doctor, number=number)).order_id for doctor, number in ((ASHA, 0), (NAIR, 0), (ASHA, 0))
    ]
    desk, found, after = await house.desk(), [], ""

    for _ in range(3):
        got = await house.ask("GET", f"{ALL}?{DAY}&most=1&after={after}", headers=desk)
        found += ids(got)
        after = got.json["next"]

    assert (sorted(found), after) == (sorted(booked), "")


async def test_held_slots_are_listed_only_where_they_are_asked_for(house):
    """Ours: somebody who has not agreed to anything yet is nobody's patient."""
    offer, desk = await house.held(ASHA), await house.desk()

    booked = await house.ask("GET", f"{ALL}?{DAY}", headers=desk)
    held = await house.ask("GET", f"{ALL}?{DAY}&state=HELD", headers=desk)

    assert (ids(booked), ids(held)) == ([], [offer.order_id])


@pytest.mark.parametrize(
    "query",
    ["since=2026-09-24&until=2026-09-23", "since=2026-09-24&until=2028-09-24", "since=9999-12-31", "after=x"],
)
async def test_queries_that_make_no_sense_are_refused(house, query):
    """Ours: 400, and not an empty list."""
    got = await house.ask("GET", f"{ALL}?{query}", headers=await house.desk())

    assert (got.status, got.json["code"]) == (400, "API_REQUEST_INVALID")


async def test_without_days_it_is_today(house):
    """Ours: what a desk has open all day."""
    booking = await house.book(ASHA)
    house.be(booking.slot.start)

    got = await house.ask("GET", ALL, headers=await house.desk())

    assert ids(got) == [booking.order_id]


async def test_clinician_sees_own_patients_only(house):
    """Security rules, IAM: clinician, own patients; a list and each appointment."""
    own, other = await house.book(ASHA), await house.book(NAIR)
    asha = await house.clinician(ASHA)

    listed = await house.ask("GET", f"/v1/clinic/appointments?{DAY}", headers=asha)
    shown = [await house.ask("GET", f"/v1/clinic/appointments/{each.order_id}", headers=asha) for each in (own, other)]

    assert ids(listed) == [own.order_id]
    assert [each.status for each in shown] == [200, 404]


async def test_clinician_of_another_organisation_sees_nothing(house):
    """Case IAM-03: a role counts where it was given, whoever the practitioner is."""
    booking = await house.book(ASHA)
    elsewhere = await house.clinician(ASHA, house.lake)

    listed = await house.ask("GET", f"/v1/clinic/appointments?{DAY}", headers=elsewhere)
    shown = await house.ask("GET", f"/v1/clinic/appointments/{booking.order_id}", headers=elsewhere)

    assert (ids(listed), shown.status) == ([], 404)


async def test_every_look_is_audited(house):
    """Security rules, "Audit log": reads of patient data; who looked, at what."""
    booking, desk = await house.book(ASHA), await house.desk()

    await house.ask("GET", f"{ALL}/{booking.order_id}", headers=desk)
    await house.ask("GET", f"{ALL}/{booking.order_id}", headers=await house.desk(house.lake))

    rows = await house.audited("desk.")
    assert [(row.actor, row.action, row.outcome, row.object) for row in rows] == [
        ("acc-1", "desk.get_appointment", "done", f"GET {ALL}/{booking.order_id}"),
        ("acc-2", "desk.get_appointment", "refused", f"GET {ALL}/{booking.order_id}"),
    ]
