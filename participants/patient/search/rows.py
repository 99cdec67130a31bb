"""The SQL of searches: plain functions on a connection. What is sealed is sealed before, and opened after.

Above: `kept`; below: `tables`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from participants.patient.search.tables import (
    patient_discovery,
    patient_search,
    patient_search_answer,
    patient_slots,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRow:
    """A row of `patient_search`."""

    id: str
    account_id: str
    transaction_id: str
    key: str
    at: float
    until: float
    over_at: float
    expires_at: float
    seq: int = 0
    failed: str = ""
    wanted: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRow:
    """A row of `patient_search_answer`; `seq` is 0 until it has a number."""

    search_id: str
    seq: int = 0
    source: str
    provider_id: str
    at: float
    late: bool
    cached: bool
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotsRow:
    """A row of `patient_slots`."""

    id: str
    search_id: str
    account_id: str
    expires_at: float
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryRow:
    """A row of `patient_discovery`."""

    key: str
    provider_id: str
    at: float
    expires_at: float
    body: bytes = field(repr=False)


def insert_search(connection: Connection, row: SearchRow, answers: Sequence[AnswerRow]) -> None:
    """Keep a search, with what is known beforehand: its first answers, numbered."""
    connection.execute(insert(patient_search).values(**_values(row)))
    if answers:
        connection.execute(insert(patient_search_answer), [_values(answer) for answer in answers])


def search(connection: Connection, search_id: str) -> SearchRow | None:
    """A search by its id."""
    return _search(
        connection.execute(select(patient_search).where(patient_search.c.id == search_id)).mappings().first()
    )


def search_of(connection: Connection, transaction_id: str) -> SearchRow | None:
    """The search of a conversation."""
    found = select(patient_search).where(patient_search.c.transaction_id == transaction_id)
    return _search(connection.execute(found).mappings().first())


def searches_of(connection: Connection, account_id: str) -> list[SearchRow]:
    """Every search of an account, the oldest first."""
    table = patient_search
    found = select(table).where(table.c.account_id == account_id).order_by(table.c.at, table.c.id)
    return [SearchRow(**row) for row in connection.execute(found).mappings()]


def add_answer(connection: Connection, row: AnswerRow) -> int:
    """Keep an answer under the next number of its search; 0 where it is there already, or the search is not."""
    answers = patient_search_answer.c
    # The search's row is locked first, so that two processes number one after the other.
    numbered = (
        update(patient_search)
        .where(patient_search.c.id == row.search_id)
        .values(seq=patient_search.c.seq + 1)
        .returning(patient_search.c.seq)
    )
    seq = connection.execute(numbered).scalar()
    there = select(answers.seq).where(answers.search_id == row.search_id, answers.source == row.source)
    if seq is None:
        return 0
    if connection.execute(there).first() is not None:
        back = update(patient_search).where(patient_search.c.id == row.search_id).values(seq=seq - 1)
        connection.execute(back)
        return 0
    connection.execute(insert(patient_search_answer).values(**{**_values(row), "seq": seq}))
    return int(seq)


def answers_since(connection: Connection, search_id: str, *, seq: int) -> list[AnswerRow]:
    """The answers after a number, in order."""
    table = patient_search_answer
    found = select(table).where(table.c.search_id == search_id, table.c.seq > seq).order_by(table.c.seq)
    return [AnswerRow(**row) for row in connection.execute(found).mappings()]


def fail(connection: Connection, search_id: str, *, code: str, at: float) -> None:
    """Note that a search could not be sent: it is over."""
    values = {"failed": code, "until": at, "over_at": at}
    connection.execute(update(patient_search).where(patient_search.c.id == search_id).values(**values))


def forget_search(connection: Connection, search_id: str) -> None:
    """Delete a search and everything of it."""
    for table in (patient_slots, patient_search_answer):
        connection.execute(delete(table).where(table.c.search_id == search_id))
    connection.execute(delete(patient_search).where(patient_search.c.id == search_id))


def forget_account(connection: Connection, account_id: str) -> None:
    """Delete every search of an account, and what was shown to it alone."""
    theirs = select(patient_search.c.id).where(patient_search.c.account_id == account_id)
    for table in (patient_slots, patient_search_answer):
        connection.execute(delete(table).where(table.c.search_id.in_(theirs)))
    connection.execute(delete(patient_search).where(patient_search.c.account_id == account_id))


def insert_slots(connection: Connection, row: SlotsRow) -> None:
    """Keep the slots of one answer."""
    connection.execute(insert(patient_slots).values(**_values(row)))


def slots(connection: Connection, slots_id: str) -> SlotsRow | None:
    """The slots of one answer."""
    row = connection.execute(select(patient_slots).where(patient_slots.c.id == slots_id)).mappings().first()
    return SlotsRow(**row) if row else None


def known(connection: Connection, key: str, *, now: float) -> list[DiscoveryRow]:
    """What may be shown to whoever looks for this."""
    table = patient_discovery
    found = select(table).where(table.c.key == key, table.c.expires_at > now).order_by(table.c.provider_id)
    return [DiscoveryRow(**row) for row in connection.execute(found).mappings()]


def learn(connection: Connection, row: DiscoveryRow) -> None:
    """Keep what a provider has answered last."""
    table = patient_discovery
    connection.execute(delete(table).where(table.c.key == row.key, table.c.provider_id == row.provider_id))
    if row.expires_at > row.at:
        connection.execute(insert(table).values(**_values(row)))


def purge(connection: Connection, *, now: float) -> int:
    """Delete what is over; returns how many searches, answers to others, and lists of slots that were."""
    over = select(patient_search.c.id).where(patient_search.c.expires_at <= now)
    deleted = connection.execute(delete(patient_slots).where(patient_slots.c.expires_at <= now)).rowcount
    connection.execute(delete(patient_slots).where(patient_slots.c.search_id.in_(over)))
    connection.execute(delete(patient_search_answer).where(patient_search_answer.c.search_id.in_(over)))
    deleted += connection.execute(delete(patient_search).where(patient_search.c.expires_at <= now)).rowcount
    return deleted + connection.execute(delete(patient_discovery).where(patient_discovery.c.expires_at <= now)).rowcount


def _search(row: RowMapping | None) -> SearchRow | None:
    return SearchRow(**row) if row else None


def _values(row: SearchRow | AnswerRow | SlotsRow | DiscoveryRow) -> dict[str, object]:
    return {name: getattr(row, name) for name in row.__slots__}
