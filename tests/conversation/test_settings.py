"""Where the settings say that documents go, and who looks at them before."""

from __future__ import annotations

import pytest

from tests.participants.hospital.premises import settings_in as hospital_settings
from tests.participants.patient.scene import settings_in as patient_settings
from uhi.conversation.settings import FilesSettings
from uhi.errors import SetupError
from uhi.files import Clamd, LocalFolder, NoScanner


def settings_of(program: str, folder, **more: object) -> FilesSettings:
    """The settings of a hospital, or of a patient application."""
    if program == "hospital":
        return hospital_settings(folder, "sqlite:///x.db", **more)
    return patient_settings(folder, **more)


@pytest.mark.parametrize("program", ["hospital", "patient"])
def test_documents_go_into_a_folder_unless_told_otherwise(program, tmp_path, monkeypatch):
    """Issue 5: local folder by default, so that a first start needs no further setting."""
    monkeypatch.chdir(tmp_path)

    shelf = settings_of(program, tmp_path, files_url="").shelf

    assert isinstance(shelf.store, LocalFolder)
    assert shelf.store._root == tmp_path / "files"
    with pytest.raises(SetupError):
        _ = settings_of(program, tmp_path, files_url="ftp://x").shelf


@pytest.mark.parametrize("program", ["hospital", "patient"])
@pytest.mark.parametrize(("url", "kind"), [("tcp://127.0.0.1:3310", Clamd), ("", NoScanner)])
def test_a_scanner_is_named_by_its_address(program, url, kind, tmp_path):
    """Security rules, files: a virus scanner on either side; nobody looks without one."""
    assert isinstance(settings_of(program, tmp_path, scanner_url=url).shelf.scanner, kind)
