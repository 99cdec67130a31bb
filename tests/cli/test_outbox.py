"""`uhi outbox`: what waits and what was not delivered, shown without bodies; sent again; given up."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from sqlalchemy import create_engine, insert, select

from uhi.storage.sql.tables import body, outbox

CREATED = 1_790_000_000.0
FAR = 4_000_000_000.0
CANARY = "Priya Sharma"

Put = Callable[..., None]


@pytest.fixture
def put(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Put:
    """Writes letters, by id and state, into the database that the settings name."""
    monkeypatch.setenv("UHI_DATABASE_URL", sqlite_url)
    engine = create_engine(sqlite_url)
    with engine.begin() as connection:
        connection.execute(insert(body).values(id="b-1", sealed=CANARY.encode(), created_at=CREATED))

    def write(letter_id: str, state: str, **columns) -> None:
        values = {
            "dest_subscriber_id": "app.example",
            "dest_role": "consumer",
            "dest_url": "https://app.example/uhi",
            "action": "on_confirm",
            "message_id": "m-1",
            "transaction_id": "t-1",
            "order_id": "order-7",
            "body_id": "b-1",
            "digest": "digest==",
            "size": 2_345,
            "is_critical": True,
            "is_relayed": False,
            "priority": 1,
            "kept": CANARY,
            "not_before": FAR,
            "deadline": FAR,
            "attempts": 3,
            "last_status": 503,
            "last_error_code": "NET_OVERLOADED",
            "created_at": CREATED,
        }
        with engine.begin() as connection:
            connection.execute(insert(outbox).values(values | {"id": letter_id, "state": state} | columns))

    yield write
    engine.dispose()


@pytest.fixture
def state_of(sqlite_url: str) -> Callable[[str], str]:
    """The state of a letter, as the database has it."""

    def read(letter_id: str) -> str:
        engine = create_engine(sqlite_url)
        with engine.connect() as connection:
            state = connection.execute(select(outbox.c.state).where(outbox.c.id == letter_id)).scalar_one()
        engine.dispose()
        return str(state)

    return read


LISTED = """\
DEAD       on_status → ward
  l-2
  12 attempts, last: no answer
  ended Mon 21 Sep 2026 19:43:20 IST
READY      on_confirm → app
  l-1
  3 attempts, last: HTTP 503 NET_OVERLOADED
  next attempt Tue 02 Oct 2096 12:36:40 IST

2 letters: READY 1, DEAD 1
"""


def test_list_shows_what_is_not_delivered_in_short_lines(uhi, put):
    """Issue "Outbox": `uhi outbox list`; an operator may look from a phone."""
    put("l-1", "READY")
    put(
        *("l-2", "DEAD"),
        action="on_status",
        dest_subscriber_id="ward.example",
        attempts=12,
        last_status=0,
        last_error_code="no answer",
        ended_at=CREATED,
    )
    put("l-3", "DELIVERED")

    done = uhi("outbox", "list")

    assert (done.exit_code, done.stdout) == (0, LISTED)
    assert max(map(len, done.stdout.splitlines())) <= 50


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        (("--state", "dead", "--state", "DELIVERED"), ["l-3", "l-2"]),
        (("--to", "ward.example"), ["l-2"]),
        (("--transaction", "t-1", "--limit", "1"), ["l-1"]),
    ],
)
def test_list_takes_filters(uhi, put, options, ids):
    """Issue "Outbox": by state, receiver and transaction."""
    put("l-1", "READY")
    put("l-2", "DEAD", dest_subscriber_id="ward.example", transaction_id="t-2")
    put("l-3", "DELIVERED", transaction_id="t-3")

    told = json.loads(uhi("outbox", "list", *options, "--json").stdout)

    assert [each["id"] for each in told["letters"]] == ids


def test_list_says_how_many_are_not_shown(uhi, put):
    """Ours: a list that was cut says so, and counts all."""
    for number in range(3):
        put(f"l-{number}", "READY")

    done = uhi("outbox", "list", "--limit", "2")

    assert done.stdout.endswith("3 letters: READY 3\nThe newest 2 are shown; --limit shows more.\n")


def test_empty_list_is_said_to_be_empty(uhi, put):
    """Ours: the good case is a sentence too."""
    assert uhi("outbox", "list").stdout == "no letter fits\n"


@pytest.mark.parametrize(
    ("columns", "standing"),
    [
        ({"state": "READY", "attempts": 0, "last_status": 0, "last_error_code": ""}, "not tried yet\n  next attempt"),
        ({"state": "READY", "not_before": CREATED}, "due now"),
        ({"state": "LEASED", "lease_until": FAR}, "is being sent"),
        ({"state": "LEASED", "lease_until": CREATED}, "was being sent by a process that is gone"),
    ],
)
def test_list_tells_how_a_letter_stands(uhi, put, columns, standing):
    """Ours: what happens next, in words."""
    put("l-1", **columns)

    assert standing in uhi("outbox", "list").stdout


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["text", "json"])
def test_show_tells_everything_but_body_and_signature(uhi, put, options):
    """Rules on errors and logs: never a body, never a signature."""
    put("l-1", "DEAD")

    done = uhi("outbox", "show", "l-1", *options)

    assert done.exit_code == 0
    for fact in ("l-1", "DEAD", "app.example", "on_confirm", "t-1", "m-1", "order-7", "NET_OVERLOADED", "digest=="):
        assert fact in done.stdout
    assert CANARY not in done.stdout


def test_show_of_an_unknown_letter_exits_with_1(uhi, put):
    """Ours: a mistyped id is a failure with a next step."""
    done = uhi("outbox", "show", "l-9")

    assert done.exit_code == 1
    assert "uhi outbox list" in done.stderr


def test_replay_makes_letters_due(uhi, put, state_of):
    """Issue "Outbox": `uhi outbox replay`, several at once."""
    put("l-1", "DEAD")
    put("l-2", "EXPIRED")

    done = uhi("outbox", "replay", "l-1", "l-2")

    assert (done.exit_code, done.stdout) == (0, "l-1\n  due now\nl-2\n  due now\n")
    assert [state_of("l-1"), state_of("l-2")] == ["READY", "READY"]


def test_replay_exits_with_1_when_a_letter_was_left_as_it_is(uhi, put, state_of):
    """Ours: what can be sent again is, and the rest says why not."""
    put("l-1", "DEAD")
    put("l-2", "DELIVERED")

    done = uhi("outbox", "replay", "l-1", "l-2", "--json")

    assert done.exit_code == 1
    assert json.loads(done.stdout) == {
        "ok": False,
        "letters": [
            {"id": "l-1", "done": True, "reason": ""},
            {"id": "l-2", "done": False, "reason": "it is DELIVERED: --force sends it again"},
        ],
    }
    assert uhi("outbox", "replay", "l-2", "--force").exit_code == 0


def test_drop_asks_first(uhi, put, state_of):
    """Issue "Outbox": what is given up is gone for the receiver, so it takes a yes."""
    put("l-1", "READY")

    refused = uhi("outbox", "drop", "l-1", stdin="n\n")
    assert (refused.exit_code, state_of("l-1")) == (130, "READY")

    agreed = uhi("outbox", "drop", "l-1", stdin="y\n")
    assert (agreed.exit_code, agreed.stdout, state_of("l-1")) == (0, "l-1\n  given up\n", "DEAD")
    assert "Give this letter up for good?" in agreed.stderr


def test_drop_with_yes_does_not_ask(uhi, put, state_of):
    """Ours: for scripts; under `--json` nothing but JSON is printed."""
    put("l-1", "READY")

    done = uhi("outbox", "drop", "l-1", "--yes", "--json")

    assert json.loads(done.stdout) == {"ok": True, "letters": [{"id": "l-1", "done": True, "reason": ""}]}
    assert "dropped" in uhi("outbox", "show", "l-1").stdout


def test_replayed_letter_is_due_at_the_present_time(uhi, put):
    """Ours: the command's clock is the system's."""
    put("l-1", "DEAD")

    uhi("outbox", "replay", "l-1")

    assert "due now" in uhi("outbox", "list").stdout


@pytest.mark.parametrize("command", ["list", "show", "replay", "drop"])
def test_every_command_explains_itself(uhi, command):
    """Ours: `--help` explains each option."""
    done = uhi("outbox", command, "--help")

    assert done.stdout.startswith(f"Usage: uhi outbox {command} ")
    assert all(len(line.split()) > 1 for line in done.stdout.splitlines() if line.lstrip().startswith("--"))
