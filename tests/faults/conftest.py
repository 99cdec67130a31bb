"""The network of processes that the kill tests share: one registry for all, an empty database for each."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.processes import ROOT
from tests.faults.town import REGISTRY, Town, impatient
from tests.server_process import Child, said


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Members with keys and addresses, and their registry, which runs."""
    town = Town(tmp_path_factory.mktemp("town"))
    registry = Child("registry")
    arguments = ("registry", "serve", "--file", str(town.registry), "--subscriber-id", REGISTRY)
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from cli.main import main; main()"

    def command(port: int) -> list[str]:
        return [sys.executable, "-P", "-c", program, *arguments, "--port", str(port), "--json"]

    def is_up() -> bool:
        return said(registry.port, b"GET / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.")

    try:
        registry.start(command, is_up)
        town.ports[REGISTRY] = registry.port
        yield town
    finally:
        registry.remove()


@pytest.fixture
def folder(town: Town, tmp_path: Path) -> Path:
    """A folder for what the programs of this test write."""
    town.work = tmp_path
    return tmp_path


@pytest.fixture
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """The participants of this process try again soon."""
    impatient(monkeypatch)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def two_urls(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """A database for the gateway and one for the hospital, each with the newest schema and no rows."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/gateway.db", f"sqlite:///{tmp_path}/hospital.db"
    new_url = request.getfixturevalue("new_postgres_url")
    return new_url(), new_url()
