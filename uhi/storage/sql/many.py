"""Many rows in one statement, on both databases: rows as a table inside it, inserts, updates.

Below `inbox`, `outbox`, `requests`. A statement is written once per table and columns, whatever the number of rows:
PostgreSQL takes an array per column, SQLite JSON for what is looked up and one row after the other for what is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache

import orjson
from sqlalchemy import Boolean, Connection, CursorResult, Dialect, Double, Integer, LargeBinary, Table, Text, text

Rows = Sequence[Sequence[object]]
_ARRAYS = {Text: "text[]", Double: "float8[]", Integer: "int4[]", Boolean: "bool[]", LargeBinary: "bytea[]"}


def is_postgres(connection: Connection) -> bool:
    """Which of the two it is."""
    return connection.dialect.name == "postgresql"


def run(connection: Connection, sql: str, parameters: Mapping[str, object]) -> CursorResult[tuple[object, ...]]:
    """Run a statement with parameters such as `:now`. On SQLite what stands between `/*pg` and `*/` is a comment."""
    driver_sql, names = _compiled(connection.dialect, sql)
    return connection.exec_driver_sql(driver_sql, tuple(parameters[name] for name in names))


def look_up(
    connection: Connection, sql: str, rows: Rows, more: Mapping[str, object] | None = None
) -> CursorResult[tuple[object, ...]]:
    """Run a statement in which `{given}` is a table of `rows`: texts, in the columns `a`, `b`, `c` and so on, and `n`,
    which counts the rows from 0. `more` are parameters of other names.
    """
    width = len(rows[0])
    if is_postgres(connection):
        arrays = {_NAMES[at]: [row[at] for row in rows] for at in range(width)}
        return run(connection, _postgres_look_up(sql, width), {**(more or {}), **arrays})
    return run(connection, _sqlite_look_up(sql, width), {**(more or {}), "given": orjson.dumps(rows).decode()})


def insert_rows(connection: Connection, table: Table, columns: tuple[str, ...], rows: Rows) -> frozenset[object] | None:
    """Insert rows that are not there yet; returns the first column of those that were inserted, None for all of them.

    The first column is the row's own id, not the reason why another row is in its place.
    """
    if is_postgres(connection):
        found = connection.exec_driver_sql(_postgres_insert(table, columns), _by_column(rows)).scalars().all()
        return None if len(found) == len(rows) else frozenset(found)
    done = connection.exec_driver_sql(_sqlite_insert(table, columns), [tuple(row) for row in rows])
    if done.rowcount == len(rows):
        return None
    sql = f"SELECT {columns[0]} FROM {table.name} WHERE {columns[0]} IN (SELECT a FROM {{given}})"  # noqa: S608
    return frozenset(row[0] for row in look_up(connection, sql, [(row[0],) for row in rows]))


def update_rows(
    connection: Connection, table: Table, keys: tuple[str, ...], values: tuple[str, ...], rows: Rows
) -> None:
    """Give the rows with these keys these values; a row is its keys first."""
    if is_postgres(connection):
        connection.exec_driver_sql(_postgres_update(table, keys, values), _by_column(rows))
    else:
        reordered = [(*row[len(keys) :], *row[: len(keys)]) for row in rows]
        connection.exec_driver_sql(_sqlite_update(table, keys, values), reordered)


_NAMES = "abcdefgh"


def _by_column(rows: Rows) -> tuple[object, ...]:
    return tuple(map(list, zip(*rows, strict=True)))


@lru_cache(maxsize=256)
def _compiled(dialect: Dialect, sql: str) -> tuple[str, tuple[str, ...]]:
    """A statement as the driver takes it, and the names of its parameters in order."""
    if dialect.name == "postgresql":
        sql = sql.replace("/*pg", "").replace("*/", "")
    compiled = text(sql).compile(dialect=dialect)
    return str(compiled), tuple(compiled.positiontup or ())


@cache
def _postgres_look_up(sql: str, width: int) -> str:
    arrays = ", ".join(f"CAST(:{_NAMES[at]} AS text[])" for at in range(width))
    columns = ", ".join(_NAMES[:width])
    given = f"unnest({arrays}) WITH ORDINALITY AS given({columns}, ordinal)"
    counted = f"(SELECT {columns}, ordinal - 1 AS n FROM {given}) AS given"  # noqa: S608
    return sql.replace("{given}", counted)


@cache
def _sqlite_look_up(sql: str, width: int) -> str:
    columns = ", ".join(f"json_extract(value, '$[{at}]') AS {_NAMES[at]}" for at in range(width))
    given = f"(SELECT {columns}, key AS n FROM json_each(:given)) AS given"  # noqa: S608
    return sql.replace("{given}", given)


@cache
def _postgres_insert(table: Table, columns: tuple[str, ...]) -> str:
    arrays = _arrays(table, columns)
    return (
        f"INSERT INTO {table.name} ({', '.join(columns)}) SELECT * FROM unnest({arrays})"  # noqa: S608
        f" ON CONFLICT DO NOTHING RETURNING {columns[0]}"
    )


@cache
def _sqlite_insert(table: Table, columns: tuple[str, ...]) -> str:
    marks = ", ".join("?" for _ in columns)
    return f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks}) ON CONFLICT DO NOTHING"  # noqa: S608


@cache
def _postgres_update(table: Table, keys: tuple[str, ...], values: tuple[str, ...]) -> str:
    names = ", ".join(f"k{at}" for at in range(len(keys))) + ", " + ", ".join(f"v{at}" for at in range(len(values)))
    changes = ", ".join(f"{name} = given.v{at}" for at, name in enumerate(values))
    condition = " AND ".join(f"{table.name}.{name} = given.k{at}" for at, name in enumerate(keys))
    arrays = _arrays(table, (*keys, *values))
    return f"UPDATE {table.name} SET {changes} FROM unnest({arrays}) AS given({names}) WHERE {condition}"  # noqa: S608


@cache
def _sqlite_update(table: Table, keys: tuple[str, ...], values: tuple[str, ...]) -> str:
    changes = ", ".join(f"{name} = ?" for name in values)
    condition = " AND ".join(f"{name} = ?" for name in keys)
    return f"UPDATE {table.name} SET {changes} WHERE {condition}"  # noqa: S608


def _arrays(table: Table, columns: tuple[str, ...]) -> str:
    kinds = (_ARRAYS[type(table.c[name].type)] for name in columns)
    return ", ".join(f"${at}::{kind}" for at, kind in enumerate(kinds, start=1))
