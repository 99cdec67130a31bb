"""A folder of files: nobody else reads it, nothing in it is half written, no link leads out of it."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from stat import S_IMODE

import pytest

from uhi.errors import Refusal, SetupError
from uhi.faults import OVERLOADED
from uhi.files import LocalFolder


def files_in(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())


async def test_files_are_for_their_owner_only(tmp_path):
    """Security rules, PHI at rest: folder 0700, files 0600."""
    await LocalFolder(tmp_path / "files").put("chat/one", b"x")

    [file] = files_in(tmp_path / "files")

    assert S_IMODE((tmp_path / "files").stat().st_mode) == 0o700
    assert S_IMODE(file.stat().st_mode) == 0o600


def test_a_folder_that_is_open_to_others_is_not_used(tmp_path):
    """Security rules, PHI at rest: mistakes are found before the first request."""
    folder = tmp_path / "files"
    folder.mkdir(mode=0o755)

    with pytest.raises(SetupError, match="chmod 700"):
        LocalFolder(folder)


def test_a_file_in_the_place_of_the_folder_is_a_mistake(tmp_path):
    """Setup errors say what and which path."""
    (tmp_path / "files").write_text("")

    with pytest.raises(SetupError, match="cannot be used"):
        LocalFolder(tmp_path / "files")


async def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path, monkeypatch):
    """Ours: atomic by rename; a full disk costs the new file only."""
    store = LocalFolder(tmp_path / "files")
    await store.put("chat/one", b"old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Refusal, match="No space left") as refused:
        await store.put("chat/one", b"new")

    assert refused.value.fault is OVERLOADED
    assert [path.read_bytes() for path in files_in(tmp_path / "files")] == [b"old"]


async def test_a_link_inside_the_folder_leads_nowhere(tmp_path):
    """Security rules, path traversal: a link that somebody planted."""
    store = LocalFolder(tmp_path / "files")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("x")
    (tmp_path / "files" / "chat").symlink_to(tmp_path / "outside")

    for call in (store.get("chat/secret"), store.put("chat/other", b"x"), store.delete("chat/secret")):
        with pytest.raises(Refusal, match="leads out") as refused:
            await call
        assert refused.value.fault is OVERLOADED
    assert [path.name for path in (tmp_path / "outside").iterdir()] == ["secret"]


async def test_a_folder_that_has_gone_is_no_missing_file(tmp_path):
    """Ours: whoever wants to keep something comes again, and does not take it for done."""
    store = LocalFolder(tmp_path / "files")
    (tmp_path / "files").rmdir()
    (tmp_path / "files").write_text("")

    with pytest.raises(Refusal, match="cannot be used"):
        await store.put("chat/one", b"x")


async def test_a_folder_that_does_not_answer_is_given_up(tmp_path, monkeypatch):
    """Issue: time limits on every call."""
    store, awake = LocalFolder(tmp_path / "files", seconds=0.01), threading.Event()
    monkeypatch.setattr(Path, "is_file", lambda self: awake.wait(60))

    with pytest.raises(Refusal, match="does not answer") as refused:
        await store.has("chat/one")

    awake.set()
    assert refused.value.fault is OVERLOADED
