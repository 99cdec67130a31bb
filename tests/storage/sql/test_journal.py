"""What is read back from the journal, on both databases: left over, expired, unreadable; answers of others."""

from __future__ import annotations

import logging

from sqlalchemy import update

from tests.storage.keepsakes import NOW, US, arrival, asked, letter
from tests.storage.rows import rows
from uhi.ports import Change
from uhi.storage.sealing import Sealing
from uhi.storage.sql.journal import MOST_ANSWERS
from uhi.storage.sql.storage import SqlStorage
from uhi.storage.sql.tables import body, inbox


async def test_what_a_living_process_deals_with_is_not_taken_up_by_itself(storage, other):
    """Ours: a clock that is set, or a database that was away, ends leases, but not the work."""
    message, left = arrival(deadline=NOW + 900), arrival(deadline=NOW + 900)
    await storage.accept(message)
    await other.accept(left)

    assert [kept.id for kept in await storage.take_up(now=NOW + 100, most=9)] == [left.id]
    assert list(await other.take_up(now=NOW + 101, most=9)) == []
    assert [kept.id for kept in await other.take_up(now=NOW + 120, most=9)] == [message.id, left.id]


async def test_message_that_is_dealt_with_does_not_expire_meanwhile(storage):
    """Ours: what follows from it must still be possible."""
    message = arrival(deadline=NOW + 5)
    await storage.accept(message)

    await storage.take_up(now=NOW + 100, most=9)

    sent = letter(cause=message.id)
    assert await storage.commit(Change(finishes=message.id, letters=(sent,))) == (sent,)


async def test_unreadable_messages_do_not_hide_the_readable_ones(storage, database, without_key, sealing):
    """Reliability, receive side: the oldest ones may be those whose key is lost; they are left for some minutes."""
    messages = [arrival(received_at=NOW + number, deadline=NOW + 900, cap=99) for number in range(5)]
    for each in messages:
        await storage.accept(each)
    await storage.release()
    other = Sealing.for_development().seal(b"", about="else")
    old = [each.id for each in messages[:4]]
    await database.write(lambda on: on.execute(update(body).where(body.c.id.in_(old)).values(sealed=other)))

    assert [kept.id for kept in await storage.take_up(now=NOW + 9, most=2)] == [messages[4].id]
    assert list(await storage.take_up(now=NOW + 100, most=2)) == []
    assert list(await without_key.take_up(now=NOW + 200, most=9)) == []
    again = SqlStorage(database, sealing, owner=f"{US}/2")
    await again.reclaim(now=NOW + 201)
    assert [kept.id for kept in await again.take_up(now=NOW + 201, most=9)] == [messages[4].id]


async def test_messages_that_expire_are_said(storage, database, caplog):
    """Ours: an acknowledged message that nothing follows from is worth a line; not one for each of thousands."""
    for number in range(25):
        await storage.accept(arrival(deadline=NOW + 5, message_id=f"m-{number}", cap=99))
    await storage.release()

    with caplog.at_level(logging.WARNING):
        assert list(await storage.take_up(now=NOW + 6, most=9)) == []

    lines = [record for record in caplog.records if record.name == "uhi.storage"]
    assert [line.outcome for line in lines] == ["EXPIRED"] * 21
    assert (lines[0].path, lines[0].transaction_id) == ("on_search", "t-1")
    assert len({line.message_id for line in lines[:20]}) == 20
    assert lines[20].count == 5
    assert {status for (status,) in await rows(database, inbox, "status")} == {"EXPIRED"}


async def test_answer_that_was_committed_late_is_found_though_its_id_is_earlier(storage, other):
    """Ours: ids are made before the commit, and one commit may take longer than the next."""
    search = asked(leg="search", counterpart="")
    late, first = arrival(answers=search), arrival(answers=search)
    await other.accept(first)
    found = await storage.answers_to(US, "m-1", known=())
    await other.accept(late)

    assert [kept.id for kept in found] == [first.id]
    assert [kept.id for kept in await storage.answers_to(US, "m-1", known={first.id})] == [late.id]
    assert list(await storage.answers_to(US, "m-1", known={first.id, late.id})) == []


async def test_answers_come_a_hundred_at_a_time_and_unreadable_ones_hide_none(storage, database, other):
    """Ours: a search may be answered by thousands; each look is bounded."""
    search = asked(leg="search", counterpart="")
    answers = [arrival(answers=search, cap=999) for _ in range(MOST_ANSWERS + 5)]
    for each in answers:
        await other.accept(each)

    found = await storage.answers_to(US, "m-1", known=())
    rest = await storage.answers_to(US, "m-1", known={kept.id for kept in found})
    assert [kept.id for kept in (*found, *rest)] == [each.id for each in answers]

    broken = Sealing.for_development().seal(b"", about="else")
    first = [each.id for each in answers[:MOST_ANSWERS]]
    await database.write(lambda on: on.execute(update(body).where(body.c.id.in_(first)).values(sealed=broken)))
    left = await storage.answers_to(US, "m-1", known=())
    assert [kept.id for kept in left] == [each.id for each in answers[MOST_ANSWERS:]]
