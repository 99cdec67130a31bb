"""The hospital's published description against a hospital that is served: requests made from it are answered as it
says.

Over a real socket: the hospital runs in a thread of its own, because Schemathesis waits for its answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.api.beside import Beside
from tests.api.published import Asking, check_as_described, operations, published
from tests.participants.hospital.house import ASHA, House
from uhi.identity.principals import Grant
from uhi.identity.roles import AccessRole

DESCRIBED = published("openapi-hospital.json")
IDENTITY = {path for path in published("openapi-identity.json")["paths"] if path != "/openapi.json"}
OWN = [(method, path) for method, path in operations(DESCRIBED) if path not in IDENTITY]
KINDS = ("locations", "practices", "services", "specialities")
FEW = 8


class Running:
    """A hospital in a thread of its own, with a booking."""

    def __init__(self, url: str, folder: Path) -> None:
        self._beside = Beside()
        self._open = House.open(url, folder)
        self.house: House = self._beside.run(self._open.__aenter__())
        self._beside.run(self.house.settle_in())
        self.url = self.house.url
        self._order_id = self._beside.run(self.house.book(ASHA)).order_id
        city = self.house.city
        roles = (AccessRole.HOSPITAL_ADMIN, AccessRole.HOSPITAL_FRONTDESK, AccessRole.CLINICIAN)
        grants = [Grant(role, city) for role in roles]
        everything = self.house.person(
            *grants, Grant(AccessRole.HOSPITAL_OPERATOR), practitioner_id=self.house.record_of(ASHA)
        )
        self.headers = self._beside.run(everything)

    def id_for(self, path: str) -> str:
        """The id of a record that a path may name."""
        kind = path.removeprefix("/v1/clinic").removeprefix("/v1").split("/")[1]
        known = {"organisations": self.house.city, "practitioners": self.house.record_of(ASHA)}
        if kind in KINDS:
            listed = requests.get(f"{self.url}/v1/{kind}", headers=self.headers, timeout=10)
            return str(listed.json()[kind][0]["id"])
        return known.get(kind, self._order_id)

    def stop(self) -> None:
        """End it."""
        self._beside.run(self._open.__aexit__(None, None, None))
        self._beside.stop()


@pytest.fixture(scope="module")
def running(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One hospital for all operations."""
    folder = tmp_path_factory.mktemp("published")
    database = folder / "uhi.db"
    database.write_bytes(sqlite_template.read_bytes())
    started = Running(f"sqlite:///{database}", folder)
    yield started
    started.stop()


@pytest.mark.parametrize("operation", OWN, ids=" ".join)
def test_answers_are_as_described(running, operation):
    """Issue 5: Schemathesis against the published OpenAPI: no server error, and status, type and schema as told."""
    asking = Asking(running.url, running.headers, most_examples=FEW)

    check_as_described(DESCRIBED, operation, asking, id=running.id_for(operation[1]))


def test_served_description_is_the_published_one(running):
    """Ours: the page in the documentation is what the hospital tells of itself."""
    served = requests.get(f"{running.url}/openapi.json", timeout=10)

    assert served.json() == DESCRIBED


def test_nobody_makes_an_account_at_a_hospital_without_being_invited(running):
    """Issue 5: staff with roles; patients have theirs with their application."""
    assert requests.post(f"{running.url}/v1/accounts", json={}, timeout=10).status_code == 404
