"""Family, consents, and one's own data, over REST."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import delete, insert, inspect

from participants.patient.metadata import metadata
from participants.patient.people import consents, notices
from participants.patient.people.abha import check_digit
from participants.patient.people.key_folder import KeyFolder
from participants.patient.people.notices import CURRENT, Purpose
from tests.participants.patient.scene import RAVI
from uhi.audit import Acting, ActorKind
from uhi.errors import Refusal
from uhi.files import LocalFolder
from uhi.files.store import away

NUMBER = "9112345678901"
ABHA = NUMBER + check_digit(NUMBER)


PERSONAL = (
    *("patient_member", "patient_booking", "consumer_booking", "patient_rating", "chat_message"),
    "idempotency",
)


async def rows_left(scene) -> list[int]:
    """How many rows are in each table that holds something about people."""
    counts = [f"SELECT count(*) FROM {name}" for name in PERSONAL]
    database = scene.program.desk.database
    return [await database.read(lambda on, sql=sql: on.exec_driver_sql(sql).scalar_one()) for sql in counts]


def rows_of(connection, table) -> list[dict[str, object]]:
    """What a backup has of a table."""
    return [dict(row) for row in connection.exec_driver_sql(f"SELECT * FROM {table}").mappings()]


def put_back(connection, table, rows) -> None:
    """Let a table be as in a backup."""
    connection.execute(delete(metadata.tables[table]))
    connection.execute(insert(metadata.tables[table]), rows)


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


@pytest.mark.case("IAM-15")
async def test_a_consent_to_a_text_that_is_no_longer_in_force_counts_no_more(quick_scene, monkeypatch):
    """Case IAM-15: it ends with its notice; the trail names it, and one to the new text counts."""
    ravi = await quick_scene.person("ravi")
    given, member = (await ravi.consent()).json, await ravi.member()
    ref = await quick_scene.found(ravi.account.id)
    newer = tuple(replace(each, version=2, text=f"{each.text}\nMore.") for each in CURRENT)
    for module in (consents, notices):
        monkeypatch.setattr(module, "CURRENT", newer)
    told = {"purpose": "booking", "text_hash": next(each.text_hash for each in newer if each.purpose == "booking")}

    refused = await ravi.ask("POST", "/v1/bookings", json={"slot": ref, "member_id": member})
    old = await ravi.ask("POST", "/v1/consents", json={**told, "text_hash": given["text_hash"]})
    new = await ravi.ask("POST", "/v1/consents", json=told)
    then = await ravi.ask("POST", "/v1/bookings", json={"slot": ref, "member_id": member})

    assert [each.status for each in (refused, old, new, then)] == [403, 409, 201, 201]
    rows = await quick_scene.program.people.trail.rows()
    assert ("consent.use", f"consent {given['id']}") in {(row.action, row.object) for row in rows}
    assert then.json["consent_id"] == new.json["id"] != given["id"]


@pytest.mark.case("IAM-17")
async def test_an_export_holds_everything_in_full(scene):
    """Case IAM-17: complete JSON: people, consents, bookings with offers, agreements, ratings."""
    ravi = await scene.person("ravi")
    booked = await ravi.confirmed(await ravi.ready())
    await scene.heard(booked["id"], "may I come earlier?")
    await ravi.consent(Purpose.DISCOVERY)
    await ravi.ask("POST", "/v1/searches", json={"symptom": "chest pain"})

    data = (await ravi.ask("GET", "/v1/own-data")).json["data"]

    [member], [booking] = data["members"], data["bookings"]["bookings"]
    assert member["about"]["abha_address"] == RAVI["abha_address"]
    assert (booking["id"], booking["state"]) == (booked["id"], "CONFIRMED")
    assert booking["offer"]["patient"]["name"] == "Ravi Kumar"
    assert {each["term"] for each in data["bookings"]["agreements"]} >= {"Cancellation", "Payment"}
    assert (data["account"]["email"], len(data["consents"])) == ("ravi@home.example", 2)
    assert [each["text"] for each in data["messages"][booked["id"]]] == ["may I come earlier?"]
    assert "CARDIOLOGY" in data["searches"][0]["wanted"]["specialities"]


@pytest.mark.case("IAM-17")
async def test_an_erasure_leaves_nothing_that_can_be_read(scene):
    """Case IAM-17: the rows are gone, no token counts any more, and the account is closed."""
    ravi = await scene.person("ravi")
    member = await ravi.ready()
    booked = await ravi.confirmed(member)
    await scene.heard(booked["id"], "canary words")
    ahead = await ravi.ask("DELETE", "/v1/own-data")
    await ravi.ask("POST", f"/v1/bookings/{booked['id']}/cancel", json={"reason": "PATIENT_BOOKED_IN_ERROR"})

    erased = await ravi.ask("DELETE", "/v1/own-data")
    then = await ravi.ask("GET", "/v1/members")

    assert then.status == 401
    assert (ahead.status, erased.status, erased.json["rows"]) == (
        409,
        200,
        {"messages": 1, "bookings": 1, "searches": 0, "members": 1},
    )
    assert await rows_left(scene) == [0] * len(PERSONAL)
    assert (await scene.program.people.parts.accounts.get("acc-ravi")).state.value == "CLOSED"
    assert list((scene.folder / "account-keys").iterdir()) == []


@pytest.mark.case("IAM-17")
async def test_a_backup_of_the_database_opens_nothing_of_who_was_erased(scene):
    """Case IAM-17: crypto-shredding: the rows of before, with the program's key, are unreadable without the file."""
    ravi, meena = await scene.person("ravi"), await scene.person("meena")
    member, hers = await ravi.member(), await meena.member(name="Meena", abha_address="meena@sbx")
    database = scene.program.desk.database
    tables = ("patient_key", "patient_member")
    backup = await database.read(lambda on: {each: rows_of(on, each) for each in tables})

    await ravi.ask("DELETE", "/v1/own-data")
    await database.write(lambda on: [put_back(on, name, rows) for name, rows in backup.items()])

    with pytest.raises(Refusal, match="not in the folder"):
        await scene.program.holder.members.get(member)
    assert (await scene.program.holder.members.get(hers)).about.name == "Meena"


async def test_what_is_under_way_keeps_nothing_of_who_was_erased(scene):
    """Ours: a hospital's answer that comes after the erasure is not kept for an account that is no more."""
    ravi = await scene.person("ravi")
    member = await ravi.ready()
    ref, known = await scene.found(ravi.account.id), await scene.program.holder.members.get(member)
    acting = Acting(actor=ravi.account.id, kind=ActorKind.PERSON)
    true, desk = scene.program.desk.bookings.hold, scene.program.desk

    async def meanwhile(*given, **named):
        offer = await true(*given, **named)
        assert (await ravi.ask("DELETE", "/v1/own-data")).status == 200
        return offer

    desk.bookings.hold = meanwhile
    with pytest.raises(Refusal, match="erased"):
        await desk.hold(known, ref, acting=acting)

    assert await rows_left(scene) == [0] * len(PERSONAL)


async def test_a_key_that_could_not_be_deleted_is_deleted_later(scene, monkeypatch):
    """Ours: the file goes after the rows, and in the next hour if not at once."""
    ravi = await scene.person("ravi")
    await ravi.member()
    holder, folder = scene.program.holder, scene.folder / "account-keys"
    monkeypatch.setattr(KeyFolder, "delete", lambda *_: None)

    await ravi.ask("DELETE", "/v1/own-data")
    left = len(list(folder.iterdir()))
    monkeypatch.undo()
    await holder.clear()

    assert (left, list(folder.iterdir())) == (1, [])


async def test_keys_that_are_open_to_others_are_not_used(quick_scene):
    """Case IAM-11: a folder or file with any mode bit beyond the owner's is refused."""
    ravi = await quick_scene.person("ravi")
    await ravi.member()
    folder = quick_scene.folder / "account-keys"

    folder.chmod(0o755)
    loose = await ravi.ask("GET", "/v1/members")
    folder.chmod(0o700)
    next(folder.iterdir()).chmod(0o644)
    open_file = await ravi.ask("GET", "/v1/members")

    assert (loose.status, open_file.status) == (503, 503)


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


async def test_documents_of_who_was_erased_go_once_their_store_is_back(quick_scene, monkeypatch):
    """Ours: what an erasure deletes elsewhere is kept with it, so that no failure and no restart leaves it there."""
    ravi = await quick_scene.person("ravi")
    booked = await ravi.confirmed(await ravi.ready())
    for _ in range(2):
        await quick_scene.received(booked["id"])
    await ravi.ask("POST", f"/v1/bookings/{booked['id']}/cancel", json={"reason": "PATIENT_BOOKED_IN_ERROR"})

    async def is_away(*_):
        raise away("the folder of files cannot be used", "nothing")

    with monkeypatch.context() as patch:
        patch.setattr(LocalFolder, "delete", is_away)
        erased = await ravi.ask("DELETE", "/v1/own-data")
    folder = quick_scene.folder / "files" / "chat"
    left = len(list(folder.iterdir()))
    await quick_scene.restart()
    await quick_scene.program.conversations.tidy()

    assert (erased.status, left, list(folder.iterdir())) == (200, 2, [])


@pytest.mark.case("IAM-17")
async def test_a_closed_account_keeps_the_address_alone(quick_scene):
    """Case IAM-17: what stays is what the answer says stays; name and number are gone."""
    ravi = await quick_scene.person("ravi")

    erased = await ravi.ask("DELETE", "/v1/own-data")

    kept = await quick_scene.program.people.parts.accounts.get("acc-ravi")
    assert any("sign-in address" in each for each in erased.json["stays"])
    assert (kept.email, kept.name, kept.phone) == ("ravi@home.example", "", "")
