"""Searches as they flow: events and sockets, late and cached answers, going on after a break."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from tests.participants.demo_hospital.village import ASHA as DR_ASHA
from tests.participants.demo_hospital.village import RAVI as DR_RAVI
from tests.participants.patient.search.stand import ASHA, RAVI, RULES, names, pune, standing
from uhi.api.streams import StreamLimits

CHEAP_ASHA = replace(DR_ASHA, price=Decimal("100.00"))


async def test_doctors_come_as_hospitals_answer(database_url):
    """Issue, patient side: results stream in; nobody waits for the slowest."""
    async with standing(database_url, pune()) as stand:
        slow = await stand.clinic(DR_ASHA)
        search = await stand.begin(speciality="CARDIOLOGY")
        async with stand.events(search) as told:
            first = await told.next()
            slow.may_answer.set()
            second = await told.next()

    assert [first["provider_id"], second["provider_id"]] == ["one.example", "own.example"]
    assert (first["event"], first["id"], second["id"]) == ("doctors", "1", "2")
    assert [first["progress"]["answered"], second["progress"]["answered"]] == [1, 2]
    assert second["progress"]["state"] == "searching"


async def test_late_answer_is_shown_and_marked_late(database_url):
    """Protocol, late answers: keep attaching them to the known transaction, mark them late."""
    async with standing(database_url, rules=replace(RULES, wait=6.0)) as stand:
        slow = await stand.clinic(DR_ASHA)
        search = await stand.begin()
        await slow.asked.wait()
        async with stand.events(search) as told:
            done = (await told.until("done"))[-1]
            slow.may_answer.set()
            late = await told.next()
        _, page = await stand.get(f"/v1/searches/{search}")

    assert [hint["code"] for hint in done["progress"]["hints"]] == ["no_answer"]
    assert names(late["doctors"]) == ["Dr. Asha Verma"]
    assert late["doctors"][0]["late"]
    assert page["doctors"][0]["offers"][0]["late"]
    assert page["progress"]["late"] == 1


async def test_repeated_search_shows_what_is_known_at_once_and_then_what_is_true(database_url):
    """Protocol, discovery cache: what is cached is shown, marked, while a live search runs; live takes its place."""
    async with standing(database_url) as stand:
        clinic = await stand.clinic(DR_ASHA, DR_RAVI)
        clinic.may_answer.set()
        await stand.found(await stand.begin(who=ASHA, speciality="CARDIOLOGY"))
        clinic.may_answer.clear()
        clinic.doctors = [CHEAP_ASHA]

        search = await stand.begin(who=RAVI, speciality="cardiology")
        async with stand.events(search, RAVI) as told:
            known = await told.next()
            clinic.may_answer.set()
            live = await told.next()
        _, page = await stand.get(f"/v1/searches/{search}", RAVI)

    assert {(one["name"], one["cached"]) for one in known["doctors"]} == {(DR_ASHA.name, True), (DR_RAVI.name, True)}
    assert (known["progress"]["answered"], live["progress"]["answered"]) == (0, 1)
    assert [(one["name"], one["fee"], one["cached"]) for one in live["doctors"]] == [(DR_ASHA.name, "100.00", False)]
    assert len(live["gone"]) == 1
    assert names(page["doctors"]) == [DR_ASHA.name]


async def test_cached_doctor_has_slots_in_a_conversation_of_ones_own(sqlite_url):
    """Ours: what another has found is no part of their conversation."""
    async with standing(sqlite_url, pune()) as stand:
        first = await stand.begin(who=ASHA, speciality="CARDIOLOGY")
        await stand.found(first)
        second = await stand.begin(who=RAVI, speciality="CARDIOLOGY")
        known = await stand.searches.search(second)
        offer = (await stand.searches.board(known, most=1)).entries[0].offers[0]
        status, got = await stand.get(f"/v1/searches/{second}/doctors/{offer.ref}/slots", RAVI)

    assert offer.by.cached
    assert offer.found.thread.transaction_id == known.transaction_id
    assert (status, bool(got["slots"])) == (200, True)


@pytest.mark.parametrize(
    ("wanted", "other", "shared"),
    [
        ({"speciality": "CARDIOLOGY"}, {"speciality": "CARDIOLOGY", "fee": 700}, True),
        ({"speciality": "CARDIOLOGY"}, {"speciality": "PAEDIATRICS"}, False),
        ({"doctor": "Verma"}, {"doctor": "Verma"}, False),
        ({"near": {"latitude": 18.5, "longitude": 73.8, "kilometres": 50}},) * 2 + (False,),
    ],
)
async def test_only_what_is_nobodys_own_is_shared(wanted, other, shared, sqlite_url):
    """Ours: where somebody is and whom they look for by name is not told to anybody else, not even by what is fast."""
    async with standing(sqlite_url, pune()) as stand:
        await stand.found(await stand.begin(who=ASHA, **wanted))
        second = await stand.searches.search(await stand.begin(who=RAVI, **other))
        board = await stand.searches.board(second, most=1)

    assert any(offer.by.cached for entry in board.entries for offer in entry.offers) is shared


async def test_provider_that_wants_nothing_cached_is_not(sqlite_url):
    """Protocol, discovery cache: a lifetime that a catalogue gives is honoured."""
    async with standing(sqlite_url) as stand:
        clinic = await stand.clinic(DR_ASHA)
        clinic.may_answer.set()
        clinic.more = {"exp": "2020-01-01T00:00:00"}
        first = await stand.begin()
        await stand.found(first)
        known = await stand.searches.kept.known((await stand.searches.search(first)).key, now=0)

    assert known == []


async def test_reader_goes_on_where_it_broke_off(database_url):
    """WHATWG, server-sent events: after `Last-Event-ID` only what is new; nothing is lost, nothing told twice."""
    async with standing(database_url, pune()) as stand:
        slow = await stand.clinic(DR_ASHA)
        search = await stand.begin()
        async with stand.events(search) as told:
            first = await told.next()
        slow.may_answer.set()
        async with stand.events(search, **{"Last-Event-ID": first["id"]}) as told:
            second = await told.next()

    assert (first["id"], second["id"]) == ("1", "2")
    assert second["provider_id"] == "own.example"
    assert second["progress"]["answered"] == 2


async def test_search_that_is_over_has_an_end(sqlite_url):
    """WHATWG, server-sent events: whoever has seen all of it is told not to come again."""
    async with standing(sqlite_url, pune(), rules=replace(RULES, wait=4.0, late=0.0)) as stand:
        search = await stand.begin()
        async with stand.events(search) as told:
            events = await told.until("closed")
        async with stand.events(search, **{"Last-Event-ID": "1"}) as again:
            status = again.response.status

    assert [event["event"] for event in events] == ["doctors", "done", "end", "closed"]
    assert (events[-1]["code"], status) == (1000, 204)


async def test_socket_tells_the_same(sqlite_url):
    """Issue, patient side: a WebSocket with the same events."""
    async with standing(sqlite_url, pune(), rules=replace(RULES, wait=4.0, late=0.0)) as stand:
        search = await stand.begin(speciality="CARDIOLOGY")
        path = f"{stand.server.url}/v1/searches/{search}/socket"
        async with stand.client.ws_connect(path, headers=ASHA) as socket:
            told = [json.loads(message.data) async for message in socket]

    assert [one["event"] for one in told] == ["doctors", "done", "end"]
    assert (told[0]["id"], len(told[0]["data"]["doctors"])) == ("1", 2)
    assert socket.close_code == 1000


@pytest.mark.case("IAM-12")
@pytest.mark.parametrize("kind", ["events", "socket"])
async def test_other_site_hears_nothing_of_a_search(kind, sqlite_url):
    """Acceptance IAM-12: wrong Origin."""
    headers = {"Cookie": "__Host-uhi=asha", "Origin": "https://evil.example"}
    async with standing(sqlite_url, pune()) as stand:
        search = await stand.begin()
        status, _ = await stand.get(f"/v1/searches/{search}/{kind}", headers)

    assert status == 403


async def test_account_has_so_many_streams(sqlite_url):
    """Issue, patient side: open streams per account."""
    async with standing(sqlite_url, pune(), limits=StreamLimits(most_of_one=1)) as stand:
        search = await stand.begin()
        async with stand.events(search) as told:
            await told.next()
            status, _ = await stand.get(f"/v1/searches/{search}/events")

    assert status == 429


async def test_deleted_search_ends_its_streams(sqlite_url):
    """Ours: what is deleted is not told on."""
    async with standing(sqlite_url) as stand:
        await stand.clinic(DR_ASHA)
        search = await stand.begin()
        async with stand.events(search) as told:
            await stand.searches.forget(await stand.searches.search(search))
            end = (await told.until("closed"))[-1]

    assert end["reason"] == "deleted"
