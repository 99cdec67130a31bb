"""What is in the tables, as these tests look at it."""

from __future__ import annotations

from sqlalchemy import Table, func, select

from uhi.storage.sql.database import Database


async def rows(database: Database, table: Table, *columns: str) -> list[tuple[object, ...]]:
    """All rows of a table."""
    picked = [table.c[name] for name in columns] or [table]
    return list(await database.read(lambda on: [tuple(row) for row in on.execute(select(*picked))]))


async def count(database: Database, table: Table) -> int:
    """How many rows a table has."""
    return await database.read(lambda on: on.execute(select(func.count()).select_from(table)).scalar_one())
