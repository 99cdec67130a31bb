"""Open requests on SQL: what was asked, which message answered it, and whose search a letter belongs to.

Sync functions on a `Connection`. Above: `storage`; below: `tables`, `many`. Source: decision on correlation.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, Row

from uhi.ports import Arrival, Callback, OpenRequest
from uhi.storage.sql.many import insert_rows, look_up, run, update_rows
from uhi.storage.sql.tables import request as table
from uhi.subscribers import Role, Subscriber

MOST_IN_TRANSACTION = 1_000
_COLUMNS = (
    *("message_id", "owner", "leg", "transaction_id", "counterpart", "opened_at", "until", "ttl_until"),
    *("asker_id", "asker_url", "cause"),
)
_KEYS = ("owner", "leg", "message_id")
_LOCK = """
SELECT given.n, request.message_id, request.counterpart, request.answered_at, request.answered_as
FROM {given} CROSS JOIN request
WHERE request.owner = given.a AND request.leg = given.b AND request.message_id = given.c
ORDER BY request.owner, request.leg, request.message_id /*pg FOR UPDATE OF request */
"""
_FITTING = """
SELECT * FROM request
WHERE owner = :owner AND leg = :leg AND message_id = :message_id AND counterpart IN ('', :counterpart)
UNION ALL
SELECT * FROM request
WHERE transaction_id = :transaction_id AND owner = :owner AND leg = :leg AND message_id <> :message_id
  AND counterpart IN ('', :counterpart)
ORDER BY opened_at, message_id LIMIT :most
"""
_TALKS = """
SELECT 1 FROM request
WHERE transaction_id = :transaction_id AND owner = :owner AND counterpart = :counterpart
UNION ALL
SELECT 1 FROM inbox
WHERE transaction_id = :transaction_id AND signer_id = :counterpart AND receiver_id = :owner
UNION ALL
SELECT 1 FROM orders
WHERE transaction_id = :transaction_id AND provider_id = :owner AND consumer_id = :counterpart
UNION ALL
SELECT 1 FROM consumer_booking
WHERE transaction_id = :transaction_id AND consumer_id = :owner AND provider_id = :counterpart
LIMIT 1
"""
_SEARCHES = """
SELECT request.*, EXISTS (
  SELECT 1 FROM outbox WHERE inbox_id = request.cause AND dest_subscriber_id = :provider) AS was_asked
FROM request
WHERE transaction_id = :transaction_id AND owner = :owner AND asker_id <> '' AND until >= :now
ORDER BY opened_at DESC, message_id DESC LIMIT :most
"""

_Key = tuple[str, str, str]


@dataclass(slots=True)
class _Answered:
    answered_at: float | None
    answered_as: str
    is_changed: bool = False


class Claims:
    """The requests that a group of arrivals answers, kept from everybody else until the group is committed."""

    def __init__(self, connection: Connection, arrivals: Sequence[Arrival]) -> None:
        self._connection = connection
        self._rows: dict[_Key, _Answered] = {}
        keys = sorted({_key(each.answers) for each in arrivals if each.answers and each.answers.counterpart})
        if not keys:
            return
        for row in look_up(connection, _LOCK, keys).mappings():
            self._rows[keys[int(row["n"])]] = _Answered(row["answered_at"], row["answered_as"])

    def may_answer(self, arrival: Arrival) -> bool:
        """Whether nobody else has answered: our own question has one answer, though it may come again."""
        row = self._row(arrival)
        if row is None or row.answered_at is None or arrival.answers is None:
            return True
        return arrival.message_id in (arrival.answers.message_id, row.answered_as)

    def claim(self, arrival: Arrival) -> None:
        """This message answers."""
        row = self._row(arrival)
        if row is None or arrival.answers is None:
            return
        if row.answered_at is None:
            row.answered_at, row.is_changed = arrival.received_at, True
        if arrival.message_id not in (arrival.answers.message_id, row.answered_as):
            row.answered_as, row.is_changed = arrival.message_id, True

    def write(self) -> None:
        """Remember who answered."""
        rows = [(*key, row.answered_at, row.answered_as) for key, row in self._rows.items() if row.is_changed]
        if rows:
            update_rows(self._connection, table, _KEYS, ("answered_at", "answered_as"), rows)

    def _row(self, arrival: Arrival) -> _Answered | None:
        return self._rows.get(_key(arrival.answers)) if arrival.answers else None


def insert_requests(connection: Connection, requests: Iterable[OpenRequest]) -> None:
    """Remember requests; one that is there already stays as it is."""
    rows = sorted((_values(each) for each in requests), key=lambda row: row[:3])
    if rows:
        insert_rows(connection, table, _COLUMNS, rows)


def fitting(connection: Connection, callback: Callback) -> OpenRequest | None:
    """See `uhi.ports.Requests`."""
    wanted = {
        "owner": callback.owner,
        "leg": callback.leg,
        "counterpart": callback.counterpart,
        "message_id": callback.message_id,
        "transaction_id": callback.transaction_id,
        "most": MOST_IN_TRANSACTION,
    }
    rows = run(connection, _FITTING, wanted).all()
    exact = [row for row in rows if row.message_id == callback.message_id]
    same = [row for row in rows if row.answered_as == callback.message_id]
    left = [row for row in rows if row.answered_at is None and row.transaction_id == callback.transaction_id]
    return next((_request(row) for row in [*exact, *same, *left]), None)


def talks_with(connection: Connection, owner: str, counterpart: str, transaction_id: str) -> bool:
    """See `uhi.ports.Requests`; an order is kept longer than the messages that made it, and news of it may come."""
    pair = {"owner": owner, "counterpart": counterpart, "transaction_id": transaction_id}
    return run(connection, _TALKS, pair).first() is not None


@dataclass(frozen=True, slots=True)
class Sought:
    """Which search is looked for."""

    owner: str
    transaction_id: str
    asker: str
    provider: str
    now: float


def search_of(connection: Connection, sought: Sought) -> OpenRequest | None:
    """See `uhi.ports.Requests`; of several of one asker the newest."""
    rows = run(connection, _SEARCHES, {**asdict(sought), "most": MOST_IN_TRANSACTION}).all()
    if not sought.asker and len({row.asker_id for row in rows}) != 1:
        return None
    mine = (row for row in rows if row.was_asked and sought.asker in ("", row.asker_id))
    return next((_request(row) for row in mine), None)


def _key(request: OpenRequest) -> _Key:
    return request.owner, request.leg, request.message_id


def _values(request: OpenRequest) -> tuple[object, ...]:
    return (
        request.message_id,
        request.owner,
        request.leg,
        request.transaction_id,
        request.counterpart,
        request.opened_at,
        request.until,
        request.ttl_until,
        request.asker.id if request.asker else "",
        request.asker.url if request.asker else "",
        request.cause,
    )


def _request(row: Row[tuple[object, ...]]) -> OpenRequest:
    return OpenRequest(
        owner=row.owner,
        leg=row.leg,
        message_id=row.message_id,
        transaction_id=row.transaction_id,
        counterpart=row.counterpart,
        opened_at=row.opened_at,
        until=row.until,
        ttl_until=row.ttl_until,
        asker=Subscriber(row.asker_id, Role.CONSUMER, row.asker_url) if row.asker_id else None,
        cause=row.cause,
    )
