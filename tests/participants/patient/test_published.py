"""The application's published description against an application that is served: Schemathesis, with a patient's token.

Over a real socket, in a thread of its own, because Schemathesis waits for its answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.api.beside import Beside
from tests.api.published import Asking, check_as_described, operations, published
from tests.participants.patient.scene import Scene

DESCRIBED = published("openapi-patient.json")
TAGS = {(method, path): DESCRIBED["paths"][path][method.lower()]["tags"][0] for method, path in operations(DESCRIBED)}
OURS = {"members", "consents", "own-data", "bookings", "booking"}
OWN = [operation for operation, tag in TAGS.items() if tag in OURS]
FEW = 10


class Running:
    """An application in a thread of its own, on the file that is given."""

    def __init__(self, url: str, folder: Path) -> None:
        self.beside = Beside()
        self.scene = Scene(url, folder)
        self.beside.run(self.scene.__aenter__())
        self._named = 0

    def patient(self, *, has_booking: bool) -> tuple[dict[str, str], dict[str, str]]:
        """The header of somebody new, and ids that are theirs."""
        return self.beside.run(self._patient(has_booking))

    async def _patient(self, has_booking: bool) -> tuple[dict[str, str], dict[str, str]]:
        self._named += 1
        person = await self.scene.person(f"p{self._named}")
        await person.consent()
        member = await person.member(abha_address=f"patient{self._named}@sbx")
        ref = await self.scene.found(person.account.id)
        if not has_booking:
            return person.headers, {"member": member, "booking": "none", "slot": ref}
        got = await person.ask("POST", "/v1/bookings", json={"slot": ref, "member_id": member})
        assert got.status == 201, got.text
        return person.headers, {"member": member, "booking": got.json["id"], "slot": ref}

    def stop(self) -> None:
        """End it."""
        self.beside.run(self.scene.__aexit__(None, None, None))
        self.beside.stop()


@pytest.fixture(scope="module")
def running(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One application for everything."""
    folder = tmp_path_factory.mktemp("published")
    path = folder / "app.db"
    path.write_bytes(sqlite_template.read_bytes())
    started = Running(f"sqlite:///{path}", folder)
    yield started
    started.stop()


@pytest.mark.parametrize("operation", OWN, ids=" ".join)
def test_answers_to_patients_are_as_described(running, operation):
    """Issue: Schemathesis against the published OpenAPI: no server error, and status, type and schema as told."""
    headers, theirs = running.patient(has_booking="/bookings/{id}" in operation[1])
    asking = Asking(running.scene.server.url, headers, most_examples=FEW)
    named = theirs["member"] if "/members/" in operation[1] else theirs["booking"]

    check_as_described(DESCRIBED, operation, asking, id=named, member_id=theirs["member"], slot=theirs["slot"])


def test_served_description_is_the_published_one(running):
    """Ours: the page in the documentation is what the application tells of itself."""
    served = requests.get(f"{running.scene.server.url}/openapi.json", timeout=10)

    assert served.json() == DESCRIBED


def test_every_post_of_a_booking_takes_a_key():
    """Issue: idempotency keys on every POST; required where something is booked."""
    posts = {path: item["post"] for path, item in DESCRIBED["paths"].items() if "post" in item}
    keys = {
        path: next((each["required"] for each in post.get("parameters", ()) if each["name"] == "Idempotency-Key"), None)
        for path, post in posts.items()
    }

    assert {path for path, required in keys.items() if required} == {
        path for path, post in posts.items() if post["tags"] == ["booking"]
    }
    assert keys["/v1/members"] is False
    assert keys["/v1/api-keys"] is None
