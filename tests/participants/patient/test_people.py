"""Family, consents, and one's own data, over REST."""

from __future__ import annotations

import pytest
from sqlalchemy import inspect

from participants.patient.people.abha import check_digit
from participants.patient.people.notices import CURRENT, Purpose
from tests.participants.patient.scene import RAVI
from uhi.errors import Refusal

NUMBER = "9112345678901"
ABHA = NUMBER + check_digit(NUMBER)


PERSONAL = (
    *("patient_key", "patient_member", "patient_booking", "consumer_booking", "patient_rating", "chat_message"),
    "idempotency",
)


async def rows_left(scene) -> list[int]:
    """How many rows are in each table that holds something about people."""
    counts = [f"SELECT count(*) FROM {name}" for name in PERSONAL]
    database = scene.program.desk.database
    return [await database.read(lambda on, sql=sql: on.exec_driver_sql(sql).scalar_one()) for sql in counts]


async def test_members_are_added_changed_listed_and_removed(quick_scene):
    """Issue: accounts with family members."""
    ravi = await quick_scene.person("ravi")
    member = await ravi.member(abha_number=ABHA)
    child = await ravi.member(name="Mina", relation="child", abha_address="")

    changed = await ravi.ask("PATCH", f"/v1/members/{child}", json={"version": 1, "name": "Mina K", "born": None})
    stale = await ravi.ask("PATCH", f"/v1/members/{child}", json={"version": 1, "name": "M"})
    listed = await ravi.ask("GET", "/v1/members")
    removed = await ravi.ask("DELETE", f"/v1/members/{child}")

    assert (changed.json["name"], changed.json["born"], changed.json["phone"]) == ("Mina K", None, "******0001")
    assert (stale.status, removed.status) == (409, 204)
    assert [each["id"] for each in listed.json["members"]] == [member, child]
    assert (await ravi.ask("GET", f"/v1/members/{child}")).status == 404


async def test_identifiers_show_their_last_four_characters(quick_scene):
    """Privacy rules: masked in every answer."""
    ravi = await quick_scene.person("ravi")
    member = await ravi.member(abha_number=ABHA)

    got = await ravi.ask("GET", f"/v1/members/{member}")

    assert got.json["abha_number"] == f"*************{ABHA[-4:]}"
    assert got.json["abha_address"] == "**********@sbx"
    assert not any(secret in got.text for secret in (RAVI["abha_address"], RAVI["phone"], ABHA[4:10]))


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"abha_number": "91-1234-5678-9012"}, "abha_number"),
        ({"abha_number": "98765-43"}, "abha_number"),
        ({"abha_address": "ravi"}, "abha_address"),
        ({"phone": "12345"}, "phone"),
        ({"born": "1990-02-31"}, "born"),
        ({"account_id": "acc-other"}, ""),
    ],
)
async def test_what_cannot_be_is_refused_by_name(quick_scene, changes, path):
    """Case IAM-04, BK-09: 400, where and why, nothing repeated."""
    ravi = await quick_scene.person("ravi")

    got = await ravi.ask("POST", "/v1/members", json={**RAVI, **changes})

    assert (got.status, got.json["errors"][0]["path"]) == (400, path)
    assert str(next(iter(changes.values()))) not in got.text


async def test_one_holder_and_not_more_than_twenty(quick_scene):
    """Ours: an account is one person's, and a family has an end."""
    ravi = await quick_scene.person("ravi")
    await ravi.member()
    for number in range(19):
        await ravi.member(relation="child", name=f"Child {number}")

    second = await ravi.ask("POST", "/v1/members", json=RAVI)
    another = await ravi.ask("POST", "/v1/members", json={**RAVI, "relation": "other"})

    assert (second.status, another.status) == (409, 409)


async def test_a_consent_is_given_to_the_text_that_was_shown(scene):
    """Privacy rules R3: version, language, hash and time are kept; another text is refused."""
    ravi = await scene.person("ravi")
    notices = (await ravi.ask("GET", "/v1/notices")).json["notices"]
    wrong = {"purpose": "booking", "text_hash": "0" * 64}

    given, again = await ravi.consent(), await ravi.consent()
    refused = await ravi.ask("POST", "/v1/consents", json=wrong)
    hindi = next(each for each in notices if (each["purpose"], each["language"]) == ("booking", "hi"))
    body = {"purpose": "booking", "language": "hi", "text_hash": hindi["text_hash"]}
    other = await ravi.ask("POST", "/v1/consents", json=body)

    assert given.json["text_hash"] == next(each for each in CURRENT if each.purpose is Purpose.BOOKING).text_hash
    assert (given.status, given.json == again.json, refused.status) == (201, True, 409)
    listed = (await ravi.ask("GET", "/v1/consents")).json["consents"]
    assert [each["language"] for each in listed if each["withdrawn_at"] is None] == [other.json["language"]] == ["hi"]
    assert listed[1]["withdrawn_at"] is not None


@pytest.mark.case("IAM-15")
async def test_a_withdrawn_consent_stops_the_use_at_once_and_is_audited(scene):
    """Case IAM-15: 403, and the trail names the consent."""
    ravi = await scene.person("ravi")
    member = await ravi.ready()
    ref = await scene.found(ravi.account.id)
    [consent] = (await ravi.ask("GET", "/v1/consents")).json["consents"]

    withdrawn = await ravi.ask("DELETE", "/v1/consents/booking")
    refused = await ravi.ask("POST", "/v1/bookings", json={"slot": ref, "member_id": member})
    twice = await ravi.ask("DELETE", "/v1/consents/booking")

    assert (withdrawn.status, refused.status, twice.status) == (200, 403, 409)
    assert (refused.json["code"], refused.json["errors"][0]["path"]) == ("APP_CONSENT_REQUIRED", "booking")
    rows = await scene.program.people.trail.rows()
    told = {(row.action, row.object, row.outcome) for row in rows}
    assert ("consent.use", f"consent {consent['id']}", "refused") in told
    assert ("consent.withdraw", f"consent {consent['id']}", "done") in told


@pytest.mark.case("IAM-15")
async def test_a_consent_to_one_purpose_is_none_to_another(quick_scene):
    """Case IAM-15: other purpose."""
    ravi = await quick_scene.person("ravi")
    await ravi.consent()

    got = await ravi.ask("POST", "/v1/searches", json={"speciality": "CARDIOLOGY"})

    assert (got.status, got.json["code"]) == (403, "APP_CONSENT_REQUIRED")


@pytest.mark.case("IAM-17")
async def test_an_export_holds_everything_in_full(scene):
    """Case IAM-17: complete JSON: people, consents, bookings with offers, agreements, ratings."""
    ravi = await scene.person("ravi")
    booked = await ravi.confirmed(await ravi.ready())
    await scene.heard(booked["id"], "may I come earlier?")

    data = (await ravi.ask("GET", "/v1/own-data")).json["data"]

    [member], [booking] = data["members"], data["bookings"]["bookings"]
    assert member["about"]["abha_address"] == RAVI["abha_address"]
    assert (booking["id"], booking["state"]) == (booked["id"], "CONFIRMED")
    assert booking["offer"]["patient"]["name"] == "Ravi Kumar"
    assert {each["term"] for each in data["bookings"]["agreements"]} >= {"Cancellation", "Payment"}
    assert (data["account"]["email"], len(data["consents"])) == ("ravi@home.example", 1)
    assert [each["text"] for each in data["messages"][booked["id"]]] == ["may I come earlier?"]


@pytest.mark.case("IAM-17")
async def test_an_erasure_leaves_nothing_that_can_be_read(scene):
    """Case IAM-17: the account's key is gone; rows that a backup still has cannot be opened with what is left."""
    ravi = await scene.person("ravi")
    member = await ravi.ready()
    booked = await ravi.confirmed(member)
    await scene.heard(booked["id"], "canary words")
    ahead = await ravi.ask("DELETE", "/v1/own-data")
    await ravi.ask("POST", f"/v1/bookings/{booked['id']}/cancel", json={"reason": "PATIENT_BOOKED_IN_ERROR"})
    database, rows = scene.program.desk.database, scene.program.desk.rows
    backup = await database.read(lambda on: on.exec_driver_sql("SELECT * FROM patient_member").mappings().one())

    erased = await ravi.ask("DELETE", "/v1/own-data")

    assert (ahead.status, erased.status, erased.json["rows"]) == (
        409,
        200,
        {"messages": 1, "bookings": 1, "searches": 0, "members": 1},
    )
    with pytest.raises(Refusal):
        await database.read(lambda on: rows.keys.of(on, str(backup["account_id"])))
    assert await rows_left(scene) == [0] * len(PERSONAL)
    assert (await scene.program.people.parts.accounts.get("acc-ravi")).state.value == "CLOSED"


@pytest.mark.case("IAM-10")
async def test_nothing_of_a_patient_can_be_read_in_the_database(scene):
    """Case IAM-10: identifiers, words and reasons are sealed, in every table."""
    ravi = await scene.person("ravi")
    booked = await ravi.confirmed(await ravi.ready())
    reason = {"reason": "PATIENT_OTHER", "text": "canary reason"}
    await ravi.ask("POST", f"/v1/bookings/{booked['id']}/cancel", json=reason)

    def everything(connection):
        return [
            str(tuple(row))
            for name in inspect(connection).get_table_names()
            for row in connection.exec_driver_sql(f'SELECT * FROM "{name}"')
        ]

    rows = await scene.program.desk.database.read(everything)
    canaries = ("Ravi Kumar", "ravi.kumar@sbx", "9000000001", "1 Example Road", "canary reason", "ravi@home.example")
    assert [row for row in rows if any(canary in row for canary in canaries)] == []
