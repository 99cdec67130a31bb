"""What every program that starts would make again, made once for the tests of a process: it takes long, and is no
different the next time."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from unittest.mock import patch

import pytest
from joserfc.jwk import RSAKey
from sqlalchemy import Connection, Dialect, Engine, event

_PAIRS = 16
_make = RSAKey.generate_key


class _Statements(dict[tuple[object, ...], object]):
    """Compiled SQL, of all engines of one kind: SQLAlchemy would keep it for each engine by itself."""

    def get(self, key: tuple[object, ...], default: object = None) -> object:
        return super().get(_of_all(key), default)

    def __setitem__(self, key: tuple[object, ...], compiled: object) -> None:
        # With `*` it keeps what the columns were of the one database that was asked.
        if "SELECT *" not in str(compiled):
            super().__setitem__(_of_all(key), compiled)


def _of_all(key: tuple[object, ...]) -> tuple[object, ...]:
    dialect = key[0]
    assert isinstance(dialect, Dialect)
    return dialect.name, dialect.driver, dialect.server_version_info, *key[1:]


@pytest.fixture(autouse=True, scope="session")
def _statements_compiled_once() -> Iterator[None]:
    statements = _Statements()

    def share(connection: Connection) -> None:
        connection.execution_options(compiled_cache=statements)

    event.listen(Engine, "engine_connect", share)
    yield
    event.remove(Engine, "engine_connect", share)


@pytest.fixture(autouse=True, scope="session")
def _rsa_keys_made_once() -> Iterator[None]:
    """A program that makes a key gets one that another program had, long ago: no test has so many at a time."""
    made: list[RSAKey] = []
    turns = itertools.cycle(range(_PAIRS))

    def generate_key(bits: int = 2_048, **_: object) -> RSAKey:
        if bits != 2_048:
            return _make(bits)
        turn = next(turns)
        if turn == len(made):
            made.append(_make(bits))
        return RSAKey.import_key(made[turn].raw_value)

    with patch.object(RSAKey, "generate_key", generate_key):
        yield
