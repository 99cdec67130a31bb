"""A shell for the commands that pages show: a folder with the snippets, `uhi` and `python` on the path."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import ROOT
from tests.docs.shell import Shell


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """A shell in a new folder with the snippets in it."""
    for snippet in (ROOT / "docs" / "snippets").glob("*.py"):
        shutil.copy(snippet, tmp_path)
    programs = tmp_path / "bin"
    programs.mkdir()
    _program(programs / "uhi", f"#!/bin/sh\nexec '{sys.executable}' -c 'from cli.main import main; main()' \"$@\"\n")
    _program(programs / "python", f"#!/bin/sh\nexec '{sys.executable}' \"$@\"\n")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("UHI_", "PYTEST_"))}
    path = f"{programs}{os.pathsep}{clean.get('PATH', '')}"
    opened = Shell(tmp_path, clean | {"PATH": path, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"})
    yield opened
    opened.stop()


def _program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)
