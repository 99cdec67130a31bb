"""Searches over HTTP: begin one, read it, hear it as events or on a WebSocket, ask for slots and prices, forget it.

Above: the patient's program; below: `searches`. A search of another account answers as one that is not there. Source:
security rules "IAM" (patients), reference of the protocol "search end".
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import datetime

from participants.patient.search.answers import (
    QuoteAnswer,
    SearchBegun,
    SearchNews,
    SearchPage,
    SlotList,
    doctor_answer,
    progress_of,
    quote_answer,
    slot_answer,
)
from participants.patient.search.asked import PageQuery, SearchBody, SlotQuery, StreamQuery, slots_window, wanted_of
from participants.patient.search.flowing import stream_of
from participants.patient.search.kept import Search
from participants.patient.search.searches import Searches
from participants.patient.search.sorting import in_order
from uhi.api.problems import refusal_of
from uhi.api.routes import Body, Call, Nothing, Routes, Stream
from uhi.errors import Refusal
from uhi.faults import HOSPITAL_AWAY, HOSPITAL_DECLINED, HOSPITAL_SILENT, OVERLOADED, RECORD_MISSING, TOO_MANY_TRIES
from uhi.identity.roles import Permission
from uhi.identity.rules import Relation, Rule, Target
from uhi.messages.values import IST

OWN_SEARCHES = Rule(Permission.RECORDS_OWN, Relation.OWN_ACCOUNT)

_ONE = "/v1/searches/{id}"
_CURSOR = re.compile(r"([0-9]{1,9})\.([0-9]{1,9})")
_ASKS_A_HOSPITAL = (RECORD_MISSING, HOSPITAL_DECLINED, HOSPITAL_AWAY, HOSPITAL_SILENT)


class SearchPages:
    """What patients do with their searches. `consented` refuses a search that nobody consented to."""

    def __init__(self, searches: Searches, *, consented: Callable[[Call[Body]], Awaitable[None]] | None = None) -> None:
        self._searches = searches
        self._consented = consented

    def routes(self) -> Routes:
        """The group of routes."""
        group, rule = Routes("searches"), OWN_SEARCHES
        full = (TOO_MANY_TRIES, OVERLOADED)
        missing = (RECORD_MISSING,)
        group.route(
            "POST", "/v1/searches", rule, body=SearchBody, answer=SearchBegun, status=201, size=8_192, refuses=full
        )(self.begin_search)
        group.route("GET", _ONE, rule, body=PageQuery, answer=SearchPage, refuses=missing)(self.read_search)
        group.route("DELETE", _ONE, rule, body=Nothing, answer=None, refuses=missing)(self.forget_search)
        group.stream("events", f"{_ONE}/events", rule, body=StreamQuery, event=SearchNews)(self.hear_search)
        group.stream("socket", f"{_ONE}/socket", rule, body=StreamQuery, event=SearchNews)(self.join_search)
        group.route(
            "GET", f"{_ONE}/doctors/{{ref}}/slots", rule, body=SlotQuery, answer=SlotList, refuses=_ASKS_A_HOSPITAL
        )(self.find_slots)
        group.route("GET", "/v1/slots/{ref}/quote", rule, body=Nothing, answer=QuoteAnswer, refuses=_ASKS_A_HOSPITAL)(
            self.quote_slot
        )
        return group

    async def begin_search(self, call: Call[SearchBody]) -> SearchBegun:
        """Look for doctors. Results come to the search's stream, and are read page by page."""
        account_id = call.principal.id
        call.permit(Target(account_id=account_id))
        if self._consented is not None:
            await self._consented(call)
        search = await self._searches.begin(account_id, wanted_of(call.body, now=call.now))
        return SearchBegun(id=search.id, until=datetime.fromtimestamp(search.until, IST))

    async def read_search(self, call: Call[PageQuery]) -> SearchPage:
        """What was found so far, in an order, a page at a time."""
        search, asked = await self._own(call), call.body
        seq, start = _read_cursor(asked.cursor)
        board = await self._searches.board(search, most=seq)
        # Thousands take a while, in which others are to be answered.
        entries = await asyncio.to_thread(lambda: in_order(board.entries, asked.sort, search.wanted))
        end = start + asked.most
        return SearchPage(
            id=search.id,
            progress=progress_of(search, board, now=call.now),
            doctors=tuple(doctor_answer(entry, search.wanted, now=call.now) for entry in entries[start:end]),
            next=f"{board.seq}.{end}" if end < len(entries) else "",
        )

    async def forget_search(self, call: Call[Nothing]) -> None:
        """Delete a search and what it has found."""
        await self._searches.forget(await self._own(call))

    async def hear_search(self, call: Call[StreamQuery]) -> Stream | None:
        """Doctors as hospitals answer (`doctors`), when nobody waits any more (`done`), when nothing comes any more
        (`end`)."""
        return stream_of(self._searches, await self._own(call), after=call.last_event or call.body.after)

    async def join_search(self, call: Call[StreamQuery]) -> Stream | None:
        """The same events through a WebSocket."""
        return stream_of(self._searches, await self._own(call), after=call.last_event or call.body.after)

    async def find_slots(self, call: Call[SlotQuery]) -> SlotList:
        """Ask the hospital when a doctor is free."""
        search = await self._own(call)
        window, following = slots_window(call.body, now=call.now)
        found = await self._searches.slots(search, call.path["ref"], window)
        return SlotList(slots=tuple(slot_answer(ref, slot) for ref, slot in found), next=following)

    async def quote_slot(self, call: Call[Nothing]) -> QuoteAnswer:
        """Ask the hospital what a slot costs, without holding it."""
        call.permit(Target(account_id=call.principal.id))
        return quote_answer(await self._searches.quote(call.principal.id, call.path["ref"]))

    async def _own(self, call: Call[Body]) -> Search:
        search = await self._searches.search(call.path["id"])
        call.permit(Target(account_id=search.account_id))
        return search


def _read_cursor(text: str) -> tuple[int | None, int]:
    """Up to which answer, and how many entries were shown."""
    if not text:
        return None, 0
    found = _CURSOR.fullmatch(text)
    if found is None:
        refused: Refusal = refusal_of(("cursor", "is to be the `next` of a page"))
        raise refused
    return int(found[1]), int(found[2])
