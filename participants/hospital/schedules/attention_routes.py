"""The appointments that need attention, over HTTP: listed until they are moved, called off or acknowledged.

Above: `Schedules`; below: `attention`. Says nothing about patients.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from pydantic import Field
from sqlalchemy import Connection

from participants.hospital.schedules.answers import ConcernAnswer, ConcernList, concern_answer
from participants.hospital.schedules.attention import Concern, acknowledge, concern, concerns
from participants.hospital.schedules.forms import ListQuery
from participants.hospital.schedules.program import ScheduleBook
from uhi.api.routes import Call, Nothing, Routes
from uhi.audit.trail import append
from uhi.faults import RECORD_MISSING
from uhi.identity.roles import Permission
from uhi.identity.rules import Relation, Rule, Target

DESK = Rule(Permission.APPOINTMENTS_DESK, Relation.OWN_TENANT)


class AttentionQuery(ListQuery):
    """Of an organisation, of one practice where it is named; `with_acknowledged=yes`: those too that somebody has
    seen."""

    organisation_id: str = Field(min_length=1, max_length=64)
    practice_id: str = Field(default="", max_length=64)
    with_acknowledged: Literal["", "yes", "no"] = ""


class AttentionRoutes:
    """What the desk deals with after a schedule has changed."""

    def __init__(self, book: ScheduleBook) -> None:
        self._book = book

    def add_to(self, group: Routes) -> None:
        """Put the routes into a group."""
        refuses = (RECORD_MISSING,)
        group.route("GET", "/v1/attention", DESK, body=AttentionQuery, answer=ConcernList, refuses=refuses)(
            self.list_attention
        )
        path = "/v1/attention/{id}/acknowledge"
        group.route("POST", path, DESK, body=Nothing, answer=ConcernAnswer, refuses=refuses)(self.acknowledge_attention)

    async def list_attention(self, call: Call[AttentionQuery]) -> ConcernList:
        """The booked appointments that have no slot in the schedule of today, by their start."""
        asked = call.body
        call.permit(Target(tenant=asked.organisation_id))
        look = replace(
            await self._book.look(asked.organisation_id),
            practice_ids=frozenset({asked.practice_id} - {""}),
            with_seen=asked.with_acknowledged == "yes",
            after=asked.after,
            most=asked.most + 1,
        )
        found = await self._book.read(lambda connection: concerns(connection, look))
        shown = found[: asked.most]
        return ConcernList(
            appointments=tuple(map(concern_answer, shown)), next=shown[-1].key if len(found) > asked.most else ""
        )

    async def acknowledge_attention(self, call: Call[Nothing]) -> ConcernAnswer:
        """Say that somebody deals with an appointment that needs attention."""
        look, order_id = await self._book.look(""), call.path["id"]

        def write(connection: Connection) -> Concern:
            found = concern(connection, look, order_id)
            call.permit(Target(tenant=found.practice.organisation_id))
            if found.seen_at is not None:
                return found
            acknowledge(connection, found, by=call.acting.actor, now=call.now)
            append(connection, call.acting.entry("schedule.acknowledge", f"order {order_id}", at=call.now))
            return concern(connection, look, order_id)

        return concern_answer(await self._book.database.write(write))
