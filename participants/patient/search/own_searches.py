"""What the application keeps of an account's searches, for its export and its erasure.

Above: the program; below: `kept`. Source: case IAM-17.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from participants.patient.search.kept import KeptSearches, forget_account
from uhi.booking.plain_json import plain


@dataclass(frozen=True, slots=True)
class OwnSearches:
    """Implements `OwnData`: what somebody looked for, while it is kept; what was found is what hospitals publish."""

    kept: KeptSearches

    @property
    def name(self) -> str:
        """See `OwnData`."""
        return "searches"

    async def export(self, account_id: str) -> object:
        """What was looked for in the last day; `GET /v1/searches/{id}` shows what was found."""
        found = await self.kept.of_account(account_id)
        return [{"id": each.id, "at": each.at, "wanted": plain(each.wanted)} for each in found]

    def erase(self, connection: Connection, account_id: str) -> int:
        """See `OwnData`; how many they were is not counted."""
        forget_account(connection, account_id)
        return 0

    async def erased(self, account_id: str) -> None:
        """See `OwnData`: nothing is kept elsewhere."""
