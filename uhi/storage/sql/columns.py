"""The kinds of column that every table here is made of: texts that are there, times in Unix seconds, counts.

Below: the tables of each package. Times are doubles bound from the program's clock, on both databases.
"""

from __future__ import annotations

from sqlalchemy import Column, Double, Integer, Text


def key(name: str) -> Column[str]:
    """A text that every row has to give."""
    return Column(name, Text, nullable=False)


def words(name: str, *, default: str | None = "") -> Column[str]:
    """A text that is `default` where a row does not give it; with None it may be missing."""
    return Column(name, Text, nullable=default is None, server_default=default)


def time(name: str, *, nullable: bool = False) -> Column[float]:
    """A moment, in Unix seconds."""
    return Column(name, Double, nullable=nullable)


def count(name: str) -> Column[int]:
    """A number that begins with 0."""
    return Column(name, Integer, nullable=False, server_default="0")
