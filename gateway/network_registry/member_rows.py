"""The rows of entries, keys and what waits, read as standings and written.

Sync functions on a connection. Above: `joining`, `deciding`, `register`; below: `tables`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from gateway.network_registry import pending_rows
from gateway.network_registry.json_text import read_object, write_json
from gateway.network_registry.names import look_of
from gateway.network_registry.standing import (
    NEVER_PROVEN,
    HeldKey,
    Page,
    Particulars,
    Search,
    Standing,
    particulars_json,
    read_particulars,
)
from gateway.network_registry.tables import registry_key, registry_member
from uhi.errors import Refusal
from uhi.faults import RECORD_MISSING
from uhi.signing import PROFILES, PublicKey
from uhi.storage.sql.upserts import insert_on
from uhi.subscribers import INITIATED, SubscriberKey

_ALL_AT_ONCE = 500


def standing(connection: Connection, subscriber_id: str) -> Standing:
    """Everything about one subscriber.

    Raises: Refusal(RECORD_MISSING).
    """
    found = standings(connection, [subscriber_id])
    if not found:
        raise Refusal(RECORD_MISSING, f"the registry does not know {subscriber_id}")
    return found[0]


def standings(connection: Connection, ids: Sequence[str] | None = None) -> tuple[Standing, ...]:
    """Everything about these subscribers, those of them that are there, or about all; ordered by id."""
    if ids is None:
        return _standings(connection, registry_member.c.subscriber_id != "")
    found: list[Standing] = []
    for start in range(0, len(ids), _ALL_AT_ONCE):
        found += _standings(connection, registry_member.c.subscriber_id.in_(ids[start : start + _ALL_AT_ONCE]))
    return tuple(found)


def find(connection: Connection, search: Search) -> Page:
    """A page of entries, ordered by id."""
    conditions: list[ColumnElement[bool]] = [registry_member.c.subscriber_id != ""]
    if search.status:
        conditions.append(registry_member.c.status == search.status)
    if search.role is not None:
        conditions.append(registry_member.c.role == search.role.value)
    if search.text:
        conditions.append(registry_member.c.sought.contains(search.text.lower(), autoescape=True))
    total = connection.execute(select(func.count()).select_from(registry_member).where(*conditions)).scalar_one()
    ids = select(registry_member.c.subscriber_id).where(*conditions).order_by(registry_member.c.subscriber_id)
    some = connection.execute(ids.limit(search.size).offset((search.page - 1) * search.size)).scalars().all()
    return Page(standings(connection, some), total)


def put_member(connection: Connection, particulars: Particulars, *, now: float) -> None:
    """Write an entry, new or in the place of the one before."""
    subscriber = particulars.subscriber
    row = {
        "look": look_of(subscriber.id),
        "role": subscriber.role.value,
        "status": subscriber.status,
        "url": subscriber.url,
        "sought": f"{subscriber.id} {particulars.legal_name} {subscriber.url}".lower(),
        "particulars": write_json(particulars_json(particulars)),
        "updated_at": now,
    }
    new = insert_on(connection, registry_member).values(subscriber_id=subscriber.id, created_at=now, **row)
    connection.execute(new.on_conflict_do_update(index_elements=["subscriber_id"], set_=row))


def put_status(connection: Connection, before: Standing, status: str, *, now: float) -> None:
    """Write an entry's state."""
    particulars = before.particulars
    put_member(connection, replace(particulars, subscriber=replace(particulars.subscriber, status=status)), now=now)


def insert_keys(connection: Connection, subscriber_id: str, keys: Iterable[SubscriberKey], *, now: float) -> None:
    """Add approved keys."""
    rows = [
        {
            "subscriber_id": subscriber_id,
            "key_id": key.id,
            "public_key": key.public.raw_base64(),
            "profile": key.profile.name,
            "valid_from": key.valid_from,
            "valid_until": key.valid_until,
            "added_at": now,
        }
        for key in keys
    ]
    if rows:
        connection.execute(insert(registry_key), rows)


def end_keys(connection: Connection, subscriber_id: str, *, now: float, key_id: str = "") -> None:
    """Revoke one key, or all of them; what is revoked already stays so."""
    theirs = update(registry_key).where(
        registry_key.c.subscriber_id == subscriber_id, registry_key.c.revoked_at.is_(None)
    )
    connection.execute((theirs.where(registry_key.c.key_id == key_id) if key_id else theirs).values(revoked_at=now))


def holder_of_key(connection: Connection, public: PublicKey) -> tuple[str, str] | None:
    """Whose key this is or was, and its id."""
    query = select(registry_key.c.subscriber_id, registry_key.c.key_id)
    row = connection.execute(query.where(registry_key.c.public_key == public.raw_base64())).one_or_none()
    return (row.subscriber_id, row.key_id) if row else None


def ids_like(connection: Connection, subscriber_id: str, states: Iterable[str]) -> tuple[str, ...]:
    """The other ids that may be mistaken for this one: of entries in these states, and of whoever was a member."""
    had_keys = registry_member.c.subscriber_id.in_(select(registry_key.c.subscriber_id))
    counts = registry_member.c.status.in_(list(states)) | had_keys
    return _others(connection, counts & (registry_member.c.look == look_of(subscriber_id)), subscriber_id)


def ids_at(connection: Connection, url: str, subscriber_id: str, states: Iterable[str]) -> tuple[str, ...]:
    """The other ids at this address, of entries in these states."""
    counts = registry_member.c.status.in_(list(states))
    return _others(connection, counts & (registry_member.c.url == url), subscriber_id)


def drop_member(connection: Connection, subscriber_id: str) -> None:
    """Remove an entry that has no keys."""
    connection.execute(delete(registry_member).where(registry_member.c.subscriber_id == subscriber_id))


def applied_before(connection: Connection, moment: float) -> tuple[Standing, ...]:
    """The entries that never were members' and were INITIATED before a moment."""
    had_keys = registry_member.c.subscriber_id.in_(select(registry_key.c.subscriber_id))
    is_old = (registry_member.c.status == INITIATED) & (registry_member.c.updated_at < moment)
    return _standings(connection, is_old & ~had_keys)


def count_applicants(connection: Connection) -> int:
    """How many want to take part who never did."""
    had_keys = registry_member.c.subscriber_id.in_(select(registry_key.c.subscriber_id))
    waits = registry_member.c.status.in_(sorted(NEVER_PROVEN))
    query = select(func.count()).select_from(registry_member).where(waits & ~had_keys)
    return connection.execute(query).scalar_one()


def run_out(connection: Connection, states: Iterable[str], *, now: float) -> tuple[Standing, ...]:
    """The entries in these states none of whose keys is in force or will be."""
    left = select(registry_key.c.subscriber_id).where(
        registry_key.c.revoked_at.is_(None), registry_key.c.valid_until >= now
    )
    in_state = registry_member.c.status.in_(list(states))
    return _standings(connection, in_state & registry_member.c.subscriber_id.not_in(left))


def _others(connection: Connection, condition: ColumnElement[bool], subscriber_id: str) -> tuple[str, ...]:
    query = select(registry_member.c.subscriber_id).where(condition, registry_member.c.subscriber_id != subscriber_id)
    return tuple(connection.execute(query).scalars())


def _standings(connection: Connection, condition: ColumnElement[bool]) -> tuple[Standing, ...]:
    rows = (
        connection.execute(select(registry_member).where(condition).order_by(registry_member.c.subscriber_id))
        .mappings()
        .all()
    )
    theirs = select(registry_member.c.subscriber_id).where(condition)
    keys = _keys(connection, registry_key.c.subscriber_id.in_(theirs))
    waiting = pending_rows.pending(connection, theirs)
    return tuple(
        Standing(
            particulars=read_particulars(read_object(row["particulars"])),
            keys=tuple(keys[row["subscriber_id"]]),
            created_at=row["created_at"],
            updated_at=row["updated_at"],
            pending=waiting.get(row["subscriber_id"]),
        )
        for row in rows
    )


def _keys(connection: Connection, condition: ColumnElement[bool]) -> dict[str, list[HeldKey]]:
    found: dict[str, list[HeldKey]] = defaultdict(list)
    query = select(registry_key).where(condition).order_by(registry_key.c.added_at, registry_key.c.key_id)
    for row in connection.execute(query).mappings():
        public, profile = PublicKey.read(row["public_key"]), PROFILES[row["profile"]]
        key = SubscriberKey(row["key_id"], public, profile, row["valid_from"], row["valid_until"])
        found[row["subscriber_id"]].append(HeldKey(key, row["added_at"], row["revoked_at"]))
    return found
