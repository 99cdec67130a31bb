"""The journal on SQL: a group of arrivals is judged and kept in a handful of statements, however many they are.

Sync functions on a `Connection`. Above: `storage`, `changes`; below: `requests`, `bodies`, `many`, `tables`. Source:
reliability rules "Receive side".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from sqlalchemy import Connection

from uhi.exchange.row_ids import new_row_id
from uhi.ports import Arrival, Arrived, Event
from uhi.storage.sql.bodies import Ours, insert_bodies
from uhi.storage.sql.events import insert_events
from uhi.storage.sql.many import insert_rows, look_up
from uhi.storage.sql.requests import Claims, insert_requests
from uhi.storage.sql.tables import DONE, NEW
from uhi.storage.sql.tables import inbox as table

_Identity = tuple[str, str, str, str, str]
_Conversation = tuple[str, str, str, str]

_COLUMNS = (
    *("id", "receiver_id", "signer_id", "path_role", "message_id", "variant", "digest", "transaction_id", "body_id"),
    *("header", "facts", "answers", "received_at", "deadline", "status", "finished_at", "owner", "lease_until"),
)
_KNOWN = """
SELECT given.n,
  (SELECT digest FROM inbox WHERE receiver_id = given.a AND signer_id = given.b AND path_role = given.c
    AND message_id = given.d AND variant = given.e) AS digest,
  (SELECT count(*) FROM inbox WHERE transaction_id = given.f AND signer_id = given.b AND receiver_id = given.a
    AND path_role = given.c) AS kept
FROM {given}
"""
_REMEMBER = """
INSERT INTO used_header (key, expires) SELECT given.a, CAST(given.b AS double precision) FROM {given} WHERE true
ON CONFLICT DO NOTHING RETURNING key
"""
_FINISH = """
UPDATE inbox SET status = 'DONE', finished_at = :now, owner = NULL, lease_until = NULL
WHERE status = 'NEW' AND id IN (SELECT a FROM {given}) RETURNING id, body_id, digest, answers
"""


@dataclass(slots=True)
class _Known:
    """What the journal held before, and what this group adds to it."""

    digests: dict[_Identity, str]
    kept: Counter[_Conversation]


@dataclass(frozen=True, slots=True)
class Finished:
    """A message that is dealt with now: where its body is, the body's digest, and whether it answers a request of
    ours, which another process may still wait to hear."""

    body_id: str
    digest: str
    is_answer: bool = False


def accept(connection: Connection, ours: Ours, arrivals: Sequence[Arrival]) -> Sequence[Arrived]:
    """Judge each arrival, as if one came after the other, and keep those that are new."""
    replayed = _remember_headers(connection, arrivals)
    judged = [at for at in range(len(arrivals)) if at not in replayed]
    claims = Claims(connection, [arrivals[at] for at in judged])
    known = _look_up(connection, [arrivals[at] for at in judged])
    arrived = [Arrived.REPLAYED] * len(arrivals)
    for at in judged:
        arrived[at] = _judge(arrivals[at], known, claims)
    new = [at for at in judged if arrived[at] is Arrived.NEW]
    late = _keep(connection, ours, [arrivals[at] for at in new])
    for at in new:
        if arrivals[at].id in late:
            # Another process has kept the same message since we looked.
            digest = _look_up(connection, [arrivals[at]]).digests.get(_identity(arrivals[at]))
            arrived[at] = Arrived.REPEATED if digest == arrivals[at].digest else Arrived.CONFLICT
    claims.write()
    return arrived


def finish(connection: Connection, ids: Sequence[str], *, now: float) -> dict[str, Finished]:
    """Mark messages as dealt with; returns those that were not yet."""
    if not ids:
        return {}
    # In a fixed order, so that two processes do not wait for each other.
    rows = look_up(connection, _FINISH, [(each,) for each in sorted(set(ids))], {"now": now}).all()
    return {row.id: Finished(row.body_id or "", row.digest, row.answers is not None) for row in rows}


def _remember_headers(connection: Connection, arrivals: Sequence[Arrival]) -> set[int]:
    """Remember the hop headers; returns which arrivals came with one that was there already."""
    keys = {at: _header_key(each) for at, each in enumerate(arrivals) if each.hop_header}
    if not keys:
        return set()
    rows = sorted((key, repr(arrivals[at].hop_expires)) for at, key in keys.items())
    fresh = {row.key for row in look_up(connection, _REMEMBER, rows)}
    replayed = set()
    for at, key in keys.items():
        if key in fresh:
            fresh.remove(key)
        else:
            replayed.add(at)
    return replayed


def _look_up(connection: Connection, arrivals: Sequence[Arrival]) -> _Known:
    known = _Known({}, Counter())
    if not arrivals:
        return known
    rows = [(*_identity(each), each.transaction_id) for each in arrivals]
    for found in look_up(connection, _KNOWN, rows).all():
        arrival = arrivals[int(found.n)]
        known.kept[_conversation(arrival)] = found.kept
        if found.digest is not None:
            known.digests[_identity(arrival)] = found.digest
    return known


def _judge(arrival: Arrival, known: _Known, claims: Claims) -> Arrived:
    digest = known.digests.get(_identity(arrival))
    if digest is not None:
        return Arrived.REPEATED if digest == arrival.digest else Arrived.CONFLICT
    if known.kept[_conversation(arrival)] >= arrival.cap:
        return Arrived.TOO_MANY
    if not claims.may_answer(arrival):
        return Arrived.ANSWERED
    claims.claim(arrival)
    known.digests[_identity(arrival)] = arrival.digest
    known.kept[_conversation(arrival)] += 1
    return Arrived.NEW


def _keep(connection: Connection, ours: Ours, arrivals: Sequence[Arrival]) -> frozenset[str]:
    """Keep what is new; returns the ids of those that another process has kept meanwhile."""
    if not arrivals:
        return frozenset()
    rows = sorted((_values(each, ours) for each in arrivals), key=lambda row: row[1:6])
    inserted = insert_rows(connection, table, _COLUMNS, rows)
    late = frozenset() if inserted is None else frozenset(each.id for each in arrivals if each.id not in inserted)
    kept = [each for each in arrivals if each.id not in late]
    insert_bodies(connection, ours, {each.id: each.body for each in kept if not each.is_finished})
    insert_requests(connection, [each.opens for each in kept if each.opens])
    if ours.has_events:
        insert_events(connection, [_accepted(each) for each in kept])
    return late


def _values(arrival: Arrival, ours: Ours) -> tuple[object, ...]:
    is_finished = arrival.is_finished
    return (
        arrival.id,
        *_identity(arrival),
        arrival.digest,
        arrival.transaction_id,
        None if is_finished else arrival.id,
        arrival.authorization,
        arrival.facts.decode(),
        arrival.answers.message_id if arrival.answers else None,
        arrival.received_at,
        arrival.deadline,
        DONE if is_finished else NEW,
        arrival.received_at if is_finished else None,
        None if is_finished else ours.owner,
        None if is_finished else ours.lease(),
    )


def _identity(arrival: Arrival) -> _Identity:
    return arrival.receiver, arrival.signer, arrival.path_role, arrival.message_id, arrival.variant


def _conversation(arrival: Arrival) -> _Conversation:
    return arrival.receiver, arrival.signer, arrival.path_role, arrival.transaction_id


def _header_key(arrival: Arrival) -> str:
    return blake2b(f"{arrival.receiver}\n{arrival.hop_header}".encode(), digest_size=20).hexdigest()


def _accepted(arrival: Arrival) -> Event:
    facts: Mapping[str, str] = {
        "action": arrival.path_role,
        "message_id": arrival.message_id,
        "transaction_id": arrival.transaction_id,
        "sender": arrival.signer,
        "receiver": arrival.receiver,
    }
    return Event(new_row_id(arrival.received_at), "message.accepted", arrival.received_at, facts)
