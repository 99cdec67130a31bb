"""What storage on SQL holds to beyond the contract: encryption, other processes, events, retention, lost databases."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace

import pytest
from sqlalchemy import text, update

from tests.storage.keepsakes import BODY, NOW, THEM, US, arrival, asked, delivered, letter
from tests.storage.rows import count, rows
from uhi.errors import Refusal
from uhi.exchange.row_ids import new_row_id
from uhi.faults import OVERLOADED
from uhi.ports import Arrived, Change, Direction, Hop, Leased, LetterState, Retention
from uhi.storage.sealing import Sealing
from uhi.storage.sql.audit_tables import audit_head
from uhi.storage.sql.calls import hops_of
from uhi.storage.sql.storage import SqlStorage
from uhi.storage.sql.tables import body, event, inbox, metadata, outbox, request, used_header

DAY = 86_400.0


@pytest.fixture
def storage(database, sealing) -> SqlStorage:
    """A storage without rows: the test runs on both databases."""
    return SqlStorage(database, sealing, owner=f"{US}/0", has_events=True)


async def test_bodies_are_encrypted_and_letters_refer_to_them(storage, database):
    """Decisions on the ACK and on PINs: a body is on disk once, and never in clear."""
    message = arrival()
    await storage.accept(message)
    relayed = [letter(cause=message.id, is_relayed=True, path=path) for path in ("one", "two")]
    ours = [letter(cause=message.id, path=path, body=b"our own", digest="ours") for path in ("three", "four")]

    await storage.commit(Change(finishes=message.id, letters=(*relayed, *ours)))

    kept = dict(await rows(database, body, "id", "sealed"))
    assert [row for (row,) in await rows(database, outbox, "body_id")] == [message.id] * 2 + [ours[0].id] * 2
    assert set(kept) == {message.id, ours[0].id}
    assert not any(BODY in sealed or b"our own" in sealed for sealed in kept.values())


async def test_relayed_letters_keep_their_own_body_where_the_message_had_another(storage, database):
    """Ours: what is sent after a crash is what was to be sent before it."""
    message = arrival(is_finished=True)
    await storage.accept(message)
    other = letter(cause=message.id, is_relayed=True, body=b"something else", digest="else", not_before=NOW + 1)

    await storage.commit(Change(letters=(other,)))

    assert (await storage.lease(now=NOW + 1, most=1)).letters == (other,)


async def test_forgotten_body_is_gone_once_nothing_has_to_bring_it(storage, database):
    """Decision on PINs: a gateway keeps digest and metadata only, a consumer deletes such a body when handled."""
    for message in (arrival(), arrival(message_id="m-2")):
        await storage.accept(message)
        relayed = (letter(cause=message.id, is_relayed=True),) if message.message_id == "m-2" else ()
        await storage.commit(Change(finishes=message.id, forgets=True, letters=relayed))

    assert await rows(database, body, "id") == [(message.id,)]
    await storage.settle(delivered(relayed[0]))
    await storage.purge(Retention(), now=NOW)
    assert await count(database, body) == 0
    assert await count(database, inbox) == 2


async def test_damaged_or_foreign_bodies_stop_nothing_else(storage, database, caplog):
    """Reliability, send side: one letter that cannot be read does not hold up the others; nothing of it is logged."""
    unreadable, fine = letter(deadline=NOW + 90), letter(body=b"fine", digest="fine")
    gone = arrival()
    await storage.accept(gone)
    await storage.commit(Change(letters=(unreadable, fine)))
    other = Sealing.for_development().seal(BODY, about=unreadable.id)
    await database.write(lambda on: on.execute(update(body).where(body.c.id != fine.id).values(sealed=other)))
    await storage.reclaim(now=NOW)

    assert await storage.lease(now=NOW, most=10) == Leased((fine,), NOW + 60)
    assert await storage.take_up(now=NOW, most=10) == []
    await storage.settle(delivered(fine))
    assert await storage.lease(now=NOW + 100, most=10) == Leased((), None)
    assert "UHI_BODY_KEY_FILE" in caplog.text
    assert (unreadable.id, "EXPIRED", "BODY_UNREADABLE") in await rows(
        database, outbox, "id", "state", "last_error_code"
    )


async def test_answers_are_found_whichever_process_accepted_them(storage, database, sealing):
    """The issue, on several processes: answers awaited by another process; one that was forgotten is not among them."""
    other = SqlStorage(database, sealing, owner=f"{US}/1")
    search = asked(leg="search", counterpart="")
    first, second, third, forgotten = (arrival(answers=search) for _ in range(4))
    for each in (first, second, third, forgotten):
        await other.accept(each)
    await other.commit(Change(finishes=second.id))
    await other.commit(Change(finishes=forgotten.id, forgets=True))
    await other.purge(Retention(), now=NOW)

    found = await storage.answers_to(US, "m-1", known={first.id})

    assert [(kept.id, kept.body) for kept in found] == [(second.id, BODY), (third.id, BODY)]
    assert list(await storage.answers_to(THEM, "m-1", known=())) == []


async def test_events_are_written_with_what_they_tell_of(storage, database):
    """The issue, on events: message accepted, delivered; ids and actions, never content."""
    message, sent = arrival(), letter(cause="row")
    await storage.accept(message)
    await storage.accept(message)
    await storage.commit(Change(letters=(sent,)))
    await storage.settle(replace(delivered(sent), state=LetterState.REFUSED))
    await storage.settle(delivered(sent))
    await storage.commit(Change(letters=(again := letter(),)))
    await storage.settle(delivered(again))

    kinds = await rows(database, event, "kind", "facts")

    assert [kind for kind, _ in kinds] == ["message.accepted", "message.delivered"]
    assert message.message_id in kinds[0][1]
    assert again.message_id in kinds[1][1]


async def test_hops_of_a_change_are_written_with_it(storage, database):
    """The issue, on the call log: one row per hop."""
    hop = Hop(NOW, Direction.IN, THEM, US, "search", "t-1", "m-1", "ACK", 200, 1.5)

    await storage.commit(Change(finishes="was dealt with", hops=(hop,)))
    await storage.commit(Change(hops=(hop, hop)))

    assert await database.read(lambda on: hops_of(on, "t-1")) == [hop, hop]


async def test_retention_forgets_what_is_old_and_nothing_that_is_needed(storage, database, clock):
    """Reliability, receive side: bodies after a week, identities after a month, single-shot ones after 400 days."""
    unfinished, done, single = arrival(hop_header="h", hop_expires=NOW + 10), arrival(), arrival(variant="")
    for each in (unfinished, done, single):
        await storage.accept(each)
    waiting, sent = letter(line="l"), letter(not_before=NOW + 1)
    await storage.commit(Change(finishes=done.id, letters=(waiting, sent), opens=asked()))
    await storage.commit(Change(finishes=single.id, opens=asked(leg="search", counterpart="")))
    await storage.settle(delivered((await storage.lease(now=NOW + 1, most=1)).letters[0]))
    tables = (body, inbox, outbox, request, used_header)

    async def left_after(days: float) -> list[int]:
        await storage.purge(Retention(), now=NOW + days * DAY)
        return [await count(database, table) for table in tables]

    assert await left_after(0) == [4, 3, 2, 2, 1]
    assert await left_after(3) == [4, 3, 2, 1, 0]
    assert await left_after(8) == [2, 3, 2, 1, 0]
    assert await left_after(31) == [2, 2, 1, 1, 0]
    assert await left_after(401) == [2, 1, 1, 0, 0]


async def test_purging_goes_on_until_nothing_is_left_to_forget(storage, database):
    """Reliability, receive side: old rows go in batches."""
    await asyncio.gather(*(storage.accept(arrival(cap=9_999, is_finished=True)) for _ in range(1_200)))

    await storage.purge(Retention(), now=NOW + 31 * DAY)

    assert await count(database, inbox) == 0


async def test_lapsed_leases_are_free_and_renewed_ones_are_not(storage, database, sealing, clock):
    """Reliability, send side: a crash is noticed by the lease that runs out."""
    other, third = (SqlStorage(database, sealing, owner=f"{US}/{number}") for number in (1, 2))
    message, sent = arrival(), letter()
    await storage.accept(message)
    await storage.commit(Change(letters=(sent,)))

    await storage.renew(now=NOW + 10)

    assert list(await other.take_up(now=NOW + 20, most=9)) == []
    assert (await other.lease(now=NOW + 20, most=9)).letters == ()
    assert [kept.id for kept in await other.take_up(now=NOW + 26, most=9)] == [message.id]
    assert (await other.lease(now=NOW + 26, most=9)).letters == (sent,)
    await storage.renew(now=NOW + 27)
    await storage.settle(delivered(sent))
    assert await storage.commit(Change(finishes=message.id)) == ()
    assert (await third.lease(now=NOW + 42, most=9)).letters == (sent,)


async def test_what_a_cancelled_caller_left_behind_is_not_renewed(storage, clock):
    """Ours: nobody in this process deals with it, so another life has to."""
    message = arrival()
    caller = asyncio.create_task(storage.accept(message))
    await asyncio.sleep(0)
    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)

    assert await storage.accept(replace(message, id="again")) is Arrived.REPEATED
    await storage.renew(now=NOW + 10)

    assert [kept.id for kept in await storage.take_up(now=NOW + 16, most=9)] == [message.id]


async def test_storage_that_cannot_write_says_so(storage, database):
    """Reliability, backpressure: no ACK without a committed row."""
    await database.write(lambda on: on.execute(text("DROP TABLE inbox")))
    await database.write(lambda on: on.execute(text("DROP TABLE request")))

    calls = [storage.accept(arrival()), storage.commit(Change(opens=asked())), storage.talks_with(US, THEM, "t-1")]
    refusals = await asyncio.gather(*calls, return_exceptions=True)

    assert [each.fault for each in refusals if isinstance(each, Refusal)] == [OVERLOADED] * 3
    assert all(each.retry_after for each in refusals)


async def test_two_processes_accept_one_message_once(pair):
    """The issue, on several processes: exactly one of all copies is new, whoever gets it."""
    first = arrival(variant="")
    copies = [replace(first, id=new_row_id(NOW)) for _ in range(60)]

    arrived = await asyncio.gather(*(pair[at % 2].accept(copy) for at, copy in enumerate(copies)))

    assert Counter(arrived) == {Arrived.NEW: 1, Arrived.REPEATED: 59}


async def test_two_processes_take_one_answer(pair):
    """Decision on correlation: the conditional update decides between processes too."""
    for number in range(10):
        question = asked(message_id=f"m-{number}", transaction_id=f"t-{number}")
        await pair[0].commit(Change(opens=question))

        arrived = await asyncio.gather(*(each.accept(arrival(answers=question)) for each in pair))

        assert Counter(arrived) == {Arrived.NEW: 1, Arrived.ANSWERED: 1}


async def test_two_processes_never_send_one_letter_or_one_line_at_once(pair):
    """The issue, on the outbox: SKIP LOCKED; order within a line, whoever adds to it."""
    both = [[letter(line=f"line-{number}") for number in range(10)] for _ in pair]
    sent = await asyncio.gather(
        *(each.commit(Change(letters=(one,))) for each, own in zip(pair, both, strict=True) for one in own)
    )
    await asyncio.gather(*(each.commit(Change(letters=(letter(not_before=NOW + 1),))) for each in pair * 20))

    leased = await asyncio.gather(*(each.lease(now=NOW + 1, most=15) for each in pair for _ in range(2)))

    assert Counter(one.line for letters in sent for one in letters) == {f"line-{number}": 1 for number in range(10)}
    assert Counter(Counter(one.id for each in leased for one in each.letters).values()) == {1: 40}


async def test_schema_of_the_tables_is_the_migrated_one(database):
    """Ours: the statements here run on what the migrations made."""
    for table in metadata.sorted_tables:
        assert await count(database, table) == (table is audit_head)
