"""The whole way of a patient over REST, with a hospital that runs on the library, on both databases."""

from __future__ import annotations

import asyncio
import base64
import shutil
from datetime import datetime, timedelta

from participants.patient.people.notices import Purpose
from tests.conversation.scene import files_in
from tests.files.scanner_server import EICAR, ScannerServer
from tests.participants.hospital.house import ASHA
from tests.participants.patient.scene import Person, agreed
from tests.participants.patient.town import Town, open_town
from uhi.actions import CONFIRM, Decline
from uhi.booking.rebuilding import check
from uhi.faults import SLOT_UNAVAILABLE
from uhi.handlers import Handlers


async def slots(town: Town, person: Person) -> list[dict[str, str]]:
    """The slots that a search of Dr. Verma finds."""
    begun = await person.ask("POST", "/v1/searches", json={"doctor": "Verma"})
    assert begun.status == 201, begun.text
    await town.net.settle()
    page = await person.ask("GET", f"/v1/searches/{begun.json['id']}")
    [doctor] = page.json["doctors"]
    got = await person.ask("GET", f"/v1/searches/{begun.json['id']}/doctors/{doctor['offers'][0]['ref']}/slots")
    assert got.status == 200, got.text
    return got.json["slots"]


async def booked(town: Town, person: Person, member: str, number: int = 0) -> dict[str, object]:
    """A confirmed appointment, from a search on."""
    held = await hold(town, person, member, number)
    got = await person.ask("POST", f"/v1/bookings/{held['id']}/confirm", json=agreed(held))
    assert (got.status, got.json["state"]) == (200, "CONFIRMED"), got.text
    return got.json


async def hold(town: Town, person: Person, member: str, number: int = 0) -> dict[str, object]:
    """A held slot, from a search on."""
    ref = (await slots(town, person))[number]["ref"]
    got = await person.ask("POST", "/v1/bookings", json={"slot": ref, "member_id": member})
    assert got.status == 201, got.text
    return got.json


async def patient(town: Town) -> tuple[Person, str]:
    """Somebody who has consented to everything, and is their own member."""
    ravi = await town.scene.person("ravi")
    await ravi.consent(Purpose.DISCOVERY)
    return ravi, await ravi.ready()


async def test_from_a_search_to_a_rating(town: Town):
    """Issue 5: search, slots, hold, confirm, PIN at the desk, started, completed, rated."""
    ravi, member = await patient(town)
    visit = await booked(town, ravi, member)
    order, path = str(visit["order_id"]), f"/v1/bookings/{visit['id']}"

    town.house.be(datetime.fromisoformat(str(visit["start"])) - timedelta(minutes=5))
    await town.back(ravi)
    checked = await town.desk(order, "pin", pin=visit["pin"]["digits"])
    await town.desk(order, "start")
    during = await ravi.ask("GET", path)
    await town.desk(order, "complete", care_context_id="visit-1")
    rated = await ravi.ask("POST", f"{path}/rating", json={"stars": 5, "text": "kind"})

    assert (checked["is_verified"], during.json["state"]) == (True, "APPOINTMENT_STARTED")
    assert (rated.json["state"], rated.json["rating"]["stars"]) == ("COMPLETED", 5)
    kept = town.house.program.participant.world.storage
    assert await check(kept, "clinic.example", town.net.clock.now()) == []


async def test_a_patients_move_is_one_in_the_hospitals_history(town: Town):
    """Decision 38: hold new, confirm new, cancel old; in a network of one's own the hospital is told what for."""
    ravi, member = await patient(town)
    old, new = await booked(town, ravi, member), await hold(town, ravi, member, 1)

    body = {"to": new["id"], **agreed(new)}
    moved = await ravi.ask("POST", f"/v1/bookings/{old['id']}/reschedule", json=body)
    await town.net.settle()

    was, left = await ravi.ask("GET", f"/v1/bookings/{old['id']}"), await town.order(str(old["order_id"]))
    assert (moved.json["state"], was.json["state"]) == ("CONFIRMED", "CANCELLED")
    assert left["rescheduled_to"] == new["order_id"]
    assert [each["kind"] for each in left["history"]][-1] == "RESCHEDULED"


async def test_a_slot_that_the_hospital_offers_instead_is_taken(town: Town):
    """Decision 38: a hospital's move is on_cancel with an offer, which nobody else sees; the patient takes it."""
    ravi, member = await patient(town)
    visit = await booked(town, ravi, member)
    other = (await town.house.slots(ASHA))[2]

    await town.desk(str(visit["order_id"]), "move", reason="DOCTOR_UNAVAILABLE", slot_id=other.slot.id)
    gone = await ravi.ask("GET", f"/v1/bookings/{visit['id']}")
    taken = await ravi.ask("POST", f"/v1/bookings/{visit['id']}/offered-slot")
    assert taken.status == 201, taken.text
    then = await ravi.ask("POST", f"/v1/bookings/{taken.json['id']}/confirm", json=agreed(taken.json))

    assert (gone.json["state"], gone.json["cancellation"]["offered_slot"]) == ("CANCELLED", other.slot.id)
    assert (taken.status, datetime.fromisoformat(taken.json["start"])) == (201, other.slot.start)
    assert (then.status, then.json["state"], then.json["member_id"]) == (200, "CONFIRMED", member)
    assert (await town.order(str(then.json["order_id"])))["offer_for"] == visit["order_id"]


async def test_a_booking_is_moved_once_however_often_it_is_asked_at_the_same_time(town: Town):
    """Ours: two moves of one booking to two slots would leave the patient with two appointments."""
    ravi, member = await patient(town)
    old, one, other = await booked(town, ravi, member), *[await hold(town, ravi, member, n) for n in (1, 2)]

    got = await asyncio.gather(
        *(
            ravi.ask("POST", f"/v1/bookings/{old['id']}/reschedule", json={"to": each["id"], **agreed(each)})
            for each in (one, other)
        )
    )
    await town.net.settle()

    listed = (await ravi.ask("GET", "/v1/bookings?state=CONFIRMED")).json["bookings"]
    assert sorted(each.status for each in got) == [200, 409]
    assert len(listed) == 1


async def test_a_booking_is_moved_to_another_slot_of_its_own_member(town: Town):
    """Ours: a hospital lets go of an appointment only for another of its patient, so there would be two."""
    ravi, member = await patient(town)
    old, mina = await booked(town, ravi, member), await ravi.member(name="Mina", relation="child", abha_address="m@sbx")
    new = await hold(town, ravi, mina, 1)

    got = await ravi.ask("POST", f"/v1/bookings/{old['id']}/reschedule", json={"to": new["id"], **agreed(new)})
    await town.net.settle()

    listed = (await ravi.ask("GET", "/v1/bookings?state=CONFIRMED")).json["bookings"]
    assert (got.status, got.json["errors"][0]["path"]) == (409, "booking")
    assert [each["id"] for each in listed] == [old["id"]]


async def test_a_move_that_is_declined_leaves_both_bookings_as_they_were(town: Town):
    """Decision 38: the patient never has nothing; what is confirmed later by itself takes nobody's place."""
    ravi, member = await patient(town)
    old, new = await booked(town, ravi, member), await hold(town, ravi, member, 1)
    ways, legs = town.house.program.participant.handlers._by_leg, Handlers()
    honest = dict(ways)

    async def declines(request):
        return Decline(SLOT_UNAVAILABLE)

    legs.on(CONFIRM)(declines)
    ways.update(legs._by_leg)
    refused = await ravi.ask("POST", f"/v1/bookings/{old['id']}/reschedule", json={"to": new["id"], **agreed(new)})
    ways.update(honest)
    alone = await ravi.ask("POST", f"/v1/bookings/{new['id']}/confirm", json=agreed(new))
    await town.net.settle()

    was = await ravi.ask("GET", f"/v1/bookings/{old['id']}")
    assert (refused.status, was.json["state"]) == (409, "CONFIRMED")
    assert (alone.status, alone.json["state"], alone.json["replaces"]) == (200, "CONFIRMED", "")


async def test_a_booking_that_was_cancelled_is_not_confirmed_again(town: Town):
    """Security rules: a confirmation that is repeated after a cancellation changes nothing, and asks nobody."""
    ravi, member = await patient(town)
    held = await hold(town, ravi, member)
    path, body = f"/v1/bookings/{held['id']}", agreed(held)
    await ravi.ask("POST", f"{path}/confirm", json=body)
    await ravi.ask("POST", f"{path}/cancel", json={"reason": "PATIENT_BOOKED_IN_ERROR"})
    hops = len(list(town.net.calls))

    again = await ravi.ask("POST", f"{path}/confirm", json=body)

    assert (again.status, again.json["code"], len(list(town.net.calls))) == (409, "API_STATE_REFUSED", hops)
    assert (await town.order(str(held["order_id"])))["appointment"]["state"] == "CANCELLED"


async def test_the_hospital_calls_off_what_was_just_moved(town: Town):
    """Ours: a move, then the hospital cancels the new appointment: both are over, and both sides say so."""
    ravi, member = await patient(town)
    old, new = await booked(town, ravi, member), await hold(town, ravi, member, 1)
    await ravi.ask("POST", f"/v1/bookings/{old['id']}/reschedule", json={"to": new["id"], **agreed(new)})
    await town.net.settle()

    await town.desk(str(new["order_id"]), "cancel", reason="DOCTOR_UNAVAILABLE")

    states = [(await ravi.ask("GET", f"/v1/bookings/{each['id']}")).json for each in (old, new)]
    assert [each["cancellation"]["by"] for each in states] == ["patient", "doctor"]
    assert {each["state"] for each in states} == {"CANCELLED"}


async def test_a_double_click_books_once(town: Town):
    """Reliability rules 5: two holds and two confirmations at once, each with a key of its own, are one booking."""
    ravi, member = await patient(town)
    ref = (await slots(town, ravi))[0]["ref"]

    held = await asyncio.gather(
        *(ravi.ask("POST", "/v1/bookings", json={"slot": ref, "member_id": member}) for _ in range(2))
    )
    path, body = f"/v1/bookings/{held[0].json['id']}/confirm", agreed(held[0].json)
    done = await asyncio.gather(*(ravi.ask("POST", path, json=body) for _ in range(2)))

    assert held[0].json["id"] == held[1].json["id"]
    assert [(each.status, each.json["pin"]["digits"]) for each in done] == [(200, done[0].json["pin"]["digits"])] * 2
    assert len((await ravi.ask("GET", "/v1/bookings")).json["bookings"]) == 1


async def test_the_application_has_a_scanner_of_its_own(sqlite_url, sqlite_template, tmp_path):
    """Security rules, files: what is infected is neither sent nor kept, whatever the other side looks for."""
    other_url = f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'other.db')}"
    notes = {"name": "notes.txt", "media_type": "text/plain", "content": base64.b64encode(EICAR).decode()}
    async with (
        ScannerServer().running() as server,
        open_town(other_url, sqlite_url, tmp_path, scanner_url=server.url) as town,
    ):
        ravi, member = await patient(town)
        visit = await booked(town, ravi, member)

        sent = await ravi.ask("POST", f"/v1/bookings/{visit['id']}/documents", json=notes)
        await town.desk(str(visit["order_id"]), "documents", **notes)
        heard = await ravi.ask("GET", f"/v1/bookings/{visit['id']}/messages")

    assert (sent.status, sent.json["errors"][0]["path"]) == (400, "content")
    assert [(each["is_ours"], each["refused"]) for each in heard.json["messages"]] == [(False, "INFECTED")]
    assert (len(files_in(tmp_path / "clinic" / "files")), files_in(tmp_path / "app" / "files")) == (1, [])
