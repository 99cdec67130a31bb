"""Bookings over REST against a demo hospital, through the whole network, on both databases."""

from __future__ import annotations

import json
import re
from base64 import b64decode, urlsafe_b64encode
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from icalendar import Calendar

from participants.patient.bookings.calendar import write_calendar
from tests.participants.patient.scene import RAVI, agreed
from uhi.actions import CONFIRM, Decline
from uhi.booking.states import OrderState
from uhi.faults import SLOT_UNAVAILABLE
from uhi.handlers import Handlers
from uhi.keeping import sealing_of
from uhi.messages import OnConfirm
from uhi.messages.values import IST, Price, Quotation
from uhi.ports import Retention


def answering(scene, action, function) -> None:
    """Let the hospital answer one action with another function."""
    handlers = Handlers()
    handlers.on(action)(function)
    hospital = next(each for each in scene.net._participants if each.subscriber_id != "app.example")
    hospital.handlers._by_leg.update(handlers._by_leg)


def honest(scene):
    """How the hospital answers a confirmation."""
    hospital = next(each for each in scene.net._participants if each.subscriber_id != "app.example")
    return hospital.handlers.of(CONFIRM.request).function


async def test_held_confirmed_and_cancelled(scene):
    """Decision 30: the offer is shown with price and terms, agreed, confirmed with a PIN, and cancelled."""
    ravi = await scene.person("ravi")
    offer = await ravi.held(await ravi.ready())

    booked = await ravi.ask("POST", f"/v1/bookings/{offer['id']}/confirm", json=agreed(offer))
    reason = {"reason": "PATIENT_HEALTH_IMPROVED"}
    gone = await ravi.ask("POST", f"/v1/bookings/{offer['id']}/cancel", json=reason)

    assert (offer["state"], len(offer["terms"]), offer["pin"]) == ("HELD", 5, None)
    assert sum(float(line["amount"]) for line in offer["quote"]["lines"]) == float(offer["quote"]["total"])
    assert (booked.status, booked.json["state"], len(booked.json["pin"]["digits"])) == (200, "CONFIRMED", 4)
    assert (booked.json["terms"], booked.headers["Cache-Control"]) == ([], "no-store")
    assert (gone.status, gone.json["state"], gone.json["cancellation"]["by"]) == (200, "CANCELLED", "patient")


async def test_bookings_go_on_after_a_restart(scene):
    """Issue: held in one life, confirmed in the next; the PIN is written nowhere, and status brings it back."""
    ravi = await scene.person("ravi")
    member = await ravi.ready()
    offer, booked = await ravi.held(member, 1), await ravi.confirmed(member)

    await scene.restart()
    known = await ravi.ask("GET", f"/v1/bookings/{booked['id']}")
    asked = await ravi.ask("POST", f"/v1/bookings/{booked['id']}/status")
    then = await ravi.ask("POST", f"/v1/bookings/{offer['id']}/confirm", json=agreed(offer))

    assert (known.json["state"], known.json["pin"]["digits"]) == ("CONFIRMED", "")
    assert asked.json["pin"]["digits"] == booked["pin"]["digits"]
    assert (then.status, then.json["state"]) == (200, "CONFIRMED")


async def test_a_hospital_that_is_silent_loses_nothing(scene):
    """Issue: pending until on_confirm, across a restart; what comes late counts."""
    ravi = await scene.person("ravi")
    offer = await ravi.held(await ravi.ready())
    object.__setattr__(scene.program.desk, "wait", 0.3)
    scene.net.faults.delay(3, "on_confirm")

    pending = await ravi.ask("POST", f"/v1/bookings/{offer['id']}/confirm", json=agreed(offer))
    await scene.restart()
    still = await ravi.ask("GET", f"/v1/bookings/{offer['id']}")
    await scene.net.settle()
    done = await ravi.ask("GET", f"/v1/bookings/{offer['id']}")

    assert (pending.status, pending.json["state"], still.json["state"]) == (202, "PENDING", "PENDING")
    assert "may still confirm" in pending.json["next_step"]
    assert done.json["state"] == "CONFIRMED"


async def test_a_booking_is_moved_and_the_old_one_cancelled(scene):
    """Decision 38: hold new, confirm new, cancel old."""
    ravi = await scene.person("ravi")
    member = await ravi.ready()
    old, offer = await ravi.confirmed(member), await ravi.held(member, 1)

    body = {"to": offer["id"], **agreed(offer)}
    moved = await ravi.ask("POST", f"/v1/bookings/{old['id']}/reschedule", json=body)
    await scene.net.settle()
    was = await ravi.ask("GET", f"/v1/bookings/{old['id']}")
    again = await ravi.ask("POST", f"/v1/bookings/{old['id']}/reschedule", json=body)

    assert (moved.status, moved.json["state"], moved.json["replaces"]) == (200, "CONFIRMED", old["id"])
    assert (was.json["state"], was.json["cancellation"]["by"]) == ("CANCELLED", "patient")
    assert (again.status, again.json["code"]) == (409, "API_STATE_REFUSED")


async def test_the_same_wish_is_one_booking(scene):
    """Reliability rules 5: the same key brings the same answer; the same slot the same booking, and no more time."""
    ravi = await scene.person("ravi")
    member = await ravi.ready()
    ref = await scene.found(ravi.account.id)
    body = {"slot": ref, "member_id": member}

    first = await ravi.ask("POST", "/v1/bookings", key="one", json=body)
    replayed = await ravi.ask("POST", "/v1/bookings", key="one", json=body)
    again = await ravi.ask("POST", "/v1/bookings", key="two", json=body)
    without = await scene.ask("POST", "/v1/bookings", headers=ravi.headers, json=body)

    assert replayed.json == first.json
    assert (replayed.headers["Idempotency-Replayed"], again.json["id"]) == ("true", first.json["id"])
    assert again.json["held_until"] == first.json["held_until"]
    assert (without.status, without.json["errors"][0]["path"]) == (400, "Idempotency-Key")


async def test_a_slot_that_is_gone_is_declined_with_the_next_step(scene):
    """UHI slots and hold: 40002, told in words."""
    ravi, meena = await scene.person("ravi"), await scene.person("meena")
    await ravi.held(await ravi.ready())
    await meena.consent()
    other = await meena.member(name="Meena", abha_address="meena@sbx")
    [taken] = scene.shelf.slots.values()
    body = {"slot": scene.shelf.put(meena.account.id, taken), "member_id": other}

    got = await meena.ask("POST", "/v1/bookings", json=body)

    assert (got.status, got.json["code"]) == (409, "APP_HOSPITAL_DECLINED")
    assert got.json["errors"] == [{"path": "slot", "message": "40002: The slot is not available. Choose another slot."}]


async def test_one_order_is_one_accounts(scene):
    """Threat T27: two accounts with one patient and one conversation do not get at each other's booking."""
    ravi, other = await scene.person("ravi"), await scene.person("other")
    await ravi.held(await ravi.ready())
    [taken] = scene.shelf.slots.values()
    body = {"slot": scene.shelf.put(other.account.id, taken), "member_id": await other.ready()}

    got = await other.ask("POST", "/v1/bookings", json=body)

    assert (got.status, got.json["code"]) == (409, "API_ALREADY_TAKEN")


async def test_terms_are_agreed_one_by_one_and_kept(scene):
    """Decision 36, privacy rules 7: nothing is sent before all are agreed; type, hash and time are kept."""
    ravi = await scene.person("ravi")
    offer = await ravi.held(await ravi.ready())
    path = f"/v1/bookings/{offer['id']}/confirm"

    refused = await ravi.ask("POST", path, json={"agreed": {"Payment": ""}})
    before = await scene.program.desk.database.read(
        lambda on: on.exec_driver_sql("SELECT count(*) FROM patient_agreement").scalar_one()
    )
    await ravi.ask("POST", path, json=agreed(offer))
    rows = await scene.program.desk.database.read(
        lambda on: on.exec_driver_sql("SELECT term, text_hash FROM patient_agreement").all()
    )

    assert (refused.status, refused.json["errors"][0]["path"], before) == (400, "agreed", 0)
    assert {tuple(row) for row in rows} == {(term["type"], term["text_hash"]) for term in offer["terms"]}


async def test_another_price_is_called_off_and_said(scene):
    """Security T30: never shown as confirmed."""
    ravi = await scene.person("ravi")
    offer = await ravi.held(await ravi.ready())
    true = honest(scene)

    async def dearer(request):
        answer = await true(request)
        quote = Quotation(price=Price(currency="INR", value="9900.00"))
        return OnConfirm(order=answer.order.model_copy(update={"quote": quote}))

    answering(scene, CONFIRM, dearer)
    got = await ravi.ask("POST", f"/v1/bookings/{offer['id']}/confirm", json=agreed(offer))
    await scene.net.settle()
    then = await ravi.ask("GET", f"/v1/bookings/{offer['id']}")

    assert (got.status, got.json["code"]) == (409, "APP_HOSPITAL_DECLINED")
    assert (then.json["state"], then.json["price_mismatch"]) == ("CANCELLED", True)


async def test_a_confirmation_that_is_declined_waits_for_nothing(scene):
    """Decision 34: FAILED is an answer."""
    ravi = await scene.person("ravi")
    offer = await ravi.held(await ravi.ready())

    async def declines(request):
        return Decline(SLOT_UNAVAILABLE)

    answering(scene, CONFIRM, declines)
    got = await ravi.ask("POST", f"/v1/bookings/{offer['id']}/confirm", json=agreed(offer))
    then = await ravi.ask("GET", f"/v1/bookings/{offer['id']}")

    assert (got.status, then.json["state"], then.json["waits_for"]) == (409, "HELD", "")


async def test_lists_are_pages_in_order_of_time(scene):
    """Issue: cursor paging; filters by time and state; no PIN in a list."""
    ravi = await scene.person("ravi")
    member = await ravi.ready()
    made = [await ravi.confirmed(member, number) for number in range(2)]
    held = await ravi.held(member, 2)

    first = (await ravi.ask("GET", "/v1/bookings?most=2&when=upcoming")).json
    second = (await ravi.ask("GET", f"/v1/bookings?most=2&when=upcoming&after={first['next']}")).json
    confirmed = (await ravi.ask("GET", "/v1/bookings?state=CONFIRMED")).json["bookings"]
    past = (await ravi.ask("GET", "/v1/bookings?when=past")).json["bookings"]
    broken = await ravi.ask("GET", "/v1/bookings?after=nothing")

    ids = [each["id"] for page in (first, second) for each in page["bookings"]]
    assert (ids, second["next"], past) == ([made[0]["id"], made[1]["id"], held["id"]], "", [])
    assert [each["id"] for each in confirmed] == ids[:2]
    assert ("pin" in first["bookings"][0], broken.status) == (False, 400)


async def test_what_somebody_makes_a_name_is_neither_told_nor_logged(quick_scene, caplog):
    """Privacy rules: a name in a body may be anything; where it stands is told by our own names."""
    ravi = await quick_scene.person("ravi")
    caplog.set_level("INFO")

    got = await ravi.ask("POST", "/v1/bookings/x/confirm", json={"agreed": {"Ravi Kumar\n9000000001": 1}})

    assert (got.status, got.json["errors"][0]["path"]) == (400, "agreed")
    assert "Ravi Kumar" not in got.text + caplog.text


@pytest.mark.parametrize("place", ["nan x", "inf x", "1.0 \x00", "1.0 \n", "1e999 x", "1,0 x", ""])
async def test_a_cursor_that_no_page_gave_is_refused(scene, place):
    """Ours: a cursor of somebody's own making is their mistake, and no database's."""
    ravi = await scene.person("ravi")
    after = urlsafe_b64encode(place.encode()).decode().rstrip("=") or "%3D"

    got = await ravi.ask("GET", f"/v1/bookings?after={after}")

    assert (got.status, got.json["errors"][0]["path"]) == (400, "after")


async def test_each_page_is_full_whatever_state_is_asked_for(scene):
    """Issue: filters by state; HELD, PENDING and EXPIRED are told apart before a page is cut."""
    ravi = await scene.person("ravi")
    member = await ravi.ready()
    held = [await ravi.held(member) for _ in range(2)]
    database, ids = scene.program.desk.database, [each["id"] for each in held]
    sql = "UPDATE patient_booking SET {} WHERE id = '{}'"
    await database.write(lambda on: on.exec_driver_sql(sql.format("waits_for = 'confirm'", ids[0])))

    async def of(state: str) -> list[tuple[str, str]]:
        page = (await ravi.ask("GET", f"/v1/bookings?most=1&state={state}")).json
        return [(each["id"], each["state"]) for each in page["bookings"]]

    assert (await of("HELD"), await of("PENDING"), await of("EXPIRED")) == (
        [(ids[1], "HELD")],
        [(ids[0], "PENDING")],
        [],
    )
    await database.write(lambda on: on.exec_driver_sql(sql.format("held_until = 0", ids[1])))
    assert (await of("HELD"), [each for each, _ in await of("EXPIRED")]) == ([], [ids[1]])


async def test_a_pin_is_not_kept_with_an_answer_for_who_asks_again(scene):
    """Decision 37: the digits are in memory alone; the same key brings the same answer without them."""
    ravi = await scene.person("ravi")
    offer = await ravi.held(await ravi.ready())
    path, body = f"/v1/bookings/{offer['id']}", agreed(offer)

    first = await ravi.ask("POST", f"{path}/confirm", key="one", json=body)
    again = await ravi.ask("POST", f"{path}/confirm", key="one", json=body)
    shown = await ravi.ask("GET", path)

    digits = first.json["pin"]["digits"]
    assert (len(digits), again.headers["Idempotency-Replayed"]) == (4, "true")
    assert again.json == {**first.json, "pin": {**first.json["pin"], "digits": ""}}
    assert shown.json["pin"]["digits"] == digits


def opened(connection, sealing, ravis) -> list[bytes]:
    """What is sealed in the tables that a PIN could get into, with the program's key or with Ravi's."""
    keys = {
        "body": "{id}",
        "consumer_booking": "booking {provider_id} {order_id}",
        "idempotency": "request {id}",
    }
    rows = [
        (ravis if name == "consumer_booking" else sealing).open(row["sealed"], about=about.format(**row))
        for name, about in keys.items()
        for row in connection.exec_driver_sql(f"SELECT * FROM {name}").mappings()
    ]
    bodies = [json.loads(row)["body"] for row in rows if b'"digest"' in row and b'"status"' in row]
    return [*rows, *map(b64decode, bodies)]


async def test_a_pin_is_in_no_row_even_for_who_has_the_key(scene):
    """Decision 37: what is sealed in the application's database is opened, and no PIN is in it."""
    ravi = await scene.person("ravi")
    await ravi.confirmed(await ravi.ready())
    await scene.net.settle()
    # A body that is to be forgotten stays a few minutes for other processes.
    await scene.app.world.storage.purge(Retention(), now=scene.net.clock.now() + 600)

    sealing, keys = sealing_of(scene.settings), scene.program.holder.keys
    rows = await scene.program.desk.database.read(lambda on: opened(on, sealing, keys.of(on, ravi.account.id)))

    assert len(rows) > 5
    assert [row for row in rows if re.search(rb'"(token|digits|pin)": ?"[0-9]{4}"', row)] == []


async def test_a_calendar_holds_ones_own_appointments_and_nothing_about_health(scene):
    """Issue: ICS; RFC 5545, read by a reader that is not ours."""
    ravi, meena = await scene.person("ravi"), await scene.person("meena")
    booked = await ravi.confirmed(await ravi.ready())

    whole = await ravi.ask("GET", "/v1/bookings/calendar.ics")
    one = await ravi.ask("GET", f"/v1/bookings/{booked['id']}/calendar.ics")
    hers = await meena.ask("GET", "/v1/bookings/calendar.ics")

    [event] = Calendar.from_ical(whole.text).walk("VEVENT")
    assert whole.headers["Content-Type"] == "text/calendar"
    assert (str(event["uid"]), event.decoded("dtstart").isoformat()[:16]) == (
        f"{booked['id']}@app.example",
        event.decoded("dtstart").isoformat()[:16],
    )
    assert booked["doctor"]["name"] in event["summary"]
    assert not any(word in whole.text.lower() for word in ("cardio", "ravi kumar", booked["pin"]["digits"] + "\r"))
    assert (len(Calendar.from_ical(one.text).walk("VEVENT")), "VEVENT" in hers.text) == (1, False)


async def test_reasons_ratings_and_reports_have_their_time(scene):
    """Issue: rating and no-show report; neither before the appointment."""
    ravi = await scene.person("ravi")
    booked = await ravi.confirmed(await ravi.ready())
    path = f"/v1/bookings/{booked['id']}"

    reasons = await ravi.ask("GET", "/v1/reasons")
    rated = await ravi.ask("POST", f"{path}/rating", json={"stars": 5})
    reported = await ravi.ask("POST", f"{path}/doctor-no-show")
    silent = await ravi.ask("POST", f"{path}/cancel", json={"reason": "PATIENT_OTHER"})
    unknown = await ravi.ask("POST", f"{path}/cancel", json={"reason": "BORED"})

    assert len(reasons.json["reasons"]) == 7
    assert [each.status for each in (rated, reported, silent, unknown)] == [409, 409, 400, 400]
    assert (await ravi.ask("GET", path)).json["waits_for"] == ""


async def test_a_rating_is_kept_and_sent_nowhere(scene):
    """Issue: 1 to 5 and at most 500 characters; the protocol has no word for it."""
    ravi = await scene.person("ravi")
    booked = await ravi.confirmed(await ravi.ready())
    visit = (await scene.provider._attending._desk.store.get(booked["order_id"])).appointment_id
    await scene.provider.override_pin(visit, "OVERRIDE_VULNERABLE_PATIENT")
    await scene.provider.started(visit)
    await scene.net.settle()
    hops = len(list(scene.net.calls))

    rated = await ravi.ask("POST", f"/v1/bookings/{booked['id']}/rating", json={"stars": 4, "text": "kind"})
    bad = await ravi.ask("POST", f"/v1/bookings/{booked['id']}/rating", json={"stars": 6})

    assert (rated.status, rated.json["rating"]["stars"], rated.json["rating"]["text"]) == (200, 4, "kind")
    assert (bad.status, len(list(scene.net.calls))) == (400, hops)


def test_what_a_hospital_calls_itself_makes_no_line_of_a_calendar():
    """RFC 5545: names come from elsewhere; line ends and control characters in them end nothing."""
    evil = "Dr. A\r\nBEGIN:VALARM\rTRIGGER:-PT1M\nEND:VALARM\u2028X\x0bY\x85Z\x00;,\\"
    doctor = SimpleNamespace(name=evil, facility=SimpleNamespace(name=evil, address=evil))
    start = datetime(2027, 1, 4, 10, tzinfo=IST)
    slot = SimpleNamespace(doctor=doctor, start=start, end=start + timedelta(minutes=30))
    booking = SimpleNamespace(slot=slot, state=OrderState.CONFIRMED)
    shown = SimpleNamespace(ours=SimpleNamespace(id="b-1"), booking=booking)

    written = write_calendar([shown], host="app.example", at=0.0)

    [event] = Calendar.from_ical(written).walk("VEVENT")
    assert Calendar.from_ical(written).walk("VALARM") == []
    assert all(each in b"\r\n" or each >= 0x20 for each in written)
    assert str(event["summary"]).startswith("Dr. A  BEGIN:VALARM TRIGGER")


@pytest.mark.case("IAM-04")
@pytest.mark.parametrize(
    ("step", "body"),
    [
        ("", {"slot": "s", "member_id": "m", "account_id": "acc-other"}),
        ("", {"slot": "s", "member_id": "m", "state": "CONFIRMED"}),
        ("/x/confirm", {"agreed": {}, "total": "1.00"}),
        ("/x/reschedule", {"to": "y", "agreed": {}, "replaces": "z"}),
        ("/x/cancel", {"reason": "PATIENT_BOOKED_IN_ERROR", "by": "doctor"}),
        ("/x/rating", {"stars": 5, "account_id": "acc-other"}),
        ("/x/offered-slot", {"offered_slot": "another"}),
        ("/x/status", {"state": "COMPLETED"}),
    ],
)
async def test_nobody_sets_what_is_not_theirs_to_set(quick_scene, step, body):
    """Case IAM-04: owner, state, price and the like are refused by name in every body, whatever it is about."""
    ravi = await quick_scene.person("ravi")

    got = await ravi.ask("POST", f"/v1/bookings{step}", json=body)

    assert (got.status, got.json["code"]) == (400, "API_REQUEST_INVALID")


async def test_words_of_a_rating_are_given_back_as_they_are_and_as_json_only(quick_scene):
    """Security rules: text is data; nothing here is ever a page."""
    ravi = await quick_scene.person("ravi")
    booked = await ravi.confirmed(await ravi.ready())
    visit = (await quick_scene.provider._attending._desk.store.get(booked["order_id"])).appointment_id
    await quick_scene.provider.override_pin(visit, "OVERRIDE_VULNERABLE_PATIENT")
    await quick_scene.provider.started(visit)
    await quick_scene.net.settle()
    text = "<script>alert(1)</script>"

    got = await ravi.ask("POST", f"/v1/bookings/{booked['id']}/rating", json={"stars": 1, "text": text})

    assert (got.json["rating"]["text"], got.headers["Content-Type"]) == (text, "application/json")
    assert got.headers["X-Content-Type-Options"] == "nosniff"


async def test_one_accounts_key_is_not_anothers(quick_scene):
    """Reliability rules 5: keys are by who asks; the same text of two people is two keys."""
    ravi, meena = await quick_scene.person("ravi"), await quick_scene.person("meena")
    body = {**RAVI, "relation": "other"}

    mine = await ravi.ask("POST", "/v1/members", key="same", json=body)
    hers = await meena.ask("POST", "/v1/members", key="same", json=body)

    assert (mine.status, hers.status, "Idempotency-Replayed" in hers.headers) == (201, 201, False)
    assert mine.json["id"] != hers.json["id"]
