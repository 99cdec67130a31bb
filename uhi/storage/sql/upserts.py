"""Inserts that may meet a row that is there already, as either of the two databases writes them.

Above: whoever keeps rows that others may make at the same time.
"""

from __future__ import annotations

from sqlalchemy import Connection, TableClause
from sqlalchemy.dialects import postgresql, sqlite


def insert_on(connection: Connection, table: TableClause) -> postgresql.Insert | sqlite.Insert:
    """An insert with `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
