"""`uhi db`: the schema both ways, where it stands, and the key for bodies."""

from __future__ import annotations

import json
import stat

import pytest

from uhi.storage.schema import branch_of, steps
from uhi.storage.sealing import read_body_key_file

ALL = list(steps().state(()).pending)
HEADS = sorted({branch_of(step): step for step in ALL}.values())


def test_upgrade_tells_what_it_applied_and_then_has_nothing_to_do(uhi, empty_database_url):
    """Issue: migrations are run by `uhi db upgrade`."""
    first = uhi("db", "upgrade", "--url", empty_database_url)
    again = json.loads(uhi("db", "upgrade", "--url", empty_database_url, "--json").stdout)

    assert first.exit_code == 0
    assert [f"applied {step}" for step in ALL] == first.stdout.splitlines()[: len(ALL)]
    assert again == {"ok": True, "applied": [], "current": HEADS}


def test_the_address_comes_from_the_environment_and_the_option_goes_before(uhi, empty_sqlite_url, monkeypatch):
    """Issue: `UHI_DATABASE_URL`."""
    unsaid = uhi("db", "current")
    monkeypatch.setenv("UHI_DATABASE_URL", "mysql://host/uhi")

    wrong = uhi("db", "current")
    right = uhi("db", "current", "--url", empty_sqlite_url)

    assert (unsaid.exit_code, wrong.exit_code, right.exit_code) == (2, 2, 0)
    assert "UHI_DATABASE_URL" in unsaid.stderr
    assert "mysql" in wrong.stderr


def test_current_lists_what_is_pending(uhi, empty_sqlite_url):
    """Ours: says what to do next, and changes nothing."""
    told = json.loads(uhi("db", "current", "--url", empty_sqlite_url, "--json").stdout)
    shown = uhi("db", "current", "--url", empty_sqlite_url).stdout

    assert told == {"ok": True, "is_current": False, "applied": [], "pending": ALL, "ahead": []}
    assert "Next: uhi db upgrade" in shown


def test_downgrade_asks_first(uhi, sqlite_url):
    """Ours: it loses what was kept."""
    refused = uhi("db", "downgrade", "base", "--url", sqlite_url, stdin="n\n")
    kept = json.loads(uhi("db", "current", "--url", sqlite_url, "--json").stdout)
    undone = json.loads(uhi("db", "downgrade", "base", "--yes", "--url", sqlite_url, "--json").stdout)

    assert refused.exit_code == 130
    assert kept["is_current"]
    assert undone == {"ok": True, "undone": ALL, "current": []}


def test_a_database_out_of_reach_is_the_operators_to_mend(uhi):
    """Ours: no traceback, and never the password."""
    done = uhi("db", "upgrade", "--url", "postgresql://uhi:hidden@127.0.0.1:1/uhi")

    assert done.exit_code == 2
    assert "cannot be used" in done.stderr
    assert "hidden" not in done.output


def test_a_body_key_goes_to_a_new_file_that_only_its_owner_reads(uhi, tmp_path):
    """Issue: bodies are encrypted with a key from a file; it is never printed and never overwritten."""
    path = tmp_path / "body.key"

    first = uhi("db", "key", str(path))
    text = path.read_text()
    second = uhi("db", "key", str(path))

    assert (first.exit_code, second.exit_code) == (0, 2)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert text.strip() not in first.output
    assert path.read_text() == text
    assert read_body_key_file(path).open(read_body_key_file(path).seal(b"body", about="1"), about="1") == b"body"


def test_a_new_body_key_reads_what_the_older_one_encrypted(uhi, tmp_path):
    """Crash point K10: while keys are changed, one that fits is there at all times."""
    older, newer = tmp_path / "older.key", tmp_path / "newer.key"
    uhi("db", "key", str(older))
    sealed = read_body_key_file(older).seal(b"body", about="1")

    done = uhi("db", "key", str(newer), "--older", str(older), "--json")

    assert json.loads(done.stdout) == {"ok": True, "file": str(newer)}
    assert read_body_key_file(newer).open(sealed, about="1") == b"body"
    assert newer.read_text().splitlines()[1:] == older.read_text().splitlines()


@pytest.mark.parametrize("text", ["", "no key\n", "A" * 40])
def test_an_older_file_without_keys_is_refused(uhi, tmp_path, text):
    """Ours: found now, not when a body cannot be read."""
    older = tmp_path / "older.key"
    older.write_text(text)
    older.chmod(0o600)

    done = uhi("db", "key", str(tmp_path / "newer.key"), "--older", str(older))

    assert done.exit_code == 2
    assert not (tmp_path / "newer.key").exists()


def test_steps_back_are_of_one_branch(uhi, sqlite_url):
    """Ours: the gateway's tables and the library's go their own ways, so `-1` alone means nothing."""
    unclear = uhi("db", "downgrade", "-1", "--yes", "--url", sqlite_url)
    undone = json.loads(uhi("db", "downgrade", "uhi@-1", "--yes", "--url", sqlite_url, "--json").stdout)

    assert unclear.exit_code == 2
    assert all(f"{branch_of(step)}@-1" in unclear.stderr for step in HEADS)
    assert undone["undone"] == [step for step in HEADS if branch_of(step) == "uhi"]
