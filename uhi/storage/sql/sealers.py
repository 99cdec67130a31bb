"""With whose key something is sealed that is kept of an account: the program's, or one that can be destroyed alone.

Sync functions on a connection. Above: the diary of a consumer, conversations; a program that keeps a key for each
account implements the port. Below: `uhi.storage.sealing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection, RowMapping

from uhi.storage.sealing import Sealing


class Sealers(Protocol):
    """Knows how what is kept of an account is sealed."""

    def of(self, connection: Connection, account_id: str, *, seals: bool = False) -> Sealing:
        """How what is kept of an account is opened, and with `seals` sealed: whoever destroys its key waits then until
        the caller's transaction has ended. `account_id` is empty for what is nobody's.

        Raises: Refusal(RECORD_MISSING) where there is no key any more, or never was; Refusal(OVERLOADED) while it
        cannot be reached.
        """


@dataclass(frozen=True, slots=True)
class OneSealing:
    """Seals everything with the program's key, whosesoever it is."""

    sealing: Sealing

    def of(self, connection: Connection, account_id: str, *, seals: bool = False) -> Sealing:
        """See `Sealers`."""
        return self.sealing


def sealings_of(sealers: Sealers, connection: Connection, rows: Iterable[RowMapping]) -> Mapping[str, Sealing]:
    """How rows with an `account_id` are opened, by that: the key of each account is looked up once.

    Raises: as `Sealers.of`.
    """
    return {account_id: sealers.of(connection, account_id) for account_id in {row["account_id"] for row in rows}}
