"""Searches from the app's request to the hospitals and back, over sockets, on both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.participants.patient.search.stand import ASHA, RAVI, RULES, cheaper, lakeside, names, pune, standing
from uhi.errors import Refusal

TOMORROW = {"from": "2026-12-07", "to": "2027-01-15"}


async def test_doctors_of_every_hospital_come_together(database_url):
    """Issue, patient side: results of all hospitals are merged, sorted and shown as doctors."""
    async with standing(database_url, pune(), lakeside()) as stand:
        found = await stand.found(await stand.begin(), answers=2, most=100)

    assert "Dr. Asha Verma" in names(found)
    assert {offer["provider_id"] for doctor in found for offer in doctor["offers"]} == {"one.example", "two.example"}
    assert all(len(doctor["offers"]) == 1 for doctor in found)


async def test_one_doctor_offered_twice_is_one_entry_with_both_offers(sqlite_url):
    """Issue, patient side: de-duplicated by HPR address, facility and kind; the lower fee stands first."""
    async with standing(sqlite_url, pune(), cheaper(pune())) as stand:
        found = await stand.found(await stand.begin(doctor="Verma"), answers=2)

    assert names(found) == ["Dr. Asha Verma"]
    assert [(offer["provider_id"], offer["fee"]) for offer in found[0]["offers"]] == [
        ("two.example", "700.00"),
        ("one.example", "800.00"),
    ]
    assert found[0]["ref"] == found[0]["offers"][0]["ref"]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"speciality": "CARDIOLOGY"}, {"Dr. Asha Verma", "Dr. Imran Shaikh"}),
        ({"speciality": "Pediatrics"}, {"Dr. Meera Kulkarni"}),
        ({"doctor": "verma"}, {"Dr. Asha Verma"}),
        ({"hpr": "71-0000-0000-0102"}, {"Dr. Imran Shaikh"}),
        ({"speciality": "CARDIOLOGY", "language": "Urdu"}, {"Dr. Imran Shaikh"}),
        ({"speciality": "CARDIOLOGY", "gender": "F"}, {"Dr. Asha Verma"}),
        ({"speciality": "CARDIOLOGY", "experience": 10}, {"Dr. Asha Verma"}),
        ({"speciality": "CARDIOLOGY", "fee": 700}, {"Dr. Imran Shaikh"}),
        ({"symptom": "seene mein dard"}, {"Dr. Asha Verma", "Dr. Imran Shaikh"}),
        ({"doctor": "Shaikh", "kind": "Online"}, {"Dr. Imran Shaikh"}),
        ({"doctor": "verma", "hospital": "city hospital", "city": {"name": "Pune"}}, {"Dr. Asha Verma"}),
        ({"doctor": "verma", "district": {"code": "490"}, "state": {"name": "Maharashtra"}}, {"Dr. Asha Verma"}),
        ({"doctor": "verma", "pincode": "411005"}, {"Dr. Asha Verma"}),
        ({"doctor": "verma", "near": {"latitude": 18.53, "longitude": 73.85, "kilometres": 5}}, {"Dr. Asha Verma"}),
    ],
)
async def test_every_filter_finds_its_doctors(wanted, expected, sqlite_url):
    """Issue, patient side, and go-live item 8: every filter, those of the wire and those that are looked at here."""
    async with standing(sqlite_url, pune()) as stand:
        found = await stand.found(await stand.begin(**wanted), most=100)

    assert set(names(found)) == expected


async def test_pages_follow_one_another_and_stay_of_one_moment(sqlite_url):
    """Issue, patient side: cursor paging; what comes meanwhile moves nothing."""
    async with standing(sqlite_url, pune(), lakeside()) as stand:
        search = await stand.begin()
        whole = await stand.found(search, answers=2, sort="fee", most=100)
        shown, cursor = [], ""
        while cursor or not shown:
            _, page = await stand.get(f"/v1/searches/{search}", params={"sort": "fee", "most": 2, "cursor": cursor})
            shown, cursor = [*shown, *page["doctors"]], page["next"]
        status, _ = await stand.get(f"/v1/searches/{search}", params={"cursor": "sideways"})

    assert names(shown) == names(whole)
    assert [float(doctor["fee"]) for doctor in whole] == sorted(float(doctor["fee"]) for doctor in whole)
    assert status == 400


async def test_distances_are_told_and_sorted_by(sqlite_url):
    """Issue, patient side: sorted by distance; a position without a radius stays here."""
    near = {"latitude": 18.53, "longitude": 73.85}
    async with standing(sqlite_url, pune(), lakeside()) as stand:
        found = await stand.found(await stand.begin(near=near), answers=2, sort="distance", most=100)

    distances = [doctor["distance_km"] for doctor in found]
    assert distances == sorted(distances)
    assert distances[0] < 1


async def test_slots_are_asked_for_and_can_be_found_again(database_url):
    """Issue, patient side: slots by a ref that outlives the process and is one account's alone."""
    async with standing(database_url, pune()) as stand:
        search = await stand.begin(doctor="Verma")
        doctor = (await stand.found(search))[0]
        _, got = await stand.get(f"/v1/searches/{search}/doctors/{doctor['ref']}/slots")
        first = got["slots"][0]

        kept = await stand.searches.found_slot("acc-asha", first["ref"])
        with pytest.raises(Refusal, match="no such slot"):
            await stand.searches.found_slot("acc-ravi", first["ref"])
        _, quote = await stand.get(f"/v1/slots/{first['ref']}/quote")

    assert kept.slot.doctor.name == "Dr. Asha Verma"
    assert kept.slot.start.isoformat() == first["start"]
    assert (first["fee"], quote["total"]) == ("800.00", "800.00")


async def test_found_slot_can_be_held(sqlite_url):
    """Ours: what was kept sealed is as good as what was found a moment ago."""
    from tests.participants.demo_hospital.village import person  # noqa: PLC0415

    async with standing(sqlite_url, pune()) as stand:
        search = await stand.begin(doctor="Verma")
        doctor = (await stand.found(search))[0]
        _, got = await stand.get(f"/v1/searches/{search}/doctors/{doctor['ref']}/slots")
        slot = await stand.searches.found_slot("acc-asha", got["slots"][0]["ref"])

        offer = await stand.bookings.hold(slot, person())

    assert offer.found.slot.id == slot.slot.id


async def test_long_time_is_asked_for_in_pages_of_fourteen_days(sqlite_url):
    """Decision 22: a second search is answered for at most 14 days; the answer says where to go on."""
    async with standing(sqlite_url, pune()) as stand:
        search = await stand.begin(doctor="Verma")
        path = f"/v1/searches/{search}/doctors/{(await stand.found(search))[0]['ref']}/slots"
        first, days = stand.days(0), stand.days(20)
        _, one = await stand.get(path, params={"from": first, "to": days})
        _, two = await stand.get(path, params={"from": one["next"], "to": days})

    assert one["slots"][-1]["start"][:10] < one["next"] <= two["slots"][0]["start"][:10]
    assert two["next"] is None
    assert not {slot["start"] for slot in one["slots"]} & {slot["start"] for slot in two["slots"]}


async def test_foreign_searches_are_not_there(sqlite_url):
    """Acceptance IAM-01: what is another's answers as what is missing, on every route."""
    async with standing(sqlite_url, pune()) as stand:
        search = await stand.begin(who=ASHA, doctor="Verma")
        ref = (await stand.found(search))[0]["ref"]
        paths = [f"/v1/searches/{search}{more}" for more in ("", "/events", "/socket", f"/doctors/{ref}/slots")]
        foreign = [await stand.get(path, RAVI) for path in paths[:2] + paths[3:]]
        missing = await stand.get("/v1/searches/nothing", RAVI)
        _, mine = await stand.get(paths[0], ASHA)

    told = {(status, got["title"], got["code"]) for status, got in foreign}
    assert told == {(404, missing[1]["title"], "API_RECORD_MISSING")}
    assert mine["doctors"]


@pytest.mark.parametrize(
    "wanted",
    [{"pincode": "110001"}, {"near": {"latitude": 19.9, "longitude": 73.85, "kilometres": 5}}, {"doctor": "Nobody"}],
)
async def test_nobody_found_says_what_to_do(wanted, sqlite_url):
    """Issue, patient side: no result and no answer each have a word for the patient."""
    async with standing(sqlite_url, pune(), rules=replace(RULES, wait=0.3)) as stand:
        progress = await stand.nothing(await stand.begin(**wanted))

    assert progress["doctors"] == 0
    assert [hint["code"] for hint in progress["hints"]] == ["no_result" if progress["answered"] else "no_answer"]


async def test_network_without_hospitals_says_so_at_once(sqlite_url):
    """Protocol, first-search diagnosis: the gateway refuses with 404, and nobody waits for anything."""
    async with standing(sqlite_url, rules=replace(RULES, wait=30)) as stand:
        search = await stand.begin()
        async with stand.events(search) as told:
            events = await told.until("end")

    assert [hint["code"] for hint in events[-1]["progress"]["hints"]] == ["nobody_there"]


async def test_searches_of_one_account_are_limited(sqlite_url):
    """Issue, patient side: searches per account and minute."""
    async with standing(sqlite_url, pune(), rules=replace(RULES, searches_per_minute=1)) as stand:
        statuses = [(await stand.post(who, doctor="Verma"))[0] for who in (ASHA, ASHA, RAVI)]

    assert statuses == [201, 429, 201]


async def test_forgotten_search_is_gone(database_url):
    """Privacy rules: a patient may have deleted what tells of their health."""
    async with standing(database_url, pune()) as stand:
        search = await stand.begin(doctor="Verma")
        await stand.found(search)
        async with stand.client.delete(f"{stand.server.url}/v1/searches/{search}", headers=ASHA) as response:
            assert response.status == 204
        status, _ = await stand.get(f"/v1/searches/{search}")

    assert status == 404
