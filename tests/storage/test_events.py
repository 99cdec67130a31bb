"""Events in the database, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from uhi.ports import Event
from uhi.storage.sql.database import Database
from uhi.storage.sql.events import SqlEvents, insert_events
from uhi.testing.clock import FakeClock


@pytest.fixture
def clock():
    return FakeClock(jumps=False)


@pytest.fixture
async def database(database_url, clock):
    opened = Database.open(database_url, clock=clock)
    yield opened
    await opened.aclose()


def _events(*numbers: int) -> list[Event]:
    return [Event(f"{number:04d}", "message.accepted", 1_790_000_000.5, {"action": "search"}) for number in numbers]


async def _write(database: Database, *numbers: int) -> None:
    await database.write(lambda connection: insert_events(connection, _events(*numbers)))


async def test_events_come_in_order_until_they_are_forgotten(database):
    """The port: at least once, in order."""
    source = SqlEvents(database)
    await _write(database, 2, 3)
    await _write(database, 1)

    first = await source.events(2)
    again = await source.events(2)
    await source.forget_events([event.id for event in again])

    assert list(first) == list(again) == _events(1, 2)
    assert list(await source.events(2)) == _events(3)


async def test_an_event_is_told_only_if_its_transaction_is_committed(database):
    """Reliability rules "Send side": written with its cause."""

    def failing(connection: Connection) -> None:
        insert_events(connection, _events(1))
        raise LookupError

    with pytest.raises(LookupError):
        await database.write(failing)

    assert list(await SqlEvents(database).events(10)) == []


async def test_one_process_at_a_time_publishes(database, clock):
    """Ours: two processes never publish the same batch; one that died is followed after a minute."""
    one, other = SqlEvents(database), SqlEvents(database)
    await _write(database, 1)

    mine = await one.events(10)
    meanwhile = await other.events(10)
    clock.time += 61
    later = await other.events(10)

    assert (list(mine), list(meanwhile), list(later)) == (_events(1), [], _events(1))
    assert list(await one.events(10)) == []


async def test_who_stops_gives_the_turn_up_at_once(database):
    """Stopping: the others go on without a pause."""
    one, other = SqlEvents(database), SqlEvents(database)
    await _write(database, 1)
    await one.events(10)

    await other.release()
    still = await other.events(10)
    await one.release()

    assert list(still) == []
    assert list(await other.events(10)) == _events(1)


async def test_nothing_is_written_while_nothing_waits(database):
    """Ours: every process looks every second."""
    await SqlEvents(database).events(10)

    assert database.groups.groups == 0
