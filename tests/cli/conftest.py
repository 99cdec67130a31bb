"""The command as a person calls it: arguments in, output and exit code out; keys and bodies as files."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.main import main
from uhi.signing import PrivateKey
from uhi.signing.key_files import write_private_key_file

KEY = PrivateKey(bytes(range(32)))
KEY_ID = "clinic.example|k1|ed25519"
NOW = 1_790_000_000

Uhi = Callable[..., Result]


@pytest.fixture
def uhi() -> Uhi:
    """Calls the command in this process; `stdin` is what its standard input holds."""

    def call(*arguments: str, stdin: bytes | str | None = None) -> Result:
        return CliRunner().invoke(main, arguments, input=stdin, prog_name="uhi")

    return call


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """A private key in a file of mode 0600."""
    path = tmp_path / "k1.pem"
    write_private_key_file(path, KEY)
    return path


@pytest.fixture
def body(tmp_path: Path) -> Path:
    """A body in a file, without a newline at its end."""
    path = tmp_path / "body.json"
    path.write_bytes(b'{"context":{"action":"search"},"message":{"price":500.0,"note":"\xe0\xa4\x85"}}')
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, empty; modules loaded from it are forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    yield tmp_path
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """Commands that serve set up logging for the whole process."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    logging.getLogger("aiohttp.access").disabled = False
