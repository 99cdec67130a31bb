"""Messages with a doctor over HTTP: each person's own, and what to do where a facility takes none."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from participants.patient.conversations.pages import BOOKING_MESSAGES
from tests.conversation.front import DOCUMENT, Front, served, trail_of
from tests.conversation.scene import PDF, Scene, opened, without_messaging
from uhi.conversation.pages import FilePages, TalkPages
from uhi.identity import Grant, Principal, PrincipalKind
from uhi.identity.roles import AccessRole


def patient(name: str) -> Principal:
    grants = frozenset({Grant(AccessRole.PATIENT, "patients")})
    return Principal(kind=PrincipalKind.PERSON, id=f"acc-{name}", grants=grants, tenant="patients")


PEOPLE = {"ravi": patient("ravi"), "meena": patient("meena")}


@dataclass
class App:
    """The pages over a scene."""

    front: Front
    scene: Scene

    def path(self, rest: str) -> str:
        return f"/v1/bookings/{self.scene.order_id}/{rest}"


@pytest.fixture
async def app(sqlite_template, tmp_path) -> AsyncIterator[App]:
    """A patient's application whose interface stands on the same conversations."""

    def url_of(name: str) -> str:
        return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / f'{name}.db')}"

    async with opened(url_of, tmp_path) as scene:
        await scene.book()
        trail = trail_of(scene.app.world.keeping.database)
        pages = TalkPages(scene.patient)
        groups = (pages.routes(BOOKING_MESSAGES), FilePages(scene.patient, trail).routes())
        async with served(groups, trail, scene.clock, PEOPLE) as front:
            yield App(front, scene)


async def test_a_patient_writes_reads_and_fetches(app):
    """Issue: chat over REST at the patient's side."""
    await app.scene.doctor.say(app.scene.order_id, "How are you?")
    await app.scene.settle()

    said = await app.front.by("ravi", "POST", app.path("messages"), json={"text": "Better"})
    sent = await app.front.by("ravi", "POST", app.path("documents"), json=DOCUMENT)
    listed = await app.front.by("ravi", "GET", app.path("messages"))
    read = await app.front.by("ravi", "POST", app.path("messages/read"), json={"seq": 1})
    fetched = await app.front.by("", "GET", listed.json["messages"][2]["document"]["url"])

    assert (said.status, sent.status, read.json) == (200, 200, {"read": 1, "unread": 0})
    assert [each["text"] for each in listed.json["messages"]] == ["How are you?", "Better", ""]
    assert listed.json["reach"]["helpline_number"] == "1800000001"
    assert fetched.text.encode() == PDF
    assert len(await app.scene.heard(app.scene.doctor)) == 3


@pytest.mark.case("IAM-03")
async def test_another_person_finds_nothing(app):
    """Issue: nobody sees another's anything."""
    calls = (
        ("GET", "messages", {}),
        ("POST", "messages", {"json": {"text": "hello"}}),
        ("POST", "messages/read", {"json": {"seq": 1}}),
        ("POST", "documents", {"json": DOCUMENT}),
    )

    answers = [await app.front.by("meena", method, app.path(rest), **more) for method, rest, more in calls]

    assert {answer.json["code"] for answer in answers} == {"API_RECORD_MISSING"}


async def test_a_facility_without_messages_is_reached_by_its_helpline(app):
    """UHI messaging_support false: the app offers helpline, deep link or chatbot."""
    talks, order_id = app.scene.diary.talks, app.scene.order_id
    talks[order_id] = without_messaging(talks[order_id])

    refused = await app.front.by("ravi", "POST", app.path("messages"), json={"text": "hello"})
    listed = await app.front.by("ravi", "GET", app.path("messages"))

    assert (refused.status, refused.json["code"]) == (409, "API_MESSAGING_UNSUPPORTED")
    assert "helpline" in refused.json["errors"][0]["message"]
    assert listed.json["reach"] == {
        "messaging": False,
        "helpline_number": "1800000001",
        "deep_link": "",
        "chatbot_link": "",
    }


async def test_the_same_content_id_is_said_once(app):
    """Issue: duplicates have one effect, over HTTP too."""
    body = {"text": "once", "content_id": "11111111-2222-3333-4444-555555555555"}

    first = await app.front.by("ravi", "POST", app.path("messages"), json=body)
    again = await app.front.by("ravi", "POST", app.path("messages"), json=body)

    assert first.json == again.json
    assert len(await app.scene.heard(app.scene.doctor)) == 1


async def test_pages_are_gone_through_by_their_cursor(app):
    """Issue: paging by cursor."""
    for number in range(1, 6):
        await app.scene.patient.say(app.scene.order_id, f"line {number}")

    newest = await app.front.by("ravi", "GET", app.path("messages?most=2"))
    earlier = await app.front.by("ravi", "GET", app.path(f"messages?most=2&before={newest.json['previous']}"))
    first = await app.front.by("ravi", "GET", app.path(f"messages?most=2&before={earlier.json['previous']}"))

    seqs = [[each["seq"] for each in page.json["messages"]] for page in (newest, earlier, first)]
    assert seqs == [[4, 5], [2, 3], [1]]
    assert first.json["previous"] == 0
