"""Lists from a database, on SQLite and on PostgreSQL: rows as they are now, mistakes told, nothing of them logged."""

from __future__ import annotations

import pytest
from sqlalchemy import column, literal, select
from sqlalchemy import table as named_table

from tests.listing.scene import run, tables
from uhi.errors import SetupError
from uhi.listing import Entry, Refreshed, SqlRows, Table
from uhi.testing import FakeClock

ROWS = [
    {"id": "one", "name": "First", "count": "3", "extra": "ignored"},
    {"id": "two", "name": "Second", "count": None, "extra": None},
]


def read_shop(entry: Entry) -> tuple[str, str, int]:
    """A shop, as these tests compare it."""
    return entry.ref("id"), entry.text("name"), entry.whole("count")


SHOPS = Table("shop", ("id", "name"), ("count",), read_shop)


async def test_rows_of_a_table_are_read_by_column_name(database_url):
    """Ours: a plain table with the documented columns; others do not matter, and no value is an absent column."""
    async with tables(database_url, {"shop": ROWS}) as database:
        found = await SqlRows(database, SHOPS).read()

    assert found == [("one", "First", 3), ("two", "Second", 0)]


async def test_rows_may_come_from_a_select_of_ones_own(database_url):
    """Ours: tables with other names and columns are selected from, with labels."""
    async with tables(database_url, {"store": [{"no": "7", "title": "Shop"}]}) as database:
        store = named_table("store", column("no"), column("title"))
        rows = select(store.c.no.label("id"), store.c.title.label("name"), literal(5).label("count"))

        found = await SqlRows(database, SHOPS, rows=rows).read()

    assert found == [("7", "Shop", 5)]


async def test_a_row_with_a_mistake_is_left_out_and_told_without_its_content(database_url, caplog):
    """Ours: one mistake does not silence the others; the log names the place."""
    bad = [{**ROWS[0], "count": "many"}, {**ROWS[0], "name": None}, ROWS[1]]
    async with tables(database_url, {"shop": bad}) as database:
        found = await SqlRows(database, SHOPS).read()

    assert [one[0] for one in found] == ["two"]
    assert "row 1 of shop, column count: this does not have the required form" in caplog.text
    assert "row 2 of shop, column name: this is empty" in caplog.text
    assert "many" not in caplog.text


async def test_a_table_without_a_required_column_cannot_be_used(database_url):
    """Ours: told at the start, with what to add."""
    async with tables(database_url, {"shop": [{"id": "one"}]}) as database:
        with pytest.raises(SetupError, match="the table shop lacks columns, got no name, expected id name"):
            await SqlRows(database, SHOPS).check()


async def test_a_table_that_is_not_there_is_told_at_the_start(database_url):
    """Ours: a setting that cannot work is found before the first request."""
    async with tables(database_url, {"other": ROWS}) as database:
        with pytest.raises(SetupError, match="the table shop cannot be read"):
            await SqlRows(database, SHOPS).check()


async def test_what_is_refreshed_is_read_again_after_its_time(database_url):
    """Ours: long lists that change seldom are not read at every search."""
    clock, seen = FakeClock(jumps=False), []
    async with tables(database_url, {"shop": ROWS}) as database:
        source = Refreshed(SqlRows(database, SHOPS), clock=clock, seconds=60)
        for seconds in (0, 59, 1):
            await clock.advance(seconds)
            seen.append(len(await source.read()))
            await run(database, "DELETE FROM shop WHERE id = 'one'")

    assert seen == [2, 2, 1]


async def test_values_of_other_kinds_are_read_as_text(database_url):
    """Ours: whole numbers, yes and no, days, as a database keeps them."""
    wanted = Table("shop", ("id", "name"), ("count",), lambda entry: (entry.text("name"), entry.whole("count")))
    rows = select(literal("x").label("id"), literal(True).label("name"), literal(12.0).label("count"))
    async with tables(database_url, {"shop": ROWS}) as database:
        found = await SqlRows(database, wanted, rows=rows).read()

    assert [count for _, count in found] == [12]
