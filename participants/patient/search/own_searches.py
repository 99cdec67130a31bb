"""What the application keeps of an account's searches, for its export and its erasure.

Above: the program; below: `kept`. Source: case IAM-17.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from participants.patient.search.kept import forget_account


@dataclass(frozen=True, slots=True)
class OwnSearches:
    """Implements `OwnData`: what somebody looked for is gone within a day, and is not in an export."""

    @property
    def name(self) -> str:
        """See `OwnData`."""
        return "searches"

    async def export(self, account_id: str) -> object:
        """Searches are copies of what hospitals publish, kept for a day."""
        return "kept for at most 24 hours; read them with GET /v1/searches/{id}"

    def erase(self, connection: Connection, account_id: str) -> int:
        """See `OwnData`; how many they were is not counted."""
        forget_account(connection, account_id)
        return 0

    async def erased(self, account_id: str) -> None:
        """See `OwnData`: nothing is kept elsewhere."""
