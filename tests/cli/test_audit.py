"""`uhi audit`: what it tells of a sound trail and of a broken one, by text, JSON and exit code."""

from __future__ import annotations

import asyncio
import json
import stat

import pytest

from tests.audit.deeds import deed, refusal, tamper
from tests.cli.conftest import KEY
from uhi.audit.trail import AuditTrail
from uhi.clock import SystemClock
from uhi.signing import PrivateKey
from uhi.storage.sql.database import Database


def on(url, work):
    """Does something with the database in a loop of its own."""

    async def run():
        database = Database.open(url, clock=SystemClock())
        await work(database)
        await database.aclose()

    asyncio.run(run())


@pytest.fixture
def url(database_url):
    """A database with five rows."""
    on(database_url, lambda it: AuditTrail(it).write(*(deed(number) for number in range(4)), refusal(4)))
    return database_url


def break_row(url, statement):
    """Somebody with every right changes a row."""
    on(url, lambda it: it.write(lambda connection: tamper(connection, statement)))


def test_a_sound_trail_ends_with_code_0(uhi, url):
    """Issue: `uhi audit verify`."""
    told = uhi("audit", "verify", "--url", url)
    as_json = json.loads(uhi("audit", "verify", "--url", url, "--json").stdout)

    assert told.exit_code == 0
    assert "5 rows, each as it was written" in told.stdout
    assert (as_json["ok"], as_json["rows"], as_json["newest_checkpoint"]) == (True, 5, None)


def test_a_broken_trail_ends_with_code_1_and_the_first_bad_row(uhi, url):
    """Issue: names the first bad row."""
    break_row(url, "UPDATE audit SET actor = 'ravi' WHERE seq = 3")

    told = uhi("audit", "verify", "--url", url)
    as_json = json.loads(uhi("audit", "verify", "--url", url, "--json").stdout)

    assert told.exit_code == 1
    assert "row 3 was changed" in told.stderr
    assert told.stdout == "first bad row: 3\n"
    assert (as_json["ok"], as_json["first_bad_row"]) == (False, 3)


def test_checkpoints_are_made_and_verified(uhi, url, tmp_path, key_file):
    """Issue: signed checkpoints exportable."""
    out = tmp_path / "checkpoints.jsonl"
    made = uhi("audit", "checkpoint", "--url", url, "--key", str(key_file), "--out", str(out))
    public = KEY.public.raw_base64()

    told = uhi("audit", "verify", "--url", url, "--checkpoints", str(out), "--key", public)
    other = uhi("audit", "verify", "--url", url, "--checkpoints", str(out), "--key", PrivateKey.new().public.pem())

    assert (made.exit_code, told.exit_code, other.exit_code) == (0, 0, 1)
    assert "row 5" in told.stdout
    assert "not trusted" in other.stderr


def test_no_checkpoint_is_made_of_a_broken_trail(uhi, url, tmp_path, key_file):
    """Ours: what is signed was doubted first."""
    break_row(url, "DELETE FROM audit WHERE seq = 2")
    out = tmp_path / "checkpoints.jsonl"

    made = uhi("audit", "checkpoint", "--url", url, "--key", str(key_file), "--out", str(out))

    assert made.exit_code == 1
    assert "row 2 is missing" in made.stderr
    assert not out.exists()


def test_checkpoints_without_a_key_are_a_wrong_call(uhi, url, tmp_path):
    """Ours: the file does not say whom to believe."""
    told = uhi("audit", "verify", "--url", url, "--checkpoints", str(tmp_path / "any"))

    assert told.exit_code == 2
    assert "--key" in told.stderr


def test_a_file_without_checkpoints_is_no_witness(uhi, url, tmp_path):
    """Ours: a copy that came to nothing is not passed off as a sound trail."""
    file = tmp_path / "checkpoints.jsonl"
    file.touch()

    told = uhi("audit", "verify", "--url", url, "--checkpoints", str(file), "--key", KEY.public.raw_base64())

    assert told.exit_code == 2
    assert "no checkpoint" in told.stderr


def test_what_a_forged_checkpoint_says_moves_no_cursor(uhi, url, tmp_path):
    """Ours: whoever wrote the file does not write on the terminal."""
    file = tmp_path / "checkpoints.jsonl"
    values = {"trail": "", "seq": 1, "hash": "", "at": 1, "key": "\x1b[2Jno\nerror", "signature": ""}
    file.write_text(json.dumps(values))

    told = uhi("audit", "verify", "--url", url, "--checkpoints", str(file), "--key", KEY.public.raw_base64())

    assert told.exit_code == 1
    assert "·[2Jno·error" in told.stderr


def test_an_export_is_verified_without_the_database(uhi, url, tmp_path):
    """Issue: exportable; a row that was changed in the copy is named too."""
    out = tmp_path / "rows.jsonl"
    exported = uhi("audit", "export", "--url", url, "--out", str(out))
    sound = uhi("audit", "verify", "--rows", str(out))
    mode = stat.S_IMODE(out.stat().st_mode)
    out.write_text(out.read_text().replace("clinic2", "clinic9"))

    broken = uhi("audit", "verify", "--rows", str(out))

    assert (exported.exit_code, sound.exit_code, broken.exit_code) == (0, 0, 1)
    assert (mode, broken.stdout) == (0o600, "first bad row: 3\n")


def test_an_export_goes_to_standard_output_or_a_new_file(uhi, url, tmp_path):
    """Ours: a file that is there is not overwritten."""
    out = tmp_path / "rows.jsonl"
    out.touch()

    printed = uhi("audit", "export", "--url", url, "--after", "3")
    refused = uhi("audit", "export", "--url", url, "--out", str(out))

    assert printed.exit_code == 0, printed.stderr
    assert [json.loads(line)["seq"] for line in printed.stdout.splitlines()] == [4, 5]
    assert refused.exit_code == 2


@pytest.mark.parametrize("line", ["", "no", "[]", '{"seq":1}'])
def test_a_line_that_is_no_row_is_named(uhi, tmp_path, line):
    """Ours: no traceback, whatever stands in the file."""
    file = tmp_path / "rows.jsonl"
    file.write_text(f"{line}\n")

    told = uhi("audit", "verify", "--rows", str(file))

    assert told.exit_code == 1
    assert "line 1" in told.stderr


def test_rows_are_listed_newest_first(uhi, url):
    """Ours: in pages, by what they say."""
    page = json.loads(uhi("audit", "list", "--url", url, "--limit", "2", "--json").stdout)
    further = json.loads(uhi("audit", "list", "--url", url, "--after", str(page["next"]), "--json").stdout)
    told = uhi("audit", "list", "--url", url, "--outcome", "refused").stdout

    assert [row["seq"] for row in page["rows"]] == [5, 4]
    assert [row["seq"] for row in further["rows"]] == [3, 2, 1]
    assert "registry.revoke  refused" in told
    assert "asha (person) from 192.0.2.7 → subscriber 4" in told


def test_a_private_key_is_not_whom_to_believe(uhi, url, tmp_path, key_file):
    """Ours: who has both halves is told which one is meant, and where to get it."""
    told = uhi("audit", "verify", "--url", url, "--checkpoints", str(tmp_path / "any"), "--key", str(key_file))

    assert told.exit_code == 1
    assert "its public half; uhi keys show FILE prints it" in told.stderr


@pytest.mark.parametrize("command", [("verify",), ("list",), ("export",)])
def test_a_mistyped_name_is_no_sound_trail(uhi, tmp_path, command):
    """Ours: a file that is not there is neither made nor looked into."""
    told = uhi("audit", *command, "--url", f"sqlite:///{tmp_path}/typo.db")

    assert told.exit_code == 2
    assert "there is no such database file" in told.stderr
    assert not (tmp_path / "typo.db").exists()


def test_a_time_in_words_is_answered_with_an_example(uhi, url):
    """Ours: nobody has to know what %Y stands for."""
    told = uhi("audit", "list", "--url", url, "--since", "yesterday")

    assert told.exit_code == 2
    assert "expected 2026-11-22" in told.stderr
    assert "%Y" not in told.stderr


def test_a_list_of_nothing_says_so(uhi, url):
    """Ours: an empty screen would tell nothing."""
    none = uhi("audit", "list", "--url", url, "--actor", "nobody.example", "--since", "2020-01-01")

    assert none.exit_code == 0
    assert "no row fits" in none.stdout
