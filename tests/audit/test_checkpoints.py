"""Checkpoints: signed apart from everything else, read back line by line, made every hour of what was doubted first."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import replace

import pytest

from tests.audit.deeds import NOON, chained, deed, replace_rows, tamper
from uhi.audit.chain import NAMES, Head, link_after
from uhi.audit.checkpointing import EVERY_SECONDS, Anchor, Checkpointing, verify_trail
from uhi.audit.checkpoints import (
    CHECKPOINT_PREFIX,
    add_checkpoint,
    check_checkpoint,
    read_checkpoints,
    sign_checkpoint,
)
from uhi.errors import AuditBroken, SetupError
from uhi.signing import UHI, PrivateKey, signing_string

KEY = PrivateKey(bytes(range(32)))
OTHER = PrivateKey(bytes(32))
HEAD = Head(8, "ab" * 32)
CLINIC = "clinic.example"
_DEEDS = {
    "edit": (["UPDATE audit SET outcome = 'refused' WHERE seq = 3"], 3),
    "edit of a time": (["UPDATE audit SET at = at + 0.5 WHERE seq = 5"], 5),
    "delete": (["DELETE FROM audit WHERE seq = 2"], 2),
    "delete of the first": (["DELETE FROM audit WHERE seq = 1"], 1),
    "swap": ([f"UPDATE audit SET seq = {new} WHERE seq = {old}" for old, new in ((2, 99), (4, 2), (99, 4))], 2),
    "truncate": (["DELETE FROM audit WHERE seq > 3"], 4),
    "put in before the first": ([f"INSERT INTO audit SELECT -7, {', '.join(NAMES[1:])} FROM audit WHERE seq = 3"], -7),
    "no head": (["DELETE FROM audit_head"], None),
    "another head": (["UPDATE audit_head SET hash = 'ab'"], 1),
    "a head that lags": (["UPDATE audit_head SET seq = 3, hash = (SELECT hash FROM audit WHERE seq = 3)"], 4),
}


@pytest.fixture
def anchor(tmp_path):
    return Anchor(tmp_path / "checkpoints.jsonl", KEY, CLINIC)


@pytest.fixture
def checkpointing(trail, anchor, clock):
    return Checkpointing(trail, anchor, clock=clock)


def read(anchor):
    """Every checkpoint of the file."""
    return read_checkpoints(anchor.file, [KEY.public], trail=CLINIC)


def test_a_checkpoint_is_read_back(anchor):
    """Security rules, audit log: chain length and head hash, signed with the audit key."""
    made = sign_checkpoint(HEAD, KEY, trail=CLINIC, now=NOON)

    add_checkpoint(anchor.file, made)

    assert read(anchor) == [made]
    assert (made.head, made.at, made.key) == (HEAD, int(NOON), KEY.public.raw_base64())


@pytest.mark.parametrize(
    "change", [{"seq": 9}, {"hash": "cd" * 32}, {"at": 1}, {"trail": "x"}, {"signature": "AAAA"}, {"signature": "é"}]
)
def test_a_changed_checkpoint_is_found(anchor, change):
    """Security rules, audit log: an anchor that anyone could write would hold nothing."""
    line = json.loads(sign_checkpoint(HEAD, KEY, trail=CLINIC, now=NOON).line())
    anchor.file.write_text(json.dumps(line | change))

    with pytest.raises(AuditBroken, match="forged"):
        read(anchor)


def test_a_checkpoint_of_another_key_or_trail_is_not_believed():
    """Ours: keys are given, not taken from the file; another program's checkpoints say nothing of this one."""
    made = sign_checkpoint(HEAD, OTHER, trail=CLINIC, now=NOON)

    with pytest.raises(AuditBroken, match="not trusted"):
        check_checkpoint(made, [KEY.public], trail=CLINIC)
    with pytest.raises(AuditBroken, match="another trail"):
        check_checkpoint(made, [KEY.public, OTHER.public], trail="lab.example")


async def test_a_checkpoint_made_before_the_database_had_an_owner_counts(trail, anchor, clock):
    """Ours: the one that the how-to makes first; the program goes on in its file."""
    await Checkpointing(trail, replace(anchor, trail=""), clock=clock).make()
    await trail.write(deed(1))

    made = await Checkpointing(trail, anchor, clock=clock).make()

    assert [each.head.seq for each in read(anchor)] == [0, 1]
    assert made.trail == CLINIC


async def test_a_checkpoint_of_a_time_to_come_is_said_and_not_taken_for_a_young_one(checkpointing, clock):
    """Ours: a clock that was wrong once would end all checkpoints without a word."""
    await checkpointing.make()
    clock.time -= 10 * EVERY_SECONDS

    with pytest.raises(AuditBroken, match="of a time to come"):
        await checkpointing.make(unless_younger=EVERY_SECONDS)


@pytest.mark.parametrize("line", ["", "no", "[]", "{}", '{"trail":1,"seq":1,"hash":"","at":1,"key":"","signature":""}'])
def test_a_line_that_is_no_checkpoint_is_named(anchor, line):
    """Ours: nothing in the file is passed over."""
    anchor.file.write_bytes(sign_checkpoint(HEAD, KEY, trail=CLINIC, now=NOON).line() + line.encode() + b"\n")

    with pytest.raises(AuditBroken, match="line 2"):
        read(anchor)


def test_checkpoints_only_grow(anchor):
    """Ours: a shorter trail after a longer one, or an earlier time, is no history."""
    for seq, at in ((8, NOON), (7, NOON + 1)):
        add_checkpoint(anchor.file, sign_checkpoint(Head(seq, "ab"), KEY, trail=CLINIC, now=at))

    with pytest.raises(AuditBroken, match="out of order"):
        read(anchor)


def test_a_file_that_cannot_be_used_is_the_operators_to_mend(tmp_path):
    """Ours: no traceback."""
    with pytest.raises(SetupError, match="cannot be written"):
        add_checkpoint(tmp_path / "none" / "file", sign_checkpoint(HEAD, KEY, trail=CLINIC, now=NOON))
    with pytest.raises(SetupError, match="cannot be read"):
        read_checkpoints(tmp_path / "none", [KEY.public])


def test_what_is_signed_can_be_nothing_else():
    """Signature rules: audit signatures carry a fixed prefix, disjoint from both profiles."""
    made = sign_checkpoint(HEAD, KEY, trail=CLINIC, now=NOON)
    message = signing_string(UHI, created=1, expires=2, digest="x").encode()

    assert made.signed_bytes().startswith(CHECKPOINT_PREFIX.encode())
    assert not message.startswith(CHECKPOINT_PREFIX[:5].encode())


async def test_one_is_made_every_hour(trail, checkpointing, anchor, clock):
    """Security rules, audit log: hourly."""
    await trail.write(deed(1), deed(2))

    running = asyncio.create_task(checkpointing.run())
    await _until(lambda: anchor.file.exists() and read(anchor))
    await trail.write(deed(3))
    while len(read(anchor)) < 2:
        await clock.advance(EVERY_SECONDS / 2)
        await asyncio.sleep(0.01)
    running.cancel()

    first, second = read(anchor)[:2]
    assert (first.head.seq, second.head.seq) == (2, 3)
    assert EVERY_SECONDS <= second.at - first.at <= 2 * EVERY_SECONDS


async def test_several_processes_make_one(trail, anchor, clock):
    """Ours: the workers of a gateway share the file."""
    await trail.write(deed(1))
    crew = [Checkpointing(trail, anchor, clock=clock) for _ in range(4)]

    await asyncio.gather(*(each.make(unless_younger=EVERY_SECONDS) for each in crew))

    assert len(read(anchor)) == 1


async def test_nothing_is_signed_when_the_trail_is_broken(database, trail, checkpointing, anchor, caplog):
    """Ours: the missing checkpoint is what others can see; the log says why."""
    await trail.write(deed(1), deed(2), deed(3))
    await database.write(lambda connection: tamper(connection, "UPDATE audit SET actor = 'ravi' WHERE seq = 2"))

    with caplog.at_level(logging.ERROR):
        running = asyncio.create_task(checkpointing.run())
        await _until(lambda: caplog.records)
    running.cancel()

    assert "row 2" in caplog.text
    assert not anchor.file.exists()


async def test_truncation_back_before_the_last_checkpoint_is_found(database, trail, checkpointing):
    """Security rules, audit log: with the head changed too, only the checkpoint knows."""
    await trail.write(*(deed(number) for number in range(3)))
    await checkpointing.make()
    await database.write(lambda connection: replace_rows(connection, chained(2)))
    assert (await verify_trail(trail)).seq == 2

    with pytest.raises(AuditBroken) as caught:
        await checkpointing.make()

    assert caught.value.seq == 3


async def test_a_complete_recompute_is_found_by_the_checkpoint(database, trail, checkpointing):
    """Issue: the rows alone, and the database's own head, are consistent again."""
    await trail.write(*(deed(number) for number in range(5)))
    made = await checkpointing.make()
    forged = [*chained(3), link_after(chained(3)[-1].head, deed(77))]
    await database.write(lambda connection: replace_rows(connection, [*forged, link_after(forged[-1].head, deed(4))]))
    assert (await verify_trail(trail)).seq == 5

    with pytest.raises(AuditBroken, match="rows 1 to 5") as caught:
        await verify_trail(trail, [made.witness])

    assert caught.value.seq == 1


@pytest.mark.parametrize(("statements", "bad"), _DEEDS.values(), ids=_DEEDS)
async def test_what_somebody_did_to_the_rows_is_found(database, trail, statements, bad):
    """Issue: edit, delete, swap, truncate, on both databases, by somebody who put the triggers out of the way."""
    await trail.write(*(deed(number) for number in range(5)))
    assert (await verify_trail(trail)).seq == 5

    await database.write(lambda connection: tamper(connection, *statements))

    with pytest.raises(AuditBroken) as caught:
        await verify_trail(trail)
    assert caught.value.seq == bad


async def _until(found):
    async with asyncio.timeout(20):
        while not found():  # noqa: ASYNC110  # a file that another thread writes
            await asyncio.sleep(0)
