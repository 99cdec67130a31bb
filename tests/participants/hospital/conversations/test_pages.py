"""Messages with patients over HTTP: who reads and says what at a hospital of several organisations."""

from __future__ import annotations

import base64
import io
import json
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from participants.hospital.conversations.pages import CLINIC_MESSAGES, DESK_MESSAGES
from participants.hospital.conversations.talks import hospital_orders
from tests.conversation.front import DOCUMENT, Front, served, trail_of
from tests.conversation.scene import CLINIC, PDF, Scene, opened
from uhi.api.openapi import describe
from uhi.booking import SqlBookings
from uhi.conversation import Conversations, Shelf
from uhi.conversation.contents import MIB
from uhi.conversation.pages import FilePages, TalkPages
from uhi.files import LocalFolder
from uhi.identity import Grant, Principal, PrincipalKind, Target
from uhi.identity.roles import AccessRole
from uhi.subscribers import Role


def person(name: str, role: AccessRole, tenant: str, practitioner: str = "") -> Principal:
    return Principal(
        kind=PrincipalKind.PERSON,
        id=f"acc-{name}",
        grants=frozenset({Grant(role, tenant)}),
        tenant=tenant,
        has_second_factor=True,
        practitioner_id=practitioner,
    )


STAFF = {
    "desk": person("desk", AccessRole.HOSPITAL_FRONTDESK, "org-1"),
    "asha": person("asha", AccessRole.CLINICIAN, "org-1", "prac-asha"),
    "ravi": person("ravi", AccessRole.CLINICIAN, "org-1", "prac-ravi"),
    "elsewhere": person("elsewhere", AccessRole.HOSPITAL_FRONTDESK, "org-2"),
    "operator": person("operator", AccessRole.HOSPITAL_OPERATOR, ""),
}


class Whose:
    """All orders are those of one organisation and its doctor."""

    def target_of(self, order: object) -> Target:
        return Target(tenant="org-1", practitioner_id="prac-asha")

    def practitioners_of(self, order: object) -> frozenset[str]:
        return frozenset({"prac-asha"})


@dataclass
class Hospital:
    """The pages over a scene."""

    front: Front
    scene: Scene
    groups: tuple

    def path(self, rest: str, *, clinic: bool = False) -> str:
        return f"/v1{'/clinic' if clinic else ''}/appointments/{self.scene.order_id}/{rest}"


@pytest.fixture
async def hospital(sqlite_template, tmp_path) -> AsyncIterator[Hospital]:
    """A hospital whose interface stands on the same orders and files."""

    def url_of(name: str) -> str:
        return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / f'{name}.db')}"

    async with opened(url_of, tmp_path) as scene:
        await scene.book()
        storage = scene.hospital.world.storage
        store = SqlBookings(storage, provider_id=CLINIC)
        orders = hospital_orders(storage.database, store, Whose(), provider_id=CLINIC)
        shelf = Shelf(LocalFolder(tmp_path / "hospital"))
        conversations = Conversations(scene.hospital, orders, side=Role.PROVIDER, shelf=shelf)
        pages, trail = TalkPages(conversations), trail_of(storage.database)
        groups = (
            pages.routes(DESK_MESSAGES),
            pages.routes(CLINIC_MESSAGES),
            FilePages(conversations, trail).routes(),
        )
        async with served(groups, trail, scene.clock, STAFF) as front:
            yield Hospital(front, scene, groups)


@pytest.mark.parametrize(("name", "clinic"), [("desk", False), ("asha", True)])
async def test_staff_and_patient_write_to_each_other(hospital, name, clinic):
    """Issue: chat over REST, for the desk's own organisation and a clinician's own patients."""
    messages = hospital.path("messages", clinic=clinic)
    await hospital.scene.patient.say(hospital.scene.order_id, "It hurts")
    await hospital.scene.settle()

    said = await hospital.front.by(name, "POST", messages, json={"text": "Since when?"})
    listed = await hospital.front.by(name, "GET", messages)
    read = await hospital.front.by(name, "POST", f"{messages}/read", json={"seq": 2})

    assert (said.status, said.json["is_ours"], said.json["by"]) == (200, True, f"acc-{name}")
    assert [each["text"] for each in listed.json["messages"]] == ["It hurts", "Since when?"]
    assert (listed.json["unread"], listed.json["previous"], listed.json["is_open"]) == (1, 0, True)
    assert read.json == {"read": 2, "unread": 0}
    heard = await hospital.scene.heard(hospital.scene.patient)
    assert [message.text for message in heard] == ["It hurts", "Since when?"]


@pytest.mark.case("IAM-03")
@pytest.mark.parametrize(("name", "clinic"), [("elsewhere", False), ("ravi", True)])
async def test_other_staff_find_nothing(hospital, name, clinic):
    """IAM-03: another organisation's staff, and another doctor's patients, on every route: as if it were not there."""
    messages = hospital.path("messages", clinic=clinic)
    calls = (
        ("GET", messages, {}),
        ("POST", messages, {"json": {"text": "hello"}}),
        ("POST", f"{messages}/read", {"json": {"seq": 1}}),
        ("POST", hospital.path("documents", clinic=clinic), {"json": DOCUMENT}),
    )

    answers = [await hospital.front.by(name, method, path, **more) for method, path, more in calls]
    absent = await hospital.front.by(name, "GET", messages.replace(hospital.scene.order_id, "nobody-knows"))

    assert {answer.json["code"] for answer in (*answers, absent)} == {"API_RECORD_MISSING"}
    assert await hospital.scene.heard(hospital.scene.patient) == []


@pytest.mark.parametrize(
    ("name", "clinic", "status"),
    [("operator", False, 403), ("asha", False, 403), ("desk", True, 403), ("", False, 401)],
)
async def test_a_role_without_the_permission_does_not_get_in(hospital, name, clinic, status):
    """Security rules, IAM: the operator of the program sees no patient's messages."""
    answer = await hospital.front.by(name, "GET", hospital.path("messages", clinic=clinic))

    assert answer.status == status


async def test_a_document_goes_up_and_comes_down_by_its_link(hospital):
    """Issue: upload in JSON, download by a signed link, as an attachment that nothing sniffs."""
    sent = await hospital.front.by("desk", "POST", hospital.path("documents"), json=DOCUMENT)
    url = sent.json["document"]["url"]

    got = await hospital.front.by("", "GET", url)

    assert (got.status, got.text.encode()) == (200, PDF)
    assert got.headers["Content-Type"] == "application/pdf"
    assert got.headers["Content-Disposition"] == "attachment; filename=\"report.pdf\"; filename*=UTF-8''report.pdf"
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert got.headers["Cache-Control"] == "no-store"
    assert "report" not in url
    assert ("nobody", "files.fetch_file") in await hospital.front.looks()


async def test_a_link_that_was_changed_or_has_ended_is_refused(hospital):
    """Issue: tampering and expiry refused, with a problem that tells nothing."""
    sent = await hospital.front.by("desk", "POST", hospital.path("documents"), json=DOCUMENT)
    url = sent.json["document"]["url"]
    last = url[-1]
    changed = [url[:-1] + ("0" if last != "0" else "1"), url.replace("expires=1", "expires=2"), url.partition("?")[0]]

    refused = [await hospital.front.by("", "GET", each) for each in changed]
    await hospital.scene.clock.advance(301)
    late = await hospital.front.by("", "GET", url)

    assert [each.json["code"] for each in refused] == ["API_LINK_INVALID", "API_LINK_INVALID", "API_REQUEST_INVALID"]
    assert (late.status, late.json["code"]) == (403, "API_LINK_INVALID")


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"content": "%%%"}, "content"),
        ({"media_type": "image/png"}, "content"),
        ({"media_type": "video/mp4"}, "media_type"),
        ({"hi_type": "other"}, "hi_type"),
        ({"name": ""}, "name"),
    ],
)
async def test_a_document_that_is_not_taken_is_told_by_its_field(hospital, changes, path):
    """Problem details: what is wrong and where, never what was sent."""
    answer = await hospital.front.by("desk", "POST", hospital.path("documents"), json={**DOCUMENT, **changes})

    assert (answer.status, [error["path"] for error in answer.json["errors"]]) == (400, [path])
    assert "%%%" not in answer.text


@pytest.mark.parametrize(("size", "status"), [(5 * MIB, 200), (5 * MIB + 1, 400), (6 * MIB, 413)])
async def test_a_document_has_at_most_five_mebibytes(hospital, size, status):
    """Issue: documents of at most 5 MiB decoded, on a route with a larger limit of its own."""
    content = base64.b64encode(PDF + bytes(size - len(PDF))).decode()
    body = io.BytesIO(json.dumps({**DOCUMENT, "content": content}).encode())

    answer = await hospital.front.by(
        "desk", "POST", hospital.path("documents"), data=body, headers={"Content-Type": "application/json"}
    )

    assert answer.status == status
    assert len(await hospital.scene.heard(hospital.scene.patient)) == (status == 200)


async def test_an_order_that_was_called_off_says_what_to_do(hospital):
    """Errors: what and next step."""
    await hospital.scene.provider.cancelled("appointment-slot-0", "DOCTOR_PERSONAL_EMERGENCY")

    answer = await hospital.front.by("desk", "POST", hospital.path("messages"), json={"text": "sorry"})

    assert (answer.status, answer.json["code"]) == (409, "API_STATE_REFUSED")
    assert "helpline" in answer.json["errors"][0]["message"]


async def test_every_look_at_a_conversation_is_audited(hospital):
    """Security rules, IAM: reads of patients' data are in the trail, without the message."""
    await hospital.front.by("desk", "GET", hospital.path("messages"))
    await hospital.front.by("asha", "POST", hospital.path("messages", clinic=True), json={"text": "Kanari"})

    assert await hospital.front.looks() == [
        ("acc-desk", "messages.list_messages"),
        ("acc-asha", "clinic messages.say_to_own"),
    ]
    assert "Kanari" not in repr(await hospital.front.trail.rows())


async def test_the_description_has_every_route(hospital):
    """OpenAPI: made from the routes, the download included."""
    described = describe(hospital.groups, title="Hospital", version="1")

    assert len(described["paths"]) == 7
    download = described["paths"]["/v1/files/{id}"]["get"]
    assert "application/octet-stream" in download["responses"]["200"]["content"]
