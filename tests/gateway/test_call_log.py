"""The call log as a file: a line per hop, nothing about patients, and a hop never waits for it."""

from __future__ import annotations

import json
import logging
import os
import stat
from dataclasses import replace
from threading import Event

import pytest

from gateway import call_log
from gateway.call_log import JsonLinesCalls, hop_line
from uhi.errors import SetupError
from uhi.ports import CallLog, Direction, Hop

HOP = Hop(
    at=1_790_000_000.5,
    direction=Direction.OUT,
    sender="gateway.example",
    receiver="clinic.example",
    action="search",
    transaction_id="t-1",
    message_id="m-1",
    outcome="ACK",
    status=200,
    ms=12.345,
)


def test_line_tells_who_what_when_outcome_and_milliseconds(tmp_path):
    """Issue section 3: a line per hop in a call log."""
    with JsonLinesCalls(tmp_path / "calls.jsonl") as calls:
        calls.write(HOP)

    [line] = (tmp_path / "calls.jsonl").read_text().splitlines()
    assert json.loads(line) == {
        "at": "2026-09-21T14:13:20.500Z",
        "direction": "out",
        "sender": "gateway.example",
        "receiver": "clinic.example",
        "action": "search",
        "transaction_id": "t-1",
        "message_id": "m-1",
        "outcome": "ACK",
        "status": 200,
        "ms": 12.3,
        "attempt": 1,
    }


def test_file_is_the_owners_and_is_continued(tmp_path):
    """Who talks with whom is nobody else's business; a restart loses nothing."""
    path = tmp_path / "calls.jsonl"

    for number in range(2):
        with JsonLinesCalls(path) as calls:
            calls.write(replace(HOP, attempt=number))

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [json.loads(line)["attempt"] for line in path.read_text().splitlines()] == [0, 1]


def test_many_lines_keep_their_order(tmp_path):
    """A search fans out to thousands within a moment."""
    with JsonLinesCalls(tmp_path / "calls.jsonl") as calls:
        for number in range(5_000):
            calls.write(replace(HOP, attempt=number))

    lines = (tmp_path / "calls.jsonl").read_text().splitlines()
    assert [json.loads(line)["attempt"] for line in lines] == list(range(5_000))


def test_numbers_and_addresses_of_patients_are_masked():
    """Rules on log redaction: ids are chosen by peers, who may put anything there."""
    line = hop_line(replace(HOP, message_id="9876543210", detail="bad id priya@abdm", sender="a\nb\ud800"))

    assert b"9876543210" not in line
    assert b"priya" not in line
    assert line.count(b"\n") == 1


def test_hop_does_not_wait_for_the_disk(tmp_path, monkeypatch, caplog):
    """`CallLog.write` must not wait and must not raise: what finds no room is counted, and said at the end."""
    disk_is_back = Event()
    monkeypatch.setattr(call_log, "_MOST_WAITING", 10)
    monkeypatch.setattr(call_log, "_write_all", lambda file, data: disk_is_back.wait(60) and os.write(file, data))

    calls = JsonLinesCalls(tmp_path / "calls.jsonl")
    for _ in range(2_000):
        calls.write(HOP)
    disk_is_back.set()
    with caplog.at_level(logging.ERROR):
        calls.close()

    written = len((tmp_path / "calls.jsonl").read_text().splitlines())
    assert 10 <= written < 2_000
    assert f"{2_000 - written} lines of the call log could not be written" in caplog.text


def test_full_disk_ends_nothing(tmp_path, monkeypatch, caplog):
    """As above."""

    def full(file: int, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(call_log, "_write_all", full)

    with caplog.at_level(logging.ERROR), JsonLinesCalls(tmp_path / "calls.jsonl") as calls:
        calls.write(HOP)

    assert "1 lines of the call log could not be written" in caplog.text


def test_file_that_cannot_be_written_is_the_operators_mistake(tmp_path):
    """Found before the first request."""
    with pytest.raises(SetupError, match="cannot be written, got No such file or directory"):
        JsonLinesCalls(tmp_path / "nowhere" / "calls.jsonl")


def test_it_is_a_call_log(tmp_path):
    """The port it stands behind; closing twice is once."""
    calls = JsonLinesCalls(tmp_path / "calls.jsonl")
    log: CallLog = calls

    log.write(HOP)
    calls.close()
    calls.close()

    assert (tmp_path / "calls.jsonl").read_bytes() == hop_line(HOP)
