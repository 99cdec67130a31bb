"""Searches on SQL: sealed on the way in, opened on the way out.

Above: `searches`; below: `rows`, `uhi.storage`. Every id is also what its body is sealed about.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from secrets import token_hex

from pydantic import TypeAdapter
from sqlalchemy import Connection

from participants.patient.search import rows
from participants.patient.search.merging import Answered
from participants.patient.search.rows import AnswerRow, DiscoveryRow, SearchRow, SlotsRow
from participants.patient.search.wanted import Wanted, read_wanted, write_wanted
from uhi.booking.found import FoundDoctor, FoundSlot
from uhi.booking.plain_json import read_value, write_value
from uhi.storage.sealing import Sealing
from uhi.storage.sql.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """One search of one account. Answers are waited for until `until`, late ones shown until `over_at` (Unix seconds).

    `failed` is the code of why it could not be sent, mostly empty. `seq` is the number of its newest answer.
    """

    id: str
    account_id: str
    transaction_id: str
    key: str
    at: float
    until: float
    over_at: float
    expires_at: float
    wanted: Wanted = field(repr=False)
    seq: int = 0
    failed: str = ""


@dataclass(frozen=True, slots=True)
class Body:
    """What is sealed of an answer."""

    provider_name: str
    doctors: tuple[FoundDoctor, ...] = field(repr=False)
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """What a provider has answered to an earlier search."""

    provider_id: str
    at: float
    body: Body


@dataclass(frozen=True, slots=True)
class Lesson:
    """What may be shown, until then, to whoever looks for the same."""

    key: str
    known: Known
    until: float


class KeptSearches:
    """Everything about searches that outlives a process."""

    def __init__(self, database: Database, sealing: Sealing) -> None:
        self.database = database
        self._sealing = sealing

    async def begin(self, search: Search, known: Sequence[Known]) -> Search:
        """Keep a search with what is known beforehand as its first answers."""
        answers = [
            self._answer_row(search.id, f"known {one.provider_id}", _answered(one, seq))
            for seq, one in enumerate(known, start=1)
        ]
        kept = replace(search, seq=len(answers))
        row = self._search_row(kept)
        await self.database.write(lambda connection: rows.insert_search(connection, row, answers))
        return kept

    async def search(self, search_id: str) -> Search | None:
        """A search by its id."""
        return self._search(await self.database.read(lambda connection: rows.search(connection, search_id)))

    async def search_of(self, transaction_id: str) -> Search | None:
        """The search of a conversation."""
        return self._search(await self.database.read(lambda connection: rows.search_of(connection, transaction_id)))

    async def of_account(self, account_id: str) -> list[Search]:
        """Every search of an account, the oldest first."""
        found = await self.database.read(lambda connection: rows.searches_of(connection, account_id))
        return [self._opened(row) for row in found]

    async def add(
        self, search_id: str, answer: Answered, *, source: str, lesson: Lesson | None = None
    ) -> Answered | None:
        """Keep an answer and give it its number, and in the same step what the next search may be shown of it; None
        where it is kept already, or the search is gone."""
        row = self._answer_row(search_id, source, answer)
        learned = self._discovery_row(lesson) if lesson else None

        def add(connection: Connection) -> int:
            if learned is not None:
                rows.learn(connection, learned)
            return rows.add_answer(connection, row)

        seq = await self.database.write(add)
        return replace(answer, seq=seq) if seq else None

    async def answers(self, search_id: str, *, after: int = 0, most: int | None = None) -> list[Answered]:
        """The answers after a number, in order, up to another."""
        found = await self.database.read(lambda connection: rows.answers_since(connection, search_id, seq=after))
        wanted = [row for row in found if most is None or row.seq <= most]
        # Thousands of doctors take a second to be read.
        return await asyncio.to_thread(lambda: [self._answered(row) for row in wanted])

    async def fail(self, search_id: str, *, code: str, at: float) -> None:
        """Note that a search could not be sent."""
        await self.database.write(lambda connection: rows.fail(connection, search_id, code=code, at=at))

    async def forget(self, search_id: str) -> None:
        """Delete a search and everything of it."""
        await self.database.write(lambda connection: rows.forget_search(connection, search_id))

    async def keep_slots(self, search: Search, slots: Sequence[FoundSlot], *, expires_at: float) -> list[str]:
        """Keep slots that are shown; returns the ref of each."""
        slots_id = token_hex(16)
        body = self._sealing.seal(write_value(tuple(slots)), about=f"slots {slots_id}")
        row = SlotsRow(id=slots_id, search_id=search.id, account_id=search.account_id, expires_at=expires_at, body=body)
        await self.database.write(lambda connection: rows.insert_slots(connection, row))
        return [f"{slots_id}{place:x}" for place in range(len(slots))]

    async def slot(self, account_id: str, ref: str, *, now: float) -> FoundSlot | None:
        """The slot that was shown to an account under a ref, while it may be booked."""
        slots_id, place = ref[:32], ref[32:]
        row = await self.database.read(lambda connection: rows.slots(connection, slots_id))
        if row is None or row.account_id != account_id or row.expires_at <= now or not place.isalnum():
            return None
        found = read_value(_slots(), self._sealing.open(row.body, about=f"slots {slots_id}"), what="list of slots")
        return next((slot for n, slot in enumerate(found) if f"{n:x}" == place), None)

    async def known(self, key: str, *, now: float) -> list[Known]:
        """What may be shown to whoever looks for the same."""
        found = await self.database.read(lambda connection: rows.known(connection, key, now=now))
        return [
            Known(row.provider_id, row.at, self._body(row.body, f"discovery {key} {row.provider_id}")) for row in found
        ]

    async def purge(self, *, now: float) -> int:
        """Delete what is over; returns how much that was."""
        return await self.database.write(lambda connection: rows.purge(connection, now=now))

    def _discovery_row(self, lesson: Lesson) -> DiscoveryRow:
        key, known = lesson.key, lesson.known
        body = self._sealing.seal(write_value(known.body), about=f"discovery {key} {known.provider_id}")
        return DiscoveryRow(key=key, provider_id=known.provider_id, at=known.at, expires_at=lesson.until, body=body)

    def _search_row(self, search: Search) -> SearchRow:
        values = {name: getattr(search, name) for name in search.__slots__ if name != "wanted"}
        return SearchRow(**values, wanted=self._sealing.seal(write_wanted(search.wanted), about=f"search {search.id}"))

    def _search(self, row: SearchRow | None) -> Search | None:
        return None if row is None else self._opened(row)

    def _opened(self, row: SearchRow) -> Search:
        values = {name: getattr(row, name) for name in row.__slots__ if name != "wanted"}
        return Search(**values, wanted=read_wanted(self._sealing.open(row.wanted, about=f"search {row.id}")))

    def _answer_row(self, search_id: str, source: str, answer: Answered) -> AnswerRow:
        body = Body(answer.provider_name, answer.doctors, answer.left_out)
        return AnswerRow(
            search_id=search_id,
            seq=answer.seq,
            source=source,
            provider_id=answer.provider_id,
            at=answer.at,
            late=answer.late,
            cached=answer.cached,
            body=self._sealing.seal(write_value(body), about=f"answer {search_id} {source}"),
        )

    def _answered(self, row: AnswerRow) -> Answered:
        body = self._body(row.body, f"answer {row.search_id} {row.source}")
        return Answered(
            row.seq,
            row.provider_id,
            row.at,
            body.doctors,
            provider_name=body.provider_name,
            late=row.late,
            cached=row.cached,
            left_out=body.left_out,
        )

    def _body(self, sealed: bytes, about: str) -> Body:
        return read_value(_bodies(), self._sealing.open(sealed, about=about), what="answer to a search")


def forget_account(connection: Connection, account_id: str) -> None:
    """Delete every search of an account, in the transaction in which the account ends."""
    rows.forget_account(connection, account_id)


def _answered(known: Known, seq: int) -> Answered:
    body = known.body
    return Answered(seq, known.provider_id, known.at, body.doctors, body.provider_name, False, True, body.left_out)


@cache
def _bodies() -> TypeAdapter[Body]:
    return TypeAdapter(Body)


@cache
def _slots() -> TypeAdapter[tuple[FoundSlot, ...]]:
    return TypeAdapter(tuple[FoundSlot, ...])
