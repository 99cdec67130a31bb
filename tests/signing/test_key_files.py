"""Private keys in files: who may read them, what they hold, and which keys nobody may run with."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from uhi.errors import SetupError
from uhi.signing import PrivateKey
from uhi.signing.key_files import (
    PUBLISHED_PUBLIC_KEYS,
    read_private_key_file,
    refuse_published,
    write_private_key_file,
)


def test_written_key_is_read_back(tmp_path: Path) -> None:
    """PKCS#8 PEM, readable for its owner only."""
    key, path = PrivateKey.new(), tmp_path / "key.pem"

    write_private_key_file(path, key)

    assert read_private_key_file(path) == key
    assert path.read_text() == key.pem()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_mode_is_0600_under_any_umask(tmp_path: Path) -> None:
    """The mode is set, not hoped for."""
    before = os.umask(0o777)
    try:
        write_private_key_file(tmp_path / "key.pem", PrivateKey.new())
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "key.pem").stat().st_mode) == 0o600


def test_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    """A lost key cuts a subscriber off its network."""
    path = tmp_path / "key.pem"
    path.write_text("something")

    with pytest.raises(SetupError, match="exists already"):
        write_private_key_file(path, PrivateKey.new())

    assert path.read_text() == "something"


def test_symbolic_link_is_not_followed_when_writing(tmp_path: Path) -> None:
    """Somebody else could have put it there to learn the key."""
    (tmp_path / "key.pem").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(SetupError):
        write_private_key_file(tmp_path / "key.pem", PrivateKey.new())

    assert not (tmp_path / "elsewhere").exists()


def test_missing_folder_is_the_operators_mistake(tmp_path: Path) -> None:
    """Told with the path and the system's reason."""
    with pytest.raises(SetupError, match="No such file"):
        write_private_key_file(tmp_path / "nowhere" / "key.pem", PrivateKey.new())
    with pytest.raises(SetupError, match="No such file"):
        read_private_key_file(tmp_path / "nowhere" / "key.pem")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o700, 0o4600, 0o777])
def test_key_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    """Key storage rules: 0600 or the program does not start."""
    path = tmp_path / "key.pem"
    write_private_key_file(path, PrivateKey.new())
    path.chmod(mode)

    with pytest.raises(SetupError, match="chmod 600"):
        read_private_key_file(path)


def test_stricter_mode_is_taken(tmp_path: Path) -> None:
    """A key that not even its owner can write is fine."""
    path = tmp_path / "key.pem"
    write_private_key_file(path, PrivateKey.new())
    path.chmod(0o400)

    read_private_key_file(path)


def test_key_file_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever owns the file can change the key."""
    path = tmp_path / "key.pem"
    write_private_key_file(path, PrivateKey.new())
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)

    with pytest.raises(SetupError, match="another user"):
        read_private_key_file(path)


@pytest.mark.parametrize("content", ["", "not a key", "A" * 10_000, "\0", "é"])
def test_file_without_a_key_is_refused(tmp_path: Path, content: str) -> None:
    """Found before the first request, with what to do next."""
    path = tmp_path / "key.pem"
    path.write_text(content)
    path.chmod(0o600)

    with pytest.raises(SetupError, match="holds no usable private key"):
        read_private_key_file(path)


def test_only_a_regular_file_is_read(tmp_path: Path) -> None:
    """A folder is an error and a named pipe must not make the program wait."""
    os.mkfifo(tmp_path / "pipe", 0o600)

    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(SetupError, match="not a regular file"):
            read_private_key_file(path)


def test_link_to_a_key_file_is_read(tmp_path: Path) -> None:
    """Secrets are mounted as links; what counts is the file behind."""
    write_private_key_file(tmp_path / "key.pem", PrivateKey.new())
    (tmp_path / "link").symlink_to(tmp_path / "key.pem")

    assert read_private_key_file(tmp_path / "link") == read_private_key_file(tmp_path / "key.pem")


def test_text_of_a_refusal_never_holds_the_file(tmp_path: Path) -> None:
    """A damaged key is still most of a key."""
    path = tmp_path / "key.pem"
    damaged = PrivateKey.new().pkcs8_base64()[:-4]
    path.write_text(damaged)
    path.chmod(0o600)

    with pytest.raises(SetupError) as caught:
        read_private_key_file(path)

    assert damaged[20:40] not in str(caught.value)


def test_own_key_is_not_a_published_one() -> None:
    """A new key is nobody else's."""
    refuse_published(PrivateKey.new().public)


def test_published_keys_are_listed_by_their_public_halves() -> None:
    """32 bytes each, in hexadecimal."""
    assert len(PUBLISHED_PUBLIC_KEYS) == 5
    assert all(len(bytes.fromhex(key)) == 32 for key in PUBLISHED_PUBLIC_KEYS)
