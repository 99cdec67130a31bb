"""A file store of each kind, empty."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.files.s3_server import S3Server
from tests.service_fixtures import required
from uhi.files import LocalFolder, ObjectStore, open_store


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """The S3 server of this session."""
    with required(), S3Server.started() as server:
        yield server


@pytest.fixture
def s3_credentials(tmp_path: Path) -> Path:
    """A file of credentials, for its owner only."""
    path = tmp_path / "s3.credentials"
    path.touch(mode=0o600)
    path.write_text("AKIDEXAMPLE\nsecret-of-tests\n")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> LocalFolder:
    """A store in a folder of this test's own."""
    return LocalFolder(tmp_path / "files")


@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.services)])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[ObjectStore]:
    """A store of each kind."""
    if request.param == "folder":
        yield request.getfixturevalue("folder")
        return
    server = request.getfixturevalue("s3_server")
    opened = open_store(server.url, credentials_file=request.getfixturevalue("s3_credentials"))
    try:
        yield opened
    finally:
        await opened.aclose()
