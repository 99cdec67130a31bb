"""The trail in the database: gapless, chained, in the caller's transaction, and final."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import pairwise

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.audit.deeds import NOON, deed, refusal
from uhi.audit import ActorKind, Outcome
from uhi.audit.chain import MOST_TEXT, NAMES, Head, hash_of
from uhi.audit.trail import AuditTrail, Wanted, append, head_of
from uhi.storage.sql.database import Database
from uhi.testing import FakeClock

_FORBIDDEN = [
    "UPDATE audit SET reason = 'another' WHERE seq = 2",
    "DELETE FROM audit WHERE seq = 3",
    "DELETE FROM audit",
    f"INSERT INTO audit SELECT 9, {', '.join(NAMES[1:])} FROM audit WHERE seq = 3",
    "UPDATE audit_head SET seq = 1",
    "UPDATE audit_head SET hash = 'another'",
    "DELETE FROM audit_head",
    "INSERT INTO audit_head (place, seq, hash) VALUES (2, 9, '')",
]


async def test_rows_are_numbered_and_chained(trail):
    """Security rules, audit log: seq is gapless, each row carries the hash of the one before."""
    await trail.write(deed(1))
    await trail.write(deed(2), refusal(3))

    rows = await trail.rows()

    assert [row.seq for row in rows] == [1, 2, 3]
    assert [row.prev_hash for row in rows] == ["", rows[0].hash, rows[1].hash]
    assert [row.hash for row in rows] == [hash_of(row) for row in rows]
    assert await trail.head() == rows[-1].head


async def test_a_row_says_what_the_entry_said(trail):
    """Security rules, audit log: who, what, which record, when, from where, with what outcome."""
    entry = replace(refusal(1), reason="not asked for", before="0a", after="0b")

    await trail.write(entry)

    [row] = await trail.rows()
    assert (row.actor, row.actor_kind, row.action, row.object) == ("asha", "person", "registry.revoke", "subscriber 1")
    assert (row.at, row.address, row.tenant, row.request_id) == (NOON, "192.0.2.7", "network", "r-1")
    assert (row.outcome, row.reason, row.before, row.after) == ("refused", "not asked for", "0a", "0b")


async def test_an_undone_change_leaves_no_row(database, trail):
    """Ours: a change and its row are one step."""

    def fails(connection):
        append(connection, deed(1))
        raise LookupError("no such record")

    with pytest.raises(LookupError):
        await database.write(fails)

    await trail.write(deed(2))
    assert [row.object for row in await trail.rows()] == ["subscriber clinic2.example"]


async def test_many_at_once_leave_no_gap(database, trail):
    """Security rules, audit log: one chain, whoever writes."""
    for number in range(30):
        trail.later(deed(number))
    await asyncio.gather(*(trail.write(deed(number), refusal(number)) for number in range(20)))
    await asyncio.gather(*(database.apart(lambda connection: append(connection, deed(5))) for _ in range(5)))
    await trail.write(deed(0))

    rows = await trail.rows()

    assert [row.seq for row in rows] == list(range(1, 30 + 40 + 5 + 2))
    assert all(later.prev_hash == row.hash for row, later in pairwise(rows))


async def test_two_processes_at_once_leave_no_gap(postgres_url):
    """Security rules, audit log: the head is locked until the transaction that appends has ended."""
    both = [Database.open(postgres_url, clock=FakeClock(jumps=False)) for _ in range(2)]
    trails = [AuditTrail(each) for each in both]

    await asyncio.gather(*(trail.write(deed(number)) for number in range(25) for trail in trails))

    rows = await trails[0].rows()
    assert [row.seq for row in rows] == list(range(1, 51))
    assert len({row.prev_hash for row in rows}) == 50
    for each in both:
        await each.aclose()


@pytest.mark.parametrize("statement", _FORBIDDEN)
async def test_a_row_is_never_changed(database, trail, statement):
    """Security rules, audit log: triggers refuse UPDATE and DELETE, on both databases."""
    await trail.write(deed(1), deed(2), deed(3))
    before = await trail.rows()

    told = await database.write(lambda connection: _told(connection, statement))

    assert "audit trail" in told
    assert await trail.rows() == before
    assert await trail.head() == before[-1].head


@pytest.mark.parametrize("table", ["audit", "audit_head"])
async def test_a_table_is_not_emptied(postgres_url, table):
    """Ours: TRUNCATE fires no trigger of single rows."""
    database = Database.open(postgres_url, clock=FakeClock(jumps=False))

    told = await database.write(lambda connection: _told(connection, f"TRUNCATE {table}"))

    assert "audit trail" in told
    await database.aclose()


_REST = ", ".join(NAMES[1:])


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE seq = 1", "audit trail"),
        (f"INSERT OR REPLACE INTO audit (rowid, seq, {_REST}) SELECT 1, 3, {_REST} FROM audit WHERE seq = 2", "rowid"),
        ("UPDATE OR REPLACE audit SET seq = 1 WHERE seq = 2", "audit trail"),
        ("REPLACE INTO audit_head (place, seq, hash) VALUES (1, 0, '')", "audit trail"),
    ],
)
async def test_a_row_is_not_replaced(sqlite_url, statement, why):
    """Ours: SQLite's INSERT OR REPLACE fires no trigger of deletion, whichever key it replaces by."""
    database = Database.open(sqlite_url, clock=FakeClock(jumps=False))
    trail = AuditTrail(database)
    await trail.write(deed(1), deed(2))

    told = await database.write(lambda connection: _told(connection, statement))

    assert why in told
    assert [row.seq for row in await trail.rows()] == [1, 2]
    await database.aclose()


async def test_texts_of_others_are_bounded_and_print(trail):
    """Ours: NUL would make PostgreSQL refuse the row, and the change with it; a long text would fill the disk."""
    hostile = replace(deed(1), actor="a\x00b\nc\ud800d", reason="x" * 10_000)

    await trail.write(hostile)

    [row] = await trail.rows()
    assert row.actor == "a·b·c·d"
    assert len(row.reason) == MOST_TEXT


async def test_rows_are_found_by_what_they_say(trail):
    """Ours: who did something, to which record, how it ended, when."""
    await trail.write(deed(1), refusal(2), replace(deed(3), actor="ravi", actor_kind=ActorKind.OPERATOR))

    async def found(**wanted):
        return [row.seq for row in await trail.rows(wanted=Wanted(**wanted))]

    assert await found(actor="ravi") == [3]
    assert await found(action="registry.") == [1, 2, 3]
    assert await found(action="registry.revoke") == [2]
    assert await found(object="subscriber clinic1.example") == [1]
    assert await found(outcome=Outcome.REFUSED.value, tenant="network") == [2]
    assert await found(since=NOON + 1, until=NOON + 3) == [1]


async def test_rows_come_in_pages_both_ways(trail):
    """Ours: a page ends with the seq that the next one goes on after."""
    await trail.write(*(deed(number) for number in range(5)))

    first = await trail.rows(most=2)
    last = await trail.rows(most=2, newest=True)

    assert [row.seq for row in await trail.rows(after=first[-1].seq, most=2)] == [3, 4]
    assert [row.seq for row in await trail.rows(after=last[-1].seq, most=2, newest=True)] == [3, 2]
    assert [row.seq async for row in trail.each(after=1)] == [2, 3, 4, 5]


async def test_a_trail_without_rows_has_the_first_head(database, trail):
    """Ours: the head is there from the beginning, so that nobody has to make it."""
    assert await trail.head() == Head(0, "")
    assert await database.read(head_of) == Head()
    assert await trail.rows() == []


def _told(connection, statement):
    """What the database says of a statement, past the writer's own sentence."""
    try:
        with connection.begin_nested():
            connection.execute(text(statement))
    except DBAPIError as error:
        return str(error.orig)
    return "done"
