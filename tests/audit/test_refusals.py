"""Refused messages in the audit trail: each kind, few rows, whoever sends whatever how often."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from uhi.audit.refusals import EVERY_SECONDS, MOST_KINDS, MOST_ROWS, ROWS_EACH_MINUTE, AuditedCalls
from uhi.observability.call_log import RememberedCalls
from uhi.ports import Direction, Hop
from uhi.storage.sql.groups import overloaded
from uhi.testing.clock import START

HOP = Hop(
    at=START,
    direction=Direction.IN,
    sender="?",
    receiver="clinic.example",
    action="search",
    transaction_id="t-1",
    message_id="m-1",
    outcome="AUT_SIGNATURE_INVALID",
    status=401,
    ms=1.0,
    detail="somebody's words",
    address="192.0.2.7",
)


@pytest.fixture
def calls(trail, clock):
    """A call log over the trail of a database."""
    return AuditedCalls(RememberedCalls(), trail, clock=clock)


async def test_a_refusal_is_a_row_without_anything_of_the_message(calls, trail):
    """Issue: every refused message class, metadata only."""
    calls.write(HOP)
    await calls.flush()

    [row] = await trail.rows()
    assert (row.action, row.object, row.outcome) == ("message.refused", "path search", "refused")
    assert (row.actor, row.actor_kind, row.address, row.tenant) == ("", "nobody", "192.0.2.7", "clinic.example")
    assert (row.at, row.reason) == (START, "AUT_SIGNATURE_INVALID")


async def test_a_proven_signer_is_named(calls, trail):
    """Security rules, audit log: who; a hop names its sender once the signature was verified."""
    calls.write(replace(HOP, sender="app.example", outcome="CTX_STALE", status=410))
    await calls.flush()

    [row] = await trail.rows()
    assert (row.actor, row.actor_kind) == ("app.example", "subscriber")


async def test_many_of_one_kind_are_one_row_with_their_number(calls, trail):
    """Ours: whoever can send can be refused as often as they like."""
    for number in range(1_000):
        calls.write(replace(HOP, at=START + number / 100, transaction_id=str(number)))
    await calls.flush()

    [row] = await trail.rows()
    assert row.reason == "AUT_SIGNATURE_INVALID, 1000 times in 10 s"


async def test_what_is_accepted_or_sent_is_no_refusal(trail, clock):
    """Ours: the call log has those; it gets every hop as before."""
    remembered = RememberedCalls()
    calls = AuditedCalls(remembered, trail, clock=clock)
    hops = [replace(HOP, outcome="ACK"), replace(HOP, outcome="repeated"), replace(HOP, direction=Direction.OUT), HOP]

    for hop in hops:
        calls.write(hop)
    await calls.flush()

    assert list(remembered) == hops
    assert len(await trail.rows()) == 1


async def test_an_invented_path_is_not_kept(calls, trail):
    """Ours: a path that nobody serves is whatever somebody wrote there, a patient's name too."""
    calls.write(replace(HOP, action="asha rao 91-1234"))
    await calls.flush()

    [row] = await trail.rows()
    assert row.object == "path other"


async def test_an_attacker_does_not_fill_the_database_or_the_memory(calls, trail, clock):
    """Ours: rows and kinds are bounded; what is too much is counted by the kind of error alone."""
    for number in range(5 * MOST_KINDS):
        calls.write(replace(HOP, address=f"2001:db8::{number:x}"))
    assert len(calls._seen) <= MOST_KINDS + 1
    await calls.flush()
    first = await trail.rows()

    for number in range(5 * MOST_KINDS):
        calls.write(replace(HOP, address=f"2001:db8:1::{number:x}"))
    await clock.advance(60)
    await calls.flush()

    rows = await trail.rows(after=len(first))
    counted = [int(row.reason.split()[1]) if "times" in row.reason else 1 for row in (*first, *rows)]
    assert len(first) <= MOST_ROWS
    assert len(first) + len(rows) <= MOST_ROWS + ROWS_EACH_MINUTE
    assert sum(counted) == 10 * MOST_KINDS


async def test_every_kind_of_error_survives_a_flood_of_another(calls, trail):
    """Issue: every class; the flood of one does not hide the others."""
    for number in range(3 * MOST_KINDS):
        calls.write(replace(HOP, address=f"2001:db8::{number:x}"))
    for name in ("SCH_INVALID_JSON", "AUT_REPLAY_DETECTED"):
        calls.write(replace(HOP, outcome=name))
    await calls.flush()

    reasons = {row.reason.split(",")[0] for row in await trail.rows()}
    assert reasons == {"AUT_SIGNATURE_INVALID", "SCH_INVALID_JSON", "AUT_REPLAY_DETECTED"}


async def test_a_proven_signer_is_named_in_a_flood_of_the_nameless(calls, trail):
    """Ours: nobody hides what a member did by sending more from everywhere."""
    for number in range(3 * MOST_KINDS):
        calls.write(replace(HOP, sender="?", address=f"2001:db8::{number % MOST_KINDS:x}"))
    calls.write(replace(HOP, sender="clinic.example"))
    await calls.flush()

    assert "clinic.example" in {row.actor for row in await trail.rows()}


async def test_what_a_flood_left_is_written_at_the_end(calls, trail):
    """Ours: an orderly stop loses nothing."""
    for number in range(2 * MOST_KINDS):
        calls.write(replace(HOP, sender="?", address=f"2001:db8::{number:x}"))
    await calls.flush()
    calls.write(replace(HOP, outcome="SCH_INVALID_JSON"))
    await calls.aclose()

    assert (await trail.rows(newest=True))[0].reason == "SCH_INVALID_JSON"


async def test_nothing_is_lost_while_the_database_is_away(clock):
    """Ours: it is counted further, and written once the database is back."""
    trail = _Away()
    calls = AuditedCalls(RememberedCalls(), trail, clock=clock)
    calls.write(HOP)
    await calls.flush()
    calls.write(HOP)

    trail.is_back = True
    await calls.aclose()

    assert [entry.reason for entry in trail.written] == ["AUT_SIGNATURE_INVALID, 2 times in 0 s"]


async def test_it_is_written_every_minute(calls, trail, clock):
    """Ours: an operator who looks at the trail sees what happens."""
    calls.write(HOP)

    running = asyncio.create_task(calls.run())
    async with asyncio.timeout(20):
        while not await trail.rows():
            await clock.advance(EVERY_SECONDS)
    running.cancel()


class _Away:
    """A trail whose database is away until it is back."""

    def __init__(self):
        self.is_back = False
        self.written = []

    async def write(self, *entries):
        if not self.is_back:
            raise overloaded("the database is away")
        self.written += entries
