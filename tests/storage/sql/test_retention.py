"""What is forgotten, on both databases: in small transactions of their own, and never what is still needed."""

from __future__ import annotations

import asyncio
from functools import partial

from sqlalchemy import insert, text

from tests.storage.keepsakes import NOW, arrival, delivered, letter
from tests.storage.rows import count, rows
from uhi.ports import Change, Event, Retention, Tripped
from uhi.storage.sql.events import insert_events
from uhi.storage.sql.retention import MOST_AT_ONCE, forget, steps
from uhi.storage.sql.tables import body, breaker, event

DAY = 86_400.0


def old_bodies(connection, names) -> None:
    """Bodies that may go at once."""
    connection.execute(insert(body), [{"id": name, "sealed": b"", "created_at": 0.0} for name in names])


async def test_old_bodies_go_and_those_that_are_needed_are_passed_over(storage, database):
    """Reliability, receive side: what waits keeps its body however old, and holds up nothing else."""
    message, waiting, sent = arrival(), letter(not_before=NOW + 99), letter(body=b"sent")
    await storage.accept(message)
    await storage.commit(Change(letters=(waiting, sent)))
    await database.write(lambda on: on.execute(text("UPDATE body SET created_at = 0")))
    await database.write(partial(old_bodies, names=[f"{number:05}" for number in range(MOST_AT_ONCE + 20)]))

    await storage.purge(Retention(), now=NOW)
    assert {row for (row,) in await rows(database, body, "id")} == {message.id, waiting.id, sent.id}

    await storage.settle(delivered(sent))
    await storage.purge(Retention(), now=NOW)
    assert {row for (row,) in await rows(database, body, "id")} == {message.id, waiting.id}


async def test_each_step_looks_at_a_bounded_number_of_bodies(storage, database):
    """Reliability, backpressure: with any number of letters that wait, a step is short."""
    letters = tuple(letter(not_before=NOW + 99, body=b"%d" % number) for number in range(MOST_AT_ONCE + 20))
    await storage.commit(Change(letters=letters))
    await database.write(lambda on: on.execute(text("UPDATE body SET created_at = 0")))

    step = next(steps(Retention(), now=NOW))
    step = await database.apart(partial(forget, step=step))

    assert step is not None
    assert step.after == (0.0, letters[MOST_AT_ONCE - 1].id)
    assert await database.apart(partial(forget, step=step)) is None
    assert await count(database, body) == len(letters)


async def test_purge_joins_no_group(storage, database):
    """Reliability, backpressure: no ACK waits for what is forgotten, and none is refused because of it."""
    await database.write(partial(old_bodies, names=["a", "b"]))
    before = database.groups.items

    await asyncio.gather(storage.purge(Retention(), now=NOW), storage.accept(arrival()))

    assert database.groups.items == before + 1
    assert await count(database, body) == 1


async def test_old_events_and_breakers_are_forgotten_and_said(storage, database, caplog):
    """Ours: while the broker is away, or nobody asks for events any more, they must not grow without bound."""
    ages = [*[8 * DAY] * (MOST_AT_ONCE + 1), 6 * DAY]
    events = [Event(f"{number:05}", "message.accepted", NOW - age, {}) for number, age in enumerate(ages)]
    await database.write(partial(insert_events, events=events))
    await storage.trip(Tripped("old.example", NOW - DAY - 1, 3))
    await storage.trip(Tripped("new.example", NOW - 60, 3))

    await storage.purge(Retention(), now=NOW)

    assert await rows(database, event, "id") == [(events[-1].id,)]
    assert await rows(database, breaker, "destination") == [("new.example",)]
    assert f"{MOST_AT_ONCE + 1} events that nobody fetched for a week" in caplog.text
