"""The one writer and the readers, on both databases: groups, failures, closing, other loops."""

from __future__ import annotations

import asyncio
import gc
import os
import stat
import warnings
from contextlib import contextmanager

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from uhi.clock import SystemClock
from uhi.errors import Refusal, SetupError
from uhi.faults import INTERNAL, OVERLOADED
from uhi.storage.sql.database import Database

INSERT = text("INSERT INTO breaker (destination, until, trips) VALUES (:name, 0, 1)")


def insert(connection, names):
    """A batch: one row for each name, in one go."""
    for name in names:
        if name == "spoils":
            raise ValueError("this one spoils the group")
        connection.execute(INSERT, {"name": name})
    return [f"{name} of {len(names)}" for name in names]


def inserting(name: str):
    """A piece of work: one row."""
    return lambda connection: connection.execute(INSERT, {"name": name})


async def names(database: Database) -> list[str]:
    """What is there."""
    query = text("SELECT destination FROM breaker ORDER BY destination")
    return await database.read(lambda connection: list(connection.execute(query).scalars()))


def refused(*, times: int, state: str = "40001"):
    """Called before each commit; the database refuses the first ones with an SQL state."""
    left = [times]

    def before_commit() -> None:
        if left[0]:
            left[0] -= 1
            cause = Exception("could not serialize access")
            cause.sqlstate = state
            raise DBAPIError("COMMIT", None, cause)

    return before_commit


@pytest.fixture
async def broken(database_url: str):
    """Opens a database whose commits may fail."""
    opened = []

    def open_with(before_commit) -> Database:
        opened.append(Database.open(database_url, clock=SystemClock(), before_commit=before_commit))
        return opened[-1]

    yield open_with
    for each in opened:
        await each.aclose()


async def test_what_waits_is_written_as_one_group(database):
    """The issue, on the journal: concurrent arrivals share one commit."""
    told = await asyncio.gather(*(database.grouped(insert, f"n-{number:02}") for number in range(40)))

    assert told == [f"n-{number:02} of 40" for number in range(40)]
    assert (database.groups.groups, database.groups.items, database.groups.largest) == (1, 40, 40)
    assert len(await names(database)) == 40


async def test_groups_are_bounded_by_number_and_by_bytes(database):
    """Reliability, backpressure: every queue is bounded."""
    await asyncio.gather(*(database.grouped(insert, f"n-{number}") for number in range(300)))
    await asyncio.gather(*(database.grouped(insert, f"b-{number}", size=7 * 1024 * 1024) for number in range(4)))

    assert database.groups.largest == 256
    assert database.groups.groups == 4


async def test_full_queue_refuses_and_keeps_what_it_has(database):
    """Reliability, backpressure: 503 with Retry-After before anything breaks."""
    calls = [database.grouped(insert, f"n-{number}", size=1024 * 1024) for number in range(70)]

    outcomes = await asyncio.gather(*calls, return_exceptions=True)

    refusals = [each for each in outcomes if isinstance(each, Refusal)]
    assert [(each.fault, each.retry_after) for each in refusals] == [(OVERLOADED, 1)] * 6
    assert len(await names(database)) == 64


async def test_what_is_vital_is_written_however_much_waits(database):
    """Ours: what ends or keeps something that is under way is bounded by that, and must not be refused."""
    waiting = [asyncio.create_task(database.grouped(insert, f"n-{number}", size=1024 * 1024)) for number in range(64)]
    await asyncio.sleep(0)

    with pytest.raises(Refusal):
        await database.grouped(insert, "plain", size=1)
    await asyncio.gather(
        database.grouped(insert, "batch", size=1, is_vital=True), database.write(inserting("work"), is_vital=True)
    )

    assert len(await names(database)) == 64 + 2
    await asyncio.gather(*waiting)


async def test_what_the_database_will_never_take_is_told_apart(database, caplog):
    """Ours: to try such a change again would not help; its group is written without it."""

    def insert_anything(connection, given):
        return [connection.execute(INSERT, {"name": name}) and None for name in given]

    calls = [database.grouped(insert_anything, name) for name in ("one", None, "two")]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)

    assert [getattr(each, "fault", None) for each in outcomes] == [None, INTERNAL, None]
    assert await names(database) == ["one", "two"]
    assert "the database refused a change" in caplog.text


async def test_text_that_postgres_cannot_hold_is_refused_for_good(opened, postgres_url):
    """Ours: NUL in a text is for no PostgreSQL, whatever peer or handler wrote it."""
    database = opened(postgres_url)

    for name in ("a\x00b", "\ud800"):
        with pytest.raises(Refusal) as refusal:
            await database.grouped(insert, name)
        assert refusal.value.fault is INTERNAL


async def test_small_transactions_apart_need_no_group(broken, database):
    """Reliability, backpressure: what is forgotten in between holds nobody up; it fails as everything else does."""
    away = broken(refused(times=99, state="53100"))

    await away.apart(inserting("one"))

    assert (await names(database), away.groups.groups) == (["one"], 0)
    with pytest.raises(Refusal) as refusal:
        await away.apart(lambda connection: connection.execute(text("SELECT * FROM nothing")))
    assert refusal.value.fault is OVERLOADED


async def test_database_says_whether_it_answers(database, opened, tmp_path):
    """Ours: for checks of health; nothing is written."""
    gone = opened(f"sqlite:///{tmp_path}/no/such/folder.db")

    await database.ping()

    with pytest.raises(Refusal) as refusal:
        await gone.ping()
    assert refusal.value.fault is OVERLOADED


async def test_database_that_lets_nobody_in_is_away(postgres_server):
    """Ours: what the driver raises while it connects is one of the ways to be away, for readers and writers."""
    url = postgres_server.url(name := postgres_server.create())
    postgres_server.sql(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    database = Database.open(url, clock=SystemClock())

    for ask in (database.ping, lambda: database.apart(inserting("one")), lambda: database.write(inserting("one"))):
        with pytest.raises(Refusal) as refusal:
            await ask()
        assert refusal.value.fault is OVERLOADED

    await database.aclose()
    postgres_server.drop(name)


async def test_work_that_fails_undoes_only_itself(database):
    """Ours: a savepoint each, in one group."""
    works = [inserting("one"), inserting("two"), inserting("one")]

    outcomes = await asyncio.gather(
        *map(database.write, works), database.grouped(insert, "three"), return_exceptions=True
    )

    assert isinstance(outcomes[2], IntegrityError)
    assert await names(database) == ["one", "three", "two"]
    assert database.groups.groups == 1


async def test_item_that_spoils_its_group_fails_alone(database):
    """Ours: one caller's mistake is not another's."""
    calls = [database.grouped(insert, name) for name in ("one", "spoils", "two")]

    outcomes = await asyncio.gather(*calls, return_exceptions=True)

    assert [type(each) for each in outcomes] == [str, ValueError, str]
    assert await names(database) == ["one", "two"]


async def test_serialization_failures_are_repeated_three_times(broken):
    """Reliability: at most three internal retries, then 503; nothing is half written."""
    fine, hopeless = broken(refused(times=3)), broken(refused(times=4))

    await fine.grouped(insert, "one")
    with pytest.raises(Refusal) as refusal:
        await hopeless.grouped(insert, "two")

    assert refusal.value.fault is OVERLOADED
    assert await names(fine) == ["one"]
    await hopeless.grouped(insert, "three")


async def test_deadlocks_are_repeated_and_full_disks_are_not(broken):
    """Reliability: 40P01 is repeated; what cannot be written now is refused at once."""
    fine, full = broken(refused(times=1, state="40P01")), broken(refused(times=1, state="53100"))

    await fine.write(inserting("one"))
    with pytest.raises(Refusal):
        await full.write(inserting("two"))

    assert await names(fine) == ["one"]


async def test_cancelled_callers_item_is_written_all_the_same(database):
    """Ours: an item belongs to its group once it is handed over."""
    caller = asyncio.create_task(database.grouped(insert, "one"))
    await asyncio.sleep(0)

    caller.cancel()
    await database.grouped(insert, "two")

    assert await names(database) == ["one", "two"]
    assert (await asyncio.gather(caller, return_exceptions=True))[0].__class__ is asyncio.CancelledError


async def test_nobody_waits_for_what_is_written_later(database, database_url):
    """Ours: the call log must not hold up a message, and nothing of it is lost when the program stops."""
    database.later(insert, "one")
    await database.grouped(insert, "two")
    database.later(insert, "three")

    await database.aclose()

    assert database.groups.groups == 2
    again = Database.open(database_url, clock=SystemClock())
    assert await names(again) == ["one", "three", "two"]
    await again.aclose()


async def test_later_items_wait_for_a_database_that_cannot_be_written(broken):
    """Ours: hops of a time without a database are written after it, as far as there is room."""
    database = broken(refused(times=1, state="53100"))
    database.later(insert, "one")

    with pytest.raises(Refusal):
        await database.write(inserting("two"))
    await database.write(inserting("three"))

    assert await names(database) == ["one", "three"]


async def test_closing_finishes_what_waits_and_takes_nothing_more(database, database_url):
    """The issue, on stopping: no acknowledged message is lost."""
    waiting = [asyncio.create_task(database.grouped(insert, f"n-{number}")) for number in range(5)]
    await asyncio.sleep(0)

    await database.aclose()

    assert len(await asyncio.gather(*waiting)) == 5
    with pytest.raises(Refusal, match="closed"):
        await database.grouped(insert, "late")
    again = Database.open(database_url, clock=SystemClock())
    assert len(await names(again)) == 5
    await again.aclose()


def test_another_event_loop_takes_a_database_over(database_url):
    """Ours: tests and commands run several loops after one another."""
    database = Database.open(database_url, clock=SystemClock())

    async def work(name: str, *, is_last: bool = False) -> list[str]:
        await database.grouped(insert, name)
        database.later(insert, f"{name}-later")
        found = await names(database)
        if is_last:
            await database.aclose()
        return found

    with warnings.catch_warnings():
        # Nobody can close the connections of a loop that is gone.
        warnings.simplefilter("ignore", ResourceWarning)
        asyncio.run(work("one"))
        found = asyncio.run(work("two", is_last=True))
        gc.collect()

    assert found == ["one", "one-later", "two"]


async def test_test_clock_is_told_while_the_database_is_asked(database_url):
    """Ours: a fake clock must not jump while a thread or a server works."""
    depth: list[int] = []

    @contextmanager
    def during():
        depth.append(+1)
        yield
        depth.append(-1)

    database = Database.open(database_url, clock=SystemClock(), during=during)
    await database.write(inserting("one"))
    await names(database)
    await database.aclose()

    assert depth == [+1, -1] * 2


async def test_sqlite_file_belongs_to_its_owner(tmp_path):
    """The network's key storage rules: bodies and ids are nobody else's, whatever the umask is."""
    database = Database.open(f"sqlite:///{tmp_path}/new.db", clock=SystemClock())
    await database.write(lambda connection: connection.execute(text("CREATE TABLE t (a)")))

    modes = {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in os.scandir(tmp_path)}
    await database.aclose()

    assert modes == dict.fromkeys(["new.db", "new.db-wal", "new.db-shm"], 0o600)


async def test_sqlite_keeps_what_it_was_told(sqlite_url):
    """Reliability: WAL, synchronous=FULL, five seconds of patience, foreign keys; readers cannot write."""
    database = Database.open(sqlite_url, clock=SystemClock())

    def pragmas(connection):
        wanted = ("journal_mode", "synchronous", "busy_timeout", "foreign_keys", "query_only")
        return [connection.execute(text(f"PRAGMA {name}")).scalar_one() for name in wanted]

    written, read = await database.write(pragmas), await database.read(pragmas)
    await database.aclose()

    assert (written, read) == (["wal", 2, 5000, 1, 0], ["wal", 2, 5000, 1, 1])


async def test_sqlite_file_has_one_serving_process(sqlite_url):
    """Reliability: one writer process; a command may look into the file beside it."""
    first, second, command = (
        Database.open(sqlite_url, clock=SystemClock(), exclusive=is_exclusive) for is_exclusive in (True, True, False)
    )
    await first.start()

    with pytest.raises(SetupError, match="UHI_DATABASE_URL=postgresql"):
        await second.start()
    await command.start()
    await command.write(inserting("one"))
    await first.aclose()
    await second.start()

    assert await names(second) == ["one"]
    for each in (second, command):
        await each.aclose()


async def test_missing_folder_is_the_operators_mistake(tmp_path):
    """Ours: found before the first request, with what to do."""
    database = Database.open(f"sqlite:///{tmp_path}/none/new.db", clock=SystemClock())

    with pytest.raises(SetupError, match=r"none/new\.db cannot be used"):
        await database.start()
    await database.aclose()


async def test_server_out_of_reach_is_refused_and_its_password_never_shown(postgres_url):
    """Reliability: storage that cannot commit is a 503 at once."""
    away = make_url(postgres_url).set(port=1, password="secret-word").render_as_string(hide_password=False)
    database = Database.open(away, clock=SystemClock())

    with pytest.raises(Refusal) as refusal:
        await database.write(inserting("one"))
    with pytest.raises(SetupError) as mistake:
        await database.start()
    await database.aclose()

    assert refusal.value.fault is OVERLOADED
    assert "secret-word" not in f"{refusal.value} {mistake.value}"


async def test_lost_connections_are_made_again(postgres_server, postgres_url):
    """Reliability: a database that was restarted is used again without a restart of ours."""
    database = Database.open(postgres_url, clock=SystemClock())
    await asyncio.gather(database.write(inserting("one")), names(database), names(database))
    name = make_url(postgres_url).database

    postgres_server.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    await database.write(inserting("two"))

    assert await names(database) == ["one", "two"]
    await database.aclose()
