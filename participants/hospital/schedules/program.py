"""Schedules as a program has them: reading, changing, and what needs attention after a change.

Above: routes, the hospital's port; below: rows, `changing`, `attention`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from sqlalchemy import Connection

from participants.hospital.organisations.directory import Directory
from participants.hospital.schedules.answers import Attention, concern_answer
from participants.hospital.schedules.attention import Concern, Look, concerns
from participants.hospital.schedules.records import Owned
from participants.hospital.schedules.writing import Writing, writes
from uhi.api.routes import Body, Call
from uhi.identity.rules import Target
from uhi.ports import Clock
from uhi.storage.sql.database import Database

T = TypeVar("T")
B = TypeVar("B", bound=Body)

_SHOWN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleBook:
    """The schedules of one provider's practices, on its database."""

    database: Database
    clock: Clock
    directory: Directory
    provider_id: str

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Read something.

        Raises: Refusal(OVERLOADED) when the database does not answer.
        """
        return await self.database.read(query)

    async def change(self, call: Call[B], work: Callable[[Writing], T]) -> T:
        """Change something for whoever calls, in organisations that are theirs.

        Raises: what the work raises; Refusal(RECORD_MISSING) for another organisation's.
        """
        now = self.clock.now()

        def permit(organisation_id: str) -> None:
            call.permit(Target(tenant=organisation_id))

        return await self.database.write(writes(work, now=now, acting=call.acting, permit=permit))

    async def look(self, organisation_id: str) -> Look:
        """How one looks for what needs attention now."""
        snapshot = await self.directory.refresh()
        return Look(
            provider_id=self.provider_id, organisation_id=organisation_id, snapshot=snapshot, now=self.clock.now()
        )

    async def attention(self, practices: list[Owned]) -> Attention:
        """What needs attention of these practices, which are one organisation's."""
        if not practices:
            return Attention(appointments=(), is_all=True)
        look = replace(
            await self.look(practices[0].organisation_id),
            practice_ids=frozenset(practice.id for practice in practices),
            most=_SHOWN + 1,
        )
        found: list[Concern] = await self.read(lambda connection: concerns(connection, look))
        return Attention(appointments=tuple(map(concern_answer, found[:_SHOWN])), is_all=len(found) <= _SHOWN)
