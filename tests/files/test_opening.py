"""Addresses of file stores: two forms, and mistakes that are told at the start."""

from __future__ import annotations

import sys

import pytest

from uhi.errors import SetupError
from uhi.files import LocalFolder, open_store


def test_a_file_address_is_a_folder(tmp_path):
    """Issue: local folder by default."""
    store = open_store(f"file://{tmp_path}/my%20files")

    assert isinstance(store, LocalFolder)
    assert (tmp_path / "my files").is_dir()


@pytest.mark.parametrize(
    "url",
    [
        *("", "files", "file:files", "file://host/files", "file:///files?x=1", "https://bucket", "s3://", "s3:///x"),
        *("s3://bucket?secret=1", "s3://bucket?style=other", "s3://user:pw@bucket", "s3://[bucket"),
    ],
)
def test_an_address_of_another_form_is_refused_unquoted(url, s3_credentials):
    """Errors: somebody may have put a secret into an address."""
    with pytest.raises(SetupError, match="the address of the file store has another form") as error:
        open_store(url, credentials_file=s3_credentials)

    assert not any(part in str(error.value) for part in ("secret", "other=", "pw@", "nobody"))


@pytest.mark.parametrize(
    "endpoint", ["http://store.example", "ftp://store.example", "https://", "https://me@x.example"]
)
def test_a_bucket_elsewhere_is_reached_over_https_only(endpoint, s3_credentials):
    """Security rules: TLS wherever something leaves this machine."""
    with pytest.raises(SetupError, match="endpoint"):
        open_store(f"s3://bucket?endpoint={endpoint}", credentials_file=s3_credentials)


def test_a_bucket_takes_credentials():
    """Ours: botocore's own places are not asked."""
    with pytest.raises(SetupError, match="without credentials"):
        open_store("s3://bucket")


def test_credentials_that_others_can_read_are_refused(s3_credentials):
    """Network key storage rules: mode 0600."""
    s3_credentials.chmod(0o644)

    with pytest.raises(SetupError, match="open to others"):
        open_store("s3://bucket", credentials_file=s3_credentials)


def test_credentials_are_two_lines(s3_credentials):
    """Errors: what, got, expected; never what stood there."""
    s3_credentials.write_text("one-secret-line\n")

    with pytest.raises(SetupError, match="got 1 lines") as error:
        open_store("s3://bucket", credentials_file=s3_credentials)

    assert "one-secret-line" not in str(error.value)


def test_a_bucket_without_the_extra_says_what_to_install(monkeypatch, s3_credentials):
    """Ours: what only some need is installed only by them."""
    monkeypatch.delitem(sys.modules, "uhi.files.s3", raising=False)
    monkeypatch.setitem(sys.modules, "aiobotocore.config", None)

    with pytest.raises(SetupError, match="extra s3"):
        open_store("s3://bucket", credentials_file=s3_credentials)
