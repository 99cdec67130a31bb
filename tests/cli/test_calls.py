"""`uhi calls`: the timeline of a transaction and lists of hops, on wide and narrow terminals and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import create_engine

from uhi.messages.values import IST
from uhi.ports import Direction, Hop
from uhi.storage.sql.calls import insert_hops

START = datetime(2026, 11, 22, 10, 30, tzinfo=IST).timestamp()
T = "0a1b2c3d-5e6f-4a7b-8c9d-0e1f2a3b4c5d"
APP, GATEWAY, CLINIC = "app.example", "gateway.example", "city-clinic.example"


def hop(after: float, way: Direction, parties: tuple[str, str], action: str, **fields) -> Hop:
    told = {"outcome": "ACK", "status": 200, "ms": 4.2, "transaction_id": T, **fields}
    sender, receiver = parties
    return Hop(START + after, way, sender, receiver, action, message_id="m-1", **told)


ASKED = hop(
    *(0, Direction.IN, (APP, GATEWAY), "search"),
    consumer_url="https://app.example/uhi",
    category="nic2004:85111 Physical CARDIOLOGY",
    stage="requested",
)
LOST = hop(
    *(0.01, Direction.OUT, (GATEWAY, CLINIC), "search"),
    outcome="no answer",
    status=0,
    ms=3_000,
    detail="city-clinic.example did not answer within 3 s; see that it runs",
)
TAKEN = hop(3.5, Direction.OUT, (GATEWAY, CLINIC), "search", attempt=2)
ANSWER = hop(4, Direction.IN, (CLINIC, GATEWAY), "on_search", stage="responded")
TO_APP = hop(4.1, Direction.OUT, (GATEWAY, APP), "on_search")
RENDERED = hop(86_400, Direction.IN, (CLINIC, GATEWAY), "on_update_audit", stage="rendered")
HOPS = [ASKED, LOST, TAKEN, ANSWER, TO_APP, RENDERED]

NARROW = """\
Sun 22 Nov 2026, India
10:30:00.000  app → gateway
              search  ACK, requested  4.2 ms
10:30:00.010  gateway → city-clinic
              search  no answer  3,000.0 ms
              city-clinic.example did not answer
              within 3 s; see that it runs
10:30:03.500  gateway → city-clinic
              search  ACK, attempt 2  4.2 ms
10:30:04.000  city-clinic → gateway
              on_search  ACK, responded  4.2 ms
10:30:04.100  gateway → app
              on_search  ACK  4.2 ms
Mon 23 Nov 2026, India
10:30:00.000  city-clinic → gateway
              on_update_audit  ACK, rendered  4.2 ms

consumer  app.example
address   https://app.example/uhi
category  nic2004:85111 Physical CARDIOLOGY
received  Sun 22 Nov 2026 10:30:00 IST
receipt   ACK after 4.2 ms
stage     requested → responded → rendered
call      success

providers: 1 asked, 1 answered
  city-clinic
    took the search at attempt 2, answered after 4.0 s
"""
WIDE = """\
Sun 22 Nov 2026, India
10:30:00.000  app → gateway          search           ACK, requested      4.2 ms
10:30:00.010  gateway → city-clinic  search           no answer       3,000.0 ms
              city-clinic.example did not answer within 3 s; see that it runs
10:30:03.500  gateway → city-clinic  search           ACK, attempt 2      4.2 ms
"""


@pytest.fixture
def logged(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Writes hops into the database that the settings name."""
    monkeypatch.setenv("UHI_DATABASE_URL", sqlite_url)

    def write(*hops: Hop) -> None:
        engine = create_engine(sqlite_url)
        with engine.begin() as connection:
            insert_hops(connection, hops)
        engine.dispose()

    return write


def test_timeline_of_a_transaction_fits_a_telephone(uhi, logged, monkeypatch):
    """Issue "Call log": `uhi calls TRANSACTION` prints the timeline; an operator may look from a phone."""
    monkeypatch.setenv("COLUMNS", "50")
    logged(*HOPS)

    done = uhi("calls", T)

    assert (done.exit_code, done.stdout) == (0, NARROW)


def test_wide_terminal_shows_a_line_per_hop(uhi, logged, monkeypatch):
    """Ours: as many columns as the widest hop needs."""
    monkeypatch.setenv("COLUMNS", "90")
    logged(*HOPS)

    assert uhi("calls", T).stdout.startswith(WIDE)


def test_failed_call_says_why(uhi, logged):
    """FRS BR-008: call status success or failed."""
    logged(ASKED, LOST)

    done = uhi("calls", T)

    assert "call      failed: no provider has answered\n" in done.stdout
    assert "no answer, has not answered" in done.stdout


def test_transaction_as_json_is_the_record_and_its_hops(uhi, logged):
    """Issue section 4: `--json` everywhere; FRS BR-008: the record's fields."""
    logged(*HOPS)

    told = json.loads(uhi("calls", T, "--json").stdout)

    assert told["ok"] is True
    assert [each["action"] for each in told["hops"]] == [each.action for each in HOPS]
    record = told["record"]
    assert (record["consumer_id"], record["status"], record["stage"]) == (APP, "success", "rendered")
    assert (record["received"], record["acknowledged"]) == ("2026-11-22T05:00:00.000Z", "2026-11-22T05:00:00.004Z")
    assert [(each["provider"], each["attempts"], each["answers"]) for each in record["answers"]] == [(CLINIC, 2, 1)]


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["text", "json"])
def test_unknown_transaction_exits_with_1_and_says_so(uhi, logged, options):
    """Ours: scripts tell an unknown transaction from a known one."""
    done = uhi("calls", "unknown", *options)

    assert done.exit_code == 1
    assert "the call log has nothing of this transaction" in done.output


def test_hops_are_listed_newest_first_with_their_transactions(uhi, logged):
    """Issue "Call log": queryable by subscriber, day, outcome."""
    logged(*HOPS, replace(LOST, transaction_id="other", receiver="x.example"))

    done = uhi("calls", "--subscriber", CLINIC, "--day", "2026-11-22", "--outcome", "FAILED")

    assert done.exit_code == 0
    assert f"transaction {T}" in done.stdout
    assert "no answer" in done.stdout
    assert "other" not in done.stdout
    assert "ACK" not in done.stdout


def test_list_goes_on_after_its_mark(uhi, logged):
    """Ours: the end of a page tells how to see the next."""
    logged(*HOPS)

    first = json.loads(uhi("calls", "--limit", "4", "--json").stdout)
    second = json.loads(uhi("calls", "--limit", "4", "--after", first["next"], "--json").stdout)

    assert f"add --after {first['next']}" in uhi("calls", "--limit", "4").stdout
    assert [each["action"] for each in first["hops"] + second["hops"]] == [each.action for each in reversed(HOPS)]
    assert second["next"] == ""


def test_empty_list_is_said_to_be_empty(uhi, logged):
    """Ours: as `uhi search`, which found nobody."""
    assert uhi("calls", "--day", "2026-11-21").stdout == "no hop fits; list less strictly\n"
    assert json.loads(uhi("calls", "--json").stdout) == {"ok": True, "hops": [], "next": ""}


@pytest.mark.parametrize(
    "arguments", [(T, "--outcome", "ACK"), ("--day", "yesterday"), ("--limit", "0"), ("--after", "nothing")]
)
def test_wrong_call_exits_with_2(uhi, logged, arguments):
    """Ours: usage errors look like all others."""
    done = uhi("calls", *arguments)

    assert done.exit_code == 2
    assert done.stderr.startswith("error: ")


def test_missing_address_is_the_operators_mistake(uhi, monkeypatch):
    """Ours: found before anything is opened."""
    monkeypatch.delenv("UHI_DATABASE_URL", raising=False)

    done = uhi("calls", T)

    assert done.exit_code == 2
    assert "expected  --url or UHI_DATABASE_URL" in done.stderr


def test_database_that_is_not_there_is_not_made(uhi, tmp_path):
    """Ours: a mistyped name leaves no empty file behind, and nobody is told to make one."""
    done = uhi("calls", T, "--url", f"sqlite:///{tmp_path}/nowhere.db")

    assert done.exit_code == 2
    assert "there is no such database file" in done.stderr
    assert "uhi db upgrade" not in done.stderr
    assert not (tmp_path / "nowhere.db").exists()


def test_peers_text_cannot_move_the_cursor(uhi, logged):
    """Ours: ids are chosen by peers, who may put anything there."""
    logged(replace(ASKED, sender="app\x1b[2J", detail="a\nb"))

    assert "\x1b" not in uhi("calls", T).stdout


def test_it_explains_itself(uhi):
    """Ours: `--help` explains each option."""
    done = uhi("calls", "--help")

    assert done.stdout.startswith("Usage: uhi calls ")
    assert all(len(line.split()) > 1 for line in done.stdout.splitlines() if line.lstrip().startswith("--"))


def test_postgresql_is_asked_the_same(uhi, postgres_url, monkeypatch):
    """Ours: one command for both databases."""
    assert uhi("calls", "--url", postgres_url).stdout == "no hop fits; list less strictly\n"
