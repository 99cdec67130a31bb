"""The published description against the served interface: requests made from it are answered as it says.

Over a real socket: the interface runs in a thread of its own, because Schemathesis waits for its answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.api.beside import Beside
from tests.api.hall import Hall
from tests.api.published import Asking, check_as_described, operations, published
from uhi.identity.people import Account
from uhi.identity.principals import Grant
from uhi.identity.roles import AccessRole

DESCRIBED = published("openapi-identity.json")
RIGHTS = (Grant(AccessRole.REGISTRY_ADMIN), Grant(AccessRole.AUDITOR), Grant(AccessRole.PATIENT, "patients"))


class Running:
    """The interface in a thread of its own."""

    def __init__(self, url: str, folder: Path) -> None:
        self._beside = Beside()
        self._open = Hall.open(url, folder)
        self.hall: Hall = self._beside.run(self._open.__aenter__())
        self.url = self.hall.server.url
        self._named = 0

    def person(self) -> tuple[Account, dict[str, str]]:
        """Somebody new of many rights, with the header of their session: some operations end it."""
        self._named += 1
        who = self._beside.run(self.hall.person(f"person-{self._named}", *RIGHTS))
        return who, self._beside.run(self.hall.token(who))

    def stop(self) -> None:
        """End it."""
        self._beside.run(self._open.__aexit__(None, None, None))
        self._beside.stop()


@pytest.fixture(scope="module")
def running(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One interface for all operations."""
    folder = tmp_path_factory.mktemp("published")
    database = folder / "uhi.db"
    database.write_bytes(sqlite_template.read_bytes())
    started = Running(f"sqlite:///{database}", folder)
    yield started
    started.stop()


@pytest.mark.parametrize("operation", operations(DESCRIBED), ids=" ".join)
def test_answers_are_as_described(running, operation):
    """Issue 4: Schemathesis against the published OpenAPI: no server error, and status, type and schema as told."""
    _, headers = running.person()
    other, _ = running.person()

    check_as_described(DESCRIBED, operation, Asking(running.url, headers), id=other.id)


def test_served_description_is_the_published_one(running):
    """Ours: the page in the documentation is what the interface tells of itself."""
    served = requests.get(f"{running.url}/openapi.json", timeout=10)

    assert served.json() == DESCRIBED
